#!/usr/bin/env python3
"""Many connections, or too few descriptors: those who are served stay served."""
import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
import unittest

from daemon import Daemon
from oracle import Oracle, strict_rows
from processes import SANITIZED, SLOWNESS, check_figure, cpu_seconds, plain_build_only, status_of, wait_until
from socketmap import Client, make_socket

IDLE = 10_000
# A sanitizer pads and keeps what is freed.
MOST_KILOBYTES = 20.0 if SANITIZED else 2.0
ROWS, ALLOWED = strict_rows(20)

# The idle peers live in a process of their own: both sides need a descriptor for each.
IDLE_PEERS = """
import resource, sys
from socketmap import Client
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
peers = [Client(sys.argv[1]) for _ in range(int(sys.argv[2]))]
answers = {peer.ask("d0.strict.example") for peer in peers}
print(answers, flush=True)
sys.stdin.readline()
print({peer.ask("d0.strict.example") for peer in peers}, flush=True)
sys.stdin.readline()
"""


@contextlib.contextmanager
def idle_peers(address, count=IDLE):
    peers = subprocess.Popen([sys.executable, "-B", "-c", IDLE_PEERS, address, str(count)],
                             cwd=os.path.dirname(os.path.abspath(__file__)), text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield peers
    finally:
        peers.kill()
        peers.wait()
        peers.stdin.close()
        peers.stdout.close()


class IdleConnections(unittest.TestCase):
    def check(self, address_of):
        with Daemon(ROWS, stall_timeout=1) as daemon:
            answer = daemon.role("answer")
            before = status_of(answer, "VmRSS")
            with idle_peers(address_of(daemon)) as peers:
                self.assertEqual("{'OK encrypt'}\n", peers.stdout.readline())
                wait_until(lambda: daemon.status()["answer"]["connections"] >= IDLE, "all are counted")
                cost = (status_of(answer, "VmRSS") - before) / IDLE
                with Oracle(daemon, ALLOWED) as oracle:
                    oracle.settle(20)
                # Nobody was hung up on for being idle.
                peers.stdin.write("\n")
                peers.stdin.flush()
                self.assertEqual("{'OK encrypt'}\n", peers.stdout.readline())
            print(f"{address_of(daemon).split(':')[0]}: {cost:.2f} kB for an idle connection, "
                  f"{oracle.slowest * 1000:.1f} ms the slowest answer beside {IDLE}", file=sys.stderr)
            self.assertLessEqual(cost, MOST_KILOBYTES)

    def test_ten_thousand_idle_tcp_connections_cost_two_kilobytes_each_and_disturb_nobody(self):
        self.check(lambda daemon: daemon.tcp)

    def test_ten_thousand_idle_unix_connections_cost_two_kilobytes_each_and_disturb_nobody(self):
        self.check(lambda daemon: daemon.unix)


class Bursts(unittest.TestCase):
    def check(self, address, answer, while_stopped):
        """Connects as Postfix does, without blocking: a full queue of a unix socket would be an error."""
        if while_stopped:
            os.kill(answer, signal.SIGSTOP)
        with contextlib.ExitStack() as stack:
            sockets = []
            try:
                for _ in range(500):
                    one, where = make_socket(address)
                    stack.enter_context(one)
                    one.setblocking(False)
                    with contextlib.suppress(BlockingIOError if address.startswith("inet") else ()):
                        one.connect(where)
                    sockets.append(one)
            finally:
                os.kill(answer, signal.SIGCONT)
            began = time.monotonic()
            for one in sockets:
                one.settimeout(20)
                one.sendall(b"24:policy d0.strict.example,")
            for one in sockets:
                self.assertEqual(b"10:OK encrypt,", one.recv(100))
            check_figure("all are answered after", time.monotonic() - began, 2.0)

    def test_a_burst_of_500_connects_is_taken(self):
        with Daemon(ROWS) as daemon:
            for address in (daemon.tcp, daemon.unix):
                for while_stopped in (False, True):
                    with self.subTest(address=address, while_stopped=while_stopped):
                        self.check(address, daemon.role("answer"), while_stopped)


class FewDescriptors(unittest.TestCase):
    def check_pressure(self, daemon, clients, waiting):
        """With `waiting` connects pending, `clients` are answered, idly as far as the processor goes."""
        answer = daemon.role("answer")
        with contextlib.ExitStack() as stack:
            late = [stack.enter_context(Client(daemon.tcp)) for _ in range(waiting)]
            for client in late:
                client.send(b"24:policy d0.strict.example,")
            before, began = cpu_seconds(answer), time.monotonic()
            while time.monotonic() - began < 2.0:
                for client in clients:
                    self.assertEqual("OK encrypt", client.ask("d0.strict.example"))
                time.sleep(0.2)
            used = (cpu_seconds(answer) - before) / (time.monotonic() - began)
            self.assertLessEqual(used, 0.05 * SLOWNESS)
            # Those who waited are served as soon as others go.
            for client in clients:
                client.close()
            for client in late:
                self.assertEqual("OK encrypt", client.read_reply())
                client.close()

    def test_with_64_descriptors_those_who_are_in_are_answered_and_the_others_wait(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        with Daemon(ROWS, preexec=few) as daemon:
            clients = [daemon.client() for _ in range(25)]
            self.check_pressure(daemon, clients, 40)
            self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))
            self.assertEqual(1, daemon.log().count("accepting pauses"))

    @plain_build_only  # UBSan opens a pipe to look at an object; without a descriptor it sees faults
    def test_a_limit_that_shrinks_under_a_running_daemon_is_survived(self):
        with Daemon(ROWS) as daemon:
            answer = daemon.role("answer")
            clients = [daemon.client() for _ in range(25)]
            for client in clients:
                client.ask("d0.strict.example")
            used = len(os.listdir(f"/proc/{answer}/fd"))
            resource.prlimit(answer, resource.RLIMIT_NOFILE, (used, used))
            self.check_pressure(daemon, clients, 40)
            self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))


if __name__ == "__main__":
    unittest.main()
