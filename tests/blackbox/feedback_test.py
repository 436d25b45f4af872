#!/usr/bin/env python3
"""The loop that Postfix closes: it asks, delivers, says how that ended, and what follows stands in log and ledger."""
import json
import os
import unittest

from daemon import Daemon
from processes import wait_until

ROWS = [("peer.test", "opportunistic")]
HANDSHAKE = "4.7.5 Cannot start TLS: handshake failure"
NOT_OFFERED = "4.7.4 TLS is required, but was not offered by host mx1.peer.test[192.0.2.10]"


class Believed(Daemon):
    """What comes over the unix socket is trusted."""

    def __init__(self, rows=ROWS, **settings):
        super().__init__(rows, evidence_uid=os.geteuid(), **settings)

    def decisions(self):
        return json.loads(self.ctl("decisions", "--json"))

    def wait_for_decision(self, kind):
        return wait_until(lambda: [each for each in self.decisions() if each["kind"] == kind],
                          lambda: f"{kind} is in the ledger: {self.decisions()}\n{self.log()}")


class TheLog(unittest.TestCase):
    def test_a_name_with_a_line_end_in_it_forges_no_record(self):
        record = "2026-11-22t00:00:00z tlspolicyd/store[1]: decided: downgrade bank.test: encrypt -> may"
        name = f"evil\n{record}"
        with Believed() as daemon, daemon.client(daemon.unix) as client:
            for end in (HANDSHAKE, NOT_OFFERED):
                client.ask(name)
                client.ask(end, "outcome")
            decided, = daemon.wait_for_decision("starttls-vanished")
            self.assertEqual(name, decided["destination"])
            wait_until(lambda: "decided: starttls-vanished evil?2026-11-22t00:00:00z" in daemon.log(), daemon.log)
            self.assertNotIn(record, daemon.log().splitlines())
            # Nor on a terminal: a line for the head of the table and one for the decision.
            self.assertEqual(2, len(daemon.ctl("decisions").splitlines()))
            self.assertEqual(2, len(daemon.ctl("state").splitlines()))


if __name__ == "__main__":
    unittest.main()
