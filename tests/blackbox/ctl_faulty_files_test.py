#!/usr/bin/env python3
"""tlspolicyctl without a daemon, beside databases that are gone, foreign or damaged: what can't be read is named,
and never shown as if there were nothing in it."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from ctl_desk import DONE, FAILED, Desk
from ctl_help import all_verbs
from daemon import Daemon
from processes import SANITIZED

PAGE = 4096
# What each verb can't do without. The files that it is given are good ones.
OF_POLICY = (
    "set a.example required", "remove bank.example", "list", "inbound add --client 192.0.2.0/24", "inbound list",
    "inbound remove 1", "import rows", "import rows --dry-run", "export", "profile list",
    "profile show required", "profile set mine level=encrypt", "profile remove mine", "submission set legal.example",
    "submission list", "submission remove ann@bank.example", "undo 1", "explain bank.example",
    "explain --inbound client=198.51.100.1", "can-receive-tls a@bank.example", "check-forwards aliases",
    "learn log --propose", "upgrade")
OF_STATE = ("submission decisions", "watch --changes", "decisions", "decisions --observed", "decisions --inbound",
            "decisions --verify", "report", "report day --csv")
OF_BOTH = ("inbound report", "watch")
# Before the first daemon, or on a host without one, there is nothing to tell or to compare with.
NEED_NO_FILE = {"policy.db": ("learn log --propose",), "state.db": (*OF_STATE, *OF_BOTH)}
OF_NEITHER = ("init", "learn log", "probe bank.example")
OF_DAEMON = ("status", "accept", "state", "reset bank.example", "panic off", "trace bank.example --for 1s",
             "query bank.example")
OF_POSTFIX = ("doctor", "held")
# What they show is the same each time.
READERS = {
    "policy.db": ("list --json", "export", "inbound list --json", "profile list --json", "profile show required --json",
                  "submission list --json", "export --format csv"),
    "state.db": ("submission decisions --json", "decisions --json", "decisions --verify --json",
                 "watch --changes --json")}
FILES = {"rows": "x.example encrypt\n", "aliases": "joe: a@bank.example\n",
         "log": "Nov 22 10:00:00 h postfix/smtp[7]: 4XYZ: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, "
                "delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)\n"}


def by_shell(statement):
    return lambda path: subprocess.run(["sqlite3", path, statement], check=True, timeout=20)


FAULTS = {
    "gone": os.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"no database\n" * 500),
    "all but its first page is lost": lambda path: path.write_bytes(
        path.read_bytes()[:PAGE] + bytes(path.stat().st_size - PAGE)),
    "of a later version": by_shell("PRAGMA user_version = 999"),
    "of another program": by_shell("PRAGMA application_id = 1"),
}


def make_databases(folder):
    """What a daemon leaves that was asked, told of failures and edited."""
    with Daemon([("bank.example", "required"), ("soft.example", "preferred")], policyd=True,
                evidence_uid=os.geteuid()) as daemon:
        daemon.ctl("inbound", "add", "--client", "198.51.100.0/24")
        daemon.ctl("submission", "set", "ann@bank.example")
        with daemon.client(daemon.unix) as client:
            client.ask("soft.example")
            client.ask("4.7.5 Cannot start TLS: handshake failure", "outcome")
        daemon.ctl("panic", "observe", "--for", "1m")
        daemon.ctl("panic", "off")
        deadline = time.monotonic() + 30
        while "2" != daemon.edit("SELECT count(*) FROM decision;", daemon.settings["state_db"]).strip():
            if time.monotonic() > deadline:
                raise AssertionError("the panic is in no ledger")
            time.sleep(0.05)
        daemon.stop()
        for name in ("policy.db", "state.db"):
            daemon.edit("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;", daemon.path(name))
            shutil.copyfile(daemon.path(name), folder / name)


class FaultyFiles(Desk):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ctl-good-")
        cls.addClassCleanup(folder.cleanup)
        cls.good = pathlib.Path(folder.name)
        make_databases(cls.good)

    def setUp(self):
        super().setUp()
        self.db = self.folder / "policy.db"
        self.configure(policy_db=self.db, policyd_listen=f"unix:{self.folder}/policyd.sock")
        for name, text in FILES.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def lay_out(self):
        """Good databases, and no trace of what an earlier verb did to them."""
        for name in ("policy.db", "state.db"):
            for suffix in ("-wal", "-shm"):
                (self.folder / (name + suffix)).unlink(missing_ok=True)
            shutil.copyfile(self.good / name, self.folder / name)

    def words(self, line):
        return [str(self.folder / word) if word in FILES else word for word in line.split()]

    def test_every_verb_is_here(self):
        lines = OF_POLICY + OF_STATE + OF_BOTH + OF_NEITHER + OF_DAEMON + OF_POSTFIX
        tried = {verb for verb in all_verbs() if any(f"{line} ".startswith(f"{verb} ") for line in lines)}
        self.assertEqual(set(all_verbs()), tried)

    def test_a_database_that_cannot_be_used_is_named_by_each_verb_that_needs_it(self):
        for name, lines in (("policy.db", OF_POLICY + OF_BOTH), ("state.db", OF_STATE + OF_BOTH)):
            for fault, spoil in FAULTS.items():
                for line in lines:
                    if fault == "gone" and line in NEED_NO_FILE[name]:
                        continue
                    with self.subTest(file=name, fault=fault, verb=line):
                        self.lay_out()
                        spoil(self.folder / name)
                        self.assertIn(str(self.folder / name), self.refused(FAILED, *self.words(line)))

    def test_the_same_verbs_can_be_carried_out_with_good_ones(self):
        for line in OF_POLICY + OF_STATE + OF_BOTH:
            with self.subTest(verb=line):
                self.lay_out()
                if line == "profile remove mine":
                    self.done("profile", "set", "mine", "level=encrypt")
                self.assertIn(self.ctl(*self.words(line)).returncode, (0, 1), line)

    def test_a_page_that_is_lost_is_told_or_not_needed_but_changes_nothing_that_is_shown(self):
        self.lay_out()
        expected = {line: self.done(*line.split()) for lines in READERS.values() for line in lines}
        told = 0
        for name, lines in READERS.items():
            content = (self.good / name).read_bytes()
            for at in range(PAGE, len(content), PAGE * (4 if SANITIZED else 1)):
                for line in lines:
                    with self.subTest(file=name, page=at // PAGE + 1, verb=line):
                        self.lay_out()
                        (self.folder / name).write_bytes(content[:at] + bytes(PAGE) + content[at + PAGE:])
                        done = self.ctl(*line.split())
                        if done.returncode == DONE:
                            self.assertEqual(expected[line], done.stdout)
                        else:
                            self.expect(FAILED, *line.split())
                            self.assertIn(name, done.stderr)
                            told += 1
        print(f"{told} times told", file=sys.stderr)
        self.assertGreater(told, 20 if SANITIZED else 80)


if __name__ == "__main__":
    unittest.main()
