#!/usr/bin/env python3
"""What Postfix is told: every map name, every form of key, both protocols."""
import unittest

from daemon import Daemon
from socketmap import PolicyClient

ROWS = (
    ("required.example", "required"), ("open.example", "opportunistic"), ("off.example", "off"),
    ("secure.example", "secure", "mx.secure.example"), ("dane.example", "dane"),
    (".below.example", "verified"), ("deep.below.example", "required"),
    ("relay.example:587", "dane-only"), ("[host.example]", "verified"), ("[host.example]:587", "secure"),
    ("[192.0.2.1]", "required"), ("plain-host.example", "required"),
    ("xn--mnchen-3ya.example", "required"), ("watched.example", "required", None, "observe"),
    ("gone.example", "required", None, "enforce", 1000000000))
NOT_FOUND = "NOTFOUND "


class MapNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(ROWS, postfix_version="3.5")
        cls.enterClassContext(cls.daemon)
        cls.daemon.edit_all("INSERT INTO profile(name, level, fallback, min_protocol, enable_rpk) "
                            "VALUES('modern', 'encrypt', 'never', 'TLSv1.2', 1);"
                            "INSERT INTO outbound(destination, profile) VALUES('modern.example', 'modern');")
        cls.daemon.wait_until_answers("modern.example", "OK encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1")

    def setUp(self):
        self.client = self.enterContext(self.daemon.client())

    def check(self, table, key, expected):
        with self.subTest(table=table, key=key):
            self.assertEqual(expected, self.client.ask(key, table))

    def test_a_policy_is_the_level_of_the_row(self):
        for key, expected in (("required.example", "OK encrypt"), ("open.example", "OK may"),
                              ("off.example", "OK none"), ("dane.example", "OK dane"),
                              ("secure.example", "OK secure match=mx.secure.example"),
                              ("absent.example", NOT_FOUND)):
            self.check("policy", key, expected)

    def test_the_map_name_says_which_attributes_the_asking_postfix_understands(self):
        old = "OK encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1"
        for table, expected in (("policy-3.4", old), ("policy-3.5", old),
                                ("policy-3.6", "OK encrypt protocols=>=TLSv1.2"),
                                ("policy-3.9", "OK encrypt protocols=>=TLSv1.2 enable_rpk=yes"),
                                ("policy-3.10", "OK encrypt protocols=>=TLSv1.2 enable_rpk=yes"),
                                ("policy-3.11.5", "OK encrypt protocols=>=TLSv1.2 enable_rpk=yes"),
                                ("strict-3.6", "OK encrypt protocols=>=TLSv1.2")):
            self.check(table, "modern.example", expected)

    def test_strict_is_for_a_transport_that_does_tls_alone(self):
        for key, expected in (("off.example", "OK encrypt"), ("open.example", "OK encrypt"),
                              ("dane.example", "OK encrypt"), ("required.example", "OK encrypt"),
                              ("secure.example", "OK secure match=mx.secure.example"),
                              ("relay.example:587", "OK dane-only"), ("absent.example", NOT_FOUND)):
            self.check("strict", key, expected)

    def test_feedback_and_transports_are_asked_and_never_found(self):
        for table, key in (("outcome", "4.7.5 Cannot start TLS: handshake failure"), ("outcome", "2.0.0 Ok"),
                           ("transport", "required.example"), ("transport", "user@required.example"),
                           ("sender-transport", "sender@required.example"), ("sender-transport", "<>")):
            self.check(table, key, NOT_FOUND)

    def test_the_names_of_other_servers_are_served_in_their_place(self):
        old, new = "OK encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1", "OK encrypt protocols=>=TLSv1.2 enable_rpk=yes"
        for table, expected in (("QUERY", old), ("postfix", old), ("QUERYwithTLSRPT", new)):
            self.check(table, "modern.example", expected)
            self.check(table, "absent.example", NOT_FOUND)

    def test_a_view_keeps_postfix_instances_apart_and_answers_the_same(self):
        for table in ("policy@tenant1", "policy-3.10@a.b_c-d", "strict@tenant1", "QUERY@tenant1"):
            self.check(table, "required.example", "OK encrypt")
        self.check("outcome@tenant1", "2.0.0 Ok", NOT_FOUND)

    def test_an_unknown_map_name_is_named_and_the_connection_stays(self):
        for table in ("polcy", "policy-", "policy-x", "policy-3", "Policy", "policy@", "outcome-3.10", ""):
            with self.subTest(table=table):
                reply = self.client.ask("required.example", table)
                self.assertTrue(reply.startswith("PERM "), reply)
                self.assertIn(f'"{table}"', reply)
                self.assertEqual("OK encrypt", self.client.ask("required.example"))


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(ROWS)
        cls.enterClassContext(cls.daemon)

    def check(self, *pairs):
        with self.daemon.client() as client:
            for key, expected in pairs:
                with self.subTest(key=key):
                    self.assertEqual(expected, client.ask(key))

    def test_case_a_trailing_dot_and_u_labels_make_no_difference(self):
        self.check(("Required.EXAMPLE", "OK encrypt"), ("required.example.", "OK encrypt"),
                   ("münchen.example", "OK encrypt"), ("MÜNCHEN.Example", "OK encrypt"),
                   ("xn--mnchen-3ya.example", "OK encrypt"), ("XN--Mnchen-3ya.example.", "OK encrypt"),
                   ("[Host.Example.]:587", "OK secure"))

    def test_a_parent_row_holds_for_all_below_it_and_not_for_itself(self):
        self.check(("a.below.example", "OK verify"), ("a.b.c.below.example", "OK verify"),
                   ("below.example", NOT_FOUND), ("deep.below.example", "OK encrypt"),
                   ("x.deep.below.example", "OK verify"), ("notbelow.example", NOT_FOUND))

    def test_a_key_with_a_leading_dot_answers_its_own_row_alone(self):
        self.check((".below.example", "OK verify"), (".a.below.example", NOT_FOUND), (".example", NOT_FOUND),
                   (".required.example", NOT_FOUND))

    def test_brackets_and_ports_fall_back_to_the_host_never_to_a_parent(self):
        self.check(("[host.example]:587", "OK secure"), ("[host.example]:25", "OK verify"),
                   ("[host.example]", "OK verify"), ("host.example", NOT_FOUND),
                   ("[plain-host.example]:2525", "OK encrypt"), ("plain-host.example:2525", "OK encrypt"),
                   ("relay.example:587", "OK dane-only"), ("relay.example:25", NOT_FOUND),
                   ("[a.below.example]", NOT_FOUND), ("a.below.example:25", NOT_FOUND),
                   ("[192.0.2.1]:25", "OK encrypt"), ("[192.0.2.2]:25", NOT_FOUND))

    def test_what_is_no_domain_is_looked_up_as_it_stands(self):
        self.check(("a_b.example", NOT_FOUND), ("192.0.2.1", NOT_FOUND), ("private/lmtp", NOT_FOUND),
                   ("a..b.example", NOT_FOUND), ("x" * 64 + ".example", NOT_FOUND), ("*", NOT_FOUND),
                   ("[*]", NOT_FOUND), ("required.example other", NOT_FOUND), ("@", NOT_FOUND))

    def test_an_observed_or_expired_row_is_as_if_absent(self):
        self.check(("watched.example", NOT_FOUND), ("gone.example", NOT_FOUND))

    def test_the_row_for_anything_holds_for_bare_domains_and_the_bracketed_one_for_hosts(self):
        rows = (*ROWS, ("*", "opportunistic"), ("[*]", "verified"))
        with Daemon(rows) as daemon, daemon.client() as client:
            for key, expected in (("absent.example", "OK may"), ("[absent.example]:25", "OK verify"),
                                  ("absent.example:25", "OK verify"), ("[203.0.113.1]", "OK verify"),
                                  ("a.below.example", "OK verify"), (".absent.example", NOT_FOUND),
                                  ("private/lmtp", NOT_FOUND), ("*", NOT_FOUND), ("[*]", NOT_FOUND)):
                with self.subTest(key=key):
                    self.assertEqual(expected, client.ask(key))


