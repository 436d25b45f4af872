#!/usr/bin/env python3
"""Sockets that somebody else holds (sd_listen_fds(3)), and the whole daemon replaced between two lookups."""
import contextlib
import fcntl
import os
import socket
import unittest

from daemon import Daemon
from oracle import NOT_FOUND, Oracle, strict_rows
from socketmap import PolicyClient, make_socket

ROWS, STRICT = strict_rows(20)
ALLOWED = {**STRICT, "absent.example": {NOT_FOUND}}
FIRST_PASSED = 3
FIRST_HELD = 100  # out of the way of the descriptors that are passed


class Holder:
    """Listening sockets that outlive daemons, by name. Use as a context."""

    def __init__(self, **addresses):
        self._addresses = addresses
        self._held = contextlib.ExitStack()
        self.sockets = {}

    def __enter__(self):
        for name, address in self._addresses.items():
            listener, where = make_socket(address)
            with listener:
                listener.bind(where)
                listener.listen(socket.SOMAXCONN)
                held = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD, FIRST_HELD)
            self.sockets[name] = self._held.enter_context(socket.socket(fileno=held))
            os.set_inheritable(held, True)
        return self

    def __exit__(self, *_):
        self._held.close()

    def command(self):
        """What to put before the program so that it is started as a service manager would."""
        moves = " ".join(f"{FIRST_PASSED + at}<&{held.fileno()} {held.fileno()}<&-"
                         for at, held in enumerate(self.sockets.values()))
        variables = f"LISTEN_FDS={len(self.sockets)} LISTEN_FDNAMES={':'.join(self.sockets)}"
        return ["/bin/bash", "-c", f'exec {moves}; {variables} LISTEN_PID=$$ exec "$@"', "holder"]


class PassedSockets(unittest.TestCase):
    def test_the_whole_daemon_is_replaced_and_no_connection_is_refused(self):
        with Daemon(ROWS, start=False) as daemon, \
                Holder(tlsmap=daemon.tcp, **{"tlsmap-unix": daemon.unix}) as holder:
            daemon.start(holder.command())
            with Oracle(daemon, ALLOWED, connections=8) as oracle:
                for _ in range(5):
                    daemon.stop()
                    self.assertTrue(os.path.exists(daemon.path("tlsmap.sock")), "it isn't the daemon's to remove")
                    daemon.start(holder.command())
                    oracle.settle()
            self.assertGreaterEqual(oracle.reconnects, 5 * 8)

    def test_a_killed_daemon_is_replaced_and_no_connection_is_refused(self):
        with Daemon(ROWS, start=False) as daemon, \
                Holder(tlsmap=daemon.tcp, **{"tlsmap-unix": daemon.unix}) as holder:
            daemon.start(holder.command())
            with Oracle(daemon, ALLOWED) as oracle:
                for _ in range(3):
                    daemon.process.kill()
                    daemon.process.wait()
                    daemon.start(holder.command())
                    oracle.settle()

    def test_the_new_one_may_start_before_the_old_one_ends(self):
        with Daemon(ROWS, start=False) as daemon, \
                Holder(tlsmap=daemon.tcp, **{"tlsmap-unix": daemon.unix}) as holder:
            daemon.start(holder.command())
            with Oracle(daemon, ALLOWED) as oracle:
                for turn in range(3):
                    old = daemon.process
                    daemon.configure(control_socket=daemon.path(f"control{turn}.sock"))
                    daemon.start(holder.command())
                    oracle.settle()
                    old.terminate()
                    self.assertEqual(0, old.wait(20))
                    oracle.settle()

    def test_a_socket_is_taken_by_its_name(self):
        with Daemon(ROWS, start=False, tlsmap_listen="systemd:maps", policyd_listen="systemd:checks") as daemon, \
                Holder(maps=daemon.tcp, checks=daemon.policyd) as holder:
            daemon.start(holder.command())
            self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))
            with PolicyClient(daemon.policyd) as client:
                client.send(b"request=smtpd_access_policy\n\n")
                self.assertEqual(["action=DUNNO"], client.read_action())

    def test_a_socket_of_an_unknown_name_is_refused(self):
        with Daemon(ROWS, start=False) as daemon, Holder(other=f"unix:{daemon.path('other.sock')}") as holder:
            daemon.start(holder.command(), ready=False)
            self.assertNotEqual(0, daemon.process.wait(20))
            self.assertIn('"other"', daemon.log())
            daemon.process = None

    def test_sockets_meant_for_another_process_are_left_alone(self):
        with Daemon(ROWS, environment={"LISTEN_FDS": "2", "LISTEN_PID": "1"}) as daemon:
            self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))


if __name__ == "__main__":
    unittest.main()
