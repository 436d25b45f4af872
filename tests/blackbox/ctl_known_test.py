#!/usr/bin/env python3
"""What tlspolicyctl says by state.db, which the daemon wrote: with no daemon beside it, or one in a panic."""
import json
import os
import unittest

from daemon import Daemon

FAILED = 3


def replies(found):
    return {each["map"]: each["reply"] for each in found["answers"]}


def explained(daemon, destination):
    return json.loads(daemon.ctl("explain", destination, "--json"))


class WhatCanNotBeRead(unittest.TestCase):
    """The daemon answers `encrypt` where memory is missing, so that is what would be answered."""

    def test_a_table_that_is_gone_is_not_nothing_known(self):
        with Daemon([("a.example", "opportunistic")]) as daemon:
            daemon.stop()
            self.assertEqual("OK may", replies(explained(daemon, "a.example"))["policy"])
            daemon.edit("DROP TABLE destination_state;", daemon.path("state.db"))
            found = explained(daemon, "a.example")
            self.assertEqual(("OK encrypt", "encrypt"), (replies(found)["policy"], found["level"]))
            self.assertIn("destination_state", " ".join(found["notes"]))
            self.assertIn("stricter level", " ".join(found["notes"]))
            asked = daemon.run_ctl("can-receive-tls", "x@a.example")
            self.assertEqual(FAILED, asked.returncode, asked.stdout)
            self.assertIn("can't be told now", asked.stderr)
            self.assertIn("destination_state", asked.stderr)

    def test_a_file_that_can_not_be_reached_is_not_one_that_is_not_there_yet(self):
        with Daemon([("a.example", "opportunistic")]) as daemon:
            daemon.stop()
            os.unlink(daemon.path("state.db"))
            self.assertEqual("OK may", replies(explained(daemon, "a.example"))["policy"])
            os.symlink("state.db", daemon.path("state.db"))
            found = explained(daemon, "a.example")
            self.assertEqual("OK encrypt", replies(found)["policy"])
            self.assertIn("can't be read", " ".join(found["notes"]))
            with open(daemon.path("aliases"), "w", encoding="ascii") as file:
                file.write("ann: x@a.example\n")
            checked = daemon.run_ctl("check-forwards", daemon.path("aliases"))
            self.assertIn("can't be read", checked.stderr)


if __name__ == "__main__":
    unittest.main()
