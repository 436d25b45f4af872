#!/usr/bin/python3
"""`./dev demo`: real mail through a real Postfix to partners of many kinds, then one live edit.

Shows for each partner what its server does, the row that holds for it, and what became of the mail:
as the receiver saw it, and where nothing arrived, as Postfix said. Everything runs in namespaces of
its own (see run.py): no mail leaves them, nothing outlives them, the host's Postfix knows nothing.
"""

import collections
import dataclasses
import itertools
import os
import sqlite3
import subprocess
import sys
import time

import run

WITHIN = 45
EXAMPLE = os.path.join(run.ROOT, "postfix-examples", "unix-chroot.cf")
# Behind the example: what lets rows at dane work.
MORE_MAIN_CF = """
smtp_dns_support_level = dnssec
"""
# Two tries at TLS before it goes in clear, as shipped; 5 seconds apart, where 300 are shipped.
PROFILES = "UPDATE profile SET retry_after = 5 WHERE name = 'opportunistic';\n"
PIN = "its SHA-256"
EDIT = """BEGIN;
INSERT INTO outbound(destination, profile) VALUES('club.example', 'required');
UPDATE outbound SET profile = 'required' WHERE destination = 'lawyer.example';
COMMIT;"""
# What Postfix says of mail that waits, by how it begins, and how we say it.
REASONS = (
    ("TLS is required, but was not offered", "no STARTTLS offered"),
    ("TLS is required, but host", "STARTTLS was refused"),
    ("Cannot start TLS", "the handshake failed"),
    ("Server certificate not verified", "certificate not verified"),
)
# What internet.py says of these sites, in fewer words: the table has to fit a terminal.
SERVERS = {
    "good": "does everything right",
    "selfsigned": "self-signed certificate",
    "expired": "expired certificate",
    "wrongname": "certificate for other names",
    "dane": "TLSA record and its certificate",
    "danebad": "TLSA record of another key",
    "nostarttls": "no STARTTLS",
    "refuse": "454 to STARTTLS",
    "dropped": "hangs up after STARTTLS",
    "broken": "garbage instead of a handshake",
    "strip": "STARTTLS once, then no more",
}


@dataclasses.dataclass(frozen=True)
class Mail:
    """One message: to whom, under which row, and how long to look at it."""

    domain: str
    site: str              # of internet.py
    row: tuple = ()        # destination, profile, match
    until: str = "tried"   # or "sent": the row lets it go in the end
    nth: int = 1

    @property
    def recipient(self):
        return f"mail{self.nth}@{self.domain}"

    @property
    def title(self):
        return self.domain if self.nth == 1 else f"{self.domain} again"

    def row_in_words(self):
        if not self.row:
            return "none; main.cf: may"
        destination, profile, *match = self.row
        return f"{destination} -> {profile}" + "".join(f" ({name})" for name in match)


def direct(domain, site, profile, *match, until="tried"):
    return Mail(domain, site, (domain, profile, *match), until)


MAILS = (
    direct("bank.example", "good", "secure", "mx.good.test"),
    direct("notary.example", "selfsigned", "pinned", PIN),
    direct("agency.example", "dane", "dane"),
    direct("clinic.example", "selfsigned", "required"),
    Mail("news.example", "good"),
    direct("union.example", "strip", "preferred"),
    Mail("club.example", "nostarttls"),
    direct("museum.example", "broken", "off"),
    direct("garage.example", "broken", "opportunistic", until="sent"),
    direct("insurer.example", "nostarttls", "required"),
    Mail("tax.state.example", "nostarttls", (".state.example", "required")),
    direct("press.example", "refuse", "required"),
    direct("hotel.example", "dropped", "required"),
    direct("lawyer.example", "selfsigned", "verified"),
    direct("shop.example", "expired", "verified"),
    direct("travel.example", "wrongname", "verified"),
    direct("city.example", "danebad", "dane"),
)
# Sent when the first has arrived, which is when the server stops offering STARTTLS.
SECOND = dataclasses.replace(next(mail for mail in MAILS if mail.site == "strip"), nth=2)


def say(text):
    print(f"\n== {text}", flush=True)


