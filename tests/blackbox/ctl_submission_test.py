"""tlspolicyctl submission: the senders who must be sure of TLS, stored, shown and removed without a daemon."""
import unittest

from ctl_desk import FAILED, USAGE, Desk


class SubmissionRows(Desk):
    def setUp(self):
        super().setUp()
        self.configure(policyd_listen=f"unix:{self.folder}/policyd.sock")
        self.init()

    def test_a_row_needs_nothing_but_a_sender(self):
        self.assertIn("no rows", self.done("submission", "list"))
        self.assertEqual([], self.data("submission", "list"))
        self.assertIn("otherwise reject", self.done("submission", "set", "bank.example"))
        self.assertEqual(
            [{"sender": "bank.example", "require": "encrypt", "otherwise": "reject", "min_protocol": None, "text": None,
              "owner": None, "reason": None, "expires_at": None, "comment": None}], self.data("submission", "list"))

    def test_every_column_can_be_given_and_the_row_replaced(self):
        found = self.data("submission", "set", "Ann@Bank.Example", "--require", "verify", "--otherwise", "defer",
                          "--min-protocol", "TLSv1.3", "--text", "no: $recipient_domain $got", "--owner", "mailops",
                          "--reason", "contract", "--expires", "7d", "--comment", "c")
        self.assertEqual(("ann@bank.example", "verify", "defer", "TLSv1.3"),
                         tuple(found[key] for key in ("sender", "require", "otherwise", "min_protocol")))
        self.assertEqual([found], self.data("submission", "list"))
        text = self.done("submission", "list")
        self.assertRegex(text, r"(?m)^ann@bank\.example +verify +defer +TLSv1\.3 +2\d{3}-\S+Z +mailops +contract$")
        self.done("submission", "set", "ann@bank.example", "--otherwise", "warn")
        self.assertEqual(["warn"], [row["otherwise"] for row in self.data("submission", "list")])
        self.assertEqual("2", self.sql("SELECT count(*) FROM change_log WHERE table_name = 'submission'"))

    def test_every_kind_of_sender_is_taken_in_its_normal_form(self):
        for written, stored in (("*", "*"), (".Bank.Example", ".bank.example"), ("JOE", "joe"),
                                ("B\u00fccher.example", "xn--bcher-kva.example"), ("j_doe+x", "j_doe+x"),
                                ("x@B\u00fccher.example", "x@xn--bcher-kva.example")):
            self.assertEqual(stored, self.data("submission", "set", written)["sender"])
            self.assertEqual({"sender": stored, "removed": True}, self.data("submission", "remove", written))
        self.assertIn("no row", self.refused(FAILED, "submission", "remove", "*"))

    def test_what_cannot_be_meant_is_refused_in_a_sentence(self):
        for arguments, words in ((("a b",), "sender must be"), (("<>",), "sender must be"), (("",), "sender must be"),
                                 (("a@b@c.example",), "sender must be"), (("@a.example",), "sender must be"),
                                 (("x", "--text", "hello $nobody"), "variables are"),
                                 (("x", "--text", "\u00fc"), "printable ASCII")):
            self.assertIn(words, self.refused(FAILED, "submission", "set", *arguments))
        for arguments, words in ((("x", "--require", "none"), "encrypt or verify"),
                                 (("x", "--otherwise", "drop"), "reject, defer, hold, warn or observe"),
                                 (("x", "--min-protocol", "SSLv3"), "TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3"),
                                 (("x", "--expires", "soon"), "--expires"), ((), "SENDER")):
            self.assertIn(words, self.refused(USAGE, "submission", "set", *arguments))
        self.assertEqual([], self.data("submission", "list"))

    def test_a_change_can_be_taken_back(self):
        self.done("submission", "set", "bank.example")
        self.done("submission", "remove", "bank.example")
        self.done("undo", self.sql("SELECT max(seq) FROM change_log"))
        self.assertEqual(["bank.example"], [row["sender"] for row in self.data("submission", "list")])

    def test_it_says_where_a_row_has_no_effect(self):
        self.assertEqual("", self.expect(0, "submission", "set", "x").stderr)
        self.assertIn("expired", self.expect(0, "submission", "set", "x", "--expires", "2020-01-01").stderr)
        self.assertIn("expired", self.done("submission", "list"))
        self.configure(mode="observe")
        told = self.expect(0, "submission", "set", "x").stderr
        self.assertIn("mode is observe", told)
        self.assertIn("policyd_listen is not set", told)


if __name__ == "__main__":
    unittest.main()
