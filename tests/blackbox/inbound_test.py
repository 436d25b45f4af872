#!/usr/bin/env python3
"""Rules for incoming mail, as smtpd(8) would hear them: attributes in, one action out."""
import json
import os
import unittest

from daemon import Daemon, wait_until
from socketmap import PolicyClient

CLIENT = {"client_address": "192.0.2.1", "client_name": "mx.partner.example", "helo_name": "mx.partner.example"}
TLS = {"encryption_protocol": "TLSv1.3", "encryption_cipher": "TLS_AES_256_GCM_SHA384", "encryption_keysize": "256"}


def request(state="RCPT", sender="u@partner.example", **attributes):
    given = {"request": "smtpd_access_policy", "protocol_state": state, "protocol_name": "ESMTP", "sender": sender,
             "recipient": "me@here.example", **CLIENT, "encryption_protocol": "", "encryption_keysize": "0",
             "ccert_subject": "", "ccert_issuer": "", "ccert_fingerprint": "", **attributes}
    return "".join(f"{name}={value}\n" for name, value in given.items()).encode() + b"\n"


class Story(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon(policyd=True, **self.settings()))
        self.client = self.enterContext(PolicyClient(self.daemon.policyd))
        self.messages = 0

    def settings(self):
        return {}

    def rule(self, **columns):
        values = ", ".join("NULL" if value is None else f"'{value}'" for value in columns.values())
        before = self.rules()
        self.daemon.edit(f"INSERT INTO inbound({', '.join(columns)}) VALUES({values});")
        wait_until(lambda: self.rules() == before + 1 and self.is_answering(), "the rule is live")

    def rules(self):
        return self.daemon.status()["image"]["inbound_rules"]

    def is_answering(self):
        """What was published last is what answers."""
        status = self.daemon.status()
        return status["answer"] and status["answer"]["digest"] == status["image"]["digest"]

    def ask(self, state="RCPT", sender="u@partner.example", **attributes):
        """The action for a message of its own, unless `instance` is given."""
        self.messages += 1
        attributes.setdefault("instance", f"1.{self.messages}")
        self.client.send(request(state, sender, **attributes))
        answer = self.client.read_action()
        self.assertEqual(1, len(answer))
        self.assertTrue(answer[0].startswith("action="))
        return answer[0].removeprefix("action=")

    def decisions(self):
        """Newest first, as they stand in the database."""
        return json.loads(self.daemon.edit(".mode json\nSELECT * FROM inbound_decision ORDER BY seq DESC;",
                                           self.daemon.path("state.db")) or "[]")


