#!/usr/bin/env python3
"""`answer` opens no file and no socket once it serves, `net` no file: watched by strace, and held to it by seccomp."""
import re
import signal
import unittest

from daemon import Daemon, loopback_address
from http_client import get
from net_world import World
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import plain_build_only, read_proc, status_of, strace_on, targets_of, wait_until

ROWS, STRICT = strict_rows(20)
OPENING = ("open", "openat", "openat2", "creat", "socket", "connect", "execve", "fork", "vfork", "clone", "clone3",
           "unlink", "unlinkat", "rename", "renameat", "renameat2", "memfd_create", "ptrace")
USUAL = ("recvfrom", "sendto")  # that they are seen shows that the watch is on
FILTERED = 2  # SECCOMP_MODE_FILTER


def watched(pid, log, extra=()):
    """Writes every call of those names, and of `extra`, to `log`; on entry the watch is on."""
    return strace_on(pid, "-e", "trace=" + ",".join(f"?{name}" for name in (*OPENING, *USUAL, *extra)), log=log)


class TheAnsweringRole(unittest.TestCase):
    def test_it_opens_nothing_while_it_answers_takes_policies_and_reloads(self):
        with Daemon(ROWS) as daemon:
            answer, log = daemon.role("answer"), daemon.path("calls")
            with watched(answer, log), Oracle(daemon, {**STRICT, "absent.example": {NOT_FOUND}}) as oracle:
                daemon.edit("INSERT INTO outbound(destination, profile) VALUES('new.example', 'verified')")
                daemon.wait_until_answers("new.example", "OK verify")
                daemon.configure(log_level="debug")
                ready = daemon.notify.count("READY=1")
                daemon.process.send_signal(signal.SIGHUP)
                wait_until(lambda: daemon.notify.count("READY=1") > ready, "it is reloaded")
                killed = daemon.kill_role("store")
                daemon.role("store", other_than=killed)
                daemon.edit("UPDATE outbound SET profile = 'secure' WHERE destination = 'new.example'")
                daemon.wait_until_answers("new.example", "OK secure")
                with daemon.client() as client:
                    client.send(b"no netstring")
                    self.assertEqual(b"", client.read_rest())
                oracle.settle()
            with open(log, encoding="utf-8", errors="replace") as file:
                calls = set(re.findall(r"^\d+ +(\w+)\(", file.read(), re.M))
            self.assertLessEqual({"recvfrom"}, calls)
            self.assertEqual(set(), calls & set(OPENING))
            self.assertEqual(answer, daemon.role("answer"))

    def test_it_holds_no_descriptor_of_a_file(self):
        with Daemon(ROWS) as daemon:
            files = [target for target in targets_of(daemon.role("answer"))
                     if target.startswith("/") and target not in ("/dev/null", daemon.path("log"))
                     and not target.startswith("/memfd:")]
            self.assertEqual([], files)


class TheRoleThatProbes(unittest.TestCase):
    def test_it_opens_no_file_while_it_resolves_and_probes(self):
        with World() as world:
            world.host("good")
            with world.daemon([("good", "required"), ("nowhere", "verified")]) as daemon:
                daemon.wait_until_watched(2)
                net, log = daemon.role("net"), daemon.path("calls")
                with watched(net, log):
                    daemon.check_now("good", "nowhere")
                    daemon.wait_until_checked("good", "nowhere")
                with open(log, encoding="utf-8", errors="replace") as file:
                    calls = set(re.findall(r"^\d+ +(\w+)\(", file.read(), re.M))
                self.assertLessEqual({"socket", "connect"}, calls)
                self.assertEqual({"socket", "connect"}, calls & set(OPENING))
                self.assertEqual(net, daemon.role("net"))

    def test_it_holds_neither_a_policy_nor_a_database(self):
        with World() as world:
            world.host("good")
            with world.daemon([("good", "required")]) as daemon:
                daemon.wait_until_watched(1)
                daemon.check_now("good")
                daemon.wait_until_checked("good")
                self.assertEqual([], [target for target in targets_of(daemon.role("net"))
                                      if target.startswith("/") and target not in ("/dev/null", daemon.path("log"))])
                mapped = read_proc(daemon.role("net"), "maps").decode()
                for database in ("policy.db", "state.db", "policy.image", "/memfd:"):
                    self.assertNotIn(database, mapped)


class TheRoleThatShows(unittest.TestCase):
    def test_it_opens_nothing_while_it_serves_and_its_peers_die(self):
        where = f"inet:{loopback_address()}"
        with Daemon(ROWS, http_listen=where) as daemon:
            http, log = daemon.role("http"), daemon.path("calls")
            with watched(http, log):
                for path in ("/", "/still", "/metrics", "/healthz", "/readyz", "/nothing"):
                    self.assertEqual(404 if path == "/nothing" else 200, get(where, path).status)
                for name in ("store", "answer"):
                    killed = daemon.kill_role(name)
                    daemon.role(name, other_than=killed)
                    wait_until(lambda: get(where, "/healthz").status == 200, "it is told again", 20)
                    self.assertEqual(200, get(where, "/").status)
                self.assertEqual(421, get(where, "/", host="evil.example").status)
            with open(log, encoding="utf-8", errors="replace") as file:
                calls = set(re.findall(r"^\d+ +(\w+)\(", file.read(), re.M))
            self.assertLessEqual({"recvfrom", "sendto"}, calls)
            self.assertEqual(set(), calls & set(OPENING))
            self.assertEqual(http, daemon.role("http"))

    def test_it_holds_neither_a_policy_nor_a_database(self):
        where = f"inet:{loopback_address()}"
        with Daemon(ROWS, http_listen=where) as daemon:
            self.assertEqual(200, get(where, "/").status)
            http = daemon.role("http")
            # What `store` told it last may be on its way.
            let_in = ("/dev/null", daemon.path("log"), "/memfd:tlspolicyd-overview (deleted)")
            self.assertEqual([], [target for target in targets_of(http)
                                  if target.startswith("/") and target not in let_in])
            mapped = read_proc(http, "maps").decode()
            for database in ("policy.db", "state.db", "policy.image", "/memfd:"):
                self.assertNotIn(database, mapped)


class TheFilter(unittest.TestCase):
    @plain_build_only
    def test_every_role_runs_under_a_system_call_filter(self):
        with Daemon(ROWS, probe_watch="yes", resolver="127.0.0.1:1",
                    http_listen=f"inet:{loopback_address()}") as daemon:
            self.assertEqual({"answer", "store", "net", "http"}, set(daemon.roles()))
            for name, pid in daemon.roles().items():
                with self.subTest(role=name):
                    self.assertEqual(FILTERED, wait_until(lambda pid=pid: status_of(pid, "Seccomp"), "it is filtered"))
            for name in ("answer", "store", "net", "http"):
                killed = daemon.kill_role(name)
                self.assertEqual(FILTERED, wait_until(
                    lambda pid=daemon.role(name, other_than=killed): status_of(pid, "Seccomp"), "it is filtered"))


if __name__ == "__main__":
    unittest.main()
