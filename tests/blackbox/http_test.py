#!/usr/bin/env python3
"""http_listen: health checks, requests good and bad, and who is not let in."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from daemon import BAD_CONFIG, BIN, Daemon, loopback_address
from handover_test import Holder
from http_client import Answer, connect, exchange, get, read_all
from http_daemon import Shown
from processes import SLOWNESS, wait_until


class Health(unittest.TestCase):
    def test_a_daemon_that_is_well_says_so(self):
        with Shown([("bank.example", "required")]) as daemon:
            for path in ("/healthz", "/readyz"):
                self.assertEqual((200, "ok\n"), ((answer := daemon.get(path)).status, answer.text))

    def test_without_a_policy_it_is_healthy_and_not_ready(self):
        with Shown(init=False) as daemon:
            daemon.wait_for("/healthz", 200)
            answer = daemon.wait_for("/readyz", 503)
            self.assertIn("No policy is in force", answer.text)
            self.assertEqual(200, daemon.get("/").status)
            daemon.ctl("init")
            daemon.wait_for("/readyz", 200)

    def test_a_dead_store_leaves_health_and_page(self):
        with Shown([("bank.example", "required")]) as daemon:
            self.assertEqual(200, daemon.get("/").status)
            store = daemon.role("store")
            for _ in range(3):
                os.kill(store, signal.SIGKILL)
                self.assertEqual((200, 200, 200), tuple(daemon.get(path).status for path in ("/healthz", "/", "/metrics")))
                store = daemon.role("store", other_than=store)

    def test_a_store_that_hangs_is_not_waited_for_and_its_last_word_is_shown_with_its_age(self):
        with Shown([("bank.example", "required")]) as daemon:
            self.assertEqual(200, daemon.get("/").status)
            store = daemon.role("store")
            os.kill(store, signal.SIGSTOP)
            try:
                age = ("tlspolicyd_overview_age_seconds", frozenset())
                wait_until(lambda: daemon.metrics()[age] >= 9, "the last figures grow old", 20 * SLOWNESS)
                self.assertEqual(200, daemon.get("/healthz").status)
                self.assertEqual(200, daemon.get("/").status)
            finally:
                os.kill(store, signal.SIGCONT)
            wait_until(lambda: daemon.metrics()[age] < 3, "they are fresh again", 20 * SLOWNESS)

    def test_an_answer_that_hangs_is_told(self):
        with Shown([("bank.example", "required")]) as daemon:
            answer = daemon.role("answer")
            os.kill(answer, signal.SIGSTOP)
            try:
                said = daemon.wait_for("/healthz", 503)
                self.assertIn("Role answer has been silent", said.text)
                self.assertEqual(503, daemon.get("/readyz").status)
            finally:
                os.kill(answer, signal.SIGCONT)
            daemon.wait_for("/healthz", 200)

    def test_a_killed_http_comes_back(self):
        with Shown([("bank.example", "required")]) as daemon:
            killed = daemon.kill_role("http")
            daemon.role("http", other_than=killed)
            daemon.wait_for("/healthz", 200)
            daemon.wait_for("/", 200)


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.daemon = cls.stack.enter_context(Shown([("bank.example", "required")]))

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def raw(self, text):
        return exchange(self.daemon.where, text.encode("latin-1"))

    def test_only_names_of_this_host_are_answered(self):
        port = self.daemon.where.rpartition(":")[2]
        for host in ("localhost", f"localhost:{port}", "127.0.0.1", f"127.0.0.1:{port}", "[::1]:9"):
            self.assertEqual(200, self.daemon.get("/metrics", host=host).status, host)
        for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", "192.0.2.1"):
            for path in ("/", "/metrics", "/healthz"):
                answer = self.daemon.get(path, host=host)
                self.assertEqual(421, answer.status, host)
                self.assertNotIn("bank", answer.text)
        self.assertEqual(421, self.daemon.get("http://evil.example/", host="localhost").status)
        self.assertEqual(400, self.daemon.get("/", host=None).status)
        self.assertEqual(200, self.daemon.get("/healthz", host=None, version="1.0").status)

    def test_nothing_is_changed_by_http(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            answer = self.daemon.get("/", method=method)
            self.assertEqual((405, "GET, HEAD"), (answer.status, answer.fields["allow"]))

    def test_head_has_the_fields_of_get_and_no_body(self):
        for path in ("/healthz", "/nothing"):
            of_get, of_head = self.daemon.get(path), self.daemon.get(path, method="HEAD")
            self.assertEqual((of_get.status, of_get.fields, b""), (of_head.status, of_head.fields, of_head.body))
        self.assertGreater(int(self.daemon.get("/", method="HEAD").fields["content-length"]), 1000)

    def test_every_answer_carries_the_fields_that_protect_a_browser(self):
        for path in ("/", "/metrics", "/healthz", "/nothing"):
            fields = self.daemon.get(path).fields
            self.assertTrue(fields["content-security-policy"].startswith("default-src 'none'"))
            self.assertEqual(("nosniff", "no-store", "no-referrer", "close"), tuple(
                fields[name] for name in ("x-content-type-options", "cache-control", "referrer-policy", "connection")))
        self.assertEqual("text/plain; version=0.0.4; charset=utf-8", self.daemon.get("/metrics").fields["content-type"])
        self.assertEqual("text/html; charset=utf-8", self.daemon.get("/").fields["content-type"])

    def test_what_is_malformed_is_refused_in_a_sentence(self):
        for text, code in (("GET / HTTP/2.0\r\n\r\n", 505), ("nonsense\r\n\r\n", 400),
                           ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
                           ("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "x" * 9000, 431)):
            answer = self.raw(text)
            self.assertEqual(code, answer.status, text[:60])
            self.assertTrue(answer.text.endswith(".\n"))
        self.assertEqual(200, self.daemon.get("/healthz").status)

    def test_a_second_request_in_the_same_breath_is_not_answered(self):
        one = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        self.assertEqual(1, self.raw(one * 3).raw.count(b"HTTP/1.1 200"))

    def test_who_is_slow_is_dropped(self):
        with connect(self.daemon.where) as silent, connect(self.daemon.where) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            began = time.monotonic()

            def is_dropped():
                with contextlib.suppress(OSError):
                    slow.sendall(b"X: y\r\n")
                    slow.settimeout(0.2)
                    try:
                        return slow.recv(100) == b""
                    except TimeoutError:
                        return False
                return True
            wait_until(is_dropped, "the slow one is dropped", 30 * SLOWNESS)
            silent.settimeout(30 * SLOWNESS)
            self.assertEqual(b"", silent.recv(100))
            self.assertGreater(time.monotonic() - began, 5)
        self.assertEqual(200, self.daemon.get("/healthz").status)

    def test_the_page_needs_nothing_from_elsewhere(self):
        page = self.daemon.get("/").text
        self.assertEqual([], re.findall(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page))
        self.assertNotIn("<script", page)


class Listeners(unittest.TestCase):
    def test_beyond_the_cap_others_wait_and_get_their_turn(self):
        with Shown([("bank.example", "required")]) as daemon:
            crowd = [connect(daemon.where) for _ in range(64)]
            with connect(daemon.where) as late:
                late.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                late.settimeout(1)
                with self.assertRaises(TimeoutError):
                    late.recv(1)
                for peer in crowd:
                    peer.close()
                late.settimeout(20 * SLOWNESS)
                self.assertEqual(200, Answer(read_all(late)).status)
            self.assertEqual("OK encrypt", daemon.ask("bank.example"))
            self.assertIn("accepting pauses at 64 connections", daemon.log())

    def test_a_unix_socket_is_for_admins_alone(self):
        with Shown() as daemon:
            path = daemon.path("http.sock")
            daemon.configure(http_listen=f"unix:{path}, {daemon.where}")
            daemon.restart()
            self.assertEqual(0o660, os.stat(path).st_mode & 0o777)
            self.assertEqual(200, get(f"unix:{path}", "/healthz").status)
            self.assertEqual(421, get(f"unix:{path}", "/healthz", host="evil.example").status)
            self.assertEqual(200, daemon.get("/healthz").status)

    def test_a_socket_that_systemd_passes_is_served_by_its_name(self):
        for setting in ("systemd:http-page", None):
            where = f"inet:{loopback_address()}"
            with Daemon(start=False, http_listen=setting) as daemon, Holder(**{"http-page": where}) as holder:
                daemon.start(holder.command())
                wait_until(lambda where=where: get(where, "/healthz").status == 200, "it is served", 20)

    def test_a_passed_socket_that_others_reach_is_refused(self):
        with Daemon(start=False) as daemon, Holder(http="inet:0.0.0.0:0") as holder:
            daemon.start(holder.command(), ready=False)
            self.assertNotEqual(0, daemon.process.wait(30))
            self.assertIn("others than this host can reach it", daemon.log())
            daemon.process = None

    @unittest.skipUnless(os.path.exists("/proc/net/if_inet6"), "no IPv6 in this kernel")
    def test_the_loopback_of_ipv6_is_served(self):
        with socket.socket(socket.AF_INET6) as free:
            free.bind(("::1", 0))
            port = free.getsockname()[1]
        where = f"inet:[::1]:{port}"
        with Daemon(http_listen=where) as daemon:
            wait_until(lambda: get(where, "/healthz", host=f"[::1]:{port}").status == 200, daemon.log, 20)

    def test_without_http_listen_there_is_no_such_role(self):
        with Daemon() as daemon:
            self.assertNotIn("http", daemon.roles())

    def test_an_address_that_others_reach_is_refused(self):
        with Daemon(start=False) as daemon:
            for where in ("inet:0.0.0.0:8461", "inet:192.0.2.1:8461", "inet:[::]:8461"):
                daemon.configure(http_listen=where)
                done = subprocess.run([os.path.join(BIN, "tlspolicyd"), "--config", daemon.config, "--check-config"],
                                      capture_output=True, text=True, check=False, timeout=30)
                self.assertEqual(BAD_CONFIG, done.returncode)
                self.assertIn("http_listen", done.stderr)
                self.assertIn("this host alone", done.stderr)

    def test_a_change_of_http_listen_asks_for_a_restart(self):
        with Shown() as daemon:
            daemon.configure(http_listen=None)
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "http_listen has changed; that takes a restart" in daemon.log(), "it is said", 20)
            self.assertEqual(200, daemon.get("/healthz").status)


if __name__ == "__main__":
    unittest.main()
