"""state.db backed up while the daemon serves, and restored while it is stopped."""
import json
import subprocess
import unittest

from daemon import Daemon
from processes import wait_until


class StateDb(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon([("bank.example", "required")]))
        self.state_db, self.backup = self.daemon.path("state.db"), self.daemon.path("backup.db")

    def sqlite3(self, command):
        done = subprocess.run(["sqlite3", self.state_db, command], capture_output=True, text=True, check=False,
                              timeout=60)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return done.stdout

    def decisions(self):
        """The end of each panic tells them apart."""
        return [each["until"] for each in json.loads(self.daemon.ctl("decisions", "--json"))]

    def panic(self, hours):
        before = len(self.decisions())
        self.daemon.ctl("panic", "observe", "--for", f"{hours}h")
        wait_until(lambda: len(self.decisions()) == before + 1, "it is recorded")

    def test_comes_back_as_it_was_and_goes_on(self):
        self.panic(1)
        self.panic(2)
        kept = self.decisions()
        self.sqlite3(f".backup {self.backup}")
        self.panic(3)
        self.assertEqual(3, len(self.decisions()))
        self.daemon.stop()
        self.sqlite3(f".restore {self.backup}")
        self.assertEqual("ok\n", self.sqlite3("PRAGMA integrity_check"))
        self.daemon.start()
        self.assertEqual(kept, self.decisions())
        self.daemon.ctl("decisions", "--verify")
        self.daemon.wait_until_answers("bank.example", "NOTFOUND ")  # the panic of then
        self.panic(4)
        self.daemon.ctl("panic", "off")
        self.daemon.wait_until_answers("bank.example", "OK encrypt")
        self.daemon.ctl("decisions", "--verify")

    def test_lost_without_a_backup_is_begun_anew(self):
        self.panic(1)
        self.daemon.stop()
        for suffix in ("", "-wal", "-shm"):
            subprocess.run(["rm", "-f", self.state_db + suffix], check=True)
        self.daemon.start()
        self.daemon.wait_until_answers("bank.example", "OK encrypt")
        wait_until(lambda: self.daemon.run_ctl("decisions", "--json").returncode == 0, "the new one is there")
        self.assertEqual([], self.decisions())


if __name__ == "__main__":
    unittest.main()
