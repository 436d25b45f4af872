"""Rules for incoming mail, seen by SMTP clients of a real smtpd(8) with STARTTLS."""

import json
import os
import smtplib
import ssl
import subprocess
import unittest

from certificates import Authority
from instance import SUBMISSION_PORT
from run import ROOT
from story import Story

EXAMPLES = os.path.join(ROOT, "postfix-examples")
# Clients come from these; the names are what /etc/hosts of smtpd's chroot says, both ways.
NAMED = "192.0.2.40"
OTHER = "192.0.2.50"
FAR = "198.51.100.7"
V6 = "2001:db8:77::7"
V6_SERVER = "2001:db8:77::25"
# Named too, and in none of the networks that rules here name.
FAR_MX, FAR_OUT, FAR_ELSE = "198.51.100.41", "198.51.100.42", "198.51.100.43"
NAMES = {NAMED: "mx.partner.test", FAR_MX: "mx2.partner.test", FAR_OUT: "out.partner.test", FAR_ELSE: "mx.else.test"}
TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3

MAIN_CF = """
inet_protocols = all
mydestination = here.test
local_recipient_maps =
local_transport = discard:
smtpd_peername_lookup = yes
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
smtpd_tls_CAfile = {trusted}
smtpd_tls_fingerprint_digest = sha256
smtpd_tls_mandatory_protocols = >=TLSv1
"""
MASTER_CF = f"""
192.0.2.25:{SUBMISSION_PORT} inet n - y - - smtpd
[{V6_SERVER}]:{SUBMISSION_PORT} inet n - y - - smtpd
"""