class Inbound(Story):
    def test_without_a_rule_for_it_every_mail_passes(self):
        self.assertEqual("DUNNO", self.ask())
        self.assertEqual("DUNNO", self.ask(client_address="127.0.0.1", client_name="localhost"))

    def test_mail_in_clear_is_rejected_with_a_text_that_helps(self):
        self.rule(client="192.0.2.0/24", require="encrypt")
        self.assertEqual("550 5.7.10 Mail from partner.example must come with TLS; mx.partner.example[192.0.2.1] "
                         "came with plaintext. Please set up TLS on the sending server", self.ask())
        self.assertEqual("DUNNO", self.ask(**TLS))
        self.assertEqual("DUNNO", self.ask(client_address="198.51.100.1"))

    def test_the_text_of_a_rule_is_told_with_its_variables(self):
        self.rule(client="192.0.2.1", on_violation="defer", min_protocol="TLSv1.2",
                  text="$sender_domain/$client/$required/$got")
        self.assertEqual("450 4.7.10 partner.example/mx.partner.example[192.0.2.1]/TLSv1.2 or newer/TLSv1",
                         self.ask(**{**TLS, "encryption_protocol": "TLSv1"}))

    def test_before_mail_nothing_is_asked(self):
        self.rule(require="encrypt")
        for state in ("CONNECT", "EHLO", "HELO", "VRFY", "ETRN", "NEWER"):
            with self.subTest(state=state):
                self.assertEqual("DUNNO", self.ask(state))
        for state in ("MAIL", "RCPT", "DATA", "END-OF-MESSAGE"):
            with self.subTest(state=state):
                self.assertTrue(self.ask(state).startswith("550 5.7.10 "))

    def test_loopback_is_let_in_in_clear_whatever_is_asked_of_others(self):
        self.rule(require="encrypt")
        self.rule(sender="partner.example", require="certificate")
        for address in ("127.0.0.1", "127.8.9.10", "::1"):
            self.assertEqual("DUNNO", self.ask(client_address=address, client_name="localhost"))
        self.assertTrue(self.ask(client_address="128.0.0.1").startswith("550 "))

    def test_a_name_that_postfix_has_not_verified_matches_no_rule(self):
        self.rule(require="encrypt")
        self.rule(client="*.partner.example", require="none")
        names = {"reverse_client_name": "mx.partner.example", "helo_name": "mx.partner.example"}
        self.assertEqual("DUNNO", self.ask(**names))
        for client_name in ("unknown", "", "mx.partner.example.test", "xpartner.example"):
            with self.subTest(client_name=client_name):
                self.assertTrue(self.ask(client_name=client_name, **names).startswith("550 5.7.10 "))

    def test_a_network_with_host_bits_defers_its_mail_until_it_is_mended(self):
        self.daemon.edit("INSERT INTO inbound(id, client) VALUES(9, '192.0.2.77/24');")
        wait_until(lambda: self.ask().startswith("DEFER_IF_PERMIT 4.7.0 "), "the row defers")
        self.assertEqual("DUNNO", self.ask(client_address="192.0.3.1", client_name="unknown"))
        self.assertIn("192.0.2.77/24", self.daemon.ctl("status", expect=None))
        self.daemon.edit("UPDATE inbound SET client = '192.0.2.0/24' WHERE id = 9;")
        wait_until(lambda: self.ask().startswith("550 5.7.10 "), "the rule holds")

    def test_a_certificate_must_be_trusted_and_have_the_name(self):
        self.rule(client="192.0.2.1", require="certificate", ccert_name="*.partner.example")
        self.assertIn("no client certificate", self.ask(**TLS))
        self.assertIn("not trusted", self.ask(**TLS, ccert_fingerprint="AA:BB"))
        self.assertIn('common name "other.example"',
                      self.ask(**TLS, ccert_fingerprint="AA:BB", ccert_subject="other.example", ccert_issuer="CA"))
        self.assertEqual("DUNNO", self.ask(**TLS, ccert_fingerprint="AA:BB", ccert_subject="mx+2Epartner.example",
                                           ccert_issuer="CA"))

    def test_a_tag_is_one_header_for_a_message(self):
        self.rule(client="192.0.2.1", on_violation="tag")
        first = self.ask(instance="a.1")
        self.assertEqual("PREPEND X-TLS-Policy: violated; required=TLS; got=plaintext; "
                         "client=mx.partner.example[192.0.2.1]; sender=partner.example", first)
        self.assertEqual("DUNNO", self.ask(instance="a.1"))
        self.assertEqual(first, self.ask(instance="a.2"))
        self.assertEqual("DUNNO", self.ask("END-OF-MESSAGE", instance="a.3"))

    def test_observe_changes_nothing_and_is_written_down(self):
        self.rule(client="192.0.2.1", on_violation="observe", require="encrypt")
        for _ in range(3):
            self.assertEqual("DUNNO", self.ask(instance="b.1"))
        self.assertEqual("DUNNO", self.ask(instance="b.2", sender=""))
        wait_until(lambda: len(self.decisions()) == 2, "two messages are written down")
        bounce, mail = self.decisions()
        self.assertEqual("", bounce["sender"])
        self.assertEqual(("observe", 3, "192.0.2.1", "u@partner.example", "TLS", "plaintext"),
                         tuple(mail[name] for name in ("action", "rule", "client", "sender", "required", "got")))

    def test_an_edit_is_live_and_a_removed_rule_is_gone(self):
        self.rule(client="192.0.2.1")
        self.assertTrue(self.ask().startswith("550 "))
        self.daemon.edit("DELETE FROM inbound WHERE client = '192.0.2.1';")
        wait_until(lambda: self.ask() == "DUNNO", "the rule is gone")

    def test_a_row_past_all_rules_defers_its_own_mail_only_and_is_shown(self):
        self.rule(client="192.0.2.0/24")
        self.daemon.edit(".dbconfig enable_trigger off\nPRAGMA ignore_check_constraints = ON;"
                         "INSERT INTO inbound(id, client, min_bits) VALUES(9, '192.0.2.1', -5);")
        wait_until(lambda: self.ask().startswith("DEFER_IF_PERMIT 4.7.0 "), "the bad row defers")
        self.assertTrue(self.ask(client_address="192.0.2.2").startswith("550 "))
        self.assertIn("inbound", self.daemon.ctl("status", expect=None))
        self.assertIn("min_bits", self.daemon.ctl("status", expect=None))

    def test_a_submission_is_none_of_the_inbound_rules(self):
        self.rule(require="encrypt")
        self.assertEqual("DUNNO", self.ask(policy_context="submission"))
        self.assertEqual("DUNNO", self.ask(sasl_username="me"))

    def test_nonsense_is_hung_up_on_and_named_in_the_log_once(self):
        for _ in range(5):
            with PolicyClient(self.daemon.policyd) as client:
                client.send(b"hello\n")
                self.assertEqual(b"", client.read_rest())
        wait_until(lambda: "a line without '='" in self.daemon.log(), "the log names it")
        wait_until(lambda: self.daemon.status()["answer"]["malformed"] == 5, "each is counted")
        self.assertEqual(1, self.daemon.log().count(" hung up on, the last because of "))

    def is_saved(self):
        with open(self.daemon.image_file, "rb") as file:
            return b"192.0.2.1" in file.read()

    def test_the_rules_answer_after_a_restart_without_the_database(self):
        self.rule(client="192.0.2.1")
        wait_until(self.is_saved, "the policy is saved")
        self.daemon.stop()
        os.rename(self.daemon.policy_db, self.daemon.path("away.db"))
        self.daemon.start()
        with PolicyClient(self.daemon.policyd) as client:
            client.send(request())
            self.assertTrue(client.read_action()[0].startswith("action=550 "))