def print_table(head, rows):
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, ["-" * width for width in widths], *rows):
        print("   " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    sys.stdout.flush()


class Witness:
    """What became of a message."""

    def __init__(self, postfix, arrivals):
        self._postfix = postfix
        self._arrivals = arrivals

    def tries(self, mail):
        return [attempt for attempt in self._postfix.attempts(mail.recipient) if attempt.was_tried]

    def has_ended(self, mail):
        if mail.until == "sent":
            return any(attempt.status == "sent" for attempt in self.tries(mail))
        return bool(self.tries(mail))

    def tell(self, mail):
        tries = self.tries(mail)
        arrived = self._arrivals.of(mail.recipient)
        if not arrived:
            return f"waits: {self._reason(tries[-1].text)}" if tries else "under way"
        found = "in clear"
        if arrived[0].encrypted:
            found = "in TLS, verified" if self._was_verified(tries[-1]) else "in TLS"
        return found if len(tries) == 1 else f"{found}, at try {len(tries)}"

    @staticmethod
    def _reason(text):
        return next((ours for theirs, ours in REASONS if text.startswith(theirs)), text)

    def _was_verified(self, attempt):
        """smtp(8) speaks of the session first, then, in the same process, of the delivery."""
        verified = False
        for line in self._postfix.read_log().splitlines():
            if f"/smtp[{attempt.pid}]: " not in line:
                continue
            if "TLS connection established to " in line:
                verified = ": Verified TLS connection" in line
            if f": {attempt.queue_id}: " in line and "status=sent" in line:
                return verified
        return False


class Demo:
    """The partners' internet, one Postfix, one daemon."""

    def __init__(self):
        # Only now: these need what run.py has set up.
        # pylint: disable=import-outside-toplevel
        import internet
        from daemon import Daemon
        from instance import Postfix, full_version

        partners = {(mail.domain, mail.site) for mail in MAILS}
        say(f"starting DNS and the servers of {len(partners)} partners,"
            f" Postfix {full_version()} and tlspolicyd")
        self.world = internet.shared()
        for domain, site in partners:
            self.world.point_at(domain, site)
        with open(EXAMPLE, encoding="utf-8") as example:
            main_cf = example.read() + MORE_MAIN_CF
        self.postfix = Postfix(os.path.join(run.SPOOL, "demo"), self.world, main_cf)
        self.daemon = Daemon(os.path.join(run.SPOOL, "policy"), self.postfix.queue)
        self.witness = Witness(self.postfix, self.world.arrivals)
        self.daemon.edit(PROFILES + "".join(
            self.daemon.row(*self.fill_in(mail)) for mail in MAILS if mail.row))

    def fill_in(self, mail):
        """The row's columns, with the fingerprint that PIN stands for."""
        return [self.world.pin_of(mail.site) if cell == PIN else cell for cell in mail.row]

    def wait_for(self, what, done):
        """Until done(), with a sign of life every other second."""
        begun = time.monotonic()
        marks = itertools.count(2, 2)
        mark = next(marks)

        def look():
            nonlocal mark
            if time.monotonic() - begun > mark:
                print(f"   {what} ({mark} s)", flush=True)
                mark = next(marks)
            return done()

        self.postfix.wait_until(look, WITHIN, what)

    def wait_for_mails(self, mails):
        def left():
            return [mail for mail in mails if not self.witness.has_ended(mail)]

        self.wait_for(f"waiting for Postfix: mail to {', '.join(mail.domain for mail in mails[:3])}"
                      f"{' and others' if len(mails) > 3 else ''}", lambda: not left())

    def send_all(self):
        say(f"one mail to each of them, and a second to {SECOND.domain}")
        self.postfix.send(*(mail.recipient for mail in MAILS))
        first = [mail for mail in MAILS if mail.site == SECOND.site]
        self.wait_for_mails(first)
        self.postfix.send(SECOND.recipient)
        hurried = [mail for mail in (*MAILS, SECOND) if mail.until == "tried"]
        self.wait_for_mails(hurried)
        patient = [mail for mail in MAILS if mail.until == "sent"]
        self.wait_for_mails(patient)

    def show_mails(self):
        at = next(number for number, mail in enumerate(MAILS, 1) if mail.site == SECOND.site)
        mails = (*MAILS[:at], SECOND, *MAILS[at:])
        say("what happened")
        print_table(("DOMAIN", "THE PARTNER'S SERVER", "ROW: DESTINATION -> PROFILE", "THE MAIL"),
                    [(mail.title, SERVERS[mail.site], mail.row_in_words(),
                      self.witness.tell(mail)) for mail in mails])
        counts = collections.Counter(self.witness.tell(mail).partition(":")[0].partition(", at")[0]
                                     for mail in mails)
        print("\n   " + ", ".join(
            f"{count} {what.replace(',', ' and').replace('waits', 'waiting')}" for what, count in counts.items()))
        self.show_decisions()

    def show_decisions(self):
        """A level drops by a decision on record, and not otherwise."""
        with sqlite3.connect(os.path.join(self.daemon.directory, "state.db")) as database:
            found = database.execute("SELECT destination, from_level, to_level, until - at, why FROM decision "
                                     "WHERE kind = 'downgrade' ORDER BY seq").fetchall()
        for destination, before, after, seconds, why in found:
            print(f"   on record: {destination} from {before} to {after} for {seconds} s, after {why}")

    def show_edit(self):
        """The first is new mail after a stricter row, the second goes on after a laxer one."""
        stricter, laxer = (next(mail for mail in MAILS if mail.domain == domain)
                           for domain in ("club.example", "lawyer.example"))
        before = {mail: self.witness.tell(mail) for mail in (stricter, laxer)}
        say("one live edit with the sqlite3 shell; no reload, no restart")
        print("\n".join(f"   sqlite> {line}" for line in EDIT.splitlines()))
        begun = time.monotonic()
        self.daemon.edit(EDIT)
        self.daemon.wait_until_answers(stricter.domain, "OK encrypt")
        print(f"   live {1000 * (time.monotonic() - begun):.0f} ms later; a new mail to {stricter.domain},"
              f" and the one to {laxer.domain} is still in the queue")
        again = dataclasses.replace(stricter, row=(stricter.domain, "required"), nth=2)
        released = dataclasses.replace(laxer, row=(laxer.domain, "required"), until="sent")
        self.postfix.send(again.recipient)
        self.wait_for_mails([again, released])
        say("the difference")
        print_table(("DOMAIN", "ROW BEFORE", "THE MAIL", "ROW AFTER", "THE MAIL"),
                    [(old.domain, old.row_in_words(), before[old], new.row_in_words(),
                      self.witness.tell(new)) for old, new in ((stricter, again), (laxer, released))])

    def show(self):
        with self.daemon, self.postfix:
            self.send_all()
            self.show_mails()
            self.show_edit()
        say("all of it is gone again: nothing runs, nothing is mounted, no file is left")


def main():
    if not os.environ.get(run.INSIDE):
        run.run_in_namespaces(__file__)
    run.make_private()
    try:
        Demo().show()
    except (AssertionError, OSError, subprocess.CalledProcessError) as trouble:
        sys.exit(f"demo: {trouble}")


if __name__ == "__main__":
    main()
