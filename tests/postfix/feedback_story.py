"""What a story about the feedback loop needs: a peer whose manners change while mail is under way,
Postfix that tries again only when told to, and what the daemon made of what it saw."""

import itertools
import json
import os
import re
import sqlite3
import subprocess
import time

from daemon import Daemon
from learning import CHROOT_ENDPOINT
from receivers import Manner
from story import Story

SOCKET = f"socketmap:{CHROOT_ENDPOINT}"
# Nothing is tried again unless a test asks for it.
MAIN_CF = f"""
smtp_tls_security_level = may
smtp_tls_policy_maps = {SOCKET}:policy
minimal_backoff_time = 1h
maximal_backoff_time = 1h
queue_run_delay = 1h
"""
OUTCOME_CF = f"smtp_delivery_status_filter = {SOCKET}:outcome, $default_delivery_status_filter\n"
# A transport with Postfix's own idea of how old mail must be to go on in clear, and mail that waits
# for a test to say how old it is.
AGED_CF = "default_transport = aged\nsmtpd_client_restrictions = check_client_access static:HOLD\n"
AGED_MASTER_CF = "aged unix - - y - - smtp -o minimal_backoff_time=300s\n"
OLD = 400
# The record that says when a message came: its type, its length, seconds and microseconds.
ARRIVAL_TIME = re.compile(rb"T.(\d{10}) \d+", re.DOTALL)
REFUSED_FOR_GOOD = (("STARTTLS", "554 5.7.3 no TLS here"),)
NO_TLS = "Cannot start TLS: handshake failure"


class Peer:
    """A domain with one receiver, which does with STARTTLS what a Manner does, or says 554 where it is "rejected"."""

    def __init__(self, internet, domain, starttls):
        self.domain = domain
        self._receiver = internet.open_peer(domain, Manner())
        self.behave(starttls)

    def behave(self, starttls):
        is_rejected = starttls == "rejected"
        self._receiver.behave(Manner(replies=REFUSED_FOR_GOOD) if is_rejected else Manner(starttls=starttls))

    def mend(self):
        self.behave("works")


class FeedbackStory(Story):
    peers = itertools.count(1)
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.with_row = []

    def make_peer(self, starttls):
        return Peer(self.internet, f"peer{next(FeedbackStory.peers)}.example", starttls)

    # Of the Postfix and the daemon that the tests of a class share, each with peers of its own.
    sources = ("outcome",)
    main_cf = ""
    master_cf = ""
    host = None

    def make_host(self, sql):
        """self.postfix and self.daemon, running, with these rows in force."""
        kind = type(self)
        if kind.host is None:
            outcome = OUTCOME_CF if "outcome" in self.sources else ""
            postfix = self.make_postfix(MAIN_CF + outcome + self.main_cf, self.master_cf)
            log = os.path.join(postfix.directory, "mail.log")
            settings = {"maillog": log, "trust_maillog": "yes"} if "maillog" in self.sources else {}
            kind.host = (postfix, self.make_daemon(postfix, **settings))
            kind.enterClassContext(kind.host[1])
            kind.enterClassContext(postfix)
        self.postfix, self.daemon = kind.host
        self.addCleanup(self.postsuper, "-d", "ALL")
        self.daemon.edit(sql)
        for domain in self.with_row:
            self.wait_until(lambda name=domain: self.daemon.ask(name) != "NOTFOUND ", f"no row for {domain}")

    @staticmethod
    def profile(name, **columns):
        cells = ", ".join(repr(cell) for cell in (name, *columns.values()))
        return f"INSERT INTO profile(name, {', '.join(columns)}) VALUES({cells});\n"

    def row(self, peer, profile):
        self.with_row.append(peer.domain)
        return Daemon.row(peer.domain, profile)

    # Mail.

    def wait_until(self, done, what, seconds=30):
        self.postfix.wait_until(done, seconds, what)

    def wait_until_time(self, moment):
        """There is no other event than the clock where nothing may happen."""
        self.wait_until(lambda: time.time() >= moment, "the clock stands still")

    def wait_until_put_back(self):
        def all_are_deferred():
            places = [each["queue_name"] for each in self.postfix.queued()]
            return places and set(places) == {"deferred"}

        self.wait_until(all_are_deferred, "not all that waits is deferred")

    def retry(self, recipient, nth):
        """Has Postfix try all that waits; the nth attempt at this recipient."""
        self.wait_until_put_back()
        self.postfix.flush()
        return self.postfix.wait_for_attempt(recipient, nth=nth)

    def postsuper(self, *arguments):
        subprocess.run(["postsuper", "-c", self.postfix.config, *arguments], check=True, capture_output=True)

    def make_old(self):
        """Has all that waits have come OLD seconds earlier, and tried."""
        self.postsuper("-h", "ALL")
        hold = os.path.join(self.postfix.queue, "hold")
        for name in os.listdir(hold):
            with open(os.path.join(hold, name), "r+b") as file:
                found = ARRIVAL_TIME.search(file.read())
                file.seek(found.start(1))
                file.write(b"%010d" % (int(found[1]) - OLD))
        self.postsuper("-H", "ALL")
        self.postfix.flush()

    def assert_waits(self, attempt, text):
        self.assertEqual(attempt.status, "deferred", attempt)
        self.assertIn(text, attempt.text)
        self.assertEqual(self.internet.arrivals.of(attempt.recipient), [])

    def assert_sent(self, attempt, seen):
        self.assertEqual(attempt.status, "sent", attempt)
        self.assertEqual(self.arrival(attempt.recipient).seen, seen)

    # What the daemon makes of it.

    def answers(self, peer, answer):
        self.daemon.wait_until_answers(peer.domain, answer)

    def ledger(self, peer):
        """The oldest decision first."""
        return json.loads(self.daemon.ctl("decisions", "--json", "--destination", peer.domain))[::-1]

    def kinds(self, peer):
        return [decision["kind"] for decision in self.ledger(peer)]

    def wait_for_ledger(self, peer, *kinds):
        self.wait_until(lambda: self.kinds(peer) == list(kinds), f"the ledger has {kinds}")
        return self.ledger(peer)

    def assert_ledger_is_whole(self):
        verified = json.loads(self.daemon.ctl("decisions", "--verify", "--json"))
        self.assertTrue(verified["ok"], verified)

    def state(self, peer):
        found = json.loads(self.daemon.ctl("state", peer.domain, "--json"))
        return found[0] if found else None

    def counted(self, peer, source, cause):
        path = os.path.join(self.daemon.directory, "state.db")
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            return database.execute(
                "SELECT ifnull(sum(count), 0) FROM evidence WHERE destination = ? AND source = ? AND cause = ?",
                (peer.domain, source, cause)).fetchone()[0]

    def wait_until_counted(self, peer, sources, cause, number):
        """Every source has reported it, and store has it."""
        self.wait_until(lambda: all(self.counted(peer, source, cause) == number for source in sources),
                        f"{cause} is counted {number} times by each of {sources}")
