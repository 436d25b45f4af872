"""Mail goes on flowing, at the level asked for, whatever happens around tlspolicyd."""

import os
import threading

import daemon as daemons
from daemon import Daemon, TCP_ENDPOINT
from story import Story

# Inside the chroot of smtp(8) and relative to the queue directory: right with a chroot and without.
CHROOT_ENDPOINT = f"unix:{daemons.SOCKET_FOLDER}/tlsmap.sock"
OUR_FAULT = "client TLS configuration problem"
STREAM = 150
STREAM_DOMAIN = "good.test"
STREAM_ROW = Daemon.row(f".{STREAM_DOMAIN}", "required")


def maps(endpoint, level="may"):
    return (f"smtp_tls_security_level = {level}\n"
            f"smtp_tls_policy_maps = socketmap:{endpoint}:policy\n")


class TheSocket(Story):
    """Where Postfix finds the daemon."""

    def check_policies_reach_postfix(self, endpoint):
        postfix = self.make_postfix(maps(endpoint))
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row("nostarttls.test", "required") + Daemon.row("good.test", "off"))
        with daemon, postfix:
            postfix.send("a@nostarttls.test", "b@good.test", "c@x.good.test", "d@x.nostarttls.test")
            self.assert_not_offered(postfix, "a@nostarttls.test")
            self.assert_arrives(postfix, "b@good.test", "PLAIN")
            # No rows for these.
            self.assert_arrives(postfix, "c@x.good.test", "TLS")
            self.assert_arrives(postfix, "d@x.nostarttls.test", "PLAIN")
        return postfix

    def test_a_unix_socket_inside_the_chroot_serves_smtp(self):
        self.check_policies_reach_postfix(CHROOT_ENDPOINT)

    def test_a_loopback_port_serves_smtp(self):
        self.check_policies_reach_postfix(TCP_ENDPOINT)

    def test_every_map_name_wired_in_at_once_lets_mail_flow(self):
        at = f"socketmap:{CHROOT_ENDPOINT}"
        postfix = self.make_postfix(
            f"smtp_tls_security_level = may\n"
            f"smtp_tls_policy_maps = {at}:policy@tenant\n"
            f"smtp_delivery_status_filter = {at}:outcome@tenant, $default_delivery_status_filter\n"
            f"transport_maps = {at}:transport\n"
            f"sender_dependent_default_transport_maps = {at}:sender-transport\n")
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row(".nostarttls.test", "required"))
        with daemon, postfix:
            postfix.send("a@good.test", "b@x.nostarttls.test", sender="somebody@sender.test")
            self.assert_arrives(postfix, "a@good.test", "TLS")
            self.assert_not_offered(postfix, "b@x.nostarttls.test")
            self.assertNotIn("warning: socketmap:", postfix.read_log())


class AnEdit(Story):
    """The sqlite3 shell, between two messages."""

    def test_between_two_messages_holds_for_the_second(self):
        postfix = self.make_postfix(maps(CHROOT_ENDPOINT))
        with self.make_daemon(postfix) as daemon, postfix:
            postfix.send("first@edit.nostarttls.test")
            self.assert_arrives(postfix, "first@edit.nostarttls.test", "PLAIN")
            daemon.edit(Daemon.row("edit.nostarttls.test", "required"))
            daemon.wait_until_answers("edit.nostarttls.test", "OK encrypt")
            postfix.send("second@edit.nostarttls.test")
            self.assert_not_offered(postfix, "second@edit.nostarttls.test")

    def test_lets_go_the_mail_that_waits(self):
        postfix = self.make_postfix(maps(CHROOT_ENDPOINT))
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row("waits.nostarttls.test", "required"))
        with daemon, postfix:
            postfix.send("a@waits.nostarttls.test")
            self.assert_not_offered(postfix, "a@waits.nostarttls.test")
            daemon.edit("UPDATE outbound SET profile = 'opportunistic';\n")
            daemon.wait_until_answers("waits.nostarttls.test", "OK may")
            self.internet.arrivals.wait_for(
                lambda all_of_them: any(arrival.recipient == "a@waits.nostarttls.test"
                                        for arrival in all_of_them), 60)
            self.assertEqual(self.arrival("a@waits.nostarttls.test").seen, "PLAIN")


