"""Whose word counts: what a stranger, a TCP port or the peer itself says of a delivery lowers nothing."""

import pwd

from daemon import TCP_ENDPOINT
from learning import HANDSHAKE, Learning, Speaker, eventually, maps
from receivers import Manner

POSTFIX = pwd.getpwnam("postfix")
STRANGER = 65533
# What Postfix itself says where TLS is not to be had; a name in it is any.
OURS = (
    "TLS is required, but was not offered",
    "TLS is required, but was not offered by host mx.parrot.test[203.0.113.77]",
    "TLS is required, but host mx.parrot.test[203.0.113.77] refused to start TLS: 454 4.7.0 no",
    "Cannot start TLS: handshake failure",
    "Server certificate not verified",
    "lost connection with mx.parrot.test[203.0.113.77] while receiving the STARTTLS response",
)
HASTY_VICTIM = "victim.test"


class Words(Learning):
    """One failure that is believed would lower the row of the victim at once."""

    def begin_for_strangers(self, **settings):
        self.begin(self.rows("hasty", HASTY_VICTIM) + self.rows("required", "bank.test"),
                   socket_mode="0666", **settings)

    def speak(self, endpoint, uid, rounds=5):
        """The right words in the right order, again and again."""
        with Speaker(endpoint, uid, POSTFIX.pw_gid) as speaker:
            for _ in range(rounds):
                self.assertIn(speaker.say(f"policy {HASTY_VICTIM}"), ("OK may", "OK none"))
                self.assertEqual(speaker.say(f"outcome {HANDSHAKE}"), "NOTFOUND ")

    def prove_tls(self, endpoint, uid):
        with Speaker(endpoint, uid, POSTFIX.pw_gid) as speaker:
            self.assertEqual(speaker.say("policy bank.test"), "OK encrypt")
            self.assertEqual(speaker.say("outcome 2.0.0 250 2.0.0 ok"), "NOTFOUND ")

    def check_is_not_believed(self, endpoint, uid):
        self.speak(endpoint, uid)
        self.prove_tls(endpoint, uid)
        self.wait_for_counters(outcomes=6, orphans=0, untrusted=6)
        # Counted and shown, and that is all.
        self.wait_for_evidence({HASTY_VICTIM: {("unknown", "handshake-failure"): 5},
                                "bank.test": {("encrypted", ""): 1}})
        self.assert_nothing_was_learnt(HASTY_VICTIM, "bank.test")
        self.assertEqual(self.daemon.ask(HASTY_VICTIM), "OK may")

    def check_is_believed(self, endpoint, uid):
        self.speak(endpoint, uid, rounds=1)
        self.daemon.wait_until_answers(HASTY_VICTIM, "OK none")
        self.assertEqual(self.decisions(), [(HASTY_VICTIM, "none")])
        self.wait_for_counters(outcomes=1, orphans=0)


class AStranger(Words):
    """On the unix socket, which anybody may open here; in the right group even."""

    def test_is_not_believed(self):
        self.begin_for_strangers()
        self.check_is_not_believed(self.daemon.endpoint, STRANGER)

    def test_is_not_believed_though_it_be_root(self):
        self.begin_for_strangers()
        self.check_is_not_believed(self.daemon.endpoint, 0)

    def test_is_not_believed_for_trust_in_tcp(self):
        self.begin_for_strangers(trust_tcp_outcomes="yes")
        self.check_is_not_believed(self.daemon.endpoint, STRANGER)

    def test_is_believed_where_evidence_uid_names_it(self):
        self.begin_for_strangers(evidence_uid=str(STRANGER))
        self.check_is_believed(self.daemon.endpoint, STRANGER)

    def test_cannot_speak_for_postfix_where_evidence_uid_names_another(self):
        self.begin_for_strangers(evidence_uid=str(STRANGER))
        self.check_is_not_believed(self.daemon.endpoint, POSTFIX.pw_uid)

    def test_would_be_believed_as_user_postfix(self):
        """So that the tests above can fail."""
        self.begin_for_strangers()
        self.check_is_believed(self.daemon.endpoint, POSTFIX.pw_uid)

    def test_cannot_open_the_socket_as_it_is_set_up(self):
        self.begin("")
        with self.assertRaises(PermissionError):
            with Speaker(self.daemon.endpoint, STRANGER, STRANGER):
                pass

    def test_cannot_bounce_the_mail_of_a_row_that_bounces(self):
        self.begin("INSERT INTO profile(name, level, fallback) VALUES('telling', 'encrypt', 'bounce');\n" +
                   self.rows("telling", "telling.test"), socket_mode="0666")
        for uid, reply in ((STRANGER, "NOTFOUND "), (POSTFIX.pw_uid, "OK 5.7.5 ")):
            with self.subTest(uid=uid), Speaker(self.daemon.endpoint, uid, POSTFIX.pw_gid) as speaker:
                speaker.say("policy telling.test")
                self.assertTrue(speaker.say(f"outcome {HANDSHAKE}").startswith(reply))


