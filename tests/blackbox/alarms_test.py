#!/usr/bin/env python3
"""Alarms: a log line, one run of alarm_command and one more in the counter of their kind, once per change."""
import json
import os
import signal
import unittest

from feedback_test import HANDSHAKE, NOT_OFFERED, SENT, Believed
from processes import SLOWNESS, children_of, read_proc, wait_until

NOTHING = {"downgrade": 0, "tls-failing": 0, "starttls-vanished": 0, "freeze": 0, "ledger": 0, "total": 0}
WATCHER = """#!/usr/bin/python3
import json, os, sys
said = [os.environ["TLSPOLICYD_" + name] for name in ("ALARM", "STATE", "DESTINATION", "TEXT")]
with open(os.path.dirname(sys.argv[0]) + "/heard", "a", encoding="utf-8") as file:
    file.write(json.dumps([sys.argv[1:], said]) + chr(10))
"""


class Watched(Believed):
    """Its alarm_command writes down what it is told."""

    def __init__(self, rows=(), **settings):
        super().__init__(rows, **settings)
        command = self.path("watcher")
        with open(command, "w", encoding="utf-8") as file:
            file.write(WATCHER)
        os.chmod(command, 0o755)
        self.configure(alarm_command=command)

    def deliver(self, name, *ends):
        with self.client(self.unix) as client:
            for end in ends:
                client.ask(name)
                client.ask(end, "outcome")

    def heard(self):
        """What, raised or over, and of whom, in the order of the words."""
        try:
            with open(self.path("heard"), encoding="utf-8") as file:
                lines = [json.loads(line) for line in file.read().splitlines()]
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        if any(arguments != said for arguments, said in lines):
            raise AssertionError(f"arguments and environment tell the same: {lines}")
        return sorted(arguments[:3] for arguments, _ in lines)

    def wait_until_heard(self, *expected):
        wait_until(lambda: self.heard() == sorted(expected), lambda: f"{expected}, not {self.heard()}\n{self.log()}")

    def wait_until_raised(self, **expected):
        """Of the kinds, with _ for -; of all others none."""
        kinds = {kind.replace("_", "-"): number for kind, number in expected.items()}
        wanted = {**NOTHING, **kinds, "total": sum(kinds.values())}
        wait_until(lambda: self.status().get("alarms_raised") == wanted,
                   lambda: f"{wanted} were raised, not {self.status()}\n{self.log()}")

    def lines(self, words):
        return [line for line in self.log().splitlines() if words in line]


