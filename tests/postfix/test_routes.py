"""Where mail goes by DNS: our route beside the hosts and addresses that Postfix's posttls-finger tries."""

import importlib.util
import os
import re
import subprocess
import unittest

from run import ROOT, SPOOL


def load(name):
    """A module of tests/dns; this folder has a dns_server of its own."""
    spec = importlib.util.spec_from_file_location(f"dns_{name}", os.path.join(ROOT, "tests", "dns", f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scripted_dns = load("dns_server")
route = load("route").route

ZONE = {
    "example.com MX": ["20 mx2.example.com", "10 mx1.example.com"],
    "mx1.example.com A": ["192.0.2.1"],
    "mx1.example.com AAAA": ["2001:db8::1"],
    "mx2.example.com A": ["192.0.2.2", "192.0.2.3"],
    "bare.example A": ["192.0.2.9"],
    "null.example MX": ["0 ."],
    "halfnull.example MX": ["0 .", "10 mx1.example.com"],
    "literal.example MX": ["1 192.0.2.8"],
    "alias.example CNAME": ["b.example"],
    "b.example MX": ["10 mx2.example.com"],
    "aliasmx.example MX": ["10 www.example"],
    "www.example CNAME": ["mx2.example.com"],
    "broken.example MX": ["10 gone.example", "20 mx2.example.com"],
    "allgone.example MX": ["10 gone.example"],
    "underscore.example MX": ["10 a_b.example"],
    "a_b.example A": ["192.0.2.4"],
    "malformed.example MX": ["10 a b.example", "20 mx2.example.com"],
    "allmalformed.example MX": ["10 a b.example"],
    "round.example CNAME": ["about.example"],
    "about.example CNAME": ["round.example"],
    "half.example MX": ["10 half-mx.example"],
    "half-mx.example A": ["192.0.2.5"],
}
MANNERS = {
    "servfail.example": scripted_dns.says(scripted_dns.SERVFAIL),
    "half-mx.example": lambda query, truth, _transport: [
        truth if query.kind == "A" else query.reply(scripted_dns.SERVFAIL)],
}
# What posttls-finger says where we name a fault.
FAULTS = {
    "no-such-name": "Host not found$",
    "no-address": "Host found but no data record of requested type$",
    "null-mx": r"does not accept mail \(nullMX\)$",
    "alias-loop": "Name server loop for",
    "dns-failure": "Host not found, try again$",
    "not-a-name": "Destination address lookup failed",
}
NEXT_HOPS = ("example.com", "bare.example", "null.example", "halfnull.example", "literal.example", "alias.example",
             "aliasmx.example", "broken.example", "allgone.example", "underscore.example", "malformed.example",
             "allmalformed.example", "round.example", "half.example", "nowhere.example", "servfail.example",
             "[mx1.example.com]", "[mx2.example.com]", "[gone.example]", "[192.0.2.7]")


def tried_by_postfix(next_hop, config):
    """(the set of HOST[ADDRESS] that it connects to, what it says)"""
    done = subprocess.run(["posttls-finger", "-c", "-t", "5", "-l", "may", next_hop], text=True, check=False, timeout=120,
                          capture_output=True, env={**os.environ, "MAIL_CONFIG": config})
    said = done.stdout + done.stderr
    return set(re.findall(r": connect to (\S+\[\S+\]):25: ", said)), said


class Routes(unittest.TestCase):
    def test_our_route_is_the_one_that_postfix_takes(self):
        config = os.path.join(SPOOL, "finger")
        os.makedirs(config, exist_ok=True)
        with open(os.path.join(config, "main.cf"), "w", encoding="ascii") as file:
            file.write("compatibility_level = 3.6\ninet_protocols = all\n")
        with scripted_dns.DnsServer(ZONE, MANNERS, port=53):
            for next_hop in NEXT_HOPS:
                with self.subTest(next_hop=next_hop):
                    ours = route("127.0.0.1", next_hop)
                    tried, said = tried_by_postfix(next_hop, config)
                    self.assertEqual(tried, {f"{host['host']}[{address}]" for host in ours["hosts"]
                                             for address in host["addresses"]}, said)
                    self.assertEqual(not tried, bool(ours["fault"]), ours)
                    if ours["fault"]:
                        self.assertRegex(said, re.compile(FAULTS[ours["fault"]], re.M), ours)

    def test_the_ad_bit_of_a_server_elsewhere_counts_where_the_admin_says_so_alone(self):
        with scripted_dns.DnsServer(ZONE, address="203.0.113.53") as server:
            for trust, expected in (("", False), (" trust-ad", True)):
                found = route(server.setting + trust, "example.com")
                self.assertEqual([expected] * 3, [found["is_secure"], *(host["is_secure"] for host in found["hosts"])])
