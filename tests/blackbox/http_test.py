#!/usr/bin/env python3
"""http_listen: metrics, health checks and the page of a real daemon, and who is not let in."""
import contextlib
import json
import os
import re
import signal
import subprocess
import time
import unittest

from daemon import BAD_CONFIG, BIN, Daemon, loopback_address
from evidence import append, encrypted, status, wait_for_status
from http_client import Answer, connect, exchange, get, read_all, samples
from net_world import HANDSHAKE, PORT, QUICK, World
from processes import SLOWNESS, wait_until


class Shown(Daemon):
    """Serves http on `where`."""

    def __init__(self, rows=(), **settings):
        self.where = f"inet:{loopback_address()}"
        super().__init__(rows, **{"evidence_uid": os.geteuid(), "http_listen": self.where, **settings})

    def get(self, path, **options):
        return get(self.where, path, **options)

    def metrics(self):
        answer = self.get("/metrics")
        return samples(answer.text) if answer.status == 200 else {}

    def wait_for_metrics(self, expected, within=20):
        """Until each of {(name, label=value...): number} stands there."""
        wanted = {(name, frozenset(labels)): value for (name, *labels), value in expected.items()}
        said = {}

        def there():
            said.clear()
            said.update(self.metrics())
            return wanted.items() <= said.items()
        wait_until(there, lambda: f"metrics have { {key: (said.get(key), value) for key, value in wanted.items()} }"
                                  f"\n{self.log()}", within * SLOWNESS)

    def wait_for(self, path, code):
        return wait_until(lambda: answer if (answer := self.get(path)).status == code else None,
                          lambda: f"{path} answers {code}: {self.get(path).raw}\n{self.log()}", 20 * SLOWNESS)


class Metrics(unittest.TestCase):
    def test_answers_evidence_and_the_policy_are_counted(self):
        with Shown([("bank.example", "required"), ("other.example", "verified")]) as daemon:
            with daemon.client(daemon.unix) as client:
                for key, table in (("bank.example", "policy"), ("bank.example", "policy-3.10@t1"),
                                   ("other.example", "QUERY"), ("none.example", "policy"),
                                   ("absent.example", "policy@t2"), ("bank.example", "strict"),
                                   ("4.7.5 Cannot start TLS: handshake failure", "outcome"),
                                   ("x.example", "nonsense")):
                    client.ask(key, table)
                client.ask("bank.example")
                client.ask("2.0.0 Ok", "outcome")
                client.ask("2.0.0 Ok", "outcome")
            daemon.wait_for_metrics({
                ("tlspolicyd_answers_total", ("map", "policy"), ("status", "OK")): 4,
                ("tlspolicyd_answers_total", ("map", "policy"), ("status", "NOTFOUND")): 2,
                ("tlspolicyd_answers_total", ("map", "strict"), ("status", "OK")): 1,
                ("tlspolicyd_answers_total", ("map", "outcome"), ("status", "NOTFOUND")): 3,
                ("tlspolicyd_answers_total", ("map", "other"), ("status", "PERM")): 1,
                ("tlspolicyd_evidence_total", ("source", "outcome"), ("security", "unknown"),
                 ("cause", "handshake-failure")): 1,
                ("tlspolicyd_evidence_total", ("source", "outcome"), ("security", "encrypted"), ("cause", "none")): 1,
                ("tlspolicyd_outcome_orphans_total",): 1,
                ("tlspolicyd_image_rows",): 2,
                ("tlspolicyd_image_faulty_rows",): 0,
                ("tlspolicyd_policy_lag_seconds",): 0,
                ("tlspolicyd_role_restarts_total", ("role", "store")): 0,
                ("tlspolicyd_frozen",): 0,
                ("tlspolicyd_dropped_total", ("where", "answer")): 0})

    def test_latency_is_a_histogram_of_one_request_in_sixteen(self):
        with Shown([("bank.example", "required")]) as daemon:
            with daemon.client() as client:
                for _ in range(160):
                    client.ask("bank.example")
            daemon.wait_for_metrics({("tlspolicyd_answer_duration_seconds_count",): 10,
                                     ("tlspolicyd_answer_duration_seconds_bucket", ("le", "+Inf")): 10})
            found = daemon.metrics()
            buckets = [value for (name, _), value in found.items() if name.endswith("_bucket")]
            self.assertEqual(sorted(buckets), buckets)
            self.assertGreater(found[("tlspolicyd_answer_duration_seconds_sum", frozenset())], 0)

    def test_a_downgrade_in_force_is_counted_and_shown_with_its_why(self):
        with Shown(init=False, start=False) as daemon:
            daemon.ctl("init")
            daemon.edit(QUICK.format("quick", 1) + "INSERT INTO outbound(destination, profile) VALUES('peer.example', 'quick');")
            daemon.start()
            with daemon.client(daemon.unix) as client:
                client.ask("peer.example")
                client.ask(HANDSHAKE, "outcome")
            daemon.wait_for_metrics({("tlspolicyd_destinations", ("phase", "downgraded")): 1,
                                     ("tlspolicyd_downgrades",): 1,
                                     ("tlspolicyd_destinations", ("phase", "normal")): 0})
            overview = daemon.status()["overview"]
            downgrade = overview["downgrades"][0]
            decision = json.loads(daemon.ctl("decisions", "--json"))[0]
            self.assertEqual(("peer.example", "downgraded", decision["why"], decision["until"], decision["to_level"]),
                             tuple(downgrade[name] for name in ("destination", "phase", "why", "until", "to")))
            self.assertEqual(decision["seq"], overview["decisions"][0]["seq"])
            page = daemon.get("/").text
            self.assertIn("peer.example", page)
            self.assertIn(decision["why"], page.replace("&#39;", "'"))

    def test_a_delivery_that_two_sources_report_counts_once(self):
        with Shown([("bank.example", "required")], maillog="") as daemon:
            log = daemon.path("mail.log")
            append(log, "")
            daemon.configure(maillog=log, trust_maillog="yes")
            daemon.restart()
            with daemon.client(daemon.unix) as client:
                client.ask("bank.example")
                client.ask("2.0.0 Ok", "outcome")
            append(log, encrypted("bank.example"))
            append(log, status("weak.example"))
            wait_for_status(daemon, evidence=2)
            daemon.wait_for_metrics({
                ("tlspolicyd_evidence_total", ("source", "maillog"), ("security", "encrypted"), ("cause", "none")): 1,
                ("tlspolicyd_evidence_total", ("source", "outcome"), ("security", "encrypted"), ("cause", "none")): 1})

            def total():
                hours = daemon.status()["overview"]["traffic"]
                self.assertEqual(24, len(hours))
                return sum(hour["encrypted"] for hour in hours), sum(hour["deferred"] for hour in hours)
            wait_until(lambda: total() == (1, 1), lambda: f"one encrypted, one put off, not {total()}", 20 * SLOWNESS)
            partners = daemon.status()["overview"]["partners"]
            self.assertEqual([("weak.example", "handshake-failure", 1)],
                             [(each["destination"], each["cause"], each["deferred"]) for each in partners])

    def test_restarts_of_roles_are_counted(self):
        with Shown() as daemon:
            for name in ("answer", "answer", "store"):
                daemon.role(name, other_than=daemon.kill_role(name))
            daemon.wait_for_metrics({("tlspolicyd_role_restarts_total", ("role", "answer")): 2,
                                     ("tlspolicyd_role_restarts_total", ("role", "store")): 1,
                                     ("tlspolicyd_role_up", ("role", "answer")): 1})
            self.assertNotIn(("tlspolicyd_role_up", frozenset({("role", "net")})), daemon.metrics())

    def test_checks_and_certificates_are_counted(self):
        with World() as world:
            world.host("good")
            where = f"inet:{loopback_address()}"
            with world.daemon([("good", "verified")], http_listen=where) as daemon:
                daemon.wait_until_watched(1)
                daemon.check_now("good")
                daemon.wait_until_checked("good")

                def found():
                    answer = get(where, "/metrics")
                    return samples(answer.text) if answer.status == 200 else {}
                wait_until(lambda: found().get(("tlspolicyd_probe_results", frozenset({("result", "compliant")}))) == 1,
                           lambda: f"one is compliant: {found()}", 20 * SLOWNESS)
                metrics = found()
                self.assertEqual(1, metrics[("tlspolicyd_watched_destinations", frozenset())])
                self.assertEqual(1, sum(value for (name, _), value in metrics.items()
                                        if name == "tlspolicyd_certificates"))
                self.assertEqual([f"good.example:{PORT}"],
                                 [each["destination"] for each in daemon.status()["overview"]["certificates"]])


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
                wait_until(lambda: daemon.metrics()[age] >= 3, "the last figures grow old", 20 * SLOWNESS)
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