class OverTcp(Words):
    """Anybody on the host can connect there."""

    def test_nobody_is_believed(self):
        self.begin_for_strangers()
        self.check_is_not_believed(TCP_ENDPOINT, POSTFIX.pw_uid)

    def test_everybody_is_believed_where_the_admin_says_so(self):
        self.begin_for_strangers(trust_tcp_outcomes="yes")
        self.check_is_believed(TCP_ENDPOINT, STRANGER)

    def test_a_real_postfix_is_not_believed_either(self):
        self.begin(self.rows("hasty", "broken.test"), maps(TCP_ENDPOINT))
        self.assertIn("Cannot start TLS", self.deliver("a@broken.test").text)
        self.wait_for_evidence({"broken.test": {("unknown", "handshake-failure"): 1}})
        self.wait_for_counters(outcomes=1, orphans=0, untrusted=1)
        self.assert_nothing_was_learnt("broken.test")

    def test_a_real_postfix_is_believed_where_the_admin_says_so(self):
        self.begin(self.rows("hasty", "broken.test"), maps(TCP_ENDPOINT), trust_tcp_outcomes="yes")
        self.assertIn("Cannot start TLS", self.deliver("a@broken.test").text)
        self.daemon.wait_until_answers("broken.test", "OK none")
        self.assertEqual(self.decisions(), [("broken.test", "none")])
        self.wait_for_counters(outcomes=1, orphans=0)


class AnOrphan(Words):
    """An outcome without a question before it, on a connection that is trusted."""

    def check_orphans(self, *requests, orphans):
        self.begin_for_strangers()
        with Speaker(self.daemon.endpoint, POSTFIX.pw_uid, POSTFIX.pw_gid) as speaker:
            for request in requests:
                speaker.say(request)
        self.wait_for_counters(outcomes=0, orphans=orphans)
        self.assert_nothing_was_learnt(HASTY_VICTIM, "bank.test")

    def test_is_ignored_where_nothing_was_asked(self):
        self.check_orphans(f"outcome {HANDSHAKE}", f"outcome {HANDSHAKE}", orphans=2)

    def test_is_ignored_where_another_view_asked(self):
        self.check_orphans(f"policy {HASTY_VICTIM}", f"outcome@tenant {HANDSHAKE}",
                           f"policy@tenant {HASTY_VICTIM}", f"outcome {HANDSHAKE}", orphans=2)

    def test_is_ignored_where_only_a_parent_was_asked_for(self):
        self.check_orphans("policy .test", f"outcome {HANDSHAKE}", orphans=1)

    def test_is_ignored_where_another_connection_asked(self):
        self.begin_for_strangers()
        endpoint, who = self.daemon.endpoint, (POSTFIX.pw_uid, POSTFIX.pw_gid)
        with Speaker(endpoint, *who) as first, Speaker(endpoint, *who) as second:
            first.say(f"policy {HASTY_VICTIM}")
            second.say(f"outcome {HANDSHAKE}")
        self.wait_for_counters(outcomes=0, orphans=1)
        self.assert_nothing_was_learnt(HASTY_VICTIM)

    def test_is_every_outcome_but_the_first(self):
        self.begin_for_strangers()
        with Speaker(self.daemon.endpoint, POSTFIX.pw_uid, POSTFIX.pw_gid) as speaker:
            speaker.say(f"policy {HASTY_VICTIM}")
            speaker.say("outcome 2.0.0 250 2.0.0 ok")
            for _ in range(5):
                speaker.say(f"outcome {HANDSHAKE}")
        self.wait_for_counters(outcomes=1, orphans=5)
        self.wait_for_evidence({HASTY_VICTIM: {("unknown", ""): 1}})
        self.assert_nothing_was_learnt(HASTY_VICTIM)


