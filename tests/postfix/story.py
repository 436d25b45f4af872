"""What a test with mail in it needs: a Postfix, a daemon, and what became of a message."""

import itertools
import os
import unittest

import internet
from daemon import Daemon
from instance import Postfix
from run import SPOOL


class Story(unittest.TestCase):
    """A fresh Postfix and a fresh daemon for each test; one internet for all."""

    numbers = itertools.count(1)

    def setUp(self):
        self.internet = internet.shared()
        self.internet.arrivals.clear()
        # Short: a unix socket's path holds 107 bytes.
        self.directory = os.path.join(SPOOL, f"test{next(Story.numbers)}")

    def make_postfix(self, main_cf, master_cf=""):
        directory = os.path.join(self.directory, f"postfix{next(Story.numbers)}")
        return Postfix(directory, self.internet, main_cf, master_cf)

    def make_daemon(self, postfix=None, **settings):
        directory = os.path.join(self.directory, f"daemon{next(Story.numbers)}")
        return Daemon(directory, postfix and postfix.queue, **settings)

    def arrival(self, recipient):
        """The only message a receiver took for this recipient."""
        found = self.internet.arrivals.of(recipient)
        self.assertEqual(len(found), 1, f"arrivals for {recipient}: {found}")
        return found[0]

    def assert_arrives(self, postfix, recipient, seen):
        attempt = postfix.wait_for_attempt(recipient)
        self.assertEqual(attempt.status, "sent", attempt)
        self.assertEqual(self.arrival(recipient).seen, seen)

    def assert_deferred(self, postfix, recipient, dsn, text):
        attempt = postfix.wait_for_attempt(recipient)
        self.assertEqual((attempt.status, attempt.dsn), ("deferred", dsn), attempt)
        self.assertIn(text, attempt.text)
        self.assertEqual(self.internet.arrivals.of(recipient), [])

    def assert_not_offered(self, postfix, recipient):
        self.assert_deferred(postfix, recipient, "4.7.4", "TLS is required, but was not offered by")
