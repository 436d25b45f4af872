"""Senders who must be sure of TLS: the example of postfix-examples, from the mail program to the receiver."""

import contextlib
import json
import os
import smtplib
import ssl
import subprocess

from authentication import Authentication
from certificates import Authority
from daemon import Daemon
from story import Story
from test_examples import BASE, read

LOCAL = "bob@here.test"
# Delivered by virtual(8), into files.
LOCAL_DOMAIN = """
inet_protocols = all
virtual_mailbox_domains = here.test
virtual_mailbox_maps = inline:{{ {{ bob@here.test = bob }} }}
virtual_mailbox_base = {boxes}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_sasl_type = dovecot
smtpd_sasl_path = auth
smtpd_tls_cert_file = {certificate.chain}
smtpd_tls_key_file = {certificate.key}
"""
VIRTUAL = "virtual unix - n n - - virtual\n"


def rule(sender, **columns):
    columns = {"sender": sender, **columns}
    values = ", ".join(f"'{value}'" for value in columns.values())
    return f"INSERT OR REPLACE INTO submission({', '.join(columns)}) VALUES({values});\n"


class Submission(Story):
    """submission.cf and submission.master.cf as they stand."""

    def setUp(self):
        super().setUp()
        os.makedirs(self.directory)
        self.boxes = os.path.join(self.directory, "boxes")
        os.mkdir(self.boxes)
        os.chmod(self.boxes, 0o777)
        self.certificate = Authority(self.directory, "mail").self_signed("mail.sender.test")
        self.postfix = self.make_postfix(
            read(BASE) + read("submission.cf") +
            LOCAL_DOMAIN.format(boxes=self.boxes, certificate=self.certificate),
            read("submission.master.cf") + VIRTUAL)
        self.assertEqual(self.postfix.complaints_about_configuration(), [])
        self.daemon = self.make_daemon(self.postfix)
        self.daemon.edit(Daemon.row("good.test", "required") + Daemon.row("verified.good.test", "verified"))

    @contextlib.contextmanager
    def running(self, rules):
        self.daemon.edit(rules)
        with self.daemon, self.postfix, Authentication(os.path.join(self.postfix.queue, "auth")):
            yield

    def log_in(self, user="ann", port=587, version=ssl.TLSVersion.TLSv1_3, server="127.0.0.1"):
        context = ssl.create_default_context(cafile=self.certificate.chain)
        context.check_hostname = False
        context.minimum_version = context.maximum_version = version
        if port == 465:
            client = smtplib.SMTP_SSL(server, port, timeout=60, context=context)
        else:
            client = smtplib.SMTP(server, port, timeout=60)
            client.starttls(context=context)
        self.assertEqual(client.sock.version(), version.name.replace("_", "."))
        client.login(user, "secret")
        return self.enterContext(client)

    def reply(self, recipient, sender="ann@sender.test", **login):
        """Code and text for RCPT."""
        client = self.log_in(**login)
        client.mail(sender)
        code, text = client.rcpt(recipient)
        client.rset()
        return code, text.decode()

    def submit(self, sender, *recipients, **login):
        return self.log_in(**login).sendmail(sender, recipients, "Subject: test\r\n\r\nhello\r\n")

    def sendmail(self, sender, recipient):
        subprocess.run(["sendmail", "-C", self.postfix.config, "-f", sender, recipient],
                       input="Subject: test\n\nhello\n", text=True, check=True)

    def assert_sent_by(self, recipient, service):
        attempt = self.postfix.wait_for_attempt(recipient)
        self.assertEqual((attempt.status, attempt.service), ("sent", service), attempt)

    def test_a_message_for_two_goes_by_tls_alone_to_the_one_and_stays_here_for_the_other(self):
        with self.running(rule("sender.test")):
            self.assertEqual({}, self.submit("ann@sender.test", "x@good.test", LOCAL))
            self.assert_arrives(self.postfix, "x@good.test", "TLS")
            self.assert_sent_by(LOCAL, "virtual")
            self.assertTrue(os.path.exists(os.path.join(self.boxes, "bob")))
            log = self.postfix.read_log()
            self.assertRegex(log, r"postfix/smtp-strict/smtp\[\d+\]: \w+: to=<x@good\.test>")
            self.assertEqual(1, len({a.queue_id for a in self.postfix.attempts()}), "one message, two ways")

    def test_the_sender_is_told_at_once_which_recipient_is_not_sure_and_the_others_get_theirs(self):
        with self.running(rule("sender.test")):
            refused = self.submit("ann@sender.test", "x@nostarttls.test", LOCAL)
            self.assertEqual(["x@nostarttls.test"], list(refused))
            code, text = refused["x@nostarttls.test"]
            self.assertEqual(550, code)
            self.assertRegex(text.decode(), r"^5\.7\.10 <x@nostarttls\.test>: Recipient address rejected: "
                                            r".*TLS.*nostarttls\.test.*no rule.*postmaster")
            self.assert_sent_by(LOCAL, "virtual")
            # Whoever has no row sends as before.
            self.assertEqual({}, self.submit("eve@other.test", "y@nostarttls.test"))
            self.assert_arrives(self.postfix, "y@nostarttls.test", "PLAIN")

    def test_each_action_is_what_the_client_and_the_queue_see(self):
        rules = "".join(rule(f"{action}@sender.test", otherwise=action)
                        for action in ("reject", "defer", "hold", "warn", "observe"))
        with self.running(rules + rule("verify@sender.test", require="verify", text="$recipient_domain: $required")):
            def ask(action, recipient="x@nostarttls.test"):
                return self.reply(recipient, sender=f"{action}@sender.test")
            self.assertRegex(" ".join(map(str, ask("reject"))), r"^550 5\.7\.10 ")
            self.assertRegex(" ".join(map(str, ask("defer"))), r"^450 4\.7\.10 ")
            for action in ("hold", "warn", "observe"):
                self.assertEqual(250, ask(action)[0], action)
            self.assertEqual(250, ask("verify", "x@verified.good.test")[0])
            self.assertEqual(ask("verify", "x@good.test"),
                             (550, "5.7.10 <x@good.test>: Recipient address rejected: "
                                   "good.test: TLS with a verified certificate"))
            self.assertEqual({}, self.submit("hold@sender.test", "held@nostarttls.test"))
            self.postfix.wait_for_log(r"NOQUEUE: hold|: hold: ", 30)
            self.assertIn("hold", [message["queue_name"] for message in self.postfix.queued()])
            self.assertRegex(self.postfix.read_log(), r"warn: RCPT .*nostarttls\.test")
            # Nothing changes for who is only observed; who is warned has his mail wait for TLS.
            self.submit("observe@sender.test", "o@nostarttls.test")
            self.assert_arrives(self.postfix, "o@nostarttls.test", "PLAIN")
            self.submit("warn@sender.test", "w@nostarttls.test")
            self.assert_not_offered(self.postfix, "w@nostarttls.test")

    def test_the_senders_own_connection_must_be_new_enough_on_both_ports(self):
        with self.running(rule("ann", min_protocol="TLSv1.3")):
            for server, port in (("127.0.0.1", 587), ("127.0.0.1", 465), ("::1", 587), ("::1", 465)):
                way = {"server": server, "port": port}
                for recipient in (LOCAL, "x@good.test"):
                    code, text = self.reply(recipient, version=ssl.TLSVersion.TLSv1_2, **way)
                    self.assertEqual(550, code, text)
                    self.assertIn("TLSv1.3 or newer, and your connection has TLSv1.2", text)
                    self.assertEqual(250, self.reply(recipient, **way)[0])
                    self.assertEqual(250, self.reply(recipient, user="bob", version=ssl.TLSVersion.TLSv1_2, **way)[0])

    def test_over_ipv6_a_sender_is_told_the_same_and_his_connection_is_written_down(self):
        with self.running(rule("sender.test")):
            for port in (587, 465):
                refused = self.submit("ann@sender.test", "x@nostarttls.test", LOCAL, server="::1", port=port)
                self.assertEqual(["x@nostarttls.test"], list(refused))
                self.assertEqual(550, refused["x@nostarttls.test"][0])
            self.postfix.wait_until(lambda: len(self.decisions()) == 2, 20, "two decisions")
            self.assertEqual({"::1"}, {each["client"] for each in self.decisions()})

    def decisions(self):
        return json.loads(self.daemon.ctl("submission", "decisions", "--json"))

    def test_a_user_cannot_get_round_his_row_by_another_sender_address(self):
        with self.running(rule("ann")):
            self.assertEqual(550, self.reply("x@nostarttls.test", sender="somebody@else.test")[0])
            self.assertEqual(550, self.reply("x@nostarttls.test", sender="")[0])
            self.assertEqual(250, self.reply("x@nostarttls.test", sender="somebody@else.test", user="eve")[0])

    def test_mail_of_sendmail_goes_by_tls_or_waits(self):
        with self.running(rule("strict@sender.test")):
            self.sendmail("strict@sender.test", "x@nostarttls.test")
            self.sendmail("eve@sender.test", "y@nostarttls.test")
            self.assert_not_offered(self.postfix, "x@nostarttls.test")
            self.assert_arrives(self.postfix, "y@nostarttls.test", "PLAIN")

    def test_without_the_daemon_the_sender_is_told_to_try_again(self):
        with self.running(rule("sender.test")):
            self.assertEqual(250, self.reply("x@good.test")[0])
            self.daemon.stop()
            code, text = self.reply("x@good.test")
            self.assertEqual((451, "4.3.5"), (code, text.split(" ")[0]), text)
