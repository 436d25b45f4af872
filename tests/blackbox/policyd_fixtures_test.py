#!/usr/bin/env python3
"""What real smtpd(8)s asked (tests/fixtures/policyd), asked of the real daemon, byte for byte."""
import os
import re
import unittest

from daemon import Daemon
from socketmap import PolicyClient

FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "policyd")
VERSIONS = ("postfix-3.7", "postfix-3.10")
RULES = """
INSERT INTO inbound(require) VALUES('certificate');
INSERT INTO submission(sender, require, min_protocol) VALUES('ann', 'encrypt', 'TLSv1.3');
"""
PASS, REJECT = "DUNNO", "550 5.7.10 "
AFTER_MAIL = ("MAIL", "RCPT", "DATA", "END-OF-MESSAGE")
# What the sender's connection lacks is told at MAIL already; what his recipient lacks, with the recipient.
SUBMITTED = {"submission-587": ("RCPT", "DATA", "END-OF-MESSAGE"), "submission-465": AFTER_MAIL}


def requests(version, kind):
    with open(os.path.join(FIXTURES, version, kind), "rb") as file:
        return [request + b"\n\n" for request in file.read().split(b"\n\n")[:-1]]


def state_of(request):
    return re.search(rb"^protocol_state=(.*)$", request, re.MULTILINE)[1].decode()


def expected(kind, state):
    if kind in SUBMITTED:
        return REJECT if state in SUBMITTED[kind] else PASS
    return REJECT if state in AFTER_MAIL and "-trusted" not in kind else PASS


class Fixtures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(policyd=True, start=False)
        cls.enterClassContext(cls.daemon)
        cls.daemon.edit(RULES)
        cls.daemon.start()

    def each_session(self):
        for version in VERSIONS:
            kinds = sorted(os.listdir(os.path.join(FIXTURES, version)))
            self.assertGreater(len(kinds), 10)
            for kind in kinds:
                with self.subTest(version=version, session=kind), PolicyClient(self.daemon.policyd) as client:
                    yield client, kind, requests(version, kind)

    def check(self, kind, request, lines):
        self.assertEqual(1, len(lines), lines)
        action = lines[0].removeprefix("action=")
        self.assertNotEqual(action, lines[0])
        self.assertTrue(action.startswith(expected(kind, state_of(request))), f"{state_of(request)}: {action}")

    def test_each_request_of_a_session_has_one_action_and_an_empty_line(self):
        for client, kind, asked in self.each_session():
            for request in asked:
                client.send(request)
                self.check(kind, request, client.read_action())
            self.assert_nothing_follows(client)

    def test_a_whole_session_at_once_has_the_same_actions_in_order(self):
        for client, kind, asked in self.each_session():
            client.send(b"".join(asked))
            for request in asked:
                self.check(kind, request, client.read_action())
            self.assert_nothing_follows(client)

    def assert_nothing_follows(self, client):
        """What is malformed closes the connection; all that came before it is what was said."""
        client.send(b"\n")
        self.assertEqual(b"", client.read_rest())


if __name__ == "__main__":
    unittest.main()