def example(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


class Incoming(Story):
    """Each test has its own Postfix, daemon and rules."""

    def setUp(self):
        super().setUp()
        os.makedirs(self.directory)
        subprocess.run(["ip", "-6", "address", "replace", f"{V6}/128", "dev", "lo"], check=True)
        subprocess.run(["ip", "-6", "address", "replace", f"{V6_SERVER}/128", "dev", "lo"], check=True)
        self.partners = Authority(self.directory, "partner-CA")
        self.strangers = Authority(self.directory, "stranger-CA")
        self.trusted = self.partners.issue("mx", ["mx.partner.test"])
        self.server = self.partners.issue("here", ["here.test"])

    def run_with(self, *rules, fragment="inbound-enforce.cf", main_cf="", start_daemon=True, **settings):
        """A context: smtpd asks a daemon with these rules (SQL values by column)."""
        postfix = self.make_postfix(
            example(fragment) + MAIN_CF.format(chain=self.server.chain, key=self.server.key,
                                               trusted=self.partners.certificate.chain) + main_cf, MASTER_CF)
        self.assertEqual([], postfix.complaints_about_configuration())
        with open(os.path.join(postfix.queue, "etc", "hosts"), "w", encoding="ascii") as file:
            file.writelines(f"{address} {name}\n" for address, name in NAMES.items())
        with open(os.path.join(postfix.queue, "etc", "nsswitch.conf"), "w", encoding="ascii") as file:
            file.write("hosts: files\n")
        self.daemon = self.make_daemon(postfix, **settings)
        for rule in rules:
            columns = ", ".join(rule)
            values = ", ".join(f"'{value}'" for value in rule.values())
            self.daemon.edit(f"INSERT INTO inbound({columns}) VALUES({values});")
        if start_daemon:
            self.enterContext(self.daemon)
        self.enterContext(postfix)
        return postfix

    @staticmethod
    def talk(source=OTHER, sender="u@partner.test", tls=None, certificate=None, recipients=("me@here.test",),
             data=False):
        """What smtpd says to the last recipient (or, with `data`, to the message), as "550 text"."""
        server = V6_SERVER if ":" in source else "192.0.2.25"
        with smtplib.SMTP(server, SUBMISSION_PORT, timeout=60, source_address=(source, 0)) as client:
            client.ehlo("client.test")
            if tls:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                context.minimum_version = context.maximum_version = tls
                if certificate:
                    context.load_cert_chain(certificate.chain, certificate.key)
                client.starttls(context=context)
                client.ehlo("client.test")
            code, text = client.mail(sender)
            for recipient in recipients:
                code, text = client.rcpt(recipient)
            if data:
                code, text = client.data(b"Subject: x\r\n\r\nhello\r\n")
        return f"{code} {text.decode()}"

    def assert_accepted(self, **conversation):
        self.assertEqual("250 2.1.5 Ok", self.talk(**conversation))

    def assert_refused(self, what, **conversation):
        self.assertRegex(self.talk(**conversation), what)

    def decisions(self):
        return json.loads(self.daemon.ctl("decisions", "--inbound", "--json"))


class Encryption(Incoming):
    def test_mail_in_clear_is_rejected_in_words_that_help_and_tls_is_let_in(self):
        self.run_with({"client": "192.0.2.0/24"}, {"client": "2001:db8:77::/48"})
        told = (r"^550 5\.7\.10 <me@here\.test>: Recipient address rejected: Mail from partner\.test must come with "
                r"TLS; .* came with plaintext\. Please set up TLS on the sending server$")
        for source in (OTHER, V6):
            with self.subTest(source=source):
                self.assert_refused(told, source=source)
                self.assert_accepted(source=source, tls=TLS12)
                self.assert_accepted(source=source, tls=TLS13)
        self.assert_accepted(source=FAR)

    def test_a_protocol_and_a_cipher_can_be_too_weak(self):
        self.run_with({"client": OTHER, "min_protocol": "TLSv1.3"}, {"client": NAMED, "min_bits": 300})
        self.assert_refused("must come with TLSv1.3 or newer; .* came with TLSv1.2", tls=TLS12)
        self.assert_accepted(tls=TLS13)
        self.assert_refused("must come with a cipher of 300 bits; .* came with 256 bits", source=NAMED, tls=TLS13)

    def test_defer_is_4xx_with_the_rules_own_text(self):
        self.run_with({"client": OTHER, "on_violation": "defer", "text": "$sender_domain: $required, not $got"})
        self.assert_refused(r"^450 4\.7\.10 <me@here\.test>: Recipient address rejected: partner\.test: TLS, not plaintext$")

    def test_observe_changes_nothing_and_each_message_is_written_down_once(self):
        postfix = self.run_with({"client": OTHER, "on_violation": "observe"}, fragment="inbound-observe.cf")
        self.assertRegex(self.talk(recipients=("a@here.test", "b@here.test"), data=True), "^250 2.0.0 Ok: queued")
        postfix.wait_until(lambda: len(self.decisions()) == 1, 20, "one decision")
        self.assertEqual("observe", self.decisions()[0]["action"])
        self.assertNotIn("reject:", postfix.read_log())

    def test_a_tag_is_one_header_for_a_message_of_two_recipients(self):
        # It stays in the queue, to be looked at.
        postfix = self.run_with({"client": OTHER, "on_violation": "tag"},
                                main_cf="smtpd_data_restrictions = check_client_access static:hold\n")
        queued = self.talk(recipients=("a@here.test", "b@here.test"), data=True)
        self.assertRegex(queued, "^250 2.0.0 Ok: queued")
        shown = subprocess.run(["postcat", "-c", postfix.config, "-qh", queued.split()[-1]], check=True,
                               capture_output=True, text=True).stdout
        self.assertEqual(1, shown.count("X-TLS-Policy: violated; required=TLS; got=plaintext"), shown)

    def test_the_daemons_observing_mode_changes_nothing(self):
        self.run_with({"client": OTHER}, mode="observe")
        self.assert_accepted()


class Certificates(Incoming):
    def test_a_trusted_one_is_let_in_and_no_other(self):
        self.run_with({"client": OTHER, "require": "certificate"})
        self.assert_accepted(tls=TLS13, certificate=self.trusted)
        self.assert_accepted(tls=TLS12, certificate=self.trusted)
        self.assert_refused("a trusted client certificate; .* came with no client certificate", tls=TLS13)
        for name, certificate in (("stranger", self.strangers.issue("mx", ["mx.partner.test"])),
                                  ("self-signed", self.partners.self_signed("mx.partner.test")),
                                  ("expired", self.partners.issue_expired("old", ["mx.partner.test"]))):
            with self.subTest(certificate=name):
                self.assert_refused("came with a client certificate that is not trusted", tls=TLS13,
                                    certificate=certificate)

    def test_the_name_the_issuer_and_a_pin_must_fit(self):
        pinned = self.strangers.self_signed("pinned.test")
        self.run_with({"client": OTHER, "require": "certificate", "ccert_name": "*.partner.test",
                       "ccert_issuer": "partner-*"},
                      {"client": NAMED, "ccert_fingerprint": pinned.fingerprint() + " " + "a" * 64},
                      {"client": FAR, "require": "certificate", "ccert_issuer": "other CA"})
        self.assert_accepted(tls=TLS13, certificate=self.trusted)
        self.assert_refused('common name "mx.other.test"', tls=TLS13,
                            certificate=self.partners.issue("wrong", ["mx.other.test"]))
        self.assert_accepted(source=NAMED, tls=TLS13, certificate=pinned)
        self.assert_refused("another client certificate", source=NAMED, tls=TLS13, certificate=self.trusted)
        self.assert_refused('issuer "partner-CA"', source=FAR, tls=TLS13, certificate=self.trusted)


class Precedence(Incoming):
    """Each row of the table: it holds although all rows behind it are there and say something else."""

    # In order: most specific first. The text names the rule.
    ROWS = (
        ({"client": NAMED, "sender": "u@s.partner.test"}, {}),
        ({"client": NAMED, "sender": "s.partner.test"}, {"sender": "v@s.partner.test"}),
        ({"client": NAMED, "sender": ".partner.test"}, {"sender": "v@t.partner.test"}),
        ({"client": "192.0.2.0/24", "sender": "u@s.partner.test"}, {"source": OTHER}),
        ({"client": "mx.partner.test", "sender": "u@x.test"}, {"sender": "u@x.test"}),
        ({"client": "*.partner.test", "sender": "x.test"}, {"sender": "v@x.test"}),
        ({"client": NAMED}, {"sender": "u@elsewhere.test"}),
        ({"client": "192.0.2.0/24"}, {"source": OTHER, "sender": "u@elsewhere.test"}),
        ({"client": "192.0.0.0/16"}, {"source": "192.0.3.9", "sender": "u@elsewhere.test"}),
        ({"client": "2001:db8:77::/64"}, {"source": V6}),
        ({"client": "2001:db8::/32"}, {"source": "2001:db8:99::9"}),
        ({"client": "mx2.partner.test"}, {"source": FAR_MX}),
        ({"client": "*.partner.test"}, {"source": FAR_OUT}),
        ({"client": "*.test"}, {"source": FAR_ELSE}),
        ({"sender": "u@s.partner.test"}, {"source": FAR}),
        ({"sender": "s.partner.test"}, {"source": FAR, "sender": "v@s.partner.test"}),
        ({"sender": ".partner.test"}, {"source": FAR, "sender": "v@t.partner.test"}),
        ({"sender": "<>"}, {"source": FAR, "sender": ""}),
        ({}, {"source": FAR, "sender": "u@elsewhere.test"}),
    )

    def test_each_row_holds_over_all_behind_it(self):
        subprocess.run(["ip", "address", "replace", "192.0.3.9/32", "dev", "lo"], check=True)
        subprocess.run(["ip", "-6", "address", "replace", "2001:db8:99::9/128", "dev", "lo"], check=True)
        rules = [{**row, "text": f"rule {number}"} for number, (row, _) in enumerate(self.ROWS)]
        self.run_with(*reversed(rules))
        for number, (row, conversation) in enumerate(self.ROWS):
            with self.subTest(row=row):
                self.assert_refused(f": rule {number}$", **{"source": NAMED, "sender": "u@s.partner.test", **conversation})

    def test_a_verified_name_outranks_nothing_that_an_address_says(self):
        self.run_with({"client": "mx.partner.test", "require": "none"}, {"text": "any"})
        self.assert_accepted(source=NAMED)
        self.assert_refused(": any$", source=OTHER)
        self.daemon.edit(f"INSERT INTO inbound(client, text) VALUES('{NAMED}', 'address');")
        self.daemon.wait_for_rules(5)
        self.assert_refused(": address$", source=NAMED)

    def test_loopback_comes_in_in_clear(self):
        self.run_with({"text": "any"})
        with smtplib.SMTP("127.0.0.1", SUBMISSION_PORT, timeout=60) as client:
            client.ehlo("filter.test")
            client.mail("u@partner.test")
            self.assertEqual(250, client.rcpt("me@here.test")[0])


class WithoutTheDaemon(Incoming):
    def test_the_example_for_observing_lets_mail_in(self):
        postfix = self.run_with({"client": OTHER}, fragment="inbound-observe.cf", start_daemon=False)
        self.assert_accepted()
        self.assertRegex(postfix.read_log(), r"warning: .*policyd\.sock")

    def test_the_example_for_enforcing_lets_it_wait(self):
        self.run_with({"client": OTHER}, start_daemon=False)
        self.assert_refused(r"^450 4\.7\.0 .*TLS can not be judged just now", tls=TLS13)


if __name__ == "__main__":
    unittest.main()
