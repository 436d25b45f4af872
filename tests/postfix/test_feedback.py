"""Clearswift's story with a real Postfix: TLS fails, mail waits, a later try goes out in clear, and why
stands in the ledger; the peer is mended, and TLS comes back. By each kind of evidence alone, and by both."""

import os
import signal
import time

from feedback_story import NO_TLS, FeedbackStory

# smtp(8) goes on in clear with mail that is 4 seconds old (instance.py); so the second try may, also where
# the daemon's seconds and Postfix's don't begin at the same moment.
RETRY_AFTER = 5
SHORT, LONG = 6, 3600
NO_REPLY = "while receiving the STARTTLS response"


class Clearswift:
    """Told by `sources`."""

    sources = ()
    # How long a downgrade holds where nothing that is seen can end it sooner, and what ends it.
    downgrade_for = LONG
    ended_by = "delivery"

    def check_downgrade(self, decision, to, evidence):
        """The ledger says what, for how long, by which row, and what led to it."""
        self.assertEqual((decision["from_level"], decision["to_level"], decision["fallback"]),
                         ("encrypt", to, "after-retry"), decision)
        self.assertEqual(decision["rule"], decision["destination"])
        self.assertEqual([piece["cause"] for piece in decision["evidence"]], evidence)
        for piece in decision["evidence"]:
            self.assertIn(piece["source"], self.sources)
            self.assertTrue(piece["trusted"])
            self.assertLessEqual(piece["at"], decision["at"])

    def test_the_second_try_goes_out_in_clear_and_tls_comes_back_by_itself(self):
        peer = self.make_peer("garbage")
        first, second, third = (f"{name}@{peer.domain}" for name in ("first", "second", "third"))
        self.make_host(self.profile("patient", level="may", fallback="after-retry", retry_after=RETRY_AFTER,
                                    downgrade_for=self.downgrade_for) + self.row(peer, "patient"))
        self.answers(peer, "OK may")
        self.postfix.send(first)
        self.assert_waits(self.postfix.wait_for_attempt(first), NO_TLS)
        self.answers(peer, "OK encrypt")
        self.answers(peer, "OK may")
        self.wait_until_counted(peer, self.sources, "handshake-failure", 1)
        self.check_downgrade(*self.ledger(peer), to="may", evidence=["handshake-failure"])
        self.assert_sent(self.retry(first, nth=2), "PLAIN")
        peer.mend()
        if self.ended_by == "delivery":
            # At `may` TLS is still tried first, and the log shows that it works.
            self.postfix.send(second)
            self.assert_sent(self.postfix.wait_for_attempt(second), "TLS")
        *_, restored = self.wait_for_ledger(peer, "downgrade", "restore")
        self.assertEqual((restored["from_level"], restored["to_level"], restored["why"]),
                         ("may", "encrypt", self.ended_by))
        self.answers(peer, "OK encrypt")
        self.postfix.send(third)
        self.assert_sent(self.postfix.wait_for_attempt(third), "TLS")
        self.assertEqual(self.kinds(peer), ["downgrade", "restore"])
        self.assert_ledger_is_whole()

    def test_down_to_none_takes_two_failures_however_many_report_them(self):
        peer = self.make_peer("silent")
        first, second = (f"{name}@{peer.domain}" for name in ("first", "second"))
        self.make_host(self.profile("patient-none", level="may", fallback="after-retry", downgrade_to="none",
                                    retry_after=2, downgrade_for=SHORT) + self.row(peer, "patient-none"))
        self.postfix.send(first)
        self.assert_waits(self.postfix.wait_for_attempt(first), NO_REPLY)
        self.wait_until_counted(peer, self.sources, "hang-up", 1)
        self.assertEqual([failure["cause"] for failure in self.state(peer)["failures"]], ["hang-up"])
        self.wait_until_time(time.time() + 3)
        # Time alone lowers nothing: the second try at TLS is made first.
        self.assertEqual((self.daemon.ask(peer.domain), self.kinds(peer)), ("OK encrypt", []))
        self.assert_waits(self.retry(first, nth=2), NO_REPLY)
        self.answers(peer, "OK none")
        self.assert_sent(self.retry(first, nth=3), "PLAIN")
        self.check_downgrade(self.ledger(peer)[0], to="none", evidence=["hang-up", "hang-up"])
        peer.mend()
        *_, restored = self.wait_for_ledger(peer, "downgrade", "restore")
        self.assertEqual((restored["from_level"], restored["to_level"], restored["why"]), ("none", "encrypt", "expiry"))
        self.answers(peer, "OK encrypt")
        self.postfix.send(second)
        self.assert_sent(self.postfix.wait_for_attempt(second), "TLS")
        self.assertEqual(self.kinds(peer), ["downgrade", "restore"])
        self.assert_ledger_is_whole()


class ByTheOutcomeMapAlone(Clearswift, FeedbackStory):
    sources = ("outcome",)
    # At `may` an outcome doesn't say whether TLS was used.
    downgrade_for = SHORT
    ended_by = "expiry"


class ByTheMailLogAlone(Clearswift, FeedbackStory):
    sources = ("maillog",)


class ByBoth(Clearswift, FeedbackStory):
    sources = ("outcome", "maillog")

    def test_a_log_line_that_comes_late_is_no_second_failure(self):
        peer = self.make_peer("garbage")
        recipient = f"a@{peer.domain}"
        self.make_host(self.profile("late", level="may", fallback="after-retry", downgrade_to="none",
                                    retry_after=2) + self.row(peer, "late"))
        ingest = self.daemon.role("ingest")
        os.kill(ingest, signal.SIGSTOP)
        self.postfix.send(recipient)
        self.assert_waits(self.postfix.wait_for_attempt(recipient), NO_TLS)
        self.wait_until_counted(peer, ["outcome"], "handshake-failure", 1)
        self.wait_until_time(time.time() + 3)
        os.kill(ingest, signal.SIGCONT)
        self.wait_until_counted(peer, self.sources, "handshake-failure", 1)
        self.assertEqual(len(self.state(peer)["failures"]), 1)
        self.assertEqual((self.daemon.ask(peer.domain), self.kinds(peer)), ("OK encrypt", []))


class TheAdmin(FeedbackStory):
    def test_ends_a_downgrade_at_once_by_asking_for_tls(self):
        peer = self.make_peer("garbage")
        first, second = (f"{name}@{peer.domain}" for name in ("first", "second"))
        self.make_host(self.profile("hasty", level="may", fallback="after-retry", downgrade_to="none", attempts=1) +
                       self.row(peer, "hasty"))
        self.postfix.send(first)
        self.assert_waits(self.postfix.wait_for_attempt(first), NO_TLS)
        self.answers(peer, "OK none")
        self.assert_sent(self.retry(first, nth=2), "PLAIN")
        self.daemon.ctl("set", peer.domain, "required")
        self.answers(peer, "OK encrypt")
        self.postfix.send(second)
        self.assert_waits(self.postfix.wait_for_attempt(second), NO_TLS)
        self.assert_waits(self.retry(second, nth=2), NO_TLS)
        *_, restored = self.wait_for_ledger(peer, "downgrade", "restore")
        self.assertEqual((restored["why"], restored["rule"]), ("admin", peer.domain))
        self.assert_ledger_is_whole()