class AProfileOfTheAdmins(Story):
    """Attributes that no shipped profile has."""

    def test_brings_its_protocol_and_server_name_to_the_receiver(self):
        postfix = self.make_postfix(maps(CHROOT_ENDPOINT))
        daemon = self.make_daemon(postfix)
        daemon.edit("INSERT INTO profile(name, level, fallback, min_protocol, servername)"
                    " VALUES('modern', 'encrypt', 'never', 'TLSv1.3', 'hostname');\n" +
                    "".join(Daemon.row(f"{site}.test", "modern") for site in ("good", "tls12")))
        with daemon, postfix:
            postfix.send("a@good.test", "b@tls12.test", "c@x.good.test")
            self.assert_arrives(postfix, "a@good.test", "TLS")
            arrival = self.arrival("a@good.test")
            self.assertEqual((arrival.version, arrival.sni), ("TLSv1.3", "mx.good.test"))
            self.assert_deferred(postfix, "b@tls12.test", "4.7.5", "Cannot start TLS")
            # Postfix names no server by itself.
            self.assert_arrives(postfix, "c@x.good.test", "TLS")
            self.assertEqual(self.arrival("c@x.good.test").sni, "")


class Routes(Story):
    """Destinations that aren't a recipient's domain."""

    def test_a_relayhost_gets_the_level_of_its_exact_row(self):
        postfix = self.make_postfix(maps(CHROOT_ENDPOINT) +
                                    "relayhost = [plainrelay.infra.test]:587\n")
        # Neither the recipient's domain nor * has a say in where a relayhost is concerned.
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row("good.test", "secure") + Daemon.row("*", "secure"))
        with daemon, postfix:
            postfix.send("first@good.test")
            self.assert_arrives(postfix, "first@good.test", "PLAIN")
            daemon.edit(Daemon.row("[plainrelay.infra.test]:587", "required"))
            daemon.wait_until_answers("[plainrelay.infra.test]:587", "OK encrypt")
            postfix.send("second@good.test")
            self.assert_not_offered(postfix, "second@good.test")

    def test_a_relayhost_with_tls_gets_the_mail_in_tls(self):
        postfix = self.make_postfix(maps(CHROOT_ENDPOINT, level="none") +
                                    "relayhost = [relay.infra.test]:587\n")
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row("[relay.infra.test]:587", "required"))
        with daemon, postfix:
            postfix.send("a@nowhere.test")
            self.assert_arrives(postfix, "a@nowhere.test", "TLS")
            self.assertEqual(self.arrival("a@nowhere.test").receiver, "relay.infra.test")

    def test_a_transport_on_the_map_strict_never_sends_in_clear(self):
        strict = ("smtp-strict unix - - y - - smtp\n"
                  f"  -o smtp_tls_policy_maps=socketmap:{CHROOT_ENDPOINT}:strict\n"
                  "  -o smtp_tls_security_level=encrypt\n")
        postfix = self.make_postfix(
            maps(CHROOT_ENDPOINT) +
            "transport_maps = inline:{ { s1.nostarttls.test = smtp-strict: },"
            " { s2.nostarttls.test = smtp-strict: }, { s3.good.test = smtp-strict: } }\n", strict)
        daemon = self.make_daemon(postfix)
        daemon.edit("".join(Daemon.row(domain, profile) for domain, profile in (
            ("s1.nostarttls.test", "off"), ("usual.nostarttls.test", "off"), ("s3.good.test", "off"))))
        with daemon, postfix:
            recipients = [f"a@{domain}" for domain in (
                "s1.nostarttls.test", "s2.nostarttls.test", "s3.good.test", "usual.nostarttls.test")]
            postfix.send(*recipients)
            self.assert_not_offered(postfix, recipients[0])
            self.assert_not_offered(postfix, recipients[1])
            self.assert_arrives(postfix, recipients[2], "TLS")
            self.assert_arrives(postfix, recipients[3], "PLAIN")