class Status(unittest.TestCase):
    def test_status_shows_what_the_page_shows_and_json_has_it_whole(self):
        with Shown(init=False, start=False) as daemon:
            daemon.ctl("init")
            rows = "".join(f"INSERT INTO outbound(destination, profile) VALUES('peer{i}.example', 'quick');" for i in range(7))
            daemon.edit(QUICK.format("quick", 1) + rows)
            daemon.configure(freeze_domains=100, freeze_share=100)
            daemon.start()
            self.assertIn("none was seen", daemon.ctl("status"))
            with daemon.client(daemon.unix) as client:
                for i in range(7):
                    client.ask(f"peer{i}.example")
                    client.ask(HANDSHAKE, "outcome")
            wait_until(lambda: daemon.status()["overview"]["downgrades_total"] == 7,
                       lambda: f"seven are downgraded: {daemon.status()}", 20 * SLOWNESS)
            wait_until(lambda: sum(hour["deferred"] for hour in daemon.status()["overview"]["traffic"]) == 7,
                       "seven are put off", 20 * SLOWNESS)
            text = daemon.ctl("status")
            for words in ("Downgraded or rerouted", "encrypt -> none", "2 more: tlspolicyctl state",
                          "Partners that fail", "handshake-failure", "2 more: tlspolicyctl watch",
                          "Mail of the last 24 hours", "put off", "Last decisions", "2 more: tlspolicyctl decisions"):
                self.assertIn(words, text)
            self.assertRegex(text, r"put off +7 ")

    def test_watching_goes_on_until_it_is_interrupted(self):
        with Daemon() as daemon:
            command = [os.path.join(BIN, "tlspolicyctl"), "--config", daemon.config, "status", "--watch"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as watching:
                seen = 0
                for line in watching.stdout:
                    seen += line.startswith("tlspolicyd ")
                    self.assertNotIn("\x1b", line)
                    if seen == 2:
                        break
                watching.send_signal(signal.SIGINT)
                watching.stdout.read()
                self.assertEqual(0, watching.wait(20))


if __name__ == "__main__":
    unittest.main()
