#!/usr/bin/env python3
"""tlspolicyctl trace: what Postfix asks about one destination, what it is told and how deliveries end, as it happens."""
import json
import os
import signal
import subprocess
import threading
import time
import unittest

from daemon import BIN, Daemon
from processes import SLOWNESS, wait_until

ROWS = [("bank.example", "required"), (".bank.example", "verified"), ("other.example", "secure")]
BROKEN = "4.7.5 Cannot start TLS: handshake failure"


class Trace:
    """A running trace; its lines as they come."""

    def __init__(self, daemon, destination, *arguments):
        self.lines = []
        self.process = subprocess.Popen(
            [os.path.join(BIN, "tlspolicyctl"), "--config", daemon.config, "trace", destination, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="surrogateescape")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reader.join(10)
        self.process.stdout.close()
        self.process.stderr.close()

    def wait_for(self, *words):
        """The first line that has all the words."""
        def found():
            return next((line for line in self.lines if all(word in line for word in words)), None)
        return wait_until(found, lambda: f"a line with {words}: {self.lines}", 30 * SLOWNESS)

    def end(self, number=None):
        """Its exit status and what it said on standard error."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(30 * SLOWNESS)
        self._reader.join(10)
        return status, self.process.stderr.read()


def begin(trace, daemon, key):
    """Asks until the trace shows it: from then on all is shown."""
    def is_shown():
        daemon.ask(key)
        return any(key in line for line in trace.lines)
    wait_until(is_shown, lambda: f"the trace begins: {trace.lines}", 30 * SLOWNESS)


class TraceTest(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon(ROWS))

    def trace(self, *arguments):
        return self.enterContext(Trace(self.daemon, *arguments))

    def test_shows_lookups_answers_and_outcomes_of_the_destination_alone(self):
        trace = self.trace("Bank.Example.")
        begin(trace, self.daemon, "bank.example")
        with self.daemon.client(self.daemon.unix) as client:
            client.ask("other.example")
            client.ask(BROKEN, "outcome")
            client.ask("bank.example")
            client.ask(BROKEN, "outcome")
            client.ask("[bank.example]:587")
            client.ask("a.bank.example", "strict")
            client.ask("notbank.example")
            client.ask("last.bank.example")
        trace.wait_for("last.bank.example")
        self.assertIn("policy bank.example  -> OK encrypt", trace.wait_for("policy bank.example "))
        self.assertRegex(trace.wait_for("outcome"), r"bank\.example outcome 4\.7\.5 Cannot start TLS: .*-> NOTFOUND")
        self.assertIn("-> OK encrypt", trace.wait_for("[bank.example]:587"))
        self.assertIn("-> OK verify", trace.wait_for("strict a.bank.example"))
        text = "\n".join(trace.lines)
        self.assertNotIn("other.example", text)
        self.assertNotIn("notbank", text)
        self.assertEqual(1, text.count("outcome"), "that of the other delivery is not shown")

    def test_as_data_each_line_is_an_object(self):
        trace = self.trace("bank.example", "--json")
        begin(trace, self.daemon, "bank.example")
        with self.daemon.client(self.daemon.unix) as client:
            client.ask("bank.example")
            client.ask(BROKEN, "outcome")
        trace.wait_for("outcome")
        found = [json.loads(line) for line in trace.lines]
        self.assertEqual({"at", "map", "key", "reply"}, set(found[0]))
        self.assertEqual(("policy", "bank.example", "OK encrypt"), tuple(found[0][each] for each in ("map", "key", "reply")))
        self.assertEqual(("outcome " + BROKEN, "bank.example"), (found[-1]["map"], found[-1]["key"]))
        self.assertLess(abs(found[0]["at"] - time.time()), 3600)

    def test_hostile_bytes_of_an_outcome_reach_no_terminal(self):
        for arguments in ((), ("--json",)):
            trace = self.trace("bank.example", *arguments)
            begin(trace, self.daemon, "bank.example")
            with self.daemon.client(self.daemon.unix) as client:
                client.ask("bank.example")
                client.ask_bytes(b"outcome 4.7.5 evil \x1b[2J\x07\r\n\xff\xfe\xe2\x80\xae\x00 end of it " + b"x" * 5000)
                client.ask("bank.example")
            line = trace.wait_for("evil")
            for evil in ("\x1b", "\x07", "\r", "\x00", "\udcff"):
                self.assertNotIn(evil, line)
            if arguments:
                self.assertTrue(json.loads(line)["map"].startswith("outcome 4.7.5 evil"))
            else:
                self.assertNotIn("\u202e", line)
            self.assertLess(len(line), 1000, "of a long text the beginning")

    def test_ends_cleanly_by_ctrl_c_and_by_its_time(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            trace = self.trace("bank.example")
            begin(trace, self.daemon, "bank.example")
            self.assertEqual((0, "tlspolicyctl: following bank.example and what is below it; Ctrl-C ends it\n"),
                             trace.end(number))
        self.assertEqual(0, self.trace("bank.example", "--for", "1s").end()[0])
        self.assertEqual(2, self.trace("bank.example", "--for", "soon").end()[0])

    def test_ends_with_a_word_when_the_daemon_stops(self):
        trace = self.trace("bank.example")
        begin(trace, self.daemon, "bank.example")
        self.daemon.stop()
        status, said = trace.end()
        self.assertEqual(3, status)
        self.assertIn("the trace ends here: the daemon can't be reached", said)
        self.assertEqual(3, self.trace("bank.example").end()[0], "nobody is there to begin with")

    def test_goes_on_over_the_death_of_a_role(self):
        for role in ("store", "answer"):
            trace = self.trace("bank.example")
            begin(trace, self.daemon, "bank.example")
            self.daemon.role(role, other_than=self.daemon.kill_role(role))
            begin(trace, self.daemon, f"after-{role}.bank.example")

    def test_a_reader_that_stands_still_holds_nothing_up(self):
        trace = self.trace("bank.example")
        begin(trace, self.daemon, "bank.example")
        os.kill(trace.process.pid, signal.SIGSTOP)
        with self.daemon.client() as client:
            for _ in range(30_000):
                self.assertEqual("OK encrypt", client.ask("bank.example"))
        self.assertTrue(self.daemon.status(), "store answers too")
        os.kill(trace.process.pid, signal.SIGCONT)
        begin(trace, self.daemon, "again.bank.example")

    def test_goes_on_after_it_was_stopped_in_the_middle_of_a_question(self):
        trace = self.trace("bank.example")
        begin(trace, self.daemon, "bank.example")
        store = self.daemon.role("store")
        os.kill(store, signal.SIGSTOP)
        time.sleep(1)  # it asks five times a second: now it waits for an answer
        os.kill(trace.process.pid, signal.SIGSTOP)
        os.kill(store, signal.SIGCONT)
        time.sleep(6)  # longer than a role that died is waited for
        os.kill(trace.process.pid, signal.SIGCONT)
        begin(trace, self.daemon, "again.bank.example")

    def test_too_many_destinations_are_refused_in_words(self):
        traces = [self.trace(f"d{number}.example") for number in range(33)]
        refused = wait_until(lambda: next((each for each in traces if each.process.poll() is not None), None),
                             "one is refused", 30 * SLOWNESS)
        status, said = refused.end()
        self.assertEqual(3, status)
        self.assertIn("32 destinations are being traced already", said)


if __name__ == "__main__":
    unittest.main()
