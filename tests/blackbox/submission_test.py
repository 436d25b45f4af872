"""Submitted mail: what smtpd(8) is told, and what map sender-transport answers, by the real daemon."""
import json
import os
import unittest

from daemon import Daemon
from processes import wait_until
from socketmap import PolicyClient

ROWS = [("bank.example", "required"), ("partner.example", "verified"), ("open.example", "opportunistic"),
        ("asked.example", "preferred")]
RULES = """
INSERT INTO submission(sender, require, otherwise) VALUES
  ('reject.test', 'encrypt', 'reject'), ('defer.test', 'encrypt', 'defer'), ('hold.test', 'encrypt', 'hold'),
  ('warn.test', 'encrypt', 'warn'), ('observe.test', 'encrypt', 'observe'), ('verify.test', 'verify', 'reject');
INSERT INTO submission(sender, min_protocol) VALUES('modern', 'TLSv1.3');
INSERT INTO submission(sender, expires_at) VALUES('past.test', 1);
"""


class Submission(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(ROWS, policyd=True, start=False)
        cls.enterClassContext(cls.daemon)
        cls.daemon.edit(RULES)
        cls.daemon.start()

    def setUp(self):
        self.client = self.enterContext(PolicyClient(self.daemon.policyd))

    def action(self, sender, recipient, context="submission", **attributes):
        attributes = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "sender": sender,
                      "recipient": recipient, "client_address": "192.0.2.7", "policy_context": context,
                      "encryption_protocol": "TLSv1.2", **attributes}
        self.client.send(("".join(f"{name}={value}\n" for name, value in attributes.items()) + "\n").encode())
        lines = self.client.read_action()
        self.assertEqual(1, len(lines))
        return lines[0].removeprefix("action=")

    def test_each_action_is_a_word_of_access_5(self):
        for sender, expected in (("reject", "550 5.7.10 "), ("defer", "450 4.7.10 "), ("hold", "HOLD "),
                                 ("warn", "WARN "), ("observe", "DUNNO"), ("nobody", "DUNNO"), ("past", "DUNNO")):
            self.assertTrue(self.action(f"a@{sender}.test", "x@clear.example").startswith(expected), sender)
            self.assertEqual("DUNNO", self.action(f"a@{sender}.test", "x@bank.example"), sender)

    def test_only_what_nothing_can_lower_is_sure(self):
        for domain, encrypt, verify in (("bank", True, False), ("partner", True, True), ("open", False, False),
                                        ("asked", False, False), ("norow", False, False)):
            recipient = f"x@{domain}.example"
            self.assertEqual(encrypt, self.action("a@reject.test", recipient) == "DUNNO", domain)
            self.assertEqual(verify, self.action("a@verify.test", recipient) == "DUNNO", domain)

    def test_before_mail_there_is_nothing_to_say(self):
        for state in ("CONNECT", "EHLO", "HELO", "VRFY", "ETRN"):
            self.assertEqual("DUNNO", self.action("a@reject.test", "x@clear.example", protocol_state=state))

    def test_the_senders_own_connection(self):
        for context in ("submission", "submission-client"):
            self.assertIn("TLSv1.3 or newer", self.action("a@b.test", "x@bank.example", context, sasl_username="Modern"))
            self.assertEqual("DUNNO", self.action("a@b.test", "x@bank.example", context, sasl_username="modern",
                                                  encryption_protocol="TLSv1.3"))
        self.assertEqual("DUNNO", self.action("a@b.test", "x@clear.example", "submission-client",
                                              sasl_username="modern", encryption_protocol="TLSv1.3"))

    def test_sasl_alone_makes_it_submitted_mail(self):
        self.assertTrue(self.action("a@b.test", "x@clear.example", "", sasl_username="modern",
                                    encryption_protocol="TLSv1.3").startswith("550 5.7.10 "))
        self.assertEqual("DUNNO", self.action("a@reject.test", "x@clear.example", ""), "that is incoming mail")

    def test_map_sender_transport_names_the_tls_only_transport(self):
        for sender, expected in (("a@reject.test", "OK smtp-strict:"), ("A@Warn.Test", "OK smtp-strict:"),
                                 ("@hold.test", "OK smtp-strict:"), ("a@observe.test", "NOTFOUND "),
                                 ("a@sub.reject.test", "NOTFOUND "), ("a@past.test", "NOTFOUND "), ("<>", "NOTFOUND "),
                                 ("reject.test", "NOTFOUND ")):
            self.assertEqual(expected, self.daemon.ask(sender, "sender-transport"), sender)


