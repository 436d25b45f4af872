#!/usr/bin/env python3
"""Parent and roles: who they are, what happens when one dies, and how all of them end."""
import contextlib
import os
import random
import re
import resource
import signal
import threading
import time
import unittest

from daemon import Daemon, loopback_address
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import SLOWNESS, check_figure, children_of, is_alive, name_of, plain_build_only, read_proc, wait_until
from socketmap import frame

ROWS, STRICT = strict_rows(40)
ALLOWED = {**STRICT, "absent.example": {NOT_FOUND}}


class Names(unittest.TestCase):
    def test_roles_are_direct_children_named_after_what_they_do(self):
        with Daemon(ROWS, probe_watch="yes", resolver="127.0.0.1:1",
                    http_listen=f"inet:{loopback_address()}") as daemon:
            children = children_of(daemon.process.pid)
            self.assertEqual(["tlspolicyd: answer", "tlspolicyd: http", "tlspolicyd: net", "tlspolicyd: store"],
                             sorted(map(name_of, children)))
            # The service doesn't wait for `net`, which may be about to call itself so.
            wait_until(lambda: [b"tlspolicyd: ans", b"tlspolicyd: htt", b"tlspolicyd: net", b"tlspolicyd: sto"]
                       == sorted(read_proc(pid, "comm").strip() for pid in children), "each shows its name", 20)
            self.assertEqual([], [pid for child in children for pid in children_of(child)])

    def test_a_role_can_gain_no_rights(self):
        with Daemon(ROWS, probe_watch="yes", resolver="127.0.0.1:1") as daemon:
            for pid in daemon.roles().values():
                wait_until(lambda pid=pid: b"NoNewPrivs:\t1" in read_proc(pid, "status"), "it has no way back", 20)


