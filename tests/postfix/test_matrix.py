"""Every shipped profile against every receiver: one message each, all under way at once.

matrix.txt says what must become of each. What a receiver saw decides; the log is asked for the rest.
"""

import os
import re
import unittest

import internet
from daemon import Daemon, TCP_ENDPOINT
from instance import Postfix
from internet import LABELS, PROFILES, SITES
from run import SPOOL

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "matrix.txt")
ARRIVED = ("PLAIN", "TLS", "VERIFIED")
# The second message to a receiver that remembers the first.
STRIPPED = "stripped"
WITHIN = 180
MAIN_CF = f"""
smtp_tls_security_level = may
smtp_tls_policy_maps = socketmap:{TCP_ENDPOINT}:policy
smtp_dns_support_level = dnssec
"""

# What a word of the table means: dsn, status, how the text begins, what else it says.
WORDS = {
    "not-offered": ("4.7.4", "deferred", r"TLS is required, but was not offered by host "),
    "refused": ("4.7.0", "deferred",
                r"TLS is required, but host \S+ refused to start TLS: 454 4\.7\.0 TLS not available"),
    "handshake": ("4.7.5", "deferred", r"Cannot start TLS: handshake failure"),
    "unverified": ("4.7.5", "deferred", r"Server certificate not verified"),
    "no-tlsa": ("4.7.5", "deferred", r"no TLSA records found"),
    "unsigned": ("4.7.5", "deferred", r"non DNSSEC destination"),
    "connect": ("4.4.1", "deferred", r"connect to \S+: Connection refused"),
    "dns": ("4.4.3", "deferred", r"Host or domain name not found"),
    "greylisted": ("4.7.1", "deferred", r"host \S+ said: 451 4\.7\.1 "),
    "no-user": ("5.1.1", "bounced", r"host \S+ said: 550 5\.1\.1 "),
}
# A mail that must not go out in clear is shown not to do so by a try made when Postfix would
# (minimal_backoff_time is over): the third is one in any case.
ENOUGH_TRIES = 3


def read_table():
    """{(receiver, label): words}"""
    with open(TABLE, encoding="ascii") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    labels = lines[0][1:]
    return labels, {(line[0], label): word for line in lines[1:]
                    for label, word in zip(labels, line[1:], strict=True)}


def name_attempt(attempt):
    """The word of the table for what Postfix said of an undelivered mail."""
    for word, (dsn, status, text) in WORDS.items():
        if (attempt.dsn, attempt.status) == (dsn, status) and re.match(text, attempt.text):
            return word
    return f"{attempt.status} {attempt.dsn} {attempt.text}"


def address(receiver, label):
    if receiver == STRIPPED:
        return f"second@{label}.strip.test"
    return f"first@{label}.{receiver}.test"


def make_rows(world):
    """The admin's rows: LABEL.RECEIVER.test has the profile LABEL."""
    rows = ["BEGIN IMMEDIATE;\n"]
    for site in SITES:
        for profile in PROFILES:
            match = None
            if profile == "pinned":
                match = world.pin_of(SITES[site].hosted_by or site)
            if profile == "secure" and site == "hosted2":
                match = "mx.secure.hoster.test"
            rows.append(Daemon.row(f"{profile}.{site}.test", profile, match))
    return "".join(rows) + "COMMIT;\n"


class Cell:
    """One receiver under one profile: what is expected, and what has become of its message."""

    def __init__(self, receiver, label, expected, postfix, arrivals):
        self.recipient = address(receiver, label)
        self.expected = expected
        self._postfix = postfix
        self._arrivals = arrivals

    def seen(self):
        """In the words of the table; nothing while it isn't known."""
        tries = [attempt for attempt in self._postfix.attempts(self.recipient) if attempt.was_tried]
        failures = [name_attempt(attempt) for attempt in tries if attempt.status != "sent"]
        first = [failures[0]] if failures else []
        arrived = self._arrivals.of(self.recipient)
        sent = [attempt for attempt in tries if attempt.status == "sent"]
        if arrived:
            # Both have to have said so: the receiver, and Postfix.
            if not sent:
                return ""
            return ">".join([*first, *(self._name_arrival(arrival, sent[0]) for arrival in arrived)])
        if "no-user" in failures or len(failures) >= ENOUGH_TRIES:
            return ">".join(sorted(set(failures)))
        return ""

    def _name_arrival(self, arrival, sent):
        verified = f"Verified TLS connection established to {sent.relay}: "
        if arrival.encrypted and verified in self._postfix.read_log():
            return "VERIFIED"
        return arrival.seen

    def has_ended(self):
        return self.seen() != ""


class EveryProfileAgainstEveryReceiver(unittest.TestCase):
    longMessage = False

    def test_the_table_names_every_profile_and_every_receiver(self):
        labels, table = read_table()
        self.assertEqual(labels, list(LABELS))
        self.assertEqual({receiver for receiver, _ in table}, {*SITES, STRIPPED} - {"hoster"})

    def test_mail_ends_as_the_table_says(self):
        labels, table = read_table()
        world = internet.shared()
        postfix = Postfix(os.path.join(SPOOL, "matrix"), world, main_cf=MAIN_CF)
        daemon = Daemon(os.path.join(SPOOL, "daemon"))
        daemon.edit(make_rows(world))
        cells = {place: Cell(*place, word, postfix, world.arrivals)
                 for place, word in table.items()}
        with daemon, postfix:
            first = [cell for (receiver, _), cell in cells.items() if receiver != STRIPPED]
            postfix.send(*(cell.recipient for cell in first))
            before = [cells["strip", label] for label in labels]
            postfix.wait_until(lambda: all(cell.has_ended() for cell in before), WITHIN,
                               "the first messages to strip.test have no end")
            postfix.send(*(cells[STRIPPED, label].recipient for label in labels))
            try:
                postfix.wait_until(lambda: all(cell.has_ended() for cell in cells.values()), WITHIN,
                                   "not all messages found their end")
            except AssertionError:
                pass  # the cells say which
            seen = {place: cell.seen() or "nothing yet" for place, cell in cells.items()}
        self.compare(table, seen)

    def compare(self, table, seen):
        wrong = [f"{receiver} under {label}: expected {table[receiver, label]}, seen {word}"
                 for (receiver, label), word in seen.items() if word != table[receiver, label]]
        if wrong:
            self.fail(f"{len(wrong)} of {len(table)} differ:\n" + "\n".join(wrong))
