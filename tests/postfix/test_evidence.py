"""How a delivery ended is learnt of the destination that was asked about last, once, or not at all."""

import subprocess

from learning import CHROOT_ENDPOINT, HANDSHAKE, Learning, Trace, maps, send_one

TAKEN = ("encrypted", "")
BROKEN = ("unknown", "handshake-failure")
NOTHING = ("unknown", "")
NOT_OFFERED = ("unknown", "starttls-not-supported")


class OneDelivery(Learning):
    """One smtp(8) process, one delivery."""

    def test_to_several_recipients_counts_once(self):
        self.begin(self.rows("required", "good.test", "broken.test"))
        with Trace(self.daemon, "test") as trace:
            send_one("a@good.test", "b@good.test", "c@good.test")
            self.postfix.wait_for_attempt("c@good.test")
            send_one("a@broken.test", "b@broken.test")
            self.postfix.wait_for_attempt("b@broken.test")
            taken = "good.test: outcome 2.0.0 250 2.0.0 taken by mx.good.test -> NOTFOUND"
            failed = f"broken.test: outcome {HANDSHAKE} -> NOTFOUND"
            expected = ["policy good.test -> OK encrypt", taken, taken, taken,
                        "policy broken.test -> OK encrypt", failed, failed]
            self.assertEqual(trace.wait_for(*expected), expected)
        self.wait_for_counters(outcomes=2, orphans=3)
        self.wait_for_evidence({"good.test": {TAKEN: 1}, "broken.test": {BROKEN: 1}})
        self.assertEqual(len(self.state("broken.test")["failures"]), 1)

    def test_whose_first_mx_host_is_broken_shows_how_the_last_one_ended(self):
        self.begin(self.rows("required", "multi.test"))
        with Trace(self.daemon, "test") as trace:
            self.assertEqual(self.deliver("a@multi.test").status, "sent")
            expected = ["policy multi.test -> OK encrypt", "policy multi.test -> OK encrypt",
                        "multi.test: outcome 2.0.0 250 2.0.0 taken by mx2.multi.test -> NOTFOUND"]
            self.assertEqual(trace.wait_for(*expected), expected)
        self.wait_for_counters(outcomes=1, orphans=0)
        self.wait_for_evidence({"multi.test": {TAKEN: 1}})
        self.assertEqual(self.state("multi.test")["failures"], [])

    def test_whose_two_mx_hosts_both_fail_is_one_failure(self):
        self.begin(self.rows("required", "pair.test"))
        self.internet.give_hosts("pair.test", "mx.broken.test", "mx.nostarttls.test")
        attempt = self.deliver("a@pair.test")
        self.assertIn("not offered by host mx.nostarttls.test", attempt.text)
        self.wait_for_counters(outcomes=1, orphans=0)
        self.wait_for_evidence({"pair.test": {NOT_OFFERED: 1}})

    def test_that_a_peer_refuses_after_tls_tells_nothing_of_tls(self):
        self.begin(self.rows("hasty", "reject.test", "greylist.test"))
        self.assertEqual(self.deliver("a@reject.test").status, "bounced")
        self.assertEqual(self.deliver("a@greylist.test").status, "deferred")
        self.wait_for_counters(outcomes=2, orphans=0)
        self.assert_no_evidence()
        self.assert_nothing_was_learnt("reject.test", "greylist.test")

    def test_that_a_failing_table_of_ours_spoils_is_not_held_against_the_peer(self):
        self.begin(self.rows("hasty", "good.test"), maps() + (
            f"smtp_tls_policy_maps = socketmap:{CHROOT_ENDPOINT}:policy, socketmap:{CHROOT_ENDPOINT}:nonsense\n"))
        self.assertIn("client TLS configuration problem", self.deliver("a@broken.test").text)
        self.wait_for_evidence({"broken.test": {("unknown", "local-fault"): 1}})
        self.assert_nothing_was_learnt("broken.test")


