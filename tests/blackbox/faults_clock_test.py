"""RELIABILITY 25: a clock that is set back revives no exception, not even over a restart.

Nobody may turn this machine's clock. What the daemon remembers is turned instead: to state.db that has seen
a later time, the time of day is one that was set back.
"""
import json
import re
import time
import unittest

from daemon import Daemon
from processes import wait_until

HOUR = 3600
EXCEPTION, BENEATH = "OK none", "OK encrypt"


def rows(ends_in):
    return [("*", "required"), ("lab.example", "off", None, "enforce", int(time.time()) + ends_in),
            ("old.example", "off")]


class ClockSetBack(unittest.TestCase):
    def remembered(self, daemon):
        said = daemon.edit("SELECT value FROM memory WHERE name = 'wall'", daemon.path("state.db"))
        return int(said) if said.strip() else 0

    def see_later_time(self, daemon, seconds):
        """As if the clock had been set back by so much while the daemon was down."""
        daemon.stop()
        daemon.edit(f"UPDATE memory SET value = '{int(time.time()) + seconds}' WHERE name = 'wall'",
                    daemon.path("state.db"))
        daemon.start()

    def make(self, ends_in=HOUR):
        daemon = self.enterContext(Daemon(rows(ends_in)))
        daemon.wait_until_answers("lab.example", EXCEPTION)
        wait_until(lambda: self.remembered(daemon), "the time is remembered")
        return daemon

    def test_an_exception_that_had_expired_stays_expired_from_the_first_answer_on(self):
        daemon = self.make()
        for back in (2 * HOUR, 24 * HOUR, 10 * 365 * 24 * HOUR):
            with self.subTest(back=back):
                self.see_later_time(daemon, back)
                for _ in range(50):
                    self.assertEqual(daemon.ask("lab.example"), BENEATH)
                self.assertEqual(daemon.ask("old.example"), EXCEPTION, "a row without an end is untouched")

    def test_the_highest_time_is_not_forgotten_by_further_restarts_and_crashes(self):
        daemon = self.make()
        self.see_later_time(daemon, 2 * HOUR)
        highest = self.remembered(daemon)
        daemon.restart()
        killed = daemon.kill_role("answer")
        daemon.role("answer", other_than=killed)
        daemon.restart_store()
        self.assertGreaterEqual(self.remembered(daemon), highest)
        self.assertEqual(daemon.ask("lab.example"), BENEATH)

    def test_status_says_so_and_its_way_out_works(self):
        daemon = self.make()
        self.see_later_time(daemon, 2 * HOUR)
        wait_until(lambda: daemon.status().get("alarms"), "an alarm")
        [alarm] = daemon.status()["alarms"]
        self.assertIn("rows that expire before that time have expired", alarm)
        database, sql = re.search(r'run: sqlite3 (\S+) "(.*?)"', alarm).groups()
        daemon.stop()
        daemon.edit(sql, database)
        daemon.start()
        daemon.wait_until_answers("lab.example", EXCEPTION)
        # A fresh start is "not connected" for a moment; an alarm about the clock would stay.
        wait_until(lambda: daemon.status().get("alarms") == [], "no alarm stands")

    def test_explain_goes_by_the_daemons_clock_and_says_so(self):
        daemon = self.make()
        before = json.loads(daemon.ctl("explain", "lab.example", "--json"))
        self.assertEqual(("lab.example", []), (before["row"]["destination"], before["notes"]))
        self.see_later_time(daemon, 2 * HOUR)
        found = json.loads(daemon.ctl("explain", "lab.example", "--json"))
        self.assertEqual(("*", "encrypt"), (found["row"]["destination"], found["level"]))
        self.assertIn("rows that end before that have ended", " ".join(found["notes"]))
        self.assertIn("rows that end before that have ended", daemon.ctl("explain", "lab.example"))

    def test_a_step_of_some_seconds_is_no_alarm(self):
        daemon = self.make()
        self.see_later_time(daemon, 20)
        daemon.wait_until_answers("lab.example", EXCEPTION)
        # A fresh start is "not connected" for a moment; an alarm about the clock would stay.
        wait_until(lambda: daemon.status().get("alarms") == [], "no alarm stands")

    def test_without_state_db_no_exception_holds(self):
        """Nobody knows then whether it has expired before."""
        daemon = self.make()
        daemon.stop()
        daemon.configure(state_db=daemon.path("nowhere/state.db"))
        daemon.start()
        for _ in range(50):
            self.assertEqual(daemon.ask("lab.example"), BENEATH)
        self.assertEqual(daemon.ask("old.example"), EXCEPTION)


if __name__ == "__main__":
    unittest.main()