class Ratchet(Story):
    """A sender that was seen to use TLS, and comes in clear."""

    def test_who_used_tls_often_enough_is_held_to_it_over_restarts(self):
        self.rule(sender="partner.example", learn_count="2")
        self.assertEqual("DUNNO", self.ask())
        self.assertEqual("DUNNO", self.ask(**TLS))
        self.assertEqual("DUNNO", self.ask())
        self.assertEqual("DUNNO", self.ask(**TLS))
        self.assertTrue(self.ask().startswith("550 "))
        self.assertEqual("DUNNO", self.ask(client_address="198.51.100.1"))
        self.assertTrue(self.ask(client_address="192.0.2.99").startswith("550 "))
        wait_until(lambda: "partner.example" in self.daemon.edit("SELECT * FROM inbound_known",
                                                                self.daemon.path("state.db")), "it is written down")
        self.daemon.restart()

        def is_held():
            with PolicyClient(self.daemon.policyd) as client:
                client.send(request(instance="after.1"))
                return client.read_action()[0].startswith("action=550 ")
        wait_until(is_held, "it is known after the restart")


class WithoutEnforcement(Story):
    def settings(self):
        return {"mode": "observe"}

    def test_a_daemon_that_observes_lets_everything_pass_and_writes_it_down(self):
        self.rule(client="192.0.2.1", on_violation="reject")
        self.assertEqual("DUNNO", self.ask())
        wait_until(lambda: [each["action"] for each in self.decisions()] == ["observe"], "it is written down")


if __name__ == "__main__":
    unittest.main()