class Alarms(unittest.TestCase):
    def test_each_kind_is_logged_told_and_counted_once_per_change(self):
        rows = [("waits.test", "required"), ("quick.test", "quick")]
        with Watched(freeze_domains=2, freeze_share=1) as daemon:
            daemon.ctl("profile", "set", "quick", "level=may", "fallback=after-retry", "retry_after=1")
            for name, profile in rows:
                daemon.ctl("set", name, profile)
                daemon.wait_until_answers(name, "OK encrypt" if profile == "required" else "OK may")
            self.assertEqual(NOTHING, daemon.status()["alarms_raised"])
            self.assertRegex(daemon.ctl("status"), r"(?m)^alarms +0 raised$")

            # Of many failures one alarm.
            daemon.deliver("waits.test", *[HANDSHAKE] * 3)
            heard = [["tls-failing", "raised", "waits.test"]]
            daemon.wait_until_heard(*heard)
            daemon.wait_until_raised(tls_failing=1)
            self.assertEqual(1, len(daemon.lines("warning: tls-failing waits.test")))

            # Its end is told, and is no further one.
            daemon.deliver("waits.test", SENT)
            heard.append(["tls-failing", "over", "waits.test"])
            daemon.wait_until_heard(*heard)
            daemon.wait_until_raised(tls_failing=1)

            daemon.deliver("quick.test", HANDSHAKE)
            heard.append(["downgrade", "raised", "quick.test"])
            daemon.wait_until_heard(*heard)
            daemon.wait_until_raised(tls_failing=1, downgrade=1)
            self.assertEqual(1, len(daemon.lines("warning: downgrade quick.test")))

            # Nobody runs a shell on what a stranger asked for.
            name = f"x$(touch {daemon.path('pwned')}).test"
            daemon.deliver(name, HANDSHAKE, NOT_OFFERED)
            heard.append(["starttls-vanished", "raised", name])
            daemon.wait_until_heard(*heard)
            daemon.wait_until_raised(tls_failing=1, downgrade=1, starttls_vanished=1)
            self.assertFalse(os.path.exists(daemon.path("pwned")))
            self.assertRegex(daemon.ctl("status"),
                             r"(?m)^alarms +3 raised: 1 downgrade, 1 starttls-vanished, 1 tls-failing$")

    def test_a_freeze_is_one_alarm_though_each_name_may_raise_its_own(self):
        names = ("a.one.test", "b.two.test")
        with Watched([(name, "required") for name in names], freeze_domains=2, freeze_share=1) as daemon:
            for name in names:
                daemon.deliver(name, SENT, HANDSHAKE)
            heard = [["freeze", "raised", ""], *(["tls-failing", "raised", name] for name in names)]
            daemon.wait_until_heard(*heard)
            daemon.wait_until_raised(freeze=1, tls_failing=2)
            self.assertEqual(1, len(daemon.lines("warning: freeze: ")))
            daemon.deliver(names[0], SENT)
            daemon.wait_until_heard(*heard, ["freeze", "over", ""], ["tls-failing", "over", names[0]])
            daemon.wait_until_raised(freeze=1, tls_failing=2)

    def test_a_ledger_that_can_not_be_written_is_an_alarm_until_it_can(self):
        daemon = Watched()
        os.mkdir(daemon.settings["state_db"])
        with daemon:
            daemon.wait_until_heard(["ledger", "raised", ""])
            daemon.wait_until_raised(ledger=1)
            self.assertEqual(1, len(daemon.status()["alarms"]))
            self.assertEqual(1, len(daemon.lines("error: state.db can't be used")))
            os.rmdir(daemon.settings["state_db"])
            daemon.wait_until_heard(["ledger", "raised", ""], ["ledger", "over", ""])
            wait_until(lambda: daemon.status()["alarms"] == [], daemon.status)
            daemon.wait_until_raised(ledger=1)

    def test_a_command_that_hangs_piles_up_to_sixteen_and_one_that_fails_is_told(self):
        names = [f"d{number}.test" for number in range(20)]
        with Watched([(name, "required") for name in names], freeze_domains=100_000) as daemon:
            script = daemon.path("hangs")
            with open(script, "w", encoding="utf-8") as file:
                file.write(f"#!/bin/sh\ngrep SigIgn /proc/$$/status >{daemon.path('ignored')}\n"
                           f"while [ ! -e {daemon.path('go')} ]; do sleep 0.05; done\nexit 3\n")
            os.chmod(script, 0o755)
            daemon.configure(alarm_command=script)
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: daemon.lines("configuration reloaded"), "it is the command", 20 * SLOWNESS)
            for name in names:
                daemon.deliver(name, HANDSHAKE)
            daemon.wait_until_raised(tls_failing=len(names))

            def running():
                return sum(f"{script}\0".encode() in read_proc(pid, "cmdline") for pid in children_of(daemon.process.pid))

            wait_until(lambda: daemon.lines("16 of them are still running"), daemon.log)
            self.assertEqual(16, running())
            # A program that writes into a closed pipe must end by it, so it begins as under a shell.
            with open(daemon.path("ignored"), encoding="utf-8") as file:
                self.assertEqual(0, int(file.read().split()[1], 16) & 1 << (signal.SIGPIPE - 1))
            with open(daemon.path("go"), "w", encoding="utf-8"):
                wait_until(lambda: running() == 0, "they end", 20 * SLOWNESS)
            daemon.deliver(names[0], SENT)
            wait_until(lambda: len(daemon.lines("tls-failing d0.test")) == 2, daemon.log)
            self.assertEqual(1, len(daemon.lines("16 of them are still running")))
            self.assertEqual(1, len(daemon.lines("alarm_command ended with status 3")))


if __name__ == "__main__":
    unittest.main()
