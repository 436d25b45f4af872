#!/usr/bin/env python3
"""A million rows: edits are live and roles are back as soon as promised, and no answer is ever mixed.

The figures are printed, and measured in earnest by ./dev bench; what fails here is an answer that is
wrong, or so late that something hangs. ctest runs this alone and not in sanitizer builds.
"""
import os
import pathlib
import random
import shutil
import sys
import time
import unittest

from daemon import Daemon, insertion
from oracle import NOT_FOUND, Oracle
from processes import check_figure, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "soak"))
from board import Board  # noqa: E402
from clients import Clients  # noqa: E402

COUNT = 1_000_000
# So many times its goal is no longer a busy machine.
KEYS = [f"d{number}.million.example" for number in random.Random(1).sample(range(COUNT), 200)]
ALLOWED = {**{key: {"OK encrypt"} for key in KEYS}, "absent.example": {NOT_FOUND}}
FILL = f"""
WITH RECURSIVE counted(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < {COUNT})
INSERT INTO outbound(destination, profile) SELECT 'd' || n || '.million.example', 'required' FROM counted;
"""


class AMillionRows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(start=False)
        cls.enterClassContext(cls.daemon)
        # Without the log of changes, which would take most of the time.
        cls.daemon.edit(f".dbconfig enable_trigger off\nBEGIN;{FILL}COMMIT;PRAGMA wal_checkpoint(TRUNCATE);")
        cls.daemon.start()
        wait_until(lambda: (cls.daemon.status().get("image") or {}).get("rows") == COUNT, "they are published", 120)
        wait_until(lambda: os.path.exists(cls.daemon.image_file), "they are saved", 60)

    def test_an_edit_is_live_within_a_second(self):
        slowest = 0.0
        for turn in range(3):
            self.daemon.edit(insertion(f"edit{turn}.example", "verified"))
            began = time.monotonic()
            self.daemon.wait_until_answers(f"edit{turn}.example", "OK verify")
            slowest = max(slowest, time.monotonic() - began)
        check_figure(f"an edit among {COUNT} rows is live after", slowest, 1.0)

    def test_a_killed_answer_answers_again_within_half_a_second(self):
        slowest = 0.0
        with Oracle(self.daemon, ALLOWED) as oracle:
            for _ in range(3):
                killed = self.daemon.kill_role("answer")
                began = time.monotonic()
                self.assertEqual("OK encrypt", self.daemon.ask(KEYS[0]))
                slowest = max(slowest, time.monotonic() - began)
                self.daemon.role("answer", other_than=killed)
                oracle.settle()
        check_figure(f"answers again from {COUNT} rows after", slowest, 0.5)

    def test_a_cold_start_answers_from_the_image(self):
        self.daemon.stop()
        began = time.monotonic()
        self.daemon.start()
        self.assertEqual("OK encrypt", self.daemon.ask(KEYS[0]))
        check_figure(f"answers from {COUNT} rows after a cold start of", time.monotonic() - began, 1.0)

    def test_all_rows_rewritten_while_they_are_asked_for_answer_old_or_new(self):
        both = {key: {"OK encrypt", "OK verify"} for key in KEYS}
        board = Board(self.daemon.path("board"), {f"policy {key}": both[key] for key in KEYS})
        self.addCleanup(board.close)
        with Oracle(self.daemon, {**both, "absent.example": {NOT_FOUND}}) as oracle, \
                Clients(board, [self.daemon.unix], rate=10_000, seed=1) as clients:
            for profile, reply in (("verified", "OK verify"), ("required", "OK encrypt")):
                self.daemon.edit(".dbconfig enable_trigger off\n"
                                 f"UPDATE outbound SET profile = '{profile}' WHERE profile <> '{profile}'")
                if profile == "required":  # weaker than before, so an admin is asked
                    wait_until(lambda: self.daemon.status().get("pending"), "the weaker policy waits", 60)
                    wait_until(lambda: "published" in self.daemon.ctl("accept", expect=None), "it is accepted", 60)
                self.daemon.wait_until_answers(KEYS[0], reply, 60)
                oracle.allow({key: {reply} for key in KEYS})
                oracle.settle()
                oracle.allow(both)
        said = clients.tally
        self.assertEqual((True, 0), (clients.is_well(), said["deferred"]), clients.complaints[:5])
        print(f"{said['lookups']} answers meanwhile: median {said['p50_ms']} ms, 99 % {said['p99_ms']} ms, "
              f"the slowest {said['slowest_ms']} ms", file=sys.stderr)

    def test_a_new_file_by_mv_is_live_within_a_second(self):
        new = self.daemon.path("new.db")
        self.daemon.edit("PRAGMA wal_checkpoint(TRUNCATE);")
        shutil.copyfile(self.daemon.policy_db, new)
        self.daemon.edit("PRAGMA journal_mode = WAL;" + insertion("moved.example", "verified"), new)
        with Oracle(self.daemon, ALLOWED):
            os.rename(new, self.daemon.policy_db)
            began = time.monotonic()
            self.daemon.wait_until_answers("moved.example", "OK verify")
        check_figure(f"a new file of {COUNT} rows is live after", time.monotonic() - began, 1.0)


if __name__ == "__main__":
    unittest.main()
