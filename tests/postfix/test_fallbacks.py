"""What each fallback but Clearswift's does with real mail: never, bounce, unless-offered, reroute, and what
becomes of mail that is old when it is first tried."""

import time

from feedback_story import AGED_CF, AGED_MASTER_CF, NO_TLS, SOCKET, FeedbackStory

NOT_OFFERED = "TLS is required, but was not offered by host"
NO_REPLY = "while receiving the STARTTLS response"
RELAY = "relay.infra.test"


class LuxSci(FeedbackStory):
    """Fallback unless-offered."""

    def start_with_tls(self):
        peer = self.make_peer("works")
        self.make_host(self.row(peer, "preferred"))
        self.postfix.send(f"before@{peer.domain}")
        self.assert_sent(self.postfix.wait_for_attempt(f"before@{peer.domain}"), "TLS")
        return peer, f"a@{peer.domain}"

    def test_mail_waits_for_a_peer_that_did_tls_and_broke(self):
        peer, recipient = self.start_with_tls()
        peer.behave("garbage")
        self.postfix.send(recipient)
        self.assert_waits(self.postfix.wait_for_attempt(recipient), NO_TLS)
        self.wait_until_put_back()
        self.make_old()
        self.assert_waits(self.postfix.wait_for_attempt(recipient, nth=2), NO_TLS)
        self.assertEqual((self.daemon.ask(peer.domain), self.kinds(peer)), ("OK encrypt", []))
        peer.mend()
        self.assert_sent(self.retry(recipient, nth=3), "TLS")

    def test_mail_waits_for_a_peer_whose_starttls_was_stripped(self):
        peer, recipient = self.start_with_tls()
        peer.behave("absent")
        self.postfix.send(recipient)
        self.assert_waits(self.postfix.wait_for_attempt(recipient), NOT_OFFERED)
        self.wait_for_ledger(peer, "starttls-vanished")
        for nth in (2, 3):
            self.assert_waits(self.retry(recipient, nth), NOT_OFFERED)
        self.assertEqual((self.daemon.ask(peer.domain), self.kinds(peer)), ("OK encrypt", ["starttls-vanished"]))
        self.assertEqual(self.daemon.log().count(f"warning: starttls-vanished {peer.domain}"), 1)
        peer.mend()
        self.assert_sent(self.retry(recipient, nth=4), "TLS")
        self.wait_for_ledger(peer, "starttls-vanished", "re-offered")
        self.assert_ledger_is_whole()

    def test_a_peer_that_never_offered_tls_gets_its_mail_in_clear_at_the_price_of_one_retry(self):
        peer = self.make_peer("absent")
        first, second = (f"{name}@{peer.domain}" for name in ("first", "second"))
        self.make_host(self.row(peer, "preferred"))
        self.postfix.send(first)
        self.assert_waits(self.postfix.wait_for_attempt(first), NOT_OFFERED)
        self.answers(peer, "OK may")
        self.assert_sent(self.retry(first, nth=2), "PLAIN")
        self.postfix.send(second)
        self.assert_sent(self.postfix.wait_for_attempt(second), "PLAIN")
        self.assertEqual(self.kinds(peer), [])


class Mandatory(FeedbackStory):
    """Fallback never."""

    sources = ("outcome", "maillog")

    def test_mail_waits_whatever_the_evidence_and_however_old_it_is(self):
        peer = self.make_peer("garbage")
        recipient = f"a@{peer.domain}"
        self.make_host("UPDATE profile SET retry_after = 1, attempts = 1 WHERE name = 'required';\n" +
                       self.row(peer, "required"))
        self.postfix.send(recipient)
        self.assert_waits(self.postfix.wait_for_attempt(recipient), NO_TLS)
        self.wait_until_put_back()
        self.make_old()
        self.assert_waits(self.postfix.wait_for_attempt(recipient, nth=2), NO_TLS)
        troubles = (("absent", NOT_OFFERED), ("silent", NO_REPLY), ("dropped", NO_TLS),
                    ("refused", "refused to start TLS"), ("rejected", "refused to start TLS"))
        for nth, (starttls, text) in enumerate(troubles, 3):
            peer.behave(starttls)
            self.assert_waits(self.retry(recipient, nth), text)
            self.assertEqual(self.daemon.ask(peer.domain), "OK encrypt")
        self.assertLessEqual(set(self.kinds(peer)), {"starttls-vanished", "re-offered"})
        self.assertEqual(self.daemon.log().count(f"warning: tls-failing {peer.domain}"), 1)
        peer.mend()
        self.assert_sent(self.retry(recipient, nth=8), "TLS")