class PolicyDelegation(unittest.TestCase):
    REQUEST = b"request=smtpd_access_policy\nsender=a@b.example\nclient_address=192.0.2.1\n\n"

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(policyd=True)
        cls.enterClassContext(cls.daemon)

    def setUp(self):
        self.client = self.enterContext(PolicyClient(self.daemon.policyd))

    def test_attributes_are_answered_with_dunno(self):
        for _ in range(3):
            self.client.send(self.REQUEST)
            self.assertEqual(["action=DUNNO"], self.client.read_action())

    def test_a_request_may_come_byte_by_byte(self):
        for at in range(len(self.REQUEST)):
            self.client.send(self.REQUEST[at:at + 1])
        self.assertEqual(["action=DUNNO"], self.client.read_action())

    def test_requests_in_one_packet_are_answered_one_by_one(self):
        self.client.send(self.REQUEST * 50)
        self.assertEqual([["action=DUNNO"]] * 50, [self.client.read_action() for _ in range(50)])

    def test_what_is_no_request_is_hung_up_on_without_an_answer(self):
        for request in (b"no equals sign\n\n", b"\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                        b"request=smtpd_access_policy\nsender=" + b"x" * 20000 + b"\n\n",
                        b"request=smtpd_access_policy\n" + b"a=b\n" * 200 + b"\n"):
            with self.subTest(request=request[:40]), PolicyClient(self.daemon.policyd) as client:
                client.send(request)
                self.assertEqual(b"", client.read_rest())
        self.client.send(self.REQUEST)
        self.assertEqual(["action=DUNNO"], self.client.read_action())


if __name__ == "__main__":
    unittest.main()
