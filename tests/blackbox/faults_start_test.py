"""A policy that was answered, or committed before a start, is not taken back for an older one by a cold start."""
import os
import shutil
import unittest

from daemon import Daemon
from oracle import strict_rows
from processes import wait_until

ROWS, _ = strict_rows(2000)
LEVELS = {"native": "OK may", "secure": "OK secure"}


class NothingIsTakenBack(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon([*ROWS, ("edited.example", "native")]))
        wait_until(lambda: os.path.exists(self.daemon.image_file), "the image is saved")

    def edit(self, profile):
        self.daemon.edit(f"UPDATE outbound SET profile = '{profile}' WHERE destination = 'edited.example';")

    def check_answers(self, profile):
        self.assertEqual({LEVELS[profile]}, {self.daemon.ask("edited.example") for _ in range(100)})

    def test_a_row_made_stricter_while_the_daemon_is_down_holds_from_the_first_answer_on(self):
        for profile in ("secure", "native", "secure"):
            self.daemon.stop()
            self.edit(profile)
            self.daemon.start()
            self.check_answers(profile)

    def test_a_row_made_stricter_after_the_last_image_was_saved_holds_over_a_restart(self):
        older = self.daemon.path("older.image")
        shutil.copyfile(self.daemon.image_file, older)
        self.edit("secure")
        self.daemon.wait_until_answers("edited.example", "OK secure")
        self.daemon.process.kill()
        self.daemon.process.wait()
        os.rename(older, self.daemon.image_file)
        self.daemon.start()
        self.check_answers("secure")


if __name__ == "__main__":
    unittest.main()
