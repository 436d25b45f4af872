"""RELIABILITY 34 and 35: peers that send byte by byte, or never read, on both protocols; the others don't notice."""
import contextlib
import select
import time
import unittest

from daemon import Daemon
from processes import SANITIZED, SLOWNESS, check_figure, plain_build_only, status_of, wait_until
from socketmap import Peer, PolicyClient, frame

ROWS = (("required.example", "required"),)
PEERS = 40
# None of them is complete before its sender is hung up on.
ENDLESS_FRAME = frame("policy ".ljust(15_000, "x"))
ENDLESS_ATTRIBUTES = b"request=smtpd_access_policy\nsender=" + b"x" * 15_000 + b"\n\n"
REQUEST = b"request=smtpd_access_policy\nsender=a@b.example\n\n"


class Slow(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon(ROWS, policyd=True, stall_timeout=1))
        self.asking = self.enterContext(self.daemon.client())
        self.checking = self.enterContext(PolicyClient(self.daemon.policyd))
        self.slowest = 0.0

    def tearDown(self):
        check_figure("the slowest answers to others", self.slowest, 0.2)

    def check_others(self):
        began = time.monotonic()
        self.assertEqual("OK encrypt", self.asking.ask("required.example"))
        self.checking.send(REQUEST)
        self.assertEqual(["action=DUNNO"], self.checking.read_action())
        self.slowest = max(self.slowest, time.monotonic() - began)

    def hung_up(self, peer):
        poll = select.poll()
        poll.register(peer.socket, select.POLLIN)
        return any(event & (select.POLLHUP | select.POLLERR | select.POLLIN) for _, event in poll.poll(0))

    def drip(self, address, request):
        """A byte from each peer in turn, until all are hung up on; how many bytes the luckiest sent."""
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(Peer(address)) for _ in range(PEERS)]
            sent = 0

            def drip_once():
                nonlocal sent
                for peer in [peer for peer in peers if not self.hung_up(peer)]:
                    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                        peer.send(request[sent:sent + 1])
                sent += 1
                self.check_others()
                time.sleep(0.02)
                return all(map(self.hung_up, peers))

            wait_until(drip_once, "all that send byte by byte are hung up on", 20 * SLOWNESS)
            for peer in peers:
                self.assertEqual(b"", peer.read_rest(), "an answer to half a request")
        return sent

    def check_dripping(self, address, request):
        before = self.daemon.status()["answer"]["malformed"]
        self.assertLess(self.drip(address, request), len(request))
        self.check_others()
        self.assertEqual(before, self.daemon.status()["answer"]["malformed"], "slow, not malformed")

    def test_frames_byte_by_byte_over_tcp(self):
        self.check_dripping(self.daemon.tcp, ENDLESS_FRAME)

    def test_frames_byte_by_byte_over_a_unix_socket(self):
        self.check_dripping(self.daemon.unix, ENDLESS_FRAME)

    def test_attributes_byte_by_byte(self):
        self.check_dripping(self.daemon.policyd, ENDLESS_ATTRIBUTES)

    @plain_build_only
    def test_half_requests_cost_what_they_hold(self):
        answer = self.daemon.role("answer")
        with contextlib.ExitStack() as stack:
            before = status_of(answer, "VmRSS")
            for request, address in ((ENDLESS_FRAME, self.daemon.tcp), (ENDLESS_ATTRIBUTES, self.daemon.policyd)):
                for _ in range(PEERS):
                    stack.enter_context(Peer(address)).send(request[:2_000])
            self.check_others()
            self.assertLess(status_of(answer, "VmRSS") - before, 1024)  # kB, for 160 kB of halves

    def test_a_policy_client_that_never_reads_is_dropped(self):
        answer = self.daemon.role("answer")
        before = status_of(answer, "VmRSS")
        with PolicyClient(self.daemon.policyd) as client:
            client.socket.setblocking(False)
            quiet_since = time.monotonic()
            while time.monotonic() - quiet_since < 0.1:
                try:
                    client.socket.send(REQUEST * 500)
                    quiet_since = time.monotonic()
                except BlockingIOError:
                    self.check_others()
                    time.sleep(0.005)
                except (BrokenPipeError, ConnectionResetError):
                    break
            poll = select.poll()
            poll.register(client.socket, 0)
            wait_until(lambda: any(event & select.POLLHUP for _, event in poll.poll(0)), "it is hung up on", 20 * SLOWNESS)
        self.assertLess(status_of(answer, "VmRSS") - before, (64 if SANITIZED else 1) * 1024)
        self.check_others()

    def test_policy_clients_that_owe_nothing_are_kept(self):
        with PolicyClient(self.daemon.policyd) as slow:
            slow.send(REQUEST[:10])
            self.assertEqual(b"", slow.read_rest())
        self.check_others()  # idle for longer than the stalled one


if __name__ == "__main__":
    unittest.main()
