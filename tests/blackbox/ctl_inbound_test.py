#!/usr/bin/env python3
"""tlspolicyctl and the rules for incoming mail: without a daemon but for what one has written down."""
import json
import unittest

from ctl_desk import FAILED, USAGE, Desk
from daemon import wait_until
from inbound_test import TLS, Story

COLUMNS = ["id", "client", "sender", "require", "min_protocol", "min_bits", "ccert_name", "ccert_issuer",
           "ccert_fingerprint", "on_violation", "learn_count", "text", "owner", "reason", "expires_at", "comment"]


class Rules(Desk):
    def setUp(self):
        super().setUp()
        self.db.parent.mkdir()
        self.init()

    def explain(self, *facts):
        return self.data("explain", "--inbound", *facts)

    def test_a_rule_is_added_listed_and_removed(self):
        added = self.data("inbound", "add", "--client", "192.0.2.0/24", "--sender", "Bank.Example", "--require",
                          "certificate", "--min-protocol", "TLSv1.2", "--min-bits", "128", "--ccert-name", "*.bank.example",
                          "--ccert-issuer", "Bank CA", "--ccert-fingerprint", "a" * 64, "--on-violation", "defer",
                          "--learn-count", "5", "--text", "$client: $required", "--owner", "me", "--reason", "audit",
                          "--expires", "2030-01-01", "--comment", "x")
        self.assertEqual(COLUMNS, list(added))
        self.assertEqual([3, "192.0.2.0/24", "bank.example", "certificate", "TLSv1.2", 128, "*.bank.example", "Bank CA",
                          "a" * 64, "defer", 5, "$client: $required", "me", "audit", 1893456000, "x"], list(added.values()))
        listed = self.data("inbound", "list")
        self.assertEqual([1, 2, 3], [rule["id"] for rule in listed])
        self.assertEqual(added, listed[2])
        table = self.done("inbound", "list")
        self.assertIn("certificate, TLSv1.2 or newer, 128 bits, name *.bank.example, issuer Bank CA", table)
        self.assertIn("127.0.0.0/8", table)
        self.assertEqual({"id": 3, "removed": True}, self.data("inbound", "remove", "3"))
        self.assertIn("there is no rule 3", self.refused(FAILED, "inbound", "remove", "3"))
        self.assertEqual("inbound|3|insert\ninbound|3|delete", self.sql("SELECT table_name, key, op FROM change_log"))
        self.done("undo", "2")
        self.assertEqual(added, self.data("inbound", "list")[2])

    def test_what_is_wrong_is_said_and_not_stored(self):
        for status, said, *arguments in (
                (USAGE, "client", "--client", "192.0.2.1/24"),
                (USAGE, "sender", "--sender", "@bank.example"),
                (USAGE, "--require", "--client", "192.0.2.1", "--require", "tls"),
                (USAGE, "--on-violation", "--client", "192.0.2.1", "--on-violation", "drop"),
                (USAGE, "--min-protocol", "--client", "192.0.2.1", "--min-protocol", "1.2"),
                (USAGE, "--expires", "--client", "192.0.2.1", "--expires", "soon"),
                (FAILED, "may only strengthen", "--sender", "a.example", "--require", "none"),
                (FAILED, "need require certificate", "--client", "192.0.2.1", "--ccert-name", "a"),
                (FAILED, "its variables are", "--client", "192.0.2.1", "--text", "$me"),
                (FAILED, "already", "--client", "127.0.0.0/8")):
            with self.subTest(arguments=arguments):
                self.assertIn(said, self.refused(status, "inbound", "add", *arguments))
        self.assertEqual(2, len(self.data("inbound", "list")))

    def test_explain_answers_without_a_connection(self):
        self.done("inbound", "add", "--client", "*.partner.example", "--require", "none", "--owner", "me")
        self.done("inbound", "add", "--sender", "partner.example", "--min-bits", "256")
        found = self.explain("client=192.0.2.1", "sender=u@partner.example", "protocol=TLSv1.2", "bits=128")
        self.assertEqual(("violates the rule", "sender", "a cipher of 256 bits", "128 bits"),
                         (found["outcome"], found["step"], found["required"], found["got"]))
        self.assertEqual(4, found["rule"]["id"])
        self.assertTrue(found["action"].startswith("550 5.7.10 Mail from partner.example must come with a cipher"))
        self.assertEqual("DUNNO", self.explain("client=192.0.2.1", "sender=u@partner.example", "protocol=TLSv1.3",
                                               "bits=256")["action"])
        self.assertEqual(3, self.explain("client=mx.partner.example", "sender=u@partner.example")["rule"]["id"])
        self.assertEqual(("no rule", None), tuple(self.explain("client=192.0.2.1", "sender=<>")[key]
                                                  for key in ("outcome", "rule")))
        text = self.done("explain", "--inbound", "client=192.0.2.1", "sender=u@partner.example")
        for line in ("outcome", "violates the rule", "got", "plaintext", "smtpd is told", "550 5.7.10"):
            self.assertIn(line, text)
        for wrong in (["client"], ["colour=red"], ["client=192.0.2.1", "bits=many"], ["sender=a@b.example"]):
            self.assertIn("--inbound", self.refused(USAGE, "explain", "--inbound", *wrong))
        self.refused(USAGE, "explain")

    def test_a_rule_at_fault_is_shown(self):
        self.sql("PRAGMA ignore_check_constraints = ON; INSERT INTO inbound(client, min_bits) VALUES('192.0.2.1', -5)")
        self.assertIn("at fault: min_bits must be 1 to 512", self.done("inbound", "list"))
        found = self.explain("client=192.0.2.1")
        self.assertEqual("the rule is at fault", found["outcome"])
        self.assertTrue(found["action"].startswith("DEFER_IF_PERMIT 4.7.0 "))

    def test_without_a_state_file_reports_say_so(self):
        for verb in (("inbound", "report"), ("decisions", "--inbound")):
            self.assertIn("state.db", self.refused(FAILED, *verb))


