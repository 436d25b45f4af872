"""policy.db backed up and restored while the daemon serves: every answer is right all the time."""
import os
import shutil
import subprocess
import threading
import unittest

from daemon import Daemon, insertion
from oracle import Oracle, strict_rows

ROWS, ANSWERS = strict_rows(300)


class BackupAndRestore(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon(rows=[*ROWS, ("edited.example", "required")]))
        self.daemon.wait_until_answers(ROWS[-1][0], *ANSWERS[ROWS[-1][0]])
        self.backup = self.daemon.path("backup.db")

    def sqlite3(self, command):
        done = subprocess.run(["sqlite3", "-bail", self.daemon.policy_db], input=command, capture_output=True, text=True,
                              check=False, timeout=60)
        self.assertEqual((0, ""), (done.returncode, done.stderr))

    def check(self, database):
        shown = subprocess.run(["sqlite3", "-readonly", database, "PRAGMA integrity_check; SELECT count(*) FROM outbound"],
                               capture_output=True, text=True, check=True, timeout=60).stdout
        self.assertEqual(["ok", str(len(ROWS) + 1)], shown.split())

    def edit(self, profile="verified"):
        self.daemon.edit(f"UPDATE outbound SET profile='{profile}' WHERE destination='edited.example'")

    def restore_and_compare(self, restore):
        """After an edit and a new row, `restore` brings the rows of the backup back, and edits go on."""
        both = {**ANSWERS, "edited.example": {"OK encrypt", "OK verify"}}
        with Oracle(self.daemon, both) as oracle:
            self.edit()
            self.daemon.edit(insertion("late.example", "required"))
            self.daemon.wait_until_answers("edited.example", "OK verify")
            self.daemon.wait_until_answers("late.example", "OK encrypt")
            restore()
            self.daemon.wait_until_answers("edited.example", "OK encrypt")
            self.daemon.wait_until_answers("late.example", "NOTFOUND ")
            oracle.settle()
            self.check(self.daemon.policy_db)
            self.edit("verified")
            self.daemon.wait_until_answers("edited.example", "OK verify")
            self.assertFalse(self.daemon.trouble())

    def test_a_backup_that_is_restored_into_the_database(self):
        self.sqlite3(f".backup {self.backup}")
        self.restore_and_compare(lambda: self.sqlite3(f".restore {self.backup}"))

    def test_a_backup_that_is_moved_into_place(self):
        self.sqlite3(f".backup {self.backup}")
        self.restore_and_compare(self.move_into_place)

    def test_a_vacuumed_copy_that_is_moved_into_place(self):
        self.sqlite3(f"VACUUM INTO '{self.backup}'")
        self.restore_and_compare(self.move_into_place)

    def move_into_place(self):
        new = f"{self.daemon.policy_db}.new"
        shutil.copyfile(self.backup, new)
        shutil.copystat(self.daemon.policy_db, new)
        os.rename(new, self.daemon.policy_db)

    def test_a_backup_during_edits_is_one_state_of_the_database(self):
        """Two rows always change together; in no copy do they differ."""
        stop = threading.Event()

        def edit_on():
            turn = 0
            while not stop.is_set():
                turn += 1
                profile = ("verified", "required")[turn % 2]
                self.daemon.edit("BEGIN;" + "".join(f"UPDATE outbound SET profile='{profile}' WHERE destination='{row}';"
                                                    for row in ("edited.example", ROWS[0][0])) + "COMMIT;")

        copies = []
        editor = threading.Thread(target=edit_on)
        editor.start()
        try:
            for turn in range(5):
                for kind, command in (("b", ".backup {}"), ("v", "VACUUM INTO '{}'")):
                    copies.append(f"{self.backup}{turn}{kind}")
                    self.sqlite3(f".timeout 10000\n{command.format(copies[-1])}")
        finally:
            stop.set()
            editor.join(60)
        for copy in copies:
            self.check(copy)
            profiles = self.daemon.edit("SELECT DISTINCT profile FROM outbound WHERE destination IN "
                                        f"('edited.example', '{ROWS[0][0]}')", copy)
            self.assertEqual(1, len(profiles.split()), "half of a transaction")

    def test_a_backup_starts_a_daemon_on_another_host(self):
        self.sqlite3(f".backup {self.backup}")
        with Daemon(init=False, start=False) as other:
            shutil.copyfile(self.backup, other.policy_db)
            other.start()
            for destination, replies in ANSWERS.items():
                self.assertIn(other.ask(destination), replies)


if __name__ == "__main__":
    unittest.main()
