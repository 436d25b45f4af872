#!/usr/bin/env python3
"""Mode observe, of the daemon, of a row and by a panic: nothing changes for Postfix, and what would have is shown."""
import json
import unittest

from daemon import Daemon
from evidence import HANDSHAKE, append, encrypted, status, wait_for_status
from processes import SLOWNESS, wait_until

NOT_FOUND = "NOTFOUND "
SENT = "2.0.0 (250 2.0.0 Ok: queued as 9Z)"
BROKEN = "4.7.5 Cannot start TLS: handshake failure"


def deliver(daemon, destination, outcome, times=1, expected=NOT_FOUND):
    """As one smtp(8) process: asks, and says how it ended."""
    with daemon.client(daemon.unix) as client:
        for _ in range(times):
            if expected:
                assert client.ask(destination) == expected, destination
            client.ask(outcome, "outcome")


def observed(daemon, *arguments):
    lines = json.loads(daemon.ctl("decisions", "--observed", "--json", *arguments))
    return {line["destination"]: line for line in lines}


def wait_until_observed(daemon, destination, **expected):
    def line():
        found = observed(daemon).get(destination, {})
        return found if expected.items() <= found.items() else None
    return wait_until(line, lambda: f"{destination} shows {expected}: {observed(daemon)}\n{daemon.log()}", 30 * SLOWNESS)


