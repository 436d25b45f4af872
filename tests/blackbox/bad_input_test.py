#!/usr/bin/env python3
"""Bytes that no Postfix sends: hung up on or looked up as they stand, and never anybody else's trouble."""
import select
import socket
import time
import unittest

from daemon import Daemon
from processes import SANITIZED, check_figure, plain_build_only, status_of, wait_until
from socketmap import frame

ROWS = (("required.example", "required"), ("*", "opportunistic"))
GOOD = frame("policy required.example")
GOOD_REPLY = frame("OK encrypt")
LARGEST_FRAME = 16000


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(ROWS, stall_timeout=1)
        cls.enterClassContext(cls.daemon)

    def check_others(self):
        self.assertEqual("OK encrypt", self.daemon.ask("required.example"))


class MalformedFrames(BadInput):
    def test_a_malformed_frame_is_hung_up_on_without_a_reply(self):
        for data in (b"99999:" + b"x" * 64, b"16001:policy a,", b"-1:,", b"-5:policy,", b"+5:policy,",
                     b"023:policy required.example,", b"00:,", b"x", b":policy a,", b" 8:policy a,",
                     b"8 :policy a,", b"0x8:policy a,", b"8;policy a,", b"8:policy aX", b"7:policy a,",
                     b"5368709120:policy a,", b"18446744073709551617:a,", b"4294967304:policy a,", b"\0", b"\n",
                     b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                     b"EHLO client.example\r\n", b"policy required.example\n"):
            for address in (self.daemon.tcp, self.daemon.unix):
                with self.subTest(data=data[:40], address=address), self.daemon.client(address) as client:
                    client.send(data)
                    self.assertEqual(b"", client.read_rest())
        self.check_others()

    def test_what_came_before_a_malformed_frame_is_answered_and_nothing_after_it(self):
        with self.daemon.client() as client:
            client.send(GOOD * 3 + b"oops" + GOOD)
            self.assertEqual(GOOD_REPLY * 3, client.read_rest())

    def test_each_frame_up_to_the_limit_is_answered_and_none_beyond_it(self):
        for size in (10_000, LARGEST_FRAME - 7):
            with self.subTest(size=size), self.daemon.client() as client:
                payload = "policy ".ljust(size, "x")
                self.assertEqual("NOTFOUND ", client.ask_bytes(payload))
        with self.daemon.client() as client:
            client.send(frame("policy ".ljust(LARGEST_FRAME, "x")))
            self.assertEqual(b"", client.read_rest())

    @plain_build_only
    def test_a_claimed_length_costs_no_memory(self):
        answer = self.daemon.role("answer")
        before = status_of(answer, "VmRSS")
        with self.daemon.client() as waiting:
            waiting.send(b"15000:p")
            for _ in range(200):
                with self.daemon.client() as client:
                    client.send(b"5368709120:" + b"x" * 1000)
                    self.assertEqual(b"", client.read_rest())
            self.assertLess(status_of(answer, "VmRSS") - before, 512)

    def test_an_unterminated_frame_is_waited_for_and_then_hung_up_on(self):
        for data in (b"2", b"23:", b"23:policy required", b"23:policy required.example"):
            with self.subTest(data=data), self.daemon.client() as client:
                client.send(data)
                self.check_others()
                self.assertEqual(b"", client.read_rest())

    def test_a_connection_that_owes_nothing_is_kept(self):
        with self.daemon.client() as idle:
            self.assertEqual("OK encrypt", idle.ask("required.example"))
            with self.daemon.client() as stalled:
                stalled.send(b"23:policy")
                self.assertEqual(b"", stalled.read_rest())
            self.assertEqual("OK encrypt", idle.ask("required.example"))


