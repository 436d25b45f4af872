"""tlspolicyctl probe, posttls-finger and openssl s_client on the same mail hosts, which are real ones: Postfix,
and Exim with its other TLS library. Where they differ, one of them is wrong."""

import concurrent.futures
import os

import verdicts
from exim import Exim
from story import Story

SMTPD = """
0.0.0.0:{port} inet n - n - - smtpd
  -o smtpd_tls_security_level={level} -o smtpd_tls_cert_file={chain} -o smtpd_tls_key_file={key}
  -o smtpd_tls_mandatory_protocols={protocols} -o smtpd_tls_protocols={protocols} {more}
"""
RECEIVING = "mynetworks =\nsmtpd_peername_lookup = no\n"
SOUND, ENCRYPTED, NOTHING = "yyyy", "ynny", "nnnn"  # at encrypt, verify, secure, fingerprint
LEVELS = ("encrypt", "verify", "secure", "fingerprint")

# Port: certificate, whose site is the host's name too; level, protocols, more options; what must come of it.
POSTFIXES = {
    2701: ("good", "may", ">=TLSv1.2", "", SOUND),
    2702: ("good", "may", "TLSv1.2", "", SOUND),
    2703: ("good", "encrypt", ">=TLSv1.3", "", SOUND),
    2704: ("good", "may", "TLSv1", "", "ynnn"),
    2705: ("good", "none", ">=TLSv1.2", "", NOTHING),
    2706: ("selfsigned", "may", ">=TLSv1.2", "", ENCRYPTED),
    2707: ("expired", "may", ">=TLSv1.2", "", ENCRYPTED),
    2708: ("wrongname", "may", ">=TLSv1.2", "", ENCRYPTED),
    2709: ("rogue", "may", ">=TLSv1.2", "", ENCRYPTED),
    # No certificate at all: anonymous ciphers, which nobody can vouch for.
    2710: (None, "may", "TLSv1.2", "", "ynnn"),
    2711: ("good", "may", "TLSv1.2", "-o tls_preempt_cipherlist=yes", SOUND),
}
# The same of Exim: certificate, GnuTLS priority.
EXIMS = {
    2751: ("good", "NORMAL", SOUND),
    2752: ("good", "NORMAL:-VERS-ALL:+VERS-TLS1.2", SOUND),
    2753: ("good", "NORMAL:-VERS-ALL:+VERS-TLS1.3", SOUND),
    2754: ("good", "NORMAL:-VERS-ALL:+VERS-TLS1.0", "ynnn"),
    2755: ("selfsigned", "NORMAL", ENCRYPTED),
    2756: ("expired", "NORMAL", ENCRYPTED),
    2757: ("wrongname", "NORMAL", ENCRYPTED),
    2758: ("rogue", "NORMAL", ENCRYPTED),
    2759: ("good", "NORMAL:+VERS-TLS1.1:+ARCFOUR-128:+3DES-CBC", SOUND),
}


def place_of(port, site):
    return f"[mx.{site or 'good'}.test]:{port}"


class RealMailHosts(Story):
    def compare(self, cases, config):
        """Cases: target -> expected. What probe found, by target."""
        found = {each["target"]: each for each in self.probe(*cases)}
        self.assertEqual(set(cases), set(found))
        with concurrent.futures.ThreadPoolExecutor(4) as workers:
            fingers = workers.map(lambda each: verdicts.finger(config, self.internet.ca_file, each), found.values())
            openssls = workers.map(lambda each: verdicts.openssl(self.internet.ca_file, each), found.values())
            others = {target: pair for target, *pair in zip(found, fingers, openssls)}
        for target, expected in cases.items():
            ours = verdicts.ours(found[target])
            finger, openssl = others[target]
            with self.subTest(target, expected=expected):
                self.assertEqual(dict(zip(LEVELS, (letter == "y" for letter in expected))), ours,
                                 found[target]["mx"][0]["addresses"][0]["trouble"])
                self.assertEqual(finger, ours)
                self.assertEqual(openssl, {level: ours[level] for level in openssl})
        return found

    def make_exim(self, *arguments, **options):
        return Exim(*arguments, **options)

    def probe(self, *arguments):
        return verdicts.probe(self.directory, self.internet.ca_file, *arguments)

    def weak_of(self, found):
        address = found["mx"][0]["addresses"][0]
        return address["old_protocols"]["answer"], address["broken_ciphers"]["answer"]

    def certificate(self, site):
        return self.internet.certificates[site]

    def test_of_postfix_are_seen_alike(self):
        master = ""
        for port, (site, level, protocols, more, _) in POSTFIXES.items():
            chain, key = (self.certificate(site).chain, self.certificate(site).key) if site else ("none", "none")
            master += SMTPD.format(port=port, level=level, chain=chain, key=key, protocols=protocols, more=more)
        with self.make_postfix(RECEIVING, master_cf=master) as postfix:
            found = self.compare({place_of(port, case[0]): case[-1] for port, case in POSTFIXES.items()}, postfix.config)
        self.assertEqual(("refused", "refused"), self.weak_of(found[place_of(2701, "good")]))

    def test_of_exim_are_seen_alike(self):
        with self.make_postfix("") as postfix:
            for port, (site, ciphers, _) in EXIMS.items():
                self.enterContext(self.make_exim(os.path.join(self.directory, f"exim{port}"), self.certificate(site),
                                                 port, ciphers=ciphers))
            found = self.compare({place_of(port, case[0]): case[-1] for port, case in EXIMS.items()}, postfix.config)
        self.assertEqual(("taken", "taken"), self.weak_of(found[place_of(2759, "good")]))

    def test_that_want_tls_before_mail_are_told_from_those_that_do_not(self):
        certificate = self.certificate("good")
        master = "".join(SMTPD.format(port=port, level=level, chain=certificate.chain, key=certificate.key,
                                      protocols=">=TLSv1.2", more="") for port, level in ((2721, "encrypt"), (2722, "may")))
        with self.make_postfix(RECEIVING, master_cf=master), \
                self.make_exim(os.path.join(self.directory, "exim"), certificate, 2772, tls_only_port=2771):
            for port, answer in ((2721, "refused"), (2722, "accepted"), (2771, "refused"), (2772, "accepted")):
                found, = self.probe("--refuses-plaintext", place_of(port, "good"))
                address = found["mx"][0]["addresses"][0]
                self.assertEqual(answer, address["plain_mail"], address["plain_mail_reply"])
                self.assertEqual(answer == "accepted", found["would_deliver"]["off"])