class SeveralDestinations(Learning):
    """Behind one another over one connection."""

    RELAY = "[relay.infra.test]:587"
    PLAIN_RELAY = "[plainrelay.infra.test]:587"

    def test_a_fallback_relay_that_takes_the_mail_answers_for_itself_alone(self):
        self.begin(self.rows("required", "broken.test", self.RELAY),
                   maps() + f"smtp_fallback_relay = {self.RELAY}\n")
        self.assertEqual(self.deliver("a@broken.test").status, "sent")
        self.assertEqual(self.arrival("a@broken.test").receiver, "relay.infra.test")
        self.wait_for_counters(outcomes=1, orphans=0)
        self.wait_for_evidence({self.RELAY: {TAKEN: 1}})
        self.assert_nothing_was_learnt("broken.test")

    def test_a_fallback_relay_that_fails_answers_for_itself_alone(self):
        self.begin(self.rows("hasty", "closed.test", "good.test") + self.rows("required", self.PLAIN_RELAY),
                   maps() + f"smtp_fallback_relay = {self.PLAIN_RELAY}\n")
        self.assertIn("not offered by host plainrelay", self.deliver("a@closed.test").text)
        # Asked, so its question was the last but one, and no outcome ever came of it.
        self.wait_for_evidence({self.PLAIN_RELAY: {NOT_OFFERED: 1}})
        self.assert_nothing_was_learnt("closed.test")
        self.assertEqual(self.daemon.ask("closed.test"), "OK may")

    def test_a_bounce_on_its_way_back_answers_for_the_senders_domain(self):
        self.begin(self.rows("required", "reject.test", "sender.good.test"))
        with Trace(self.daemon, "test") as trace:
            self.postfix.send("a@reject.test", sender="me@sender.good.test")
            self.postfix.wait_for_attempt("me@sender.good.test")
            heard = trace.wait_for(*range(4))
        self.assertEqual(heard[0], "policy reject.test -> OK encrypt")
        self.assertTrue(heard[1].startswith("reject.test: outcome 5.1.1 host mx.reject.test"), heard)
        self.assertEqual(heard[2:], [
            "policy sender.good.test -> OK encrypt",
            "sender.good.test: outcome 2.0.0 250 2.0.0 taken by mx.good.test -> NOTFOUND"])
        self.wait_for_evidence({"sender.good.test": {TAKEN: 1}})

    def test_a_bounce_that_cannot_go_back_fails_the_senders_domain_alone(self):
        self.begin(self.rows("required", "reject.test", "sender.broken.test"))
        self.postfix.send("a@reject.test", sender="me@sender.broken.test")
        self.postfix.wait_for_attempt("me@sender.broken.test")
        self.wait_for_evidence({"sender.broken.test": {BROKEN: 1}})
        self.assertIsNone(self.state("reject.test"))

    def test_a_table_ahead_of_ours_delivers_without_asking_and_its_outcomes_are_orphans(self):
        self.begin(self.rows("required", "good.test"), maps() + (
            "smtp_tls_policy_maps = inline:{ { broken.test = encrypt } },"
            f" socketmap:{CHROOT_ENDPOINT}:policy\n"))
        self.assertEqual(self.deliver("a@good.test").status, "sent")
        self.assertIn("Cannot start TLS", self.deliver("a@broken.test").text)
        self.wait_for_counters(outcomes=1, orphans=1)
        self.wait_for_evidence({"good.test": {TAKEN: 1}})
        self.assertEqual(self.state("good.test")["failures"], [])


class ACachedConnection(Learning):
    """Delivers without a new session, and perhaps without a question."""

    def test_to_one_peer_gives_no_evidence_of_another(self):
        # Only a connection in clear is cached without smtp_tls_connection_reuse.
        self.begin(self.rows("required", "broken.test") + self.rows("off", "good.test"),
                   maps() + "smtp_connection_cache_on_demand = yes\n"
                   "smtp_connection_cache_destinations = good.test\n")
        with Trace(self.daemon, "test") as trace:
            self.assertEqual(self.deliver("a@good.test").status, "sent")
            self.assertIn("Cannot start TLS", self.deliver("a@broken.test").text)
            self.assertEqual(self.deliver("b@good.test").status, "sent")
            heard = trace.wait_for(*range(5))
        self.assertIn("conn_use=2", self.postfix.read_log())
        # Not a question before the last one; a trace names whom the process asked about last.
        taken = "outcome 2.0.0 250 2.0.0 taken by mx.good.test -> NOTFOUND"
        self.assertEqual(heard, ["policy good.test -> OK none", f"good.test: {taken}",
                                 "policy broken.test -> OK encrypt", f"broken.test: outcome {HANDSHAKE} -> NOTFOUND",
                                 f"broken.test: {taken}"])
        self.wait_for_counters(outcomes=2, orphans=1)
        self.wait_for_evidence({"good.test": {NOTHING: 1}, "broken.test": {BROKEN: 1}})
        state = self.state("broken.test")
        self.assertEqual((len(state["failures"]), state["worked_at"]), (1, None))


