#!/usr/bin/env python3
"""What tlspolicyctl says by state.db, which the daemon wrote: with no daemon beside it, or one in a panic."""
import contextlib
import json
import os
import time
import unittest

from ctl_desk import Answering
from daemon import Daemon
from feedback_test import HANDSHAKE, Believed
from processes import SLOWNESS, wait_until

NOT_WELL, FAILED = 1, 3


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


class InAPanic(unittest.TestCase):
    """What the daemon answers while a panic sets its mode is what the tools say, and that it is a panic."""

    def enter(self, daemon, mode, reply):
        daemon.ctl("panic", mode, "--for", "1h")
        daemon.wait_until_answers("a.example", reply)

    def assert_told(self, text, mode="observe"):
        self.assertRegex(text, rf"admin's panic has the daemon in mode {mode} until 20\S+Z .*tlspolicyctl panic off")

    def test_status_says_it_in_the_first_place(self):
        with Daemon([("a.example", "required")]) as daemon:
            wait_until(lambda: daemon.status().get("ok"), "all is well", 20 * SLOWNESS)
            self.enter(daemon, "observe", "NOTFOUND ")
            text = daemon.ctl("status")
            self.assertIn("mode observe", text)
            self.assertNotIn("mode enforce", text)
            self.assert_told(text.partition("To look at:\n")[2].splitlines()[0])
            daemon.ctl("panic", "off")
            text = daemon.ctl("status")
            self.assertIn("mode enforce", text)
            self.assertNotIn("panic off", text)

    def test_no_rule_is_in_force_in_panic_observe_with_or_without_the_daemon(self):
        with Daemon([("a.example", "required")], policyd=True) as daemon:
            daemon.edit("INSERT INTO inbound(sender, require) VALUES('b.example', 'encrypt');")
            with open(daemon.path("aliases"), "w", encoding="ascii") as file:
                file.write("ann: x@a.example\n")
            inbound = ("explain", "--inbound", "client=192.0.2.1", "sender=u@b.example")
            self.assertNotIn("observe", daemon.ctl(*inbound))
            self.enter(daemon, "observe", "NOTFOUND ")
            for _ in range(2):
                asked = daemon.run_ctl("can-receive-tls", "x@a.example")
                self.assertEqual(NOT_WELL, asked.returncode, asked.stdout)
                self.assertIn("mode observe", asked.stdout)
                self.assert_told(asked.stderr)
                self.assertEqual(NOT_WELL, daemon.run_ctl("check-forwards", daemon.path("aliases")).returncode)
                found = explained(daemon, "a.example")
                self.assertEqual({"NOTFOUND "}, set(replies(found).values()))
                self.assertEqual(("observe", "not-found"), (found["mode"], found["verdict"]))
                self.assert_told(" ".join(found["notes"]))
                self.assert_told(daemon.ctl(*inbound))
                self.assertIn("mode is observe", daemon.ctl(*inbound))
                daemon.stop()

    def test_rows_are_in_force_in_panic_enforce_over_a_configured_observe(self):
        with Daemon([("a.example", "required")], mode="observe") as daemon:
            self.enter(daemon, "enforce", "OK encrypt")
            self.assertIn(": yes", daemon.ctl("can-receive-tls", "x@a.example"))
            found = explained(daemon, "a.example")
            self.assertEqual("OK encrypt", replies(found)["policy"])
            self.assert_told(" ".join(found["notes"]), "enforce")
            daemon.ctl("panic", "off")
            daemon.wait_until_answers("a.example", "NOTFOUND ")
            self.assertEqual("NOTFOUND ", replies(explained(daemon, "a.example"))["policy"])

    def test_one_that_is_over_says_nothing(self):
        with Daemon([("a.example", "required")]) as daemon:
            daemon.stop()
            daemon.edit(f"INSERT INTO memory VALUES('panic', 'observe {int(time.time()) - 1}');", daemon.path("state.db"))
            found = explained(daemon, "a.example")
            self.assertEqual(("OK encrypt", []), (replies(found)["policy"], found["notes"]))

    def test_the_report_takes_rows_for_observed(self):
        with Daemon([("a.example", "required")]) as daemon:
            daemon.stop()
            hour = int(time.time()) // 3600 * 3600
            daemon.edit(f"INSERT INTO evidence VALUES('', 'a.example', {hour}, 'maillog', '', 'clear', 1, 1);",
                        daemon.path("state.db"))

            def asked():
                lines = json.loads(daemon.ctl("report", "--json"))["plaintext"]
                return [line["asked_more"] for line in lines]

            self.assertEqual(["yes"], asked())
            daemon.edit(f"INSERT INTO memory VALUES('panic', 'observe {int(time.time()) + 600}');",
                        daemon.path("state.db"))
            self.assertEqual(["observed"], asked())
            self.assert_told(daemon.run_ctl("report").stderr)


class WhatIsNext(unittest.TestCase):
    """A downgrade that is due comes with the daemon's next turn, and lasts from then on."""

    def failed(self, daemon, destination):
        """What stands in state.db after one failure; the daemon is stopped then."""
        with daemon.client(daemon.unix) as client:
            client.ask(destination)
            client.ask(HANDSHAKE, "outcome")
        wait_until(lambda: explained(daemon, destination)["known"], "the failure is written down", 20 * SLOWNESS)
        daemon.stop()

    def next_of(self, daemon, destination):
        return [line for line in explained(daemon, destination)["known"] if line.startswith("next: ")]

    def test_one_that_is_overdue_is_not_said_to_come_when_it_ends(self):
        with Believed([("a.example", "opportunistic")]) as daemon:
            self.failed(daemon, "a.example")
            self.assertRegex(self.next_of(daemon, "a.example")[0], r"next: downgraded to may in [45] min, unless TLS")
            daemon.edit("UPDATE memory SET value = value - 400 WHERE name = 'wall';", daemon.path("state.db"))
            self.assertEqual(["next: downgraded to may as soon as the daemon decides it, unless TLS works before"],
                             self.next_of(daemon, "a.example"))

    def test_a_reroute_is_called_one(self):
        with Believed(init=False, start=False) as daemon:
            daemon.ctl("init")
            daemon.ctl("profile", "set", "detour", "level=encrypt", "fallback=reroute", "reroute_to=smtp:[x.example]",
                       "attempts=2")
            daemon.ctl("set", "a.example", "detour")
            daemon.start()
            self.failed(daemon, "a.example")
            self.assertEqual([], self.next_of(daemon, "a.example"))
            daemon.ctl("profile", "set", "detour", "attempts=1")
            self.assertEqual(["next: rerouted to smtp:[x.example] as soon as the daemon decides it, unless TLS works "
                              "before"], self.next_of(daemon, "a.example"))

    def test_in_a_freeze_nothing_is_lowered(self):
        with Believed([("a.example", "opportunistic")]) as daemon:
            self.failed(daemon, "a.example")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(daemon.path("control.sock"))
            with Answering.on_unix(daemon.path("control.sock"), lambda heard: heard.endswith(b"\n"),
                                   b'{"feedback": {"frozen": true}}\n'):
                self.assertIn("nothing is lowered in the freeze", self.next_of(daemon, "a.example")[0])


if __name__ == "__main__":
    unittest.main()