class WhatBecameOfMail(unittest.TestCase):
    def test_is_written_down_with_the_row_and_the_reason(self):
        with Daemon(ROWS, policyd=True, start=False) as daemon:
            daemon.edit(RULES)
            daemon.start()
            self.assertEqual([], json.loads(daemon.ctl("submission", "decisions", "--json")))
            self.assertIn("No decision", daemon.ctl("submission", "decisions"))
            with PolicyClient(daemon.policyd) as client:
                for sender, recipient in (("defer.test", "bank"), ("defer.test", "clear"), ("observe.test", "open")):
                    client.send(f"request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@{sender}\n"
                                f"recipient=x@{recipient}.example\npolicy_context=submission\n"
                                "client_address=192.0.2.7\nencryption_protocol=TLSv1.3\n\n".encode())
                    client.read_action()

            def written():
                return json.loads(daemon.ctl("submission", "decisions", "--json"))

            wait_until(lambda: len(written()) == 2, "both decisions are written down", 20)
            daemon.restart()
            newest, oldest = written()
            self.assertEqual(("observe", "observe.test", "domain", "x@open.example"),
                             tuple(newest[key] for key in ("action", "rule", "step", "recipient")))
            self.assertEqual(("defer", "a@defer.test", "192.0.2.7", "TLSv1.3", "TLS"),
                             tuple(oldest[key] for key in ("action", "sender", "client", "protocol", "required")))
            self.assertEqual("no rule in force demands TLS for it", oldest["got"])
            text = daemon.ctl("submission", "decisions", "--since", "1h")
            self.assertRegex(text, r"(?m)^\S+Z +defer +defer\.test +- +a@defer\.test +x@clear\.example +TLS +no rule")
            self.assertEqual([], json.loads(daemon.ctl("submission", "decisions", "--since", "2037-01-01", "--json")))


class WhatWasLearned(unittest.TestCase):
    """A row at `preferred` makes sure of TLS once the peer is known to offer it."""

    def test_of_a_peer_counts_for_smtpd_and_for_panels_alike(self):
        with Daemon(ROWS, policyd=True, start=False, evidence_uid=os.geteuid()) as daemon:
            daemon.edit(RULES)
            daemon.start()

            def is_sure():
                with PolicyClient(daemon.policyd) as client:
                    client.send(b"request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@reject.test\n"
                                b"recipient=x@asked.example\npolicy_context=submission\n\n")
                    told = client.read_action() == ["action=DUNNO"]
                return told, daemon.run_ctl("can-receive-tls", "x@asked.example").returncode == 0

            self.assertEqual((False, False), is_sure())
            with daemon.client(daemon.unix) as smtp:
                smtp.ask("asked.example")
                smtp.ask("4.7.5 Cannot start TLS: handshake failure", "outcome")  # after STARTTLS was offered
            wait_until(lambda: is_sure() == (True, True), lambda: f"both are sure: {is_sure()}", 20)
            daemon.stop()
            self.assertEqual(0, daemon.run_ctl("can-receive-tls", "x@asked.example").returncode)


class AnEdit(unittest.TestCase):
    def test_is_live_at_once_and_gone_with_the_row(self):
        with Daemon(ROWS, policyd=True) as daemon:
            def waits_for(reply):
                wait_until(lambda: daemon.ask("a@late.test", "sender-transport") == reply, f"{reply} is answered", 20)

            self.assertEqual("NOTFOUND ", daemon.ask("a@late.test", "sender-transport"))
            daemon.ctl("submission", "set", "late.test")
            waits_for("OK smtp-strict:")
            daemon.ctl("submission", "remove", "late.test")
            waits_for("NOTFOUND ")

    def test_that_makes_a_rule_unusable_stops_its_senders_mail_alone(self):
        with Daemon(ROWS, policyd=True, start=False) as daemon:
            daemon.edit(RULES)
            drops = daemon.edit("SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type = 'trigger'"
                                " AND tbl_name = 'submission';")
            triggers = daemon.edit("SELECT sql || ';' FROM sqlite_schema WHERE type = 'trigger'"
                                   " AND tbl_name = 'submission';")
            daemon.edit(f"{drops} PRAGMA ignore_check_constraints = 1;"
                        f"UPDATE submission SET require = 'perhaps' WHERE sender = 'reject.test'; {triggers}")
            daemon.start()
            self.assertEqual("TEMP", daemon.ask("a@reject.test", "sender-transport").split(" ")[0])
            self.assertEqual("OK smtp-strict:", daemon.ask("a@defer.test", "sender-transport"))
            with PolicyClient(daemon.policyd) as client:
                client.send(b"request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@reject.test\n"
                            b"recipient=x@bank.example\npolicy_context=submission\n\n")
                self.assertRegex(client.read_action()[0], r"^action=DEFER_IF_PERMIT 4\.7\.0 ")


class WhileTheDaemonObserves(unittest.TestCase):
    def test_nothing_changes(self):
        with Daemon(ROWS, policyd=True, start=False, mode="observe") as daemon:
            daemon.edit(RULES)
            daemon.start()
            self.assertEqual("NOTFOUND ", daemon.ask("a@reject.test", "sender-transport"))
            with PolicyClient(daemon.policyd) as client:
                client.send(b"request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@reject.test\n"
                            b"recipient=x@clear.example\npolicy_context=submission\n\n")
                self.assertEqual(["action=DUNNO"], client.read_action())


if __name__ == "__main__":
    unittest.main()