class OddKeys(BadInput):
    def check_not_found(self, *requests):
        with self.daemon.client() as client:
            for request in requests:
                with self.subTest(request=request[:60]):
                    self.assertEqual("NOTFOUND ", client.ask_bytes(request))
            self.assertEqual("OK encrypt", client.ask("required.example"))

    def test_an_empty_key_is_not_found(self):
        self.check_not_found(b"policy ", b"policy", b"strict ", b"outcome ", b"transport")

    def test_nul_and_control_bytes_never_shorten_a_key_into_another(self):
        self.check_not_found(*(b"policy required.example" + tail for tail in (
            b"\0", b"\0.example", b"\n", b"\r\n", b"\x01", b"\x7f", b"\t", b" ", b"\x1b[2J")),
            b"policy \0required.example", b"policy  required.example", b"policy \nrequired.example")

    def test_bytes_that_are_not_utf_8_are_not_found(self):
        self.check_not_found(*(b"policy " + key for key in (
            b"\xff\xfe.example", b"\xc3.example", b"\xc0\xaf.example", b"\xed\xa0\x80.example", b"m\xfcnchen.example")))

    def test_names_that_are_too_long_are_not_found(self):
        label = b"x" * 60 + b"."
        self.check_not_found(b"policy " + b"x" * 300, b"policy " + label * 5, b"policy " + b"x" * 64 + b".example",
                             b"policy [" + label * 5 + b"]:25", b"policy " + b"." * 300, b"policy " + b"a." * 5000)

    def test_an_unknown_map_name_is_quoted_as_printable_text_alone(self):
        with self.daemon.client() as client:
            for name in (b"\x1b[2J", b"a\nb", b"\0", b"\xff\xfe", b"x" * 5000, '"; DROP'.encode(), "größe".encode()):
                with self.subTest(name=name[:20]):
                    reply = client.ask_bytes(name + b" required.example")
                    self.assertTrue(reply.startswith("PERM "), reply)
                    self.assertTrue(reply.isascii() and reply.isprintable(), reply)
                    self.assertLessEqual(len(reply), 300)
            self.assertEqual("OK encrypt", client.ask("required.example"))


class OddPackets(BadInput):
    def test_a_request_may_be_split_at_every_byte(self):
        for address in (self.daemon.tcp, self.daemon.unix):
            with self.daemon.client(address) as client:
                if address == self.daemon.tcp:
                    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for at in range(1, len(GOOD)):
                    client.send(GOOD[:at])
                    self.check_others()  # the first part has been read by then
                    client.send(GOOD[at:])
                    self.assertEqual("OK encrypt", client.read_reply(), at)
                for at in range(len(GOOD)):
                    client.send(GOOD[at:at + 1])
                self.assertEqual("OK encrypt", client.read_reply())

    def test_a_hundred_requests_in_a_packet_are_answered_in_order(self):
        requests = [(f"policy {'required' if at % 3 else 'other'}.example" if at % 7 else f"map{at} key")
                    for at in range(100)]
        expected = [("OK encrypt" if at % 3 else "OK may") if at % 7 else f'PERM unknown map name "map{at}"'
                    for at in range(100)]
        with self.daemon.client() as client:
            client.send(b"".join(map(frame, requests)))
            replies = [client.read_reply() for _ in requests]
        self.assertEqual(expected, [reply.split(";")[0] for reply in replies])

    def test_a_peer_that_closes_its_side_after_asking_is_answered(self):
        with self.daemon.client() as client:
            client.send(GOOD * 10)
            client.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(GOOD_REPLY * 10, client.read_rest())


class PeersThatNeverRead(BadInput):
    def fill(self, client):
        """Sends requests until neither side takes any more."""
        client.socket.setblocking(False)
        sent, quiet_since = 0, time.monotonic()
        while time.monotonic() - quiet_since < 0.1:
            try:
                sent += client.socket.send(GOOD * 1000)
                quiet_since = time.monotonic()
            except BlockingIOError:
                time.sleep(0.005)
            except (BrokenPipeError, ConnectionResetError):
                break
        return sent

    def hung_up(self, client):
        poll = select.poll()
        poll.register(client.socket, 0)
        return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))

    def test_a_peer_that_never_reads_is_dropped_and_nobody_else_notices(self):
        answer = self.daemon.role("answer")
        before = status_of(answer, "VmRSS")
        for address in (self.daemon.tcp, self.daemon.unix):
            with self.subTest(address=address), self.daemon.client(address) as client:
                self.assertGreater(self.fill(client), len(GOOD) * 1000)
                with self.daemon.client() as other:
                    began = time.monotonic()
                    for _ in range(200):
                        self.assertEqual("OK encrypt", other.ask("required.example"))
                    check_figure("200 answers to another peer", time.monotonic() - began, 0.2)
                wait_until(lambda: self.hung_up(client), "the peer that never reads is hung up on")
        # 64 KiB of replies and a request each, whatever was sent.
        self.assertLess(status_of(answer, "VmRSS") - before, (64 if SANITIZED else 1) * 1024)  # a sanitizer keeps what is freed

    def test_a_peer_that_reads_slowly_gets_every_reply(self):
        with self.daemon.client() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.socket.setblocking(False)
            wanted, sent, got = GOOD * 20_000, 0, 0
            while got < 20_000 * len(GOOD_REPLY):
                readable, writable, _ = select.select([client.socket], [client.socket][:sent < len(wanted)], [], 10)
                self.assertTrue(readable or writable, f"stuck after {got} bytes")
                if writable:
                    sent += client.socket.send(wanted[sent:sent + 50_000])
                if readable:
                    piece = client.socket.recv(3000)
                    self.assertTrue(piece, f"hung up after {got} bytes")
                    got += len(piece)


if __name__ == "__main__":
    unittest.main()