class TheStream(Story):
    """Messages keep coming while something dies; each asks for a policy of its own.

    Without an answer of ours they would go out in clear: main.cf says none, the row says required.
    """

    def start_postfix_and_daemon(self, endpoint=CHROOT_ENDPOINT):
        postfix = self.make_postfix(maps(endpoint, level="none"))
        daemon = self.make_daemon(postfix)
        daemon.edit(STREAM_ROW)
        # Both end with the test, the Postfix first.
        self.enterContext(daemon)
        self.enterContext(postfix)
        return postfix, daemon

    def check_all_goes_out_in_tls(self, postfix, disturb, rounds):
        """Sends STREAM messages in so many rounds, and calls disturb() in the middle of each.

        Every delivery of a round ends before the next disturbance: Postfix asks a second time after an
        end of its connection, but not a third time, so nobody could mend two in one look-up.
        """
        recipients = [f"a@m{number}.{STREAM_DOMAIN}" for number in range(STREAM)]
        size = STREAM // rounds

        def ended():
            return len(postfix.attempts())

        for start in range(0, STREAM, size):
            batch = recipients[start:start + size]
            sender = threading.Thread(target=postfix.send, args=batch, daemon=True)
            sender.start()
            postfix.wait_until(lambda mark=start + size // 3: ended() >= mark, 60, "no delivery")
            disturb()
            postfix.wait_until(lambda mark=start + size: ended() >= mark, 60, "a delivery is missing")
            sender.join(60)
        self.assertNotIn(OUR_FAULT, postfix.read_log())
        self.assertEqual([attempt for attempt in postfix.attempts() if attempt.status != "sent"], [])
        self.assertEqual({self.arrival(recipient).seen for recipient in recipients}, {"TLS"})

    def check_role_may_die(self, role, endpoint=CHROOT_ENDPOINT):
        postfix, daemon = self.start_postfix_and_daemon(endpoint)
        killed = []
        self.check_all_goes_out_in_tls(postfix, lambda: killed.append(daemon.kill_role(role)), 5)
        # Each time it was another one.
        self.assertEqual(len(set(killed)), 5)

    def test_goes_on_over_a_unix_socket_when_answer_is_killed(self):
        self.check_role_may_die("answer")

    def test_goes_on_over_tcp_when_answer_is_killed(self):
        self.check_role_may_die("answer", TCP_ENDPOINT)

    def test_goes_on_when_store_is_killed(self):
        self.check_role_may_die("store")

    def test_goes_on_when_the_database_is_gone_and_every_role_is_killed(self):
        postfix, daemon = self.start_postfix_and_daemon()

        def disturb():
            if os.path.exists(daemon.policy_db):
                os.rename(daemon.policy_db, daemon.policy_db + ".away")
            daemon.kill_role("store")
            daemon.kill_role("answer")

        self.check_all_goes_out_in_tls(postfix, disturb, rounds=3)

    def test_goes_on_while_the_admin_edits(self):
        postfix, daemon = self.start_postfix_and_daemon()
        edit = STREAM_ROW + Daemon.row("other.test", "off")
        self.check_all_goes_out_in_tls(postfix, lambda: daemon.edit(edit), rounds=15)

    def test_goes_on_while_the_admin_holds_a_transaction(self):
        postfix, daemon = self.start_postfix_and_daemon()
        with daemon.hold_transaction(Daemon.row(f".{STREAM_DOMAIN}", "off")):
            self.check_all_goes_out_in_tls(postfix, lambda: None, rounds=1)

    def test_goes_on_when_the_daemon_is_replaced_behind_held_sockets(self):
        postfix = self.make_postfix(maps(CHROOT_ENDPOINT, level="none"))
        folder = os.path.join(postfix.queue, daemons.SOCKET_FOLDER)
        os.makedirs(folder)
        daemon = self.make_daemon(tlsmap_listen="systemd:tlsmap", policyd_listen="")
        daemon.endpoint = f"unix:{folder}/tlsmap.sock"
        daemon.edit(STREAM_ROW)
        sockets = [("tlsmap", self.enterContext(daemons.hold_listener(daemon.endpoint)))]

        def replace():
            daemon.stop()
            daemon.start(sockets)

        self.addCleanup(daemon.stop)
        daemon.start(sockets)
        self.enterContext(postfix)
        self.check_all_goes_out_in_tls(postfix, replace, rounds=6)


class IncomingMail(Story):
    """policyd, asked by smtpd(8)."""

    def test_is_accepted_by_the_policy_service(self):
        postfix = self.make_postfix("")
        daemon = self.make_daemon(postfix)
        postfix.configure("smtpd_recipient_restrictions = permit_mynetworks, reject\n"
                          "smtpd_sender_restrictions = check_policy_service"
                          f" unix:{daemons.SOCKET_FOLDER}/policyd.sock,"
                          " check_policy_service inet:127.0.0.1:8461\n")
        with daemon, postfix:
            postfix.send("a@in.good.test", "b@in.good.test", sender="somebody@sender.test")
            self.assert_arrives(postfix, "a@in.good.test", "PLAIN")
            self.assert_arrives(postfix, "b@in.good.test", "PLAIN")
            self.assertNotIn("problem talking to server", postfix.read_log())

    def test_is_refused_while_the_policy_service_is_not_there(self):
        """So that the test above can fail."""
        postfix = self.make_postfix(
            "smtpd_sender_restrictions = check_policy_service inet:127.0.0.1:8461\n")
        with postfix:
            with self.assertRaisesRegex(Exception, "451"):
                postfix.send("a@in.good.test", sender="somebody@sender.test")
