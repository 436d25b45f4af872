"""What the resolver does with servers that are good, dead, slow and lying: over real sockets."""

import socket
import unittest

import dns_server
from dns_server import DnsServer
from route import route, routes, summary

ZONE = {
    "example.com MX": ["20 mx2.example.com", "10 mx1.example.com"],
    "mx1.example.com A": ["192.0.2.1"],
    "mx1.example.com AAAA": ["2001:db8::1"],
    "mx2.example.com A": ["192.0.2.2", "192.0.2.3"],
}
GOOD = "mx 10 mx1.example.com 192.0.2.1 2001:db8::1, 20 mx2.example.com 192.0.2.2 192.0.2.3"
# Of silence: far less than anything that is to be waited for.
SHORT = {"timeout": 200, "tries": 2, "deadline": 2000}


class TheResolver(unittest.TestCase):
    def ask(self, manner, next_hop="example.com", zone=None, **limits):
        with DnsServer(zone or ZONE, {"": manner}) as server:
            self.server = server
            return route(server.setting, next_hop, **limits)

    def test_a_good_server_is_believed(self):
        found = self.ask(dns_server.honest)
        self.assertEqual(GOOD, summary(found))
        self.assertEqual([True, True, True], [found["is_secure"], *(host["is_secure"] for host in found["hosts"])])
        self.assertEqual({("example.com", "MX"), ("mx1.example.com", "A"), ("mx1.example.com", "AAAA"),
                          ("mx2.example.com", "A"), ("mx2.example.com", "AAAA")},
                         {query[:2] for query in self.server.queries})
        self.assertEqual({"udp"}, {query[2] for query in self.server.queries})

    def test_without_the_ad_bit_nothing_is_secure(self):
        for insecure, expected in (("example.com MX", [False, False, False]), ("mx1.example.com A", [True, False, True])):
            zone = {**ZONE, insecure: ["!" + ZONE[insecure][0], *ZONE[insecure][1:]]}
            found = self.ask(dns_server.honest, zone=zone)
            self.assertEqual(GOOD, summary(found))
            self.assertEqual(expected, [found["is_secure"], *(host["is_secure"] for host in found["hosts"])])

    def test_forged_packets_are_ignored_and_the_truth_behind_them_is_taken(self):
        for lie in (dns_server.wrong_identity, dns_server.wrong_question, dns_server.wrong_port):
            with self.subTest(lie=lie.__name__):
                self.assertEqual(GOOD, summary(self.ask(lie)))
                self.assertEqual("timeout", summary(self.ask(dns_server.only(lie), **SHORT)))

    def test_a_truncated_answer_comes_by_tcp(self):
        self.assertEqual(GOOD, summary(self.ask(dns_server.truncated)))
        self.assertEqual({"udp", "tcp"}, {query[2] for query in self.server.queries})

    def test_a_large_answer_comes_by_tcp_whole(self):
        zone = {"big.example MX": [f"10 {'x' * 50}{i}.big.example" for i in range(40)]}
        zone.update({f"{mx.split()[1]} A": ["192.0.2.1"] for mx in zone["big.example MX"]})
        found = self.ask(dns_server.honest, "big.example", zone)
        self.assertEqual(40, len(found["hosts"]))
        self.assertEqual({"192.0.2.1"}, {host["addresses"][0] for host in found["hosts"]})

    def test_an_old_server_is_asked_without_edns(self):
        self.assertEqual(GOOD, summary(self.ask(dns_server.without_edns)))

    def test_a_packet_that_is_lost_is_sent_again(self):
        self.assertEqual(GOOD, summary(self.ask(dns_server.LosesFirst(), timeout=200, tries=3)))

    def test_silence_is_a_timeout(self):
        found = self.ask(dns_server.dead, **SHORT)
        self.assertEqual("timeout", found["fault"])
        self.assertEqual("the MX record of example.com can't be looked up: the resolver did not answer in time",
                         found["text"])

    def test_a_slow_server_is_waited_for_within_the_deadline(self):
        self.assertEqual(GOOD, summary(self.ask(dns_server.slow(0.3), timeout=5000)))
        self.assertEqual("timeout", summary(self.ask(dns_server.slow(30), timeout=5000, tries=1, deadline=300)))

    def test_a_closed_port_is_no_answer_either(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
            reserved.bind(("127.0.0.1", 0))
            closed = f"127.0.0.1:{reserved.getsockname()[1]}"
        found = route(closed, "example.com", timeout=5000)
        self.assertEqual("dns-failure", found["fault"])
        self.assertIn("can't be looked up now", found["text"])

    def test_trouble_is_named_and_never_taken_for_no_such_domain(self):
        for manner, fault in ((dns_server.says(dns_server.SERVFAIL), "dns-failure"),
                              (dns_server.says(dns_server.REFUSED), "dns-failure"),
                              (dns_server.bogus, "dnssec-invalid"),
                              (dns_server.says(dns_server.NXDOMAIN), "no-such-name"),
                              (dns_server.further_records, "no-address")):
            self.assertEqual(fault, self.ask(manner)["fault"])

    def test_answers_that_cannot_be_read_are_no_answers(self):
        for manner in (dns_server.rubbish, dns_server.pointer_loop, dns_server.compression_bomb,
                       dns_server.truncated_for_ever, dns_server.truncated_then_hangs_up):
            with self.subTest(manner=manner.__name__):
                self.assertIn(self.ask(manner, **SHORT)["fault"], ("dns-failure", "timeout"))

    def test_aliases_end_or_are_given_up(self):
        zone = {**ZONE, "alias.example CNAME": ["b.example"], "b.example CNAME": ["example.com"],
                "round.example CNAME": ["about.example"], "about.example CNAME": ["round.example"]}
        self.assertEqual(GOOD, summary(self.ask(dns_server.honest, "alias.example", zone)))
        self.assertEqual("alias-loop", summary(self.ask(dns_server.honest, "round.example", zone)))

    def test_the_forms_of_a_domain(self):
        zone = {**ZONE, "bare.example A": ["192.0.2.9"], "null.example MX": ["0 ."],
                "xn--bcher-kva.example MX": ["1 mx1.example.com"], "literal.example MX": ["1 192.0.2.8"],
                "broken.example MX": ["10 gone.example.com", "20 mx1.example.com"]}
        expected = {
            "bare.example": "implicit-mx 0 bare.example 192.0.2.9",
            "null.example": "null-mx",
            "b\u00fccher.example": "mx 1 mx1.example.com 192.0.2.1 2001:db8::1",
            "[mx2.example.com]:587": "host 0 mx2.example.com 192.0.2.2 192.0.2.3",
            "[192.0.2.77]": "literal 0 192.0.2.77 192.0.2.77",
            "literal.example": "mx 1 192.0.2.8 192.0.2.8",
            "broken.example": "mx 10 gone.example.com no-such-name, 20 mx1.example.com 192.0.2.1 2001:db8::1",
            "nowhere.example": "no-such-name",
        }
        with DnsServer(zone) as server:
            found = routes(server.setting, *expected)
        self.assertEqual(list(expected.values()), [summary(each) for each in found])

    def test_one_domain_in_trouble_leaves_the_others_alone(self):
        zone = dict(ZONE)
        zone["slow.example MX"] = ["10 mx1.example.com"]
        zone.update({f"good{i}.example MX": ["10 mx1.example.com"] for i in range(200)})
        with DnsServer(zone, {"dead.example": dns_server.dead, "slow.example": dns_server.slow(0.2)}) as server:
            names = [f"good{i}.example" for i in range(200)]
            found = routes(server.setting, "dead.example", *names, "slow.example", timeout=1000, deadline=3000)
        self.assertEqual("timeout", summary(found[0]))
        self.assertEqual({"mx 10 mx1.example.com 192.0.2.1 2001:db8::1"}, {summary(each) for each in found[1:]})


if __name__ == "__main__":
    unittest.main()
