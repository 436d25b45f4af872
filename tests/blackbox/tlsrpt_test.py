#!/usr/bin/env python3
"""The TLSRPT socket: datagrams as Postfix sends them, as a forger would, and too many of them."""
import grp
import json
import os
import pwd
import socket
import stat
import unittest

from daemon import Daemon
from evidence import counted, wait_for_status, wait_until_counted
from processes import SLOWNESS, status_of, wait_until

ROWS = [("peer.test", "opportunistic")]
ROOT = os.geteuid() == 0


def datagram(domain="peer.test", code=None, **more):
    failure = {} if code is None else {"failure-details": [
        {"c": code, "s": "198.51.100.7", "n": "mx1.peer.test", "h": "250-mx1.peer.test\r\n250 STARTTLS",
         "r": "192.0.2.10", "f": "tls-handshake-failure"}]}
    failed = int(code is not None)
    return json.dumps({"dpv": "1", "d": domain, "pr": "v=TLSRPTv1; rua=mailto:r@peer.test", "policies": [
        {"policy-type": 9, "policy-domain": domain, **failure, "t": failed, "f": failed}], **more}).encode()


class Reported(Daemon):
    def __init__(self, rows=ROWS, uid=None, **settings):
        super().__init__(rows, evidence_uid=os.geteuid() if uid is None else uid, **settings)
        self.socket = self.path("tlsrpt.sock")
        self.configure(tlsrpt_socket=self.socket)

    def report(self, *datagrams):
        """Each sent as Postfix does, by a socket of its own; waits for room, unlike Postfix."""
        for each in datagrams:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_000_000)
                sender.sendto(each, self.socket)


class Datagrams(unittest.TestCase):
    def test_a_trusted_success_raises_the_answer(self):
        with Reported() as daemon:
            self.assertEqual({"answer", "store", "ingest"}, set(daemon.roles()))
            daemon.report(datagram())
            wait_until_counted(daemon, 1, "source = 'tlsrpt' AND destination = 'peer.test' AND security = 'encrypted' "
                               "AND trusted = 1")
            daemon.wait_until_answers("peer.test", "OK encrypt")

    def test_a_strangers_word_is_counted_and_changes_nothing(self):
        with Reported(uid=os.geteuid() + 4711) as daemon:
            daemon.report(datagram())
            wait_until_counted(daemon, 1, "source = 'tlsrpt' AND trusted = 0")
            wait_for_status(daemon, datagrams=1, datagrams_untrusted=1)
            self.assertEqual("OK may", daemon.ask("peer.test"))

    def test_a_failure_alone_starts_nothing(self):
        with Reported() as daemon:
            daemon.report(datagram(code=205))
            wait_until_counted(daemon, 1, "cause = 'handshake-failure'")
            self.assertEqual("0", daemon.edit("SELECT count(*) FROM decision WHERE kind = 'downgrade';",
                                              daemon.path("state.db")).strip())

    def test_what_is_no_report_is_refused_and_counted(self):
        bad = (b"", b"{", b"\xff" * 100, b"[" * 60_000, b'{"d":' * 10_000, datagram("not a domain"), datagram("a_b.c"),
               datagram()[:-1] + b',"d":"other.test"}', datagram(x="y" * 65_536), datagram("*"), datagram("[1.2.3.4]"))
        with Reported() as daemon:
            daemon.report(*bad, datagram())
            wait_for_status(daemon, datagrams=len(bad) + 1, datagrams_refused=len(bad))
            wait_until_counted(daemon, 1)
            self.assertEqual("peer.test", counted(daemon, "destination"))

    def test_the_view_is_that_of_the_process_which_asked(self):
        with Reported() as daemon, daemon.client(daemon.unix) as client:
            client.ask("peer.test", "policy@tenant1")
            daemon.report(datagram())
            wait_until_counted(daemon, 1, "view = 'tenant1'")

    def test_a_flood_is_taken_without_loss_in_bounded_memory(self):
        number = 30_000 // SLOWNESS
        with Reported() as daemon:
            daemon.report(*[datagram()] * number)
            wait_until_counted(daemon, number)
            wait_for_status(daemon, datagrams=number, dropped=0)
            self.assertLess(status_of(daemon.role("ingest"), "VmHWM"), 40_000 * SLOWNESS)

    def test_datagrams_wait_for_a_role_that_is_started_again(self):
        with Reported() as daemon:
            killed = daemon.kill_role("ingest")
            daemon.report(datagram())
            daemon.role("ingest", other_than=killed)
            wait_until_counted(daemon, 1)


class TheSocket(unittest.TestCase):
    def test_it_has_the_configured_owner_group_and_mode_and_is_removed_in_the_end(self):
        # Whoever is not root can give it to nobody else.
        user = pwd.getpwnam("daemon") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        group = grp.getgrnam("mail") if os.geteuid() == 0 else grp.getgrgid(os.getegid())
        with Reported(socket_owner=user.pw_name, socket_group=group.gr_name, socket_mode="0620") as daemon:
            found = os.stat(daemon.socket)
            self.assertEqual((user.pw_uid, group.gr_gid, 0o620), (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)))
            daemon.stop()
            self.assertFalse(os.path.exists(daemon.socket))

    def test_a_stale_file_is_replaced_and_a_served_one_is_left_alone(self):
        with Reported(start=False) as daemon:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
                other.bind(daemon.socket)
                daemon.start(ready=False)
                self.assertEqual(69, daemon.process.wait(20))
                daemon.process = None
                self.assertIn("tlsrpt_socket: unix:", daemon.log())
                self.assertIn("another process serves it", daemon.log())
            daemon.start()
            daemon.report(datagram())
            wait_until_counted(daemon, 1)

    def test_the_socket_and_the_tee_must_differ(self):
        with Reported(start=False) as daemon:
            daemon.configure(tlsrpt_tee=daemon.socket)
            daemon.start(ready=False)
            self.assertEqual(78, daemon.process.wait(20))
            daemon.process = None
            self.assertIn("tlsrpt_tee: must not be the same file as tlsrpt_socket", daemon.log())


class TheTee(unittest.TestCase):
    def test_another_collector_gets_each_datagram_as_it_came(self):
        with Reported(start=False) as daemon, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(daemon.path("tee.sock"))
            other.settimeout(20)
            daemon.configure(tlsrpt_tee=daemon.path("tee.sock"))
            daemon.start()
            for each in (datagram(), b"no json at all", datagram(code=201)):
                daemon.report(each)
                self.assertEqual(each, other.recv(100_000))

    def test_a_full_or_missing_collector_holds_up_nobody(self):
        with Reported(start=False) as daemon, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            daemon.configure(tlsrpt_tee=daemon.path("tee.sock"))
            daemon.start()
            daemon.report(datagram())
            wait_for_status(daemon, tee_dropped=1)
            other.bind(daemon.path("tee.sock"))
            daemon.report(*[datagram()] * 2000)
            wait_until_counted(daemon, 2001)
            wait_until(lambda: daemon.status()["feedback"]["ingest"]["tee_dropped"] > 1000, "the rest is dropped")


if __name__ == "__main__":
    unittest.main()