class SeveralMapNames(Learning):
    """Of one smtp(8) process, over its one connection."""

    def test_are_kept_apart(self):
        both = (f"socketmap:{CHROOT_ENDPOINT}:policy@a, socketmap:{CHROOT_ENDPOINT}:policy@b",
                f"socketmap:{CHROOT_ENDPOINT}:outcome@a, socketmap:{CHROOT_ENDPOINT}:outcome@b")
        self.begin(self.rows("required", "broken.test"),
                   maps() + "smtp_tls_policy_maps = {}\nsmtp_delivery_status_filter = {}\n".format(*both))
        # The first table knows it: the second is never asked, and what it is told is an orphan.
        self.assertIn("Cannot start TLS", self.deliver("a@broken.test").text)
        self.wait_for_counters(outcomes=1, orphans=1)
        self.wait_for_evidence({("a", "broken.test"): {BROKEN: 1}})
        self.assertIsNone(self.state("broken.test", view="b"))
        self.assertIsNone(self.state("broken.test"))
        # Neither knows it: both were asked for each parent too, and the last of them has it.
        self.assertEqual(self.deliver("a@x.nostarttls.test").status, "sent")
        self.wait_for_counters(outcomes=2, orphans=2)
        self.wait_for_evidence({("a", "broken.test"): {BROKEN: 1}, ("b", "x.nostarttls.test"): {NOTHING: 1}})

    def test_of_two_transports_in_one_postfix_are_kept_apart(self):
        self.begin(self.rows("required", "broken.test"), master_cf=(
            "tenant unix - - y - 1 smtp\n"
            f"  -o smtp_tls_policy_maps=socketmap:{CHROOT_ENDPOINT}:policy@b\n"
            f"  -o smtp_delivery_status_filter=socketmap:{CHROOT_ENDPOINT}:outcome@b\n"),
            main_cf=maps(policy="policy@a", outcome="outcome@a") +
            "transport_maps = inline:{ { tenant@broken.test = tenant: } }\n")
        self.deliver("tenant@broken.test")
        self.wait_for_evidence({("b", "broken.test"): {BROKEN: 1}})
        self.deliver("a@broken.test")
        self.wait_for_evidence({("b", "broken.test"): {BROKEN: 1}, ("a", "broken.test"): {BROKEN: 1}})


class AnAddressProbe(Learning):
    """verify(8) asks the peer, and delivers nothing."""

    VERIFY = "verify unix - - y - 1 verify\n"

    def test_of_a_sender_address_verification_is_a_delivery_like_others(self):
        self.begin(self.rows("required", "good.test", "broken.test"),
                   maps() + "address_verify_poll_delay = 1s\naddress_verify_poll_count = 30\n"
                   "address_verify_default_transport = solo\n"
                   "smtpd_recipient_restrictions = reject_unverified_recipient, permit_mynetworks, reject\n",
                   self.VERIFY)
        with Trace(self.daemon, "test") as trace:
            with self.assertRaisesRegex(Exception, "450.*unverified address: Cannot start TLS"):
                self.postfix.send("a@broken.test")
            heard = trace.wait_for(*range(2))
        self.assertEqual(heard, ["policy broken.test -> OK encrypt", f"broken.test: outcome {HANDSHAKE} -> NOTFOUND"])
        self.wait_for_evidence({"broken.test": {BROKEN: 1}})
        self.postfix.send("a@good.test")
        self.assertEqual(self.postfix.wait_for_attempt("a@good.test").status, "deliverable")
        self.assertEqual(self.postfix.wait_for_attempt("a@good.test", nth=2).status, "sent")
        self.wait_for_evidence({"broken.test": {BROKEN: 1}, "good.test": {TAKEN: 2}})
        self.assertEqual(len(self.internet.arrivals.of("a@good.test")), 1)

    def test_by_sendmail_bv_is_a_delivery_like_others(self):
        self.begin(self.rows("required", "good.test", "broken.test"))
        for recipient in ("a@good.test", "a@broken.test"):
            subprocess.run(self.postfix.command("sendmail", "-C", self.postfix.config, "-bv", recipient),
                           check=True, capture_output=True)
            self.postfix.wait_for_attempt(recipient)
        self.wait_for_evidence({"good.test": {TAKEN: 1}, "broken.test": {BROKEN: 1}})
        self.assertEqual(self.internet.arrivals.of("a@good.test"), [])
        self.assertEqual(len(self.state("broken.test")["failures"]), 1)
