"""Debian 13's Postfix, 3.10 or later: what it reports by TLSRPT, and what else is new there."""

import os

import daemon as daemons
import test_evidence
from learning import HANDSHAKE, Learning, Trace, maps
from trixie import TrixiePostfix, postfix_uid

TLSRPT = ("smtp_tlsrpt_enable = yes\n"
          f"smtp_tlsrpt_socket_name = {daemons.SOCKET_FOLDER}/tlsrpt.sock\n")
NO_OUTCOMES = "smtp_delivery_status_filter =\n"
ENCRYPTED = {("encrypted", ""): 1}
BROKEN = {("unknown", "handshake-failure"): 1}
NOTHING = {("unknown", ""): 1}
NO_TLS_NEEDED = "TLS-Required: no\r\n"
TLSPROXY = "tlsproxy unix - - y - 0 tlsproxy\n"


class Trixie(Learning):
    """With our TLSRPT socket in its queue directory."""

    def make_postfix(self, main_cf, master_cf=""):
        directory = os.path.join(self.directory, "trixie")
        return TrixiePostfix(directory, self.internet, main_cf, master_cf)

    def begin(self, sql, main_cf=None, master_cf="", **settings):
        # Its user postfix has another number than ours, and its group none that is known here.
        super().begin(sql, main_cf, master_cf, **{
            "evidence_uid": postfix_uid(), "socket_group": "", "socket_mode": "0666",
            "postfix_version": "3.10", **settings})

    def begin_reported(self, sql, main_cf="", master_cf="", **settings):
        folder = os.path.join(self.directory, "trixie", "queue", daemons.SOCKET_FOLDER)
        self.begin(sql, maps() + TLSRPT + main_cf, master_cf, tlsrpt_socket=f"{folder}/tlsrpt.sock", **settings)

    def wait_for_datagrams(self, number):
        self.postfix.wait_until(lambda: self.ingest()["datagrams"] >= number, 60, f"{number} datagrams")
        self.assertEqual(self.ingest()["datagrams"], number)

    def ingest(self):
        return self.feedback().get("ingest") or {"datagrams": 0}


class ThePostfix(Trixie):
    def test_is_one_that_reports(self):
        self.begin_reported("")
        self.assertGreaterEqual(self.postfix.version(), (3, 10))
        self.assertEqual(self.postfix.complaints_about_configuration(), [])

    def test_tells_outcomes_as_its_elders_do(self):
        self.begin_reported(self.rows("required", "good.test", "broken.test", "nostarttls.test"))
        with Trace(self.daemon, "test") as trace:
            for domain in ("good.test", "broken.test", "nostarttls.test"):
                self.deliver(f"a@{domain}")
            heard = trace.wait_for(*range(6))
        self.assertEqual(heard[:5], [
            "policy good.test -> OK encrypt", "good.test: outcome 2.0.0 250 2.0.0 taken by mx.good.test -> NOTFOUND",
            "policy broken.test -> OK encrypt", f"broken.test: outcome {HANDSHAKE} -> NOTFOUND",
            "policy nostarttls.test -> OK encrypt"])
        self.wait_for_evidence({"good.test": ENCRYPTED, "broken.test": BROKEN,
                                "nostarttls.test": {("unknown", "starttls-not-supported"): 1}})
        self.wait_for_counters(outcomes=3, orphans=0)