class RefusedForGood(FeedbackStory):
    """STARTTLS is answered with 5xx, and Postfix would bounce the mail."""

    def test_mail_waits_where_postfix_alone_bounces_it(self):
        profiles = ("required", "preferred", "secure")
        peers = {profile: self.make_peer("rejected") for profile in profiles}
        self.make_host("".join(self.row(peer, profile) for profile, peer in peers.items()))
        for profile, peer in peers.items():
            with self.subTest(profile=profile):
                recipient = f"a@{peer.domain}"
                self.postfix.send(recipient)
                attempt = self.postfix.wait_for_attempt(recipient)
                self.assert_waits(attempt, f"TLS is required, but host mx.{peer.domain}[")
                self.assertEqual(attempt.dsn, "4.7.0")
                self.assertNotIn("no TLS here", attempt.text, "the peer's words")
                peer.mend()
                self.assert_sent(self.retry(recipient, nth=2), "TLS")


class RefusedForGoodWithoutUs(FeedbackStory):
    """So that the test above can fail."""

    sources = ()

    def test_without_the_outcome_map_it_bounces(self):
        peer = self.make_peer("rejected")
        self.make_host(self.row(peer, "required"))
        self.postfix.send(f"a@{peer.domain}")
        self.assertEqual(self.postfix.wait_for_attempt(f"a@{peer.domain}").status, "bounced")


class TellingTheSender(FeedbackStory):
    """Fallback bounce."""

    def setUp(self):
        super().setUp()
        self.sender = f"author@{self.make_peer('works').domain}"
        self.peer = None

    def send_to(self, starttls):
        self.peer = self.make_peer(starttls)
        self.make_host("INSERT OR IGNORE INTO profile(name, level, fallback) VALUES('at-once', 'encrypt', 'bounce');\n" +
                       self.row(self.peer, "at-once"))
        self.postfix.send(f"a@{self.peer.domain}", sender=self.sender)
        return self.postfix.wait_for_attempt(f"a@{self.peer.domain}")

    def check_sender_is_told(self, attempt, dsn, text):
        self.assertEqual((attempt.status, attempt.dsn), ("bounced", dsn), attempt)
        self.assertIn(text, attempt.text)
        self.internet.arrivals.wait_for(lambda _: self.internet.arrivals.of(self.sender), 60)
        self.wait_until(lambda: not self.postfix.queued(), "something is left in the queue")
        self.assertEqual(self.internet.arrivals.of(attempt.recipient), [])

    def test_after_the_first_handshake_that_fails(self):
        self.check_sender_is_told(self.send_to("garbage"), "5.7.5", "handshake failure")

    def test_where_starttls_is_not_offered(self):
        self.check_sender_is_told(self.send_to("absent"), "5.7.4", f"not offered by host mx.{self.peer.domain}[")

    def test_but_not_for_what_mends_itself(self):
        attempt = self.send_to("refused")
        self.assert_waits(attempt, "refused to start TLS")
        self.peer.behave("silent")
        self.assert_waits(self.retry(attempt.recipient, nth=2), NO_REPLY)
        self.assertEqual(self.internet.arrivals.of(self.sender), [])