class KilledRoles(unittest.TestCase):
    def test_a_killed_answer_is_started_at_once_and_no_delivery_is_deferred(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            store = daemon.role("store")
            for _ in range(5):
                killed = daemon.kill_role("answer")
                began = time.monotonic()
                self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))
                check_figure("answers again after", time.monotonic() - began, 0.5)
                daemon.role("answer", other_than=killed)
                oracle.settle()
            self.assertEqual(store, daemon.role("store"))
            self.assertEqual(5, daemon.log().count("role answer was killed by signal 9; it is started again at once"))

    def test_a_killed_store_is_seen_by_nobody(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            answer = daemon.role("answer")
            for _ in range(5):
                daemon.restart_store()
                oracle.settle()
            self.assertEqual(0, oracle.reconnects)
            self.assertEqual(answer, daemon.role("answer"))
            # What comes back does its work.
            oracle.allow({"late.example": {NOT_FOUND, "OK verify"}})
            daemon.edit("INSERT INTO outbound(destination, profile) VALUES('late.example', 'verified')")
            daemon.wait_until_answers("late.example", "OK verify")
            oracle.allow({"late.example": {"OK verify"}})
            oracle.settle()

    @plain_build_only  # a sanitizer keeps account of stacks itself
    def test_a_store_that_dies_each_time_of_its_first_publication_is_given_pauses(self):
        # The page check of a policy that is new to it has a thread of its own, and no room for its stack here.
        def leave_no_room_for_a_thread():
            resource.setrlimit(resource.RLIMIT_STACK, (1 << 47, resource.RLIM_INFINITY))

        with Daemon(ROWS, preexec=leave_no_room_for_a_thread, start=False) as daemon:
            daemon.start(ready=False)
            wait_until(lambda: re.search(r"role store was killed by signal \d+; it is started again in 2 s", daemon.log()),
                       "it dies a third time")
            self.assertEqual(1, daemon.log().count("it is started again at once"))

    def test_a_store_killed_while_it_publishes_leaves_one_of_the_two_policies(self):
        with Daemon([*ROWS, *((f"bulk{n}.example", "required") for n in range(20_000))]) as daemon, \
                Oracle(daemon, ALLOWED) as oracle:
            choice = random.Random(7)
            for turn in range(5):
                new = "verified" if turn % 2 else "secure"
                oracle.allow({"d0.strict.example": {"OK encrypt", "OK verify", "OK secure"}})
                daemon.edit(f"UPDATE outbound SET profile = '{new}' WHERE destination = 'd0.strict.example'")
                threading.Event().wait(choice.random() * 0.2)
                killed = daemon.kill_role("store")
                daemon.role("store", other_than=killed)
                daemon.wait_until_answers("d0.strict.example", f"OK {new.replace('verified', 'verify')}")
            oracle.settle()

    def test_both_killed_in_any_order_leave_the_answers_as_they_were(self):
        choice = random.Random(20)
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            for _ in range(20):
                names = choice.sample(["answer", "store"], 2)
                killed = {name: daemon.kill_role(name) for name in names}
                daemon.role("answer", other_than=killed["answer"])
                daemon.wait_for_store(killed["store"])
                oracle.settle()
            self.assertEqual(40, daemon.log().count("was killed by signal 9; it is started again at once"))

    def test_without_a_database_a_killed_answer_keeps_the_last_policy(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(daemon.policy_db + suffix)
            wait_until(lambda: os.path.exists(daemon.image_file), "the image is saved", 20 * SLOWNESS)
            os.unlink(daemon.image_file)
            for name in ("answer", "store", "answer"):
                killed = daemon.kill_role(name)
                daemon.role(name, other_than=killed)
                oracle.settle()


class TheEnd(unittest.TestCase):
    REQUESTS = 200

    def test_sigterm_answers_what_has_arrived_and_ends_with_0(self):
        with Daemon(ROWS) as daemon:
            clients = [daemon.client(address) for address in (daemon.tcp, daemon.unix)]
            idle = daemon.client()
            for client in clients:
                client.ask("d0.strict.example")
            answer = daemon.role("answer")
            os.kill(answer, signal.SIGSTOP)
            for client in clients:
                client.send(frame("policy d0.strict.example") * self.REQUESTS)
            daemon.process.send_signal(signal.SIGTERM)
            daemon.notify.wait_for("STOPPING=1")
            os.kill(answer, signal.SIGCONT)
            for client in [*clients, idle]:
                expected = b"" if client is idle else frame("OK encrypt") * self.REQUESTS
                self.assertEqual(expected, client.read_rest())
                client.close()
            daemon.stop()
            self.assertFalse(os.path.exists(daemon.path("tlsmap.sock")))

    def test_sigterm_under_load_ends_with_0(self):
        with Daemon(ROWS) as daemon:
            client = daemon.client()
            over = threading.Event()

            def ask():
                with contextlib.suppress(EOFError, OSError):
                    while True:
                        client.ask("d0.strict.example")
                over.set()

            threading.Thread(target=ask, daemon=True).start()
            daemon.stop()
            self.assertTrue(over.wait(5))
            client.close()

    def test_signals_meant_for_the_whole_group_end_it_in_order(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number), \
                    Daemon(ROWS, probe_watch="yes", resolver="127.0.0.1:1") as daemon:
                for pid in [*daemon.roles().values(), daemon.process.pid]:
                    os.kill(pid, number)
                self.assertEqual(0, daemon.process.wait(20))
                self.assertNotIn("it is started again", daemon.log())

    def test_the_roles_die_with_a_parent_that_is_killed(self):
        with Daemon(ROWS) as daemon:
            roles = daemon.roles().values()
            daemon.process.kill()
            daemon.process.wait()
            daemon.process = None
            wait_until(lambda: not any(map(is_alive, roles)), "no role is left", 20 * SLOWNESS)

    def test_a_start_right_after_a_kill_waits_for_the_former_roles_to_be_gone(self):
        with Daemon(ROWS) as daemon:
            for _ in range(5):
                daemon.process.kill()
                daemon.process.wait()
                daemon.start()
                self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))


if __name__ == "__main__":
    unittest.main()