class Reports(Trixie):
    """TLSRPT raises, and confirms, and lowers nothing by itself."""

    def test_a_success_raises_the_answer_where_the_outcome_proves_nothing(self):
        self.internet.ask_for_reports("good.test")
        self.begin_reported(self.rows("opportunistic", "good.test"))
        self.assertEqual(self.daemon.ask("good.test"), "OK may")
        self.assertEqual(self.deliver("a@good.test").status, "sent")
        self.wait_for_evidence({"good.test": ENCRYPTED}, source="tlsrpt")
        self.daemon.wait_until_answers("good.test", "OK encrypt")
        self.wait_for_evidence({"good.test": NOTHING})
        self.wait_for_datagrams(1)

    def test_a_domain_that_asks_for_no_reports_gets_none(self):
        self.begin_reported(self.rows("opportunistic", "tls13.test"))
        self.assertEqual(self.deliver("a@tls13.test").status, "sent")
        self.wait_for_evidence({"tls13.test": NOTHING})
        self.wait_for_datagrams(0)
        self.assertEqual(self.daemon.ask("tls13.test"), "OK may")

    def test_failures_alone_lower_nothing(self):
        self.internet.ask_for_reports("dropped.test")
        self.begin_reported(self.rows("hasty", "dropped.test"), NO_OUTCOMES)
        for nth in (1, 2, 3):
            self.postfix.flush()
            self.deliver(f"a{nth}@dropped.test")
        self.postfix.wait_until(lambda: self.ingest()["datagrams"] >= 3, 60, "3 datagrams")
        self.assertEqual(self.evidence("outcome"), {})
        self.assertEqual(self.decisions(), [])
        self.assertEqual(self.state("dropped.test")["failures"], [])
        # What failed was offered, and that raises.
        self.daemon.wait_until_answers("dropped.test", "OK encrypt")

    def test_a_report_and_an_outcome_of_one_delivery_are_one_failure(self):
        self.internet.ask_for_reports("broken.test")
        self.begin_reported(self.rows("required", "broken.test"))
        self.deliver("a@broken.test")
        self.wait_for_evidence({"broken.test": BROKEN}, source="tlsrpt")
        self.wait_for_evidence({"broken.test": BROKEN})
        self.assertEqual(len(self.state("broken.test")["failures"]), 1)

    def test_of_another_user_are_counted_and_change_nothing(self):
        self.internet.ask_for_reports("tls12.test")
        self.begin_reported(self.rows("opportunistic", "tls12.test"), evidence_uid="4711")
        self.assertEqual(self.deliver("a@tls12.test").status, "sent")
        self.wait_for_evidence({"tls12.test": ENCRYPTED}, source="tlsrpt")
        self.assertEqual(self.ingest()["datagrams_untrusted"], 1)
        self.assert_nothing_was_learnt("tls12.test")
        self.assertEqual(self.daemon.ask("tls12.test"), "OK may")


class WhatIsNew(Trixie):
    """Since 3.10."""

    def test_mail_that_needs_no_tls_delivers_without_asking_and_hits_nobody_else(self):
        self.internet.give_hosts("club.test", "mx.good.test")
        self.begin_reported(self.rows("hasty", "club.test") + self.rows("required", "tls13.test"))
        with Trace(self.daemon, "test") as trace:
            self.assertEqual(self.deliver("a@club.test").status, "sent")
            self.assertIn("Cannot start TLS", self.deliver("a@broken.test", header=NO_TLS_NEEDED).text)
            self.assertEqual(self.deliver("a@tls13.test").status, "sent")
            heard = trace.wait_for(*range(5))
        # A trace names whom the process asked about last; the failure is of broken.test.
        self.assertEqual(heard, [
            "policy club.test -> OK may", "club.test: outcome 2.0.0 250 2.0.0 taken by mx.good.test -> NOTFOUND",
            f"club.test: outcome {HANDSHAKE} -> NOTFOUND", "policy tls13.test -> OK encrypt",
            "tls13.test: outcome 2.0.0 250 2.0.0 taken by mx.tls13.test -> NOTFOUND"])
        self.wait_for_counters(outcomes=2, orphans=1)
        self.wait_for_evidence({"club.test": NOTHING, "tls13.test": ENCRYPTED})
        self.assertEqual(self.decisions(), [])
        self.assertIsNone(self.state("club.test"))

    def test_a_reused_connection_gives_no_evidence_of_another(self):
        self.begin_reported(
            "INSERT INTO profile(name, level, fallback, connection_reuse) VALUES('reusing', 'encrypt', 'never', 'yes');\n" +
            self.rows("reusing", "good.test") + self.rows("required", "broken.test"),
            "smtp_connection_cache_destinations = good.test\n", TLSPROXY)
        self.assertEqual(self.daemon.ask("good.test"), "OK encrypt connection_reuse=yes")
        self.assertEqual(self.deliver("a@good.test").status, "sent")
        self.assertIn("Cannot start TLS", self.deliver("a@broken.test").text)
        self.assertEqual(self.deliver("b@good.test").status, "sent")
        self.assertRegex(self.postfix.read_log(), r"TLS connection reused to mx\.good\.test")
        self.wait_for_evidence({"good.test": {("encrypted", ""): 2}, "broken.test": BROKEN})
        state = self.state("broken.test")
        self.assertEqual((len(state["failures"]), state["worked_at"]), (1, None))


# What holds of Debian 12's Postfix holds here.

class OneDelivery(Trixie, test_evidence.OneDelivery):
    pass


class SeveralDestinations(Trixie, test_evidence.SeveralDestinations):
    pass


class ACachedConnection(Trixie, test_evidence.ACachedConnection):
    pass


class SeveralMapNames(Trixie, test_evidence.SeveralMapNames):
    pass


class AnAddressProbe(Trixie, test_evidence.AnAddressProbe):
    pass