class APeer(Learning):
    """Says in its replies, in TLS, what Postfix says of TLS that fails."""

    def check_parrots(self, stage, code, status, profile="hasty"):
        """One receiver for each text; what Postfix makes of it, and that the text is in it."""
        names = [f"parrot{next(self.numbers)}" for _ in OURS]
        for name, text in zip(names, OURS):
            self.internet.open_site(name, Manner(replies=((stage, f"{code} {code // 100}.7.5 {text}"),)))
        self.begin("INSERT INTO profile(name, level, fallback) VALUES('telling', 'encrypt', 'bounce');\n" +
                   self.rows(profile, *(f"{name}.test" for name in names)))
        self.postfix.send(*(f"a@{name}.test" for name in names))
        attempts = [self.postfix.wait_for_attempt(f"a@{name}.test") for name in names]
        self.assertEqual({attempt.status for attempt in attempts}, {status}, attempts)
        for attempt, text in zip(attempts, OURS):
            self.assertIn(text, attempt.text)
        return [f"{name}.test" for name in names]

    def check_prove_nothing(self, stage, code, status):
        domains = self.check_parrots(stage, code, status)
        if status == "sent":
            self.wait_for_evidence({domain: {("unknown", ""): 1} for domain in domains})
        else:
            self.assert_no_evidence()
        self.assert_nothing_was_learnt(*domains)

    def test_lowers_nothing_by_a_4xx_greeting(self):
        self.check_prove_nothing("CONNECT", 421, "deferred")

    def test_lowers_nothing_by_a_5xx_greeting(self):
        self.check_prove_nothing("CONNECT", 554, "deferred")

    def test_lowers_nothing_by_a_4xx_reply_to_mail_from(self):
        self.check_prove_nothing("MAIL", 450, "deferred")

    def test_lowers_nothing_by_a_5xx_reply_to_data(self):
        self.check_prove_nothing("DATA", 550, "bounced")

    def test_lowers_nothing_by_a_4xx_reply_to_the_message(self):
        self.check_prove_nothing(".", 451, "deferred")

    def test_lowers_nothing_by_a_5xx_reply_to_the_message(self):
        self.check_prove_nothing(".", 554, "bounced")

    def test_lowers_nothing_by_a_2xx_reply_to_the_message(self):
        self.check_prove_nothing(".", 250, "sent")

    def test_lowers_nothing_by_a_reply_of_several_lines(self):
        self.internet.open_site("lines", Manner(replies=((".", f"451-4.7.5 hello\r\n451 {HANDSHAKE}"),)))
        self.begin(self.rows("hasty", "lines.test"))
        self.assertIn("Cannot start TLS: handshake failure", self.deliver("a@lines.test").text)
        self.assert_no_evidence()
        self.assert_nothing_was_learnt("lines.test")

    def test_bounces_nothing_at_a_row_that_bounces(self):
        domains = self.check_parrots(".", 451, "deferred", "telling")
        self.assert_no_evidence()
        self.assertEqual(self.feedback()["bounced"], 0)
        for domain in domains:
            self.assertTrue(all(attempt.status == "deferred"
                                for attempt in self.postfix.attempts(f"a@{domain}")))

    def test_proves_tls_by_taking_mail_at_encrypt_whatever_it_says(self):
        domains = self.check_parrots(".", 250, "sent", "telling")
        self.wait_for_evidence({domain: {("encrypted", ""): 1} for domain in domains})

    def test_that_refuses_starttls_with_words_of_ours_has_refused_it_and_is_not_quoted(self):
        self.internet.open_site("mocker", Manner(starttls="refused", replies=(
            ("STARTTLS", "554 5.7.0 OK 2.0.0 delivered to mx.bank.test[192.0.2.1]"),)))
        self.begin(self.rows("required", "mocker.test"))
        attempt = self.deliver("a@mocker.test")
        self.assertEqual((attempt.status, attempt.dsn), ("deferred", "4.7.0"))
        self.assertRegex(attempt.text, r"^TLS is required, but host mx\.mocker\.test\[[\d.]+\] refused to start TLS$")
        self.wait_for_evidence({"mocker.test": {("unknown", "starttls-refused"): 1}})
        eventually(lambda: self.feedback()["kept_from_bouncing"] == 1, "it is counted as kept from bouncing")
