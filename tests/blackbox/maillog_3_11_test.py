#!/usr/bin/env python3
"""Postfix 3.11 says in each status line how TLS went (tls=). Its lines are replayed into `learn` and role `ingest`.

smtp_tls_loglevel is 0 here, as Postfix has it: no line tells of a session, so that tls= alone can.
"""
import time
import unittest

from ctl_desk import Desk
from evidence import wait_for_status, wait_until_counted
from ingest_test import Logged
from processes import wait_until

RELAYS = {name: f"mx.{name}.test[203.0.113.{10 + number}]:25" for number, name in enumerate((
    "good", "selfsigned", "expired", "wrongname", "nostarttls", "refuse", "broken", "dane", "slow", "closed", "parrot"))}
SENT = "dsn=2.0.0, status=sent (250 2.0.0 taken by mx.good.test)"
NO_HANDSHAKE = "dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)"
NOT_VERIFIED = "dsn=4.7.5, status=deferred (Server certificate not verified)"
NOT_OFFERED = "dsn=4.7.4, status=deferred (TLS is required, but was not offered by host mx.nostarttls.test[203.0.113.14])"
REFUSED = ("dsn=4.7.0, status=deferred (TLS is required, but host mx.refuse.test[203.0.113.15] refused to start TLS: "
           "454 4.7.0 TLS not available)")
SAID = ("dsn=4.7.5, status=deferred (host mx.parrot.test[203.0.113.20] said: 450 4.7.5 delays=0/0/0/0, tls=verify, "
        "dsn=2.0.0, status=sent (Cannot start TLS: handshake failure) (in reply to end of DATA command))")


def gone_wrong(name, why):
    """The line before, which has no queue id."""
    return [f"SSL_connect error to {RELAYS[name]}: {why}"]


# recipient's domain, MX, lines before, tls=, the end; the evidence (security, cause) or nothing; `learn`'s column
DELIVERIES = (
    ("may.good.test", "good", [], "may", SENT, ("encrypted", ""), "tls"),
    ("encrypt.good.test", "good", [], "encrypt", SENT, ("encrypted", ""), "tls"),
    ("verify.good.test", "good", [], "verify", SENT, ("authenticated", ""), "tls"),
    ("secure.good.test", "good", [], "secure", SENT, ("authenticated", ""), "tls"),
    ("dane.dane.test", "dane", [], "dane", SENT, ("authenticated", ""), "tls"),
    ("none.good.test", "good", [], "none", SENT, ("clear", ""), "clear"),
    ("may.nostarttls.test", "nostarttls", [], "may:none", SENT, ("clear", ""), "clear"),
    ("first.broken.test", "broken", gone_wrong("broken", "-1"), "may?", NO_HANDSHAKE,
     ("unknown", "handshake-failure"), "handshake-failure"),
    ("second.broken.test", "broken", gone_wrong("broken", "-1") + ["{id}: Cannot start TLS: handshake failure"],
     "may:none", SENT, ("clear", "plaintext"), "clear"),
    ("encrypt.slow.test", "slow", gone_wrong("slow", "Connection timed out"), "encrypt?", NO_HANDSHAKE,
     ("unknown", "timeout"), "timeout"),
    ("encrypt.nostarttls.test", "nostarttls", [], "!encrypt", NOT_OFFERED,
     ("unknown", "starttls-not-supported"), "starttls-not-supported"),
    ("encrypt.refuse.test", "refuse", [], "!encrypt", REFUSED, ("unknown", "starttls-refused"), "starttls-refused"),
    ("secure.wrongname.test", "wrongname", ["server certificate verification failed for "
                                            f"{RELAYS['wrongname']}: num=62:hostname mismatch"],
     "!secure", NOT_VERIFIED, ("encrypted", "certificate-host-mismatch"), "certificate-host-mismatch"),
    ("verify.expired.test", "expired", ["server certificate verification failed for "
                                        f"{RELAYS['expired']}: certificate has expired"],
     "!verify", NOT_VERIFIED, ("encrypted", "certificate-expired"), "certificate-expired"),
    ("policy.good.test", None, [], "unknown?",
     "dsn=4.7.5, status=deferred (client TLS configuration problem)", ("unknown", "local-fault"), "local-fault"),
    # Never got as far as TLS, or says nothing of it: not a word.
    ("may.closed.test", "closed", [], "may?",
     f"dsn=4.4.1, status=deferred (connect to {RELAYS['closed']}: Connection refused)", None, None),
    ("may.parrot.test", "parrot", [], "may?", SAID, None, None),
    # What no Postfix of today writes.
    ("quantum.good.test", "good", [], "quantum", SENT, ("unknown", ""), "unknown"),
    ("long.good.test", "good", [], "may:none/requiretls/more", SENT, ("clear", ""), "clear"),
)


