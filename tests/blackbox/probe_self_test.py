"""tlspolicyctl probe --self: our own mail hosts as a strict sender sees them."""

import os
import pathlib
import ssl
import sys
import unittest

import mail_peers as peers
from ctl_desk import DONE, FAILED, NOT_WELL, USAGE, Desk
from processes import SANITIZED

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "dns"), str(TESTS / "postfix")]
from certificates import Authority  # noqa: E402  pylint: disable=wrong-import-position
from dns_server import DnsServer  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE = 12 if SANITIZED else 4
PORT = 20025


class OurOwnSide(Desk):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder, "CA")
        self.network = peers.loopback_network()
        self.zone = {}
        self.nodes = 0

    def node(self, host, manner=peers.good, certificate=None, **tls):
        """One more address of a host of ours."""
        self.nodes += 1
        address = f"{self.network}.{self.nodes}"
        made = certificate or self.authority.issue(f"{host}-{self.nodes}", [host])
        self.addCleanup(peers.Peer(address, PORT, manner, made, **tls).close)
        self.zone.setdefault(f"{host} A", []).append(address)
        return address

    def receive_at(self, domain, *hosts):
        self.zone[f"{domain} MX"] = [f"10 {host}" for host in hosts]

    def begin(self, **settings):
        dns = self.enterContext(DnsServer(self.zone))
        self.configure(resolver=dns.setting, probe_allow="127.0.0.0/8", tls_ca_file=self.authority.certificate.chain,
                       **settings)

    def probe_self(self, *arguments, status):
        return self.data("probe", "--self", "--timeout", f"{PATIENCE}s", *arguments, status=status)

    def remarks(self, found, weight="objection"):
        """On every level: (where, what, action)."""
        told = [(found["target"], found["remarks"])]
        for host in found["mx"]:
            told += [(host["host"], host["remarks"])]
            told += [(address["address"], address["remarks"]) for address in host["addresses"]]
        return [(where, each["what"], each["action"]) for where, remarks in told for each in remarks
                if each["weight"] == weight]

    def main_cf(self, text):
        folder = self.folder / "postfix"
        folder.mkdir(exist_ok=True)
        path = folder / "main.cf"
        path.write_text(f"compatibility_level = 3.6\nmyhostname = mx.ours.example\n{text}\n")
        (folder / "master.cf").write_text("smtp inet n - n - - smtpd\n")
        os.utime(path, (0, 0))
        return folder

    def test_that_does_it_right_is_not_objected_to(self):
        self.node("mx.ours.example")
        self.receive_at("ours.example", "mx.ours.example")
        self.begin()
        found, = self.probe_self(f"ours.example:{PORT}", status=DONE)
        self.assertTrue(found["well"])
        self.assertEqual([], self.remarks(found))
        (_, what, action), = self.remarks(found, "fine")
        self.assertIn("mail in clear is taken too", what)
        self.assertIsNone(action)
        self.assertEqual([], found["next"])
        text = self.done("probe", "--self", f"ours.example:{PORT}")
        self.assertRegex(text, r"\nWHAT A STRICT SENDER SAYS\n\nours\.example:20025: nothing against it\n")
        self.assertNotIn("\nnext:", text)

    def test_has_each_fault_of_each_node_named_with_what_to_do(self):
        good = self.node("mx.ours.example")
        expired = self.node("mx.ours.example", certificate=self.authority.issue_expired("old", ["mx.ours.example"]))
        plain = self.node("mx.ours.example", peers.without_starttls)
        self.node("mx2.ours.example", oldest=ssl.TLSVersion.TLSv1,
                  certificate=self.authority.issue("other", ["www.ours.example"], days=5))
        self.receive_at("ours.example", "mx.ours.example", "mx2.ours.example", "gone.ours.example")
        self.begin()
        found, = self.probe_self(f"ours.example:{PORT}", status=NOT_WELL)
        told = {}
        for where, what, action in self.remarks(found):
            self.assertTrue(action, what)
            told.setdefault(where, []).append(what)
        self.assertNotIn(good, told)
        self.assertEqual(["the certificate, or one of its chain, has expired"], told.pop(expired))
        self.assertEqual(["STARTTLS is not offered"], told.pop(plain))
        self.assertRegex(told.pop("gone.ours.example")[0], "does not exist")
        (_, second), = told.items()
        self.assertEqual(["the certificate is not for mx2.ours.example",
                          "the obsolete protocol TLSv1.1 is taken too (RFC 8996)"], [second[0], second[2]])
        self.assertRegex(second[1], r"\Athe certificate expires in [45] days\Z")
        self.assertFalse(found["well"])
        text = self.expect(NOT_WELL, "probe", "--self", f"ours.example:{PORT}").stdout
        self.assertIn("to do: set smtpd_tls_security_level = may", text)

    def test_that_nobody_can_see_is_not_called_good(self):
        self.node("mx.ours.example", peers.greets_with("421 4.3.2 later"))
        self.receive_at("ours.example", "mx.ours.example")
        self.begin()
        found, = self.probe_self(f"ours.example:{PORT}", status=NOT_WELL)
        self.assertEqual([], self.remarks(found))
        self.assertEqual("it greets with 421 4.3.2 later", self.remarks(found, "unknown")[0][1])

    def test_is_found_by_what_postfix_calls_its_own(self):
        self.zone["null.example MX"] = ["0 ."]
        self.zone["dead.example MX"] = ["10 mx.dead.example"]
        self.begin()
        folder = self.main_cf("mydestination = $myhostname, localhost, null.example\n"
                              "virtual_mailbox_domains = dead.example hash:/etc/postfix/domains\n")
        done = self.expect(NOT_WELL, "probe", "--self", "--postfix-config", folder, "--json")
        self.assertIn("virtual_mailbox_domains: hash:/etc/postfix/domains", done.stderr)
        found = {each["target"]: each for each in self.probe_self("--postfix-config", folder, status=NOT_WELL)}
        self.assertEqual(["mx.ours.example", "null.example", "dead.example"], list(found))
        # Our host's name needs no address in DNS, and a null MX says that no mail is wanted.
        for name in ("mx.ours.example", "null.example"):
            self.assertEqual((True, 1), (found[name]["well"], len(self.remarks(found[name], "fine"))))
        self.assertEqual(1, len(self.remarks(found["dead.example"])))

    def test_named_by_hand_has_to_be_in_dns(self):
        self.begin()
        found, = self.probe_self("nowhere.example", status=NOT_WELL)
        self.assertRegex(self.remarks(found)[0][1], "does not exist")

    def test_without_any_name_says_how_to_name_one(self):
        self.begin()
        said = self.refused(FAILED, "probe", "--self", "--postfix-config", self.main_cf("mydestination = localhost"))
        self.assertIn("tlspolicyctl probe --self example.com", said)
        self.refused(USAGE, "probe", "--self", "-f", self.folder / "list")


if __name__ == "__main__":
    unittest.main()