class OldMail(FeedbackStory):
    """At `may` Postfix goes on in clear at the first failure with mail that is 300 s old."""

    sources = ("outcome", "maillog")
    main_cf = AGED_CF
    master_cf = AGED_MASTER_CF

    def send_old(self, recipient):
        self.postfix.send(recipient)
        self.make_old()
        return self.postfix.wait_for_attempt(recipient)

    def test_waits_for_its_second_try_where_postfix_alone_sends_it_in_clear_at_the_first(self):
        peer, alone = self.make_peer("garbage"), self.make_peer("garbage")
        self.make_host(self.profile("patient", level="may", fallback="after-retry", first_contact="encrypt",
                                    retry_after=1) + self.row(peer, "patient"))
        # No row: main.cf says may.
        self.assert_sent(self.send_old(f"a@{alone.domain}"), "PLAIN")
        self.assert_waits(self.send_old(f"a@{peer.domain}"), NO_TLS)
        self.answers(peer, "OK may")
        self.assert_sent(self.retry(f"a@{peer.domain}", nth=2), "PLAIN")
        self.assertEqual(self.kinds(peer), ["downgrade"])

    def test_waits_for_a_peer_that_is_known_to_do_tls(self):
        peer = self.make_peer("works")
        self.make_host(self.row(peer, "opportunistic"))
        self.assert_sent(self.send_old(f"before@{peer.domain}"), "TLS")
        self.answers(peer, "OK encrypt")
        peer.behave("garbage")
        self.assert_waits(self.send_old(f"a@{peer.domain}"), NO_TLS)
        self.assertEqual(self.daemon.ask(peer.domain), "OK encrypt")

    def test_that_postfix_sent_in_clear_by_itself_is_seen_in_the_log(self):
        peer = self.make_peer("garbage")
        self.make_host(self.row(peer, "native"))
        self.assert_sent(self.send_old(f"a@{peer.domain}"), "PLAIN")
        self.wait_until_counted(peer, ["maillog"], "plaintext", 1)


class Detour(FeedbackStory):
    """Fallback reroute."""

    main_cf = f"transport_maps = {SOCKET}:transport\n"
    master_cf = "escrow unix - - y - - smtp\n"

    def test_mail_goes_by_another_transport_only_while_tls_is_not_to_be_had(self):
        peer = self.make_peer("garbage")
        first, second, third = (f"{name}@{peer.domain}" for name in ("first", "second", "third"))
        other_way = f"escrow:[{RELAY}]:587"
        self.make_host(self.profile("escrowed", level="encrypt", fallback="reroute", reroute_to=other_way,
                                    retry_after=2, downgrade_for=6) + self.row(peer, "escrowed"))
        self.assertEqual(self.daemon.ask(peer.domain, "transport"), "NOTFOUND ")
        self.postfix.send(first)
        self.assert_waits(self.postfix.wait_for_attempt(first), NO_TLS)
        self.assertEqual(self.daemon.ask(peer.domain, "transport"), "NOTFOUND ")
        self.wait_until_time(time.time() + 3)
        self.assert_waits(self.retry(first, nth=2), NO_TLS)
        self.wait_for_ledger(peer, "reroute")
        self.assertEqual(self.daemon.ask(first, "transport"), f"OK {other_way}")
        # In this order: trivial-rewrite(8)'s clients remember the last address they asked about.
        self.postfix.send(second)
        self.assert_sent(self.postfix.wait_for_attempt(second), "TLS")
        self.assertEqual(self.arrival(second).receiver, RELAY)
        self.assert_sent(self.retry(first, nth=3), "TLS")
        self.assertEqual(self.arrival(first).receiver, RELAY)
        peer.mend()
        self.wait_for_ledger(peer, "reroute", "restore")
        self.assertEqual(self.daemon.ask(third, "transport"), "NOTFOUND ")
        self.postfix.send(third)
        self.assert_sent(self.postfix.wait_for_attempt(third), "TLS")
        self.assertEqual(self.arrival(third).receiver, f"mx.{peer.domain}")
        self.assertEqual(self.kinds(peer), ["reroute", "restore"])
        self.assert_ledger_is_whole()
