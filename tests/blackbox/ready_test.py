#!/usr/bin/env python3
"""READY means that Postfix is answered and that an admin's tools find what they need; never that a disk was waited for."""
import os
import signal
import unittest

from daemon import Daemon
from http_daemon import Shown
from processes import SLOWNESS, targets_of, wait_until
from shell import Shell

ROWS = [("bank.example", "required")]


class Ready(unittest.TestCase):
    def test_right_after_the_first_ready_the_ledger_can_be_read(self):
        for _ in range(10):
            with Daemon(ROWS) as daemon:
                self.assertEqual("[]", "".join(daemon.ctl("decisions", "--json").split()))

    def test_right_after_ready_all_is_well(self):
        with Shown(ROWS) as daemon:
            for _ in range(10):
                daemon.ctl("status")  # ends with 1 where something is not
                daemon.stop()
                daemon.start()

    def test_where_nothing_is_known_that_is_said_and_no_empty_table_shown(self):
        with Daemon(ROWS) as daemon:
            self.assertEqual("No decision: no level was lowered, and nobody used panic or accept.\n",
                             daemon.ctl("decisions"))
            self.assertIn("No decision about bank.example since then", daemon.ctl("decisions", "--since", "7d",
                                                                                  "--destination", "Bank.Example"))
            self.assertIn("Nothing is known of any destination yet", daemon.ctl("state"))
            said = daemon.run_ctl("decisions", "--since", "yesterday")
            self.assertEqual(2, said.returncode)
            self.assertIn("write how long ago", said.stderr)

    def test_a_state_db_that_can_not_be_made_keeps_nobody_waiting(self):
        with Daemon(ROWS, start=False) as daemon:
            daemon.configure(state_db=daemon.path("nowhere/state.db"))
            daemon.start()
            self.assertEqual("OK encrypt", daemon.ask("bank.example"))
            self.assertIn("nowhere/state.db", daemon.run_ctl("decisions").stderr)
            self.assertEqual(3, daemon.run_ctl("decisions").returncode)

    def test_a_store_that_hangs_on_its_disk_keeps_nobody_waiting(self):
        with Daemon(ROWS) as daemon:
            wait_until(lambda: os.path.exists(daemon.image_file), "the last known good policy is saved", 20 * SLOWNESS)
            daemon.stop()
            with Shell(daemon.path("state.db")) as admin:
                # For as long as it waits for this it is not ready; then it stands still altogether.
                admin.say("BEGIN IMMEDIATE;")
                daemon.start(ready=False)
                store = daemon.role("store")
                wait_until(lambda: daemon.path("state.db") in targets_of(store), "store waits for its disk", 20 * SLOWNESS)
                os.kill(store, signal.SIGSTOP)
                try:
                    daemon.notify.wait_for("READY=1", within=60)
                    self.assertEqual("OK encrypt", daemon.ask("bank.example"))
                finally:
                    os.kill(store, signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
