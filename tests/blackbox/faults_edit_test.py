"""RELIABILITY 6, 16, 22, 23 and 49: storms of edits, pages that change places under a running daemon, a state.db
that cannot be written, and schemas of other versions."""
import contextlib
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from daemon import Daemon, insertion
from faults_lock_test import enter_own_mounts, mount
from faults_state_test import ALLOWED, HANDSHAKE, learning
from handover_test import Holder
from oracle import Oracle, strict_rows
from processes import SANITIZED, SLOWNESS, check_figure, is_alive, wait_until

LONG = bool(os.environ.get("TLSPOLICYD_LONG"))
PAGE = 4096
STORM = 60 if LONG else 6  # seconds
PER_SECOND = 1000


class Storm(unittest.TestCase):
    """Two rows carry the number of their edit, and always the same one."""

    def ask_until(self, daemon, stop, seen):
        """Pairs of numbers in the order in which they were answered."""
        with daemon.client() as client:
            while not stop.is_set():
                pair = [int(re.fullmatch(r"OK secure match=v(\d+)\.example", client.ask(f"{side}.storm.example"))[1])
                        for side in "ab"]
                seen.append(pair)

    def test_23_a_thousand_edits_a_second_answer_some_version_never_an_older_one_and_the_last_one_soon(self):
        rows, strict = strict_rows(1000)
        rows += [(f"{side}.storm.example", "secure", "v0.example") for side in "ab"]
        with Daemon(rows) as daemon, Oracle(daemon, {key: strict[key] for key in list(strict)[:20]}, 2) as oracle:
            stop, seen = threading.Event(), []
            asking = threading.Thread(target=self.ask_until, args=(daemon, stop, seen), daemon=True)
            asking.start()
            published = daemon.log().count("policy published")
            written = self.edit_all(daemon, STORM)
            began = time.monotonic()
            last = f"OK secure match=v{written}.example"
            daemon.wait_until_answers("b.storm.example", last)
            check_figure("the last edit of the storm: live after", time.monotonic() - began, 2.0)
            stop.set()
            asking.join()
            oracle.settle()
            published = daemon.log().count("policy published") - published
            print(f"{written} edits in {STORM} s became {published} policies", file=sys.stderr)
            self.assertLessEqual(published, 10 * (STORM + 2), "edits that come together are one policy")
            numbers = [number for pair in seen for number in pair]
            self.assertEqual(sorted(numbers), numbers, "a later version is never taken back")
            self.assertGreater(len(set(numbers)), 3)

    def edit_all(self, daemon, seconds):
        """The number of the last one."""
        database = sqlite3.connect(daemon.policy_db, isolation_level=None, timeout=20)
        with contextlib.closing(database):
            database.execute("PRAGMA synchronous = OFF")
            began, number = time.monotonic(), 0
            while (elapsed := time.monotonic() - began) < seconds:
                number += 1
                database.execute("UPDATE outbound SET match = ? WHERE destination LIKE '_.storm.example'",
                                 (f"v{number}.example",))
                time.sleep(max(0.0, number / PER_SECOND - elapsed))
        return number


class SwappedInPlace(unittest.TestCase):
    TRIALS = 60 if LONG else 12

    def test_16_two_pages_that_change_places_in_the_live_file_weaken_nothing(self):
        """The daemon reads the file again for an ordinary commit, which itself was made beside the damage."""
        rows, strict = strict_rows(1000)
        with Daemon(rows) as daemon:
            daemon.edit("PRAGMA wal_checkpoint(TRUNCATE);")
            good = daemon.path("good.db")
            shutil.copyfile(daemon.policy_db, good)
            pages = [int(number) for number in daemon.edit(
                "SELECT pageno FROM dbstat WHERE name IN ('outbound', 'sqlite_autoindex_outbound_1') ORDER BY 1").split()]
            self.assertGreater(len(pages), 5)
            found = 0
            with Oracle(daemon, strict, 2) as oracle:
                for seed in range(self.TRIALS):
                    self.swap(daemon.policy_db, *random.Random(seed).sample(pages, 2))
                    with contextlib.suppress(AssertionError):  # the shell may find it first
                        daemon.edit(f"INSERT INTO change_log(at, table_name, key, op) VALUES({seed}, 'outbound', 'x', 'x');")
                    daemon.status()
                    if not SANITIZED:
                        oracle.settle()
                    found += daemon.trouble() not in ("", None)
                    shutil.copyfile(good, daemon.path("new.db"))
                    os.rename(daemon.path("new.db"), daemon.policy_db)
                    wait_until(lambda: daemon.trouble() == "", "the good file is taken", 20 * SLOWNESS)
                oracle.settle()
            print(f"{found} of {self.TRIALS} were found, none was answered from", file=sys.stderr)

    @staticmethod
    def swap(path, one, other):
        with open(path, "r+b") as file:
            content = []
            for number in (one, other):
                file.seek((number - 1) * PAGE)
                content.append(file.read(PAGE))
            for number, page in zip((other, one), content):
                file.seek((number - 1) * PAGE)
                file.write(page)


