"""tlspolicyctl probe beside a real Postfix: what it foretells is what became of mail, and a Postfix that
receives is seen as it is configured."""

import json
import os
import subprocess

from internet import SITES
from story import Story
from test_matrix import read_table

CTL = os.path.join(os.environ["TLSPOLICYD_BIN"], "tlspolicyctl")
PROFILES = ("off", "opportunistic", "required", "verified", "secure", "pinned")
# What becomes of mail depends on more than TLS, or on what was sent before; a pin of the table may be another's,
# and one row of it has a match.
NOT_FORETOLD = {"flaky", "strip", "stripped", "reject", "greylist", "closed", "bogus", "hosted2"}
ARRIVED = ("PLAIN", "TLS", "VERIFIED")
SMTPD = """
127.0.0.1:{port} inet n - n - - smtpd -o syslog_name=postfix/{level}
  -o smtpd_tls_security_level={level} -o smtpd_tls_cert_file={chain} -o smtpd_tls_key_file={key}
  -o smtpd_tls_mandatory_protocols={protocols} -o smtpd_tls_protocols={protocols}
"""


class AProbe(Story):
    def probe(self, *arguments, **settings):
        os.makedirs(self.directory, exist_ok=True)
        config = os.path.join(self.directory, "probe.conf")
        settings = {"tls_ca_file": self.internet.ca_file, "resolver": "127.0.0.1",
                    "probe_allow": "127.0.0.0/8, 203.0.113.0/24, 198.51.100.0/24, 192.0.2.0/24", **settings}
        with open(config, "w", encoding="ascii") as file:
            file.writelines(f"{key} = {value}\n" for key, value in settings.items())
        done = subprocess.run([CTL, "--config", config, "probe", "--json", "--timeout", "6s", *arguments],
                              capture_output=True, text=True, check=False, timeout=120)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def test_foretells_what_the_matrix_says_became_of_mail(self):
        _, table = read_table()
        names = [name for name in SITES if name != "hoster" and name not in NOT_FORETOLD]
        self.assertGreater(len(names), 15)
        # Each cell of the matrix is a domain of its own.
        domains = {f"{profile}.{name}.test": (name, profile) for name in names for profile in PROFILES}
        compared = 0
        for found in self.probe(*domains):
            name, profile = domains[found["target"]]
            if profile == "pinned" and SITES[name].pinned_to != "itself":
                continue
            end = table[name, profile].rpartition(">")[2]
            with self.subTest(name=name, profile=profile):
                self.assertEqual(end in ARRIVED, found["would_deliver"][profile],
                                 [host["addresses"] for host in found["mx"]])
            compared += 1
        self.assertGreater(compared, 100)

    def test_finds_every_address_of_every_host(self):
        found, = self.probe("multi.test")
        self.assertEqual([("mx1.multi.test", 10), ("mx2.multi.test", 20)],
                         [(host["host"], host["preference"]) for host in found["mx"]])
        self.assertEqual([False, True], [host["would_deliver"]["required"] for host in found["mx"]])
        self.assertEqual("handshake-failure", found["mx"][0]["addresses"][0]["cause"])

    def test_tells_a_failed_lookup_from_a_name_that_does_not_exist(self):
        bogus, absent = self.probe("bogus.test", "absent.good.test.absent")
        self.assertNotEqual(absent["fault"], bogus["fault"])
        self.assertEqual({None}, set(bogus["would_deliver"].values()))

    def test_sees_a_postfix_that_receives_as_it_is_configured(self):
        certificate = self.internet.certificates["good"]
        ports = {"encrypt": 2601, "may": 2602, "none": 2603}
        master = "".join(SMTPD.format(port=port, level=level, chain=certificate.chain, key=certificate.key,
                                      protocols=">=TLSv1.3" if level == "encrypt" else ">=TLSv1.2")
                         for level, port in ports.items())
        with self.make_postfix("", master_cf=master):
            seen = {}
            for found in self.probe("--refuses-plaintext", *(f"[127.0.0.1]:{port}" for port in ports.values())):
                address = found["mx"][0]["addresses"][0]
                seen[address["port"]] = (address["protocol"], address["cause"], address["plain_mail"])
        self.assertEqual({2601: ("TLSv1.3", None, "refused"), 2602: ("TLSv1.3", None, "accepted"),
                          2603: (None, "starttls-not-supported", "accepted")}, seen)
