#!/usr/bin/env python3
"""The loop that Postfix closes: it asks, delivers, says how that ended, and what follows stands in log and ledger."""
import json
import os
import re
import unittest

from daemon import Daemon
from evidence import wait_until_counted
from processes import wait_until

ROWS = [("peer.test", "opportunistic")]
HANDSHAKE = "4.7.5 Cannot start TLS: handshake failure"
SENT = "2.0.0 250 2.0.0 taken"
NOT_OFFERED = "4.7.4 TLS is required, but was not offered by host mx1.peer.test[192.0.2.10]"


class Believed(Daemon):
    """What comes over the unix socket is trusted."""

    def __init__(self, rows=ROWS, **settings):
        super().__init__(rows, **{"evidence_uid": os.geteuid(), **settings})

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


class WhatPeopleSee(unittest.TestCase):
    def counted(self, daemon):
        return {(each["ending"], each["trusted"]): each["count"]
                for each in json.loads(daemon.ctl("explain", "peer.test", "--json"))["evidence"]}

    def test_explain_and_state_show_the_evidence_its_age_and_what_changes_next(self):
        with Believed([*ROWS, ("waits.test", "preferred")]) as daemon:
            with daemon.client(daemon.unix) as client:
                client.ask("peer.test")
                client.ask(HANDSHAKE, "outcome")
                client.ask("waits.test")
                client.ask(NOT_OFFERED, "outcome")
            with daemon.client(daemon.tcp) as stranger:
                for _ in range(2):
                    stranger.ask("peer.test")
                    stranger.ask(HANDSHAKE, "outcome")
            # Counted and shown, and changes nothing.
            wait_until(lambda: self.counted(daemon) == {("handshake-failure", True): 1, ("handshake-failure", False): 2},
                       lambda: f"it is counted: {self.counted(daemon)}")
            said = daemon.ctl("explain", "peer.test")
            self.assertRegex(said, r"STARTTLS last offered \d+ s ago")
            self.assertRegex(said, r"failed \(handshake-failure, by outcome\) \d+ s ago")
            self.assertRegex(said, r"next: downgraded to may in [45] min, unless TLS works before")
            self.assertRegex(said, r"(?m)^  \S.*outcome +handshake-failure +yes +1 ")
            self.assertRegex(said, r"(?m)^  \S.*outcome +handshake-failure +no: changes nothing +2 ")
            self.assertRegex(daemon.ctl("explain", "waits.test"),
                             r"next: that STARTTLS is missing is forgotten in 29 d 23 h, unless it is seen again")
            said = daemon.ctl("state", "peer.test")
            self.assertRegex(said, r"(?m)^  - +\d+ s ago +handshake-failure +outcome ")
            self.assertIn("tlspolicyctl explain peer.test", said)
            failure, = json.loads(daemon.ctl("state", "peer.test", "--json"))[0]["failures"]
            self.assertEqual("handshake-failure", failure["cause"])


class Ledger(unittest.TestCase):
    def heads(self, daemon):
        """What the log says of the ledger, one after the other: how many decisions, and the newest hash."""
        said = re.findall(r"the ledger has (\d+) decisions?; its newest hash is ([0-9a-f]{64})\n", daemon.log())
        return [(int(count), head) for count, head in said]

    def accuse(self, daemon, name):
        with daemon.client(daemon.unix) as client:
            for end in (HANDSHAKE, NOT_OFFERED):
                client.ask(name)
                client.ask(end, "outcome")
        wait_until(lambda: name in [each["destination"] for each in daemon.decisions()], daemon.log)

    def test_the_newest_hash_is_logged_and_finds_a_tail_that_was_cut_off(self):
        with Believed() as daemon:
            self.accuse(daemon, "one.test")
            first = daemon.decisions()[0]["hash"]
            # On the first day as soon as there is a decision; no second time that day, but at each start.
            wait_until(lambda: self.heads(daemon) == [(1, first)], lambda: f"{first} is logged\n{daemon.log()}")
            for name in ("two.test", "three.test"):
                self.accuse(daemon, name)
            daemon.restart()
            newest = daemon.ctl("decisions", "--verify").split()[-1]
            self.assertEqual([(1, first), (3, newest)], self.heads(daemon))
            self.assertIn(newest, [each["hash"] for each in daemon.decisions() if each["seq"] == 3])
            for head in (first, newest):
                daemon.ctl("decisions", "--verify", "--head", head)
            daemon.stop()
            triggers = "".join(f"DROP TRIGGER decision_is_append_only_{number}; " for number in (1, 2))
            daemon.edit(f"{triggers}DELETE FROM decision WHERE seq = 3;", daemon.path("state.db"))
            daemon.ctl("decisions", "--verify")
            daemon.ctl("decisions", "--verify", "--head", first)
            self.assertIn("cut off after decision 2", daemon.ctl("decisions", "--verify", "--head", newest, expect=1))


    def test_a_decision_tells_how_many_deliveries_of_the_last_hour_it_was_about(self):
        with Believed() as daemon:
            with daemon.client(daemon.unix) as client, daemon.client(daemon.tcp) as stranger:
                for asker, name, end in [*[(client, "peer.test", HANDSHAKE)] * 3, *[(stranger, "peer.test", SENT)] * 9,
                                         *[(client, "other.test", SENT)] * 5, (client, "peer.test", NOT_OFFERED)]:
                    asker.ask(name)
                    asker.ask(end, "outcome")
            # All of this destination that were believed, the one that led to it too.
            decided, = daemon.wait_for_decision("starttls-vanished")
            self.assertEqual(("peer.test", 4), (decided["destination"], decided["affected"]))
            self.assertRegex(daemon.ctl("decisions"), r"(?m) starttls-vanished +peer\.test .* 4 +peer\.test ")


class Trust(unittest.TestCase):
    def test_a_strangers_uid_and_tcp_are_counted_and_change_nothing(self):
        for uid, over in ((os.geteuid() + 4711, "unix"), (os.geteuid(), "tcp")):
            with self.subTest(over=over), Believed(evidence_uid=uid) as daemon, \
                    daemon.client(getattr(daemon, over)) as client:
                for end in (HANDSHAKE, "2.0.0 250 ok", NOT_OFFERED):
                    client.ask("peer.test", "strict")
                    client.ask(end, "outcome")
                wait_until_counted(daemon, 3, "trusted = 0")
                self.assertEqual("OK may", daemon.ask("peer.test"))
                self.assertEqual([], json.loads(daemon.ctl("state", "peer.test", "--json")))
                self.assertEqual([], daemon.decisions())

    def test_tcp_is_believed_where_the_admin_says_so(self):
        with Believed(trust_tcp_outcomes="yes") as daemon, daemon.client(daemon.tcp) as client:
            client.ask("peer.test")
            client.ask(HANDSHAKE, "outcome")
            daemon.wait_until_answers("peer.test", "OK encrypt")


if __name__ == "__main__":
    unittest.main()