class Written(Story):
    def data(self, *arguments):
        return json.loads(self.daemon.ctl(*arguments, "--json"))

    def test_the_report_shows_per_rule_and_partner_what_passed_and_what_did_not(self):
        self.rule(client="192.0.2.0/24", on_violation="observe", owner="me")
        for _ in range(2):
            self.ask(**TLS)
        self.ask()
        self.ask(sender="u@other.example", client_address="192.0.2.9")
        wait_until(lambda: len(self.data("inbound", "report")) == 2, "the report has both partners")
        other, partner = self.data("inbound", "report", "--since", "1d")
        self.assertEqual((3, "192.0.2.0/24", None, "observe", "partner.example", "192.0.2.0/24", 2, 1),
                         tuple(partner[key] for key in ("rule", "client", "sender", "on_violation", "partner", "network",
                                                        "passed", "failed")))
        self.assertEqual([{"action": "observe", "required": "TLS", "got": "plaintext", "count": 1}], partner["reasons"])
        self.assertEqual(("other.example", 0, 1), (other["partner"], other["passed"], other["failed"]))
        text = self.daemon.ctl("inbound", "report")
        self.assertIn("Rule 3: 2 of 4 messages passed; `reject` would have stopped 2.", text)
        self.assertIn("1 x observe: TLS, got plaintext", text)
        self.daemon.ctl("inbound", "report", "--since", "yesterday", expect=2)

    def test_decisions_are_listed_and_bounded_by_a_moment(self):
        self.rule(client="192.0.2.1", on_violation="defer")
        self.ask()
        wait_until(lambda: len(self.data("decisions", "--inbound")) == 1, "the decision is written down")
        self.assertEqual(["seq", "at", "rule", "step", "client", "client_name", "sender", "protocol", "required", "got",
                          "action"], list(self.data("decisions", "--inbound")[0]))
        self.assertIn("mx.partner.example[192.0.2.1]", self.daemon.ctl("decisions", "--inbound"))
        self.assertEqual([], self.data("decisions", "--inbound", "--since", "2090-01-01"))
        self.daemon.ctl("decisions", "--inbound", "--verify", expect=2)
        # The ledger of what is sent knows nothing of it.
        self.assertEqual([], self.data("decisions"))


if __name__ == "__main__":
    unittest.main()
