"""tlspolicyctl probe where DNS is slow, lies, or is dead: nobody is judged by it, and no liar is visited."""

import pathlib
import sys
import unittest

import mail_peers as peers
from ctl_desk import DONE, FAILED, NOT_WELL, Desk
from processes import SANITIZED

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "dns"), str(TESTS / "postfix")]
import dns_server  # noqa: E402  pylint: disable=wrong-import-position
from certificates import Authority  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE = 12 if SANITIZED else 6
PORT = 20025
# What every part of a route may do, and all of it be right in the end.
SURVIVED = {"slow": dns_server.slow(0.5), "truncates": dns_server.truncated, "another id": dns_server.wrong_identity,
            "another question": dns_server.wrong_question, "another port": dns_server.wrong_port}
UNKNOWN = {"servfail": dns_server.says(dns_server.SERVFAIL), "refused": dns_server.says(dns_server.REFUSED),
           "rubbish": dns_server.rubbish, "loop": dns_server.pointer_loop, "bogus": dns_server.bogus}


class DnsOfADestination(Desk):
    def setUp(self):
        super().setUp()
        authority = Authority(self.folder, "CA")
        host = f"{peers.loopback_network()}.1"
        self.peer = peers.Peer(host, PORT, peers.good, authority.issue("mx", ["mx.good.example", "good.example"]))
        self.addCleanup(self.peer.close)
        self.dns = self.enterContext(dns_server.DnsServer({
            "good.example MX": ["10 mx.good.example"], "mx.good.example A": [host],
            "other.example MX": ["10 mx.good.example"]}))
        # Where the forged answers lead must not be probed: it is a documentation address, which nobody refuses.
        self.configure(resolver=self.dns.setting, probe_allow="127.0.0.0/8", tls_ca_file=authority.certificate.chain)

    def probe(self, *names, status):
        return self.data("probe", "--skip-weak", "--timeout", f"{PATIENCE}s", *(f"{name}:{PORT}" for name in names),
                         status=status)

    def test_that_is_slow_or_lied_about_is_found_all_the_same(self):
        for what, manner in SURVIVED.items():
            self.dns.manners[""] = manner
            with self.subTest(what):
                found, = self.probe("good.example", status=DONE)
                self.assertTrue(found["would_deliver"]["secure"])
                self.assertEqual([("mx.good.example", [self.peer.address])],
                                 [(host["host"], [each["address"] for each in host["addresses"]]) for host in found["mx"]])

    def test_that_cannot_be_read_is_unknown_and_harms_no_other(self):
        for what, manner in UNKNOWN.items():
            self.dns.manners.clear()
            self.dns.manners["other.example"] = manner
            with self.subTest(what):
                good, other = self.probe("good.example", "other.example", status=NOT_WELL)
                self.assertTrue(good["well"])
                self.assertEqual({None}, set(other["would_deliver"].values()))
                self.assertNotEqual("no-such-name", other["fault"])
                self.assertEqual([], [each for host in other["mx"] for each in host["addresses"]])

    def test_that_is_dead_is_unknown_and_harms_no_other(self):
        self.dns.manners["other.example"] = dns_server.dead
        good, other = self.probe("good.example", "other.example", status=NOT_WELL)
        self.assertTrue(good["well"])
        self.assertEqual(("timeout", {None}), (other["fault"], set(other["would_deliver"].values())))
        self.dns.manners[""] = dns_server.dead
        self.assertIn("did not answer in time", self.refused(FAILED, "probe", "good.example"))


if __name__ == "__main__":
    unittest.main()
