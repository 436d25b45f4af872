#!/usr/bin/env python3
"""What the ledger holds of each kind of decision, by the real daemon: nothing changes that it doesn't tell."""
import json
import unittest

from feedback_test import HANDSHAKE, NOT_OFFERED, SENT, Believed
from processes import wait_until

NAMES = ("a.one.test", "b.two.test")
MANY = 150


class Desk(Believed):
    def __init__(self):
        rows = [*((name, "required") for name in NAMES), *((f"d{number}.test", "required") for number in range(MANY))]
        super().__init__(rows, freeze_domains=2, freeze_share=1)

    def deliver(self, name, *ends):
        with self.client(self.unix) as client:
            for end in ends:
                client.ask(name)
                client.ask(end, "outcome")

    def wait_for_kinds(self, *kinds):
        """All that stand there, oldest first."""
        def there():
            listed = sorted(self.decisions(), key=lambda each: each["seq"])
            return listed if [each["kind"] for each in listed] == list(kinds) else None
        return wait_until(there, lambda: f"{kinds}: {self.decisions()}\n{self.log()}")


class Kinds(unittest.TestCase):
    def test_each_stands_in_the_ledger_with_what_led_to_it(self):
        with Desk() as daemon:
            daemon.ctl("profile", "set", "quick", "level=may", "fallback=after-retry", "retry_after=1")
            daemon.ctl("set", "quick.test", "quick")
            daemon.wait_until_answers("quick.test", "OK may")
            kinds = []

            def expect(*more):
                kinds.extend(more)
                return daemon.wait_for_kinds(*kinds)[-1]

            daemon.deliver("quick.test", HANDSHAKE)
            downgrade = expect("downgrade")
            self.assertEqual(("encrypt", "may", "quick.test", "after-retry", 3600, 1),
                             (*(downgrade[key] for key in ("from_level", "to_level", "rule", "fallback")),
                              downgrade["until"] - downgrade["at"], downgrade["affected"]))
            evidence, = downgrade["evidence"]
            self.assertEqual(("outcome", True, "handshake-failure"),
                             tuple(evidence[key] for key in ("source", "trusted", "cause")))
            # The admin wins at once.
            daemon.ctl("set", "quick.test", "required")
            restore = expect("restore")
            self.assertEqual(("may", "encrypt", "admin"), tuple(restore[key] for key in ("from_level", "to_level", "why")))

            daemon.deliver("gone.test", HANDSHAKE, NOT_OFFERED)
            expect("starttls-vanished")
            daemon.deliver("gone.test", HANDSHAKE)
            expect("re-offered")
            daemon.ctl("reset", "gone.test")
            reset = expect("reset")
            self.assertEqual(("gone.test", "admin"), (reset["destination"], reset["why"]))
            wait_until(lambda: not [each for each in json.loads(daemon.ctl("state", "gone.test", "--json"))
                                    if each["offered_at"]], lambda: daemon.ctl("state", "gone.test"))

            for name in NAMES:
                daemon.deliver(name, SENT, HANDSHAKE)
            self.assertIsNone(expect("freeze")["destination"])
            daemon.deliver(NAMES[0], SENT)
            expect("thaw")

            daemon.ctl("panic", "observe", "--for", "1h")
            self.assertEqual("mode observe for 3600 s", expect("panic")["why"])
            daemon.ctl("panic", "off")
            self.assertIsNone(expect("panic")["until"])

            daemon.edit_all("DELETE FROM outbound WHERE destination LIKE 'd%.test';")
            wait_until(lambda: daemon.status().get("pending"), daemon.status)
            daemon.ctl("accept")
            self.assertIn(f"{MANY} of ", expect("accept")["why"])
            daemon.ctl("decisions", "--verify")


if __name__ == "__main__":
    unittest.main()
