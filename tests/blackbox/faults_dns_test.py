#!/usr/bin/env python3
"""Faults 27 to 29: DNS that is dead, silent, slow, lossy or lying for `net` changes no answer and delays none.

Whatever the resolver does, all destinations are asked for, none of them comes to a probe or to evidence, and each
is put off: it comes again after the back-off, not at once.
"""
import socket
import unittest

from net_world import PORT, World, dns_server
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import SANITIZED, SLOWNESS, status_of, wait_until

COUNT = 40  # destinations, twice as many as are looked up at a time
ROWS, STRICT = strict_rows(20)
NAMES = [f"n{number}" for number in range(COUNT)]
LARGEST_GROWTH = (200_000 if SANITIZED else 20_000)  # kB of `net` while forty checks go wrong
LARGEST_DATAGRAM = 65_000


def largest_text(query, _truth, transport):
    """64 KiB of what nobody asked for."""
    if transport == "udp":
        return [query.reply(flags=dns_server.TC)]
    record = dns_server.encode_record(query.name, "TXT", dns_server.encode_data("TXT", "x" * (LARGEST_DATAGRAM - 1000)))
    return [query.reply(records=[record])]


class DnsFaults(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.peer = self.world.host("good")
        for name in NAMES:
            self.world.alias(name, "good")

    def daemon(self, **settings):
        return self.world.daemon([(name, "required") for name in NAMES], **settings)

    def hold(self, daemon, is_put_off=True):
        """All are asked for under load; the answers stay what they were, and the checks end."""
        daemon.edit("".join(f"INSERT INTO outbound(destination, profile) VALUES('{name}', '{profile}');"
                            for name, profile in ROWS))
        for name, _ in ROWS:
            daemon.wait_until_answers(name, *STRICT[name])
        daemon.wait_until_watched(COUNT + len(ROWS))
        net = daemon.role("net")
        before = status_of(net, "VmRSS")
        rows = {f"{name}.example:{PORT}": {"OK encrypt"} for name in NAMES}
        with Oracle(daemon, {**STRICT, **rows, "absent.example": {NOT_FOUND}}) as oracle:
            daemon.check_now(*NAMES)
            daemon.wait_until_checked(*NAMES, within=150)
            daemon.wait_for_net(checks=COUNT)
            wait_until(lambda: daemon.net("waiting") == 0, lambda: f"nothing waits: {daemon.net()}", 30 * SLOWNESS)
            oracle.settle()
            self.assertEqual(0, oracle.reconnects)
        found = daemon.net()
        # One of the other rows may have had its turn too.
        self.assertEqual(found["checks"] if is_put_off else 0, found["put_off"], found)
        self.assertLess(status_of(net, "VmRSS") - before, LARGEST_GROWTH)
        self.assertEqual(net, daemon.role("net"))
        if is_put_off:
            self.assertEqual((0, []), (found["probes"], self.peer.heard))
            self.assertEqual([], daemon.state_rows("SELECT 1 FROM destination_state;"))

    def assert_backed_off(self, daemon):
        """Asked again at once, nobody is: not even the resolver."""
        asked = len(self.world.dns.queries)
        daemon.check_now(*NAMES)
        self.world.dns.manners[""] = dns_server.honest
        self.world.dns.zone["late.example MX"] = ["10 mx.good.example"]
        daemon.check_now("late")
        daemon.wait_until_checked("late")  # which came after them
        self.assertEqual({f"{name}.example" for name in ("late", "mx.good")},
                         {name for name, _, _ in self.world.dns.queries[asked:] if "strict" not in name})

    def test_27_a_closed_port(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
            reserved.bind(("127.0.0.1", 0))
            closed = f"127.0.0.1:{reserved.getsockname()[1]}"
        with self.daemon(resolver=closed) as daemon:
            self.hold(daemon)

    def test_27_silence(self):
        self.world.dns.manners[""] = dns_server.dead
        with self.daemon() as daemon:
            self.hold(daemon)
            self.assert_backed_off(daemon)

    def test_28_answers_that_come_too_late(self):
        self.world.dns.manners[""] = dns_server.slow(7)
        with self.daemon() as daemon:
            self.hold(daemon)

    def test_28_half_of_all_packets_lost_delay_and_do_no_more(self):
        self.world.dns.manners[""] = dns_server.LosesFirst()
        with self.daemon() as daemon:
            self.hold(daemon, is_put_off=False)
            self.assertEqual(1, daemon.net("probes"))

    def test_28_truncated_and_no_way_by_tcp(self):
        self.world.dns.manners[""] = dns_server.truncated_then_hangs_up
        with self.daemon() as daemon:
            self.hold(daemon)

    def test_29_lies(self):
        for lie in (dns_server.bogus, dns_server.rubbish, dns_server.pointer_loop, dns_server.compression_bomb,
                    dns_server.says(dns_server.SERVFAIL), dns_server.only(dns_server.wrong_identity)):
            with self.subTest(lie=lie):
                self.world.dns.manners[""] = lie
                with self.daemon() as daemon:
                    self.hold(daemon)

    def test_29_forged_packets_before_the_truth_are_ignored(self):
        def forge(query, truth, transport):
            return [packet for lie in (dns_server.wrong_identity, dns_server.wrong_question, dns_server.wrong_port)
                    for packet in lie(query, truth, transport)[:-1]] + [truth]
        self.world.dns.manners[""] = forge
        with self.daemon() as daemon:
            self.hold(daemon, is_put_off=False)
            self.assertEqual({"mx.good.example"}, set(daemon.state_rows("SELECT hosts FROM probe;")))

    def test_29_names_that_lead_nowhere_are_an_answer(self):
        for name in NAMES:
            del self.world.dns.zone[f"{name}.example MX"]
            self.world.dns.zone[f"{name}.example CNAME"] = [f"round.{name}.example"]
            self.world.dns.zone[f"round.{name}.example CNAME"] = [f"{name}.example"]
        with self.daemon() as daemon:
            self.hold(daemon, is_put_off=False)
            self.assertEqual(0, daemon.net("probes"))
        for name in NAMES:
            self.world.dns.manners[f"{name}.example"] = largest_text
        with self.daemon() as daemon:
            self.hold(daemon, is_put_off=False)
            self.assertEqual(0, daemon.net("probes"))


if __name__ == "__main__":
    unittest.main()