class ReadOnlyState(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        enter_own_mounts()

    def test_6_nothing_is_lowered_while_state_db_is_on_a_read_only_file_system(self):
        with learning(start=False) as daemon:
            disk = daemon.path("disk")
            os.makedirs(disk)
            mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", disk)
            self.addCleanup(subprocess.run, ["umount", "-l", disk], check=False, timeout=20, stderr=subprocess.DEVNULL)
            daemon.configure(state_db=os.path.join(disk, "state.db"))
            daemon.start()
            daemon.wait_until_answers("any.slow.test", "OK encrypt")
            with Oracle(daemon, {**ALLOWED, "b.slow.test": {"OK encrypt"}}) as oracle:
                # While `store` has its log open for writing the kernel refuses to remount.
                daemon.process.send_signal(signal.SIGSTOP)
                killed = daemon.kill_role("store")
                # Its name goes before its files do: only a zombie has closed them.
                wait_until(lambda: not is_alive(killed), "the store is gone")
                mount("-o", "remount,ro", disk)
                daemon.process.send_signal(signal.SIGCONT)
                daemon.role("store", other_than=killed)
                daemon.deliver("b.slow.test", HANDSHAKE)
                wait_until(lambda: any("state.db" in each for each in daemon.status().get("alarms", [])), "an alarm is raised")
                threading.Event().wait(5.5)  # its downgrade is due
                oracle.settle(3)
                mount("-o", "remount,rw", disk)
                oracle.allow({"b.slow.test": {"OK encrypt", "OK may"}})
                daemon.wait_until_lowered("b.slow.test")
            wait_until(lambda: daemon.status().get("ok"), lambda: f"all is well: {daemon.status()}")
            daemon.check_ledger("b.slow.test")


class OtherVersions(unittest.TestCase):
    ROWS, STRICT = strict_rows(200)
    SECOND_STEP = ("inbound", "submission")  # tables that the second schema brought

    def older(self, daemon):
        """policy.db as the version before this one made it."""
        names = daemon.edit("SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('trigger', 'view') AND (tbl_name "
                            "IN ('inbound', 'submission') OR name LIKE 'inbound%' OR name LIKE 'submission%');").splitlines()
        daemon.edit("".join(f"DROP {each};" for each in names) + "".join(f"DROP TABLE {each};" for each in self.SECOND_STEP)
                    + "PRAGMA user_version = 1;")

    def test_49_an_upgrade_and_a_downgrade_across_a_schema_step_are_seen_by_nobody(self):
        with Daemon(self.ROWS, start=False) as daemon, \
                Holder(tlsmap=daemon.tcp, **{"tlsmap-unix": daemon.unix}) as holder:
            newest = daemon.edit("PRAGMA user_version").strip()
            daemon.start(holder.command())
            with Oracle(daemon, self.STRICT) as oracle:
                # An older database serves as it is, also an edit, also over a restart.
                self.older(daemon)
                daemon.edit(insertion("older.example", "verified"))
                daemon.wait_until_answers("older.example", "OK verify")
                daemon.stop()
                daemon.start(holder.command())
                oracle.settle()
                # Upgraded under a running daemon.
                daemon.ctl("upgrade")
                self.assertEqual(newest, daemon.edit("PRAGMA user_version").strip())
                daemon.edit(insertion("upgraded.example", "verified"))
                daemon.wait_until_answers("upgraded.example", "OK verify")
                # And by a version that is newer than this one: what was in force stays, over a restart too.
                wait_until(lambda: daemon.status().get("ok"), lambda: f"all is well: {daemon.status()}")
                daemon.edit(f"PRAGMA user_version = {int(newest) + 1}; DELETE FROM outbound;")
                wait_until(lambda: daemon.trouble() == "schema-newer", "it is said")
                daemon.stop()
                daemon.start(holder.command())
                oracle.settle()
                self.assertEqual("OK verify", daemon.ask("upgraded.example"))
                self.assertIn(f"{int(newest) + 1}", daemon.status()["policy_db"]["text"])


if __name__ == "__main__":
    unittest.main()