def recorded():
    """All of it, as one smtp(8) process wrote it."""
    lines = []
    for number, (domain, mx, before, tls, end, _, _) in enumerate(DELIVERIES, 0x4D0):
        queue_id = f"{number:X}F20"
        relay = RELAYS[mx] if mx else "none"
        lines += [line.format(id=queue_id) for line in before]
        lines.append(f"{queue_id}: to=<user@{domain}>, relay={relay}, delay={number / 1000}, "
                     f"delays=0.03/0.01/0.06/{number / 1000}, tls={tls}, {end}")
    stamp = time.strftime("%b %e %H:%M:%S")
    return "".join(f"{stamp} mail postfix/smtp[4242]: {line}\n" for line in lines)


class Ingest(unittest.TestCase):
    def test_takes_from_each_line_what_tls_says_and_no_more(self):
        expected = sorted(f"{domain}|{evidence[0]}|{evidence[1]}|1"
                          for domain, _, _, _, _, evidence, _ in DELIVERIES if evidence)
        with Logged([]) as daemon:
            daemon.write(recorded())
            wait_until_counted(daemon, len(expected))
            wait_for_status(daemon, dropped=0)
            seen = daemon.edit("SELECT destination, security, cause, sum(count) FROM evidence WHERE source = 'maillog' "
                               "GROUP BY 1, 2, 3;", daemon.path("state.db"))
            self.assertEqual(expected, sorted(seen.split()))

    def test_of_a_trusted_log_raises_by_tls_alone_and_lowers_by_a_failure(self):
        hasty = ("INSERT INTO profile(name, level, fallback, attempts, retry_after, downgrade_to) "
                 "VALUES('hasty', 'may', 'after-retry', 1, 1, 'none');")
        with Logged([("may.good.test", "opportunistic"), ("may.nostarttls.test", "opportunistic")]) as daemon:
            daemon.edit(hasty + "INSERT INTO outbound(destination, profile) VALUES('first.broken.test', 'hasty'), "
                        "('may.parrot.test', 'hasty');")
            daemon.wait_until_answers("first.broken.test", "OK may")
            daemon.write(recorded())
            daemon.wait_until_answers("may.good.test", "OK encrypt")
            daemon.wait_until_answers("first.broken.test", "OK none")
            wait_until(lambda: daemon.edit("SELECT destination FROM decision WHERE kind = 'downgrade';",
                                           daemon.path("state.db")).split() == ["first.broken.test"], "one is lowered")
            self.assertEqual("OK may", daemon.ask("may.nostarttls.test"))
            self.assertEqual("OK may", daemon.ask("may.parrot.test"))


class Learn(Desk):
    def test_takes_from_each_line_what_tls_says_and_no_more(self):
        path = self.folder / "mail.log"
        path.write_text(recorded())
        found = {each["destination"]: each for each in self.data("learn", path)}
        for domain, _, _, tls, _, _, column in DELIVERIES:
            with self.subTest(domain=domain, tls=tls):
                lesson = found.get(domain, {})
                counts = {name: lesson[name] for name in ("tls", "clear", "unknown") if lesson.get(name)}
                failures = lesson.get("failures") or {}
                expected = {} if column is None else {column: 1}
                self.assertEqual(expected, counts or {name: count for name, count in failures.items() if count})


if __name__ == "__main__":
    unittest.main()