class Observe(unittest.TestCase):
    def test_the_daemon_observes_and_tells_what_it_would_have_done(self):
        rows = [("held.example", "required"), (".parent.example", "verified"), ("*", "opportunistic")]
        with Daemon(rows, mode="observe") as daemon:
            deliver(daemon, "held.example", SENT, times=3)
            deliver(daemon, "held.example", BROKEN, times=2)
            deliver(daemon, "a.parent.example", SENT)
            deliver(daemon, "any.example", SENT)
            held = wait_until_observed(daemon, "held.example", deliveries=5)
            self.assertEqual(("held.example", "required", ["encrypt"], "outcome"),
                             (held["row"], held["profile"], held["level"], held["source"]))
            self.assertEqual((0, 0, 3, 2), tuple(held[each] for each in ("tls", "clear", "unknown", "failed")))
            self.assertEqual((0, 2, 0, 3), tuple(held[each] for each in
                                                 ("would_pass", "would_wait", "would_bounce", "undecided")))
            parent = wait_until_observed(daemon, "a.parent.example", deliveries=1)
            self.assertEqual((".parent.example", ["verify"], 1), (parent["row"], parent["level"], parent["undecided"]))
            anybody = wait_until_observed(daemon, "any.example", deliveries=1)
            self.assertEqual(("*", ["may"], 1), (anybody["row"], anybody["level"], anybody["would_pass"]))
            self.assertEqual("", daemon.edit("SELECT * FROM decision;", daemon.path("state.db")), "nothing was decided")

    def test_the_mail_log_tells_what_the_map_can_not(self):
        with Daemon([("peer.test", "required"), ("clear.test", "verified")], mode="observe") as daemon:
            daemon.configure(maillog=daemon.path("mail.log"))
            append(daemon.path("mail.log"), "")
            daemon.restart()
            wait_for_status(daemon, lines=0)
            append(daemon.path("mail.log"), encrypted("peer.test") + status("clear.test", HANDSHAKE))
            peer = wait_until_observed(daemon, "peer.test", deliveries=1)
            self.assertEqual(("maillog", 1, 1), (peer["source"], peer["tls"], peer["would_pass"]))
            other = wait_until_observed(daemon, "clear.test", deliveries=1)
            self.assertEqual((1, 1), (other["failed"], other["would_wait"]))

    def test_a_row_observes_while_others_hold(self):
        rows = [("tried.example", "secure", None, "observe"), ("held.example", "required"), ("*", "opportunistic")]
        with Daemon(rows) as daemon:
            deliver(daemon, "tried.example", SENT, expected="OK may")
            deliver(daemon, "held.example", SENT, expected="OK encrypt")
            tried = wait_until_observed(daemon, "tried.example", deliveries=1)
            self.assertEqual((["secure"], "tried.example"), (tried["level"], tried["row"]))
            self.assertEqual(["tried.example"], list(observed(daemon)), "what is enforced is not observed")

    def test_a_panic_observes_until_it_is_over(self):
        with Daemon([("held.example", "required")]) as daemon:
            deliver(daemon, "held.example", SENT, expected="OK encrypt")
            daemon.ctl("panic", "observe", "--for", "1h")
            daemon.wait_until_answers("held.example", NOT_FOUND)
            deliver(daemon, "held.example", BROKEN)
            self.assertEqual(1, wait_until_observed(daemon, "held.example", deliveries=1)["would_wait"])
            daemon.ctl("panic", "off")
            daemon.wait_until_answers("held.example", "OK encrypt")
            deliver(daemon, "held.example", BROKEN, expected="OK encrypt")
            wait_until(lambda: daemon.status()["feedback"].get("outcomes") == 3, "the outcome was heard", 20 * SLOWNESS)
            daemon.stop()  # writes down what was counted
            self.assertEqual(1, observed(daemon)["held.example"]["deliveries"])

    def test_a_bounce_is_told_from_a_wait_and_a_row_at_fault_holds_all(self):
        with Daemon([("told.example", "told")], init=False, start=False, mode="observe") as daemon:
            daemon.ctl("init")
            daemon.ctl("profile", "set", "told", "level=encrypt", "fallback=bounce")
            daemon.ctl("set", "told.example", "told")
            daemon.start()
            deliver(daemon, "told.example", BROKEN)
            self.assertEqual(1, wait_until_observed(daemon, "told.example", deliveries=1)["would_bounce"])

    def test_the_counts_survive_a_restart_and_kill_9_of_answer(self):
        with Daemon([("held.example", "required")], mode="observe") as daemon:
            deliver(daemon, "held.example", BROKEN)
            wait_until_observed(daemon, "held.example", deliveries=1)
            daemon.role("answer", other_than=daemon.kill_role("answer"))
            deliver(daemon, "held.example", BROKEN)
            wait_until_observed(daemon, "held.example", deliveries=2)
            daemon.restart()
            self.assertEqual(2, observed(daemon)["held.example"]["deliveries"])

    def test_an_operator_reads_it_as_a_table(self):
        with Daemon([("held.example", "required")], mode="observe") as daemon:
            self.assertIn("Nothing was observed", daemon.ctl("decisions", "--observed"))
            deliver(daemon, "held.example", BROKEN)
            deliver(daemon, "held.example", SENT)
            wait_until_observed(daemon, "held.example", deliveries=2)
            text = daemon.ctl("decisions", "--observed")
            self.assertRegex(text, r"DESTINATION +ROW +PROFILE +LEVEL +DELIVERIES .*WOULD WAIT")
            self.assertRegex(text, r"held\.example +held\.example +required +encrypt +2 ")
            self.assertIn("Of 1 delivery nobody saw whether it went in TLS", text)
            self.assertIn("set maillog in", text)
            self.assertIn("tlspolicyctl decisions --observed", daemon.ctl("explain", "held.example"))

    def test_it_is_narrowed_by_destination_and_time(self):
        with Daemon([("*", "required")], mode="observe") as daemon:
            deliver(daemon, "a.example", SENT)
            deliver(daemon, "b.example", SENT)
            wait_until_observed(daemon, "a.example", deliveries=1)
            wait_until_observed(daemon, "b.example", deliveries=1)
            self.assertEqual(["a.example"], list(observed(daemon, "--destination", "A.Example.")))
            self.assertEqual(2, len(observed(daemon, "--since", "1h")))
            daemon.edit("UPDATE observed SET hour = hour - 86400 WHERE destination = 'a.example';",
                        daemon.path("state.db"))
            self.assertEqual(["b.example"], list(observed(daemon, "--since", "1h")))
            self.assertEqual(2, daemon.run_ctl("decisions", "--observed", "--verify").returncode)


if __name__ == "__main__":
    unittest.main()
