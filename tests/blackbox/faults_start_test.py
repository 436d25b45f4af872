"""A policy that was answered, or committed before a start, is not taken back for an older one: not by a cold start
from the saved image, and not by the death of a role whose last words nobody has read yet."""
import os
import shutil
import signal
import unittest

from daemon import Daemon
from oracle import Oracle, strict_rows
from processes import SLOWNESS, stopped, wait_until

ROWS, STRICT = strict_rows(2000)
SOME = {key: STRICT[key] for key in list(STRICT)[:50]}
LEVELS = {"native": "OK may", "secure": "OK secure"}


class NothingIsTakenBack(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon([*ROWS, ("edited.example", "native")]))
        wait_until(lambda: os.path.exists(self.daemon.image_file), "the image is saved")

    def edit(self, profile):
        self.daemon.edit(f"UPDATE outbound SET profile = '{profile}' WHERE destination = 'edited.example';")

    def wait_until_complete(self):
        """Each role has all that the parent gives it: who is stopped from here on owes nobody anything."""
        wait_until(lambda: self.daemon.status().get("ok"), lambda: f"all is well: {self.daemon.status()}", 20 * SLOWNESS)

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

    def test_an_answer_that_dies_before_the_parent_has_read_what_it_put_in_force(self):
        with Oracle(self.daemon, SOME) as oracle:
            for profile in ("secure", "native") * 5:
                self.wait_until_complete()
                with stopped(self.daemon.process.pid):
                    self.edit(profile)
                    self.daemon.wait_until_answers("edited.example", LEVELS[profile])
                    killed = self.daemon.role("answer")
                    os.kill(killed, signal.SIGKILL)
                self.check_answers(profile)
                self.daemon.role("answer", other_than=killed)
                oracle.settle()

    def test_both_roles_die_before_the_parent_has_read_what_was_put_in_force(self):
        for profile in ("secure", "native") * 3:
            self.wait_until_complete()
            with stopped(self.daemon.process.pid):
                self.edit(profile)
                self.daemon.wait_until_answers("edited.example", LEVELS[profile])
                killed = {name: self.daemon.role(name) for name in ("store", "answer")}
                for pid in killed.values():
                    os.kill(pid, signal.SIGKILL)
            self.check_answers(profile)
            for name, pid in killed.items():
                self.daemon.role(name, other_than=pid)


if __name__ == "__main__":
    unittest.main()
