"""RELIABILITY 26, 33 and 43 to 46: processes that are stopped, starved, out of memory or descriptors, or run in circles."""
import contextlib
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from daemon import Daemon, insertion
from faults_start_test import stopped
from handover_test import Holder
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import SLOWNESS, check_figure, cpu_seconds, plain_build_only, read_proc, status_of, wait_until

ROWS, STRICT = strict_rows(500)
ALLOWED = {**{key: STRICT[key] for key, _ in ROWS[:100]}, "absent.example": {NOT_FOUND}}
MEMORY_GROUPS = "/sys/fs/cgroup/memory"  # of cgroup v1; v2 has its own below
UNIFIED_GROUPS = "/sys/fs/cgroup"
# A jump to itself.
ENDLESS_LOOP = {"x86_64": b"\xeb\xfe", "aarch64": b"\x00\x00\x00\x14"}


class Stopped(unittest.TestCase):
    def test_26_all_processes_stopped_for_seconds_answer_at_once_afterwards_and_do_not_catch_up(self):
        with Daemon(ROWS, stall_timeout=1) as daemon, daemon.client() as idle:
            idle.ask("d0.strict.example")
            pids = [daemon.process.pid, *daemon.roles().values()]
            with contextlib.ExitStack() as stack:
                for pid in pids:
                    stack.enter_context(stopped(pid))
                threading.Event().wait(4)
                idle.send(b"24:policy d0.strict.example,")
            began = time.monotonic()
            self.assertEqual("OK encrypt", idle.read_reply(), "a connection that owed nothing is kept")
            check_figure("answers after the pause", time.monotonic() - began, 2.0)
            before = sum(map(cpu_seconds, pids))
            threading.Event().wait(2)
            self.assertLess(sum(map(cpu_seconds, pids)) - before, 0.5 * SLOWNESS)
            self.assertEqual(pids[1:], list(daemon.roles().values()))

    def test_26_each_role_but_answer_may_stand_still_for_seconds(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            for pid in (daemon.role("store"), daemon.process.pid):
                with stopped(pid):
                    oracle.settle(5)
            self.assertEqual(0, oracle.reconnects)


@contextlib.contextmanager
def limited(pid, kind, most):
    """By prlimit(2), until the end."""
    before = resource.prlimit(pid, kind, (most, resource.prlimit(pid, kind)[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, kind, before)


class OutOfMemory(unittest.TestCase):
    @plain_build_only  # a sanitizer's own memory does not fit
    def test_43_an_answer_that_gets_no_more_memory_is_exact_at_the_second_try_at_the_latest(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            answer = daemon.role("answer")
            with limited(answer, resource.RLIMIT_AS, status_of(answer, "VmSize") * 1024), contextlib.ExitStack() as stack:
                daemon.edit("BEGIN;" + "".join(insertion(f"late{n}.example", "verified") for n in range(20_000)) + "COMMIT;")
                for _ in range(300):
                    stack.enter_context(daemon.client())
                oracle.settle(5)
            daemon.edit(insertion("last.example", "verified"))
            daemon.wait_until_answers("last.example", "OK verify")
            self.assertEqual("OK verify", daemon.ask("late9.example"))

    @plain_build_only
    def test_43_a_store_without_memory_is_seen_by_nobody_and_well_afterwards(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            store = daemon.role("store")
            with limited(store, resource.RLIMIT_AS, status_of(store, "VmSize") * 1024):
                daemon.edit("BEGIN;" + "".join(insertion(f"late{n}.example", "verified") for n in range(20_000)) + "COMMIT;")
                oracle.settle(5)
            daemon.edit(insertion("last.example", "verified"))
            daemon.wait_until_answers("last.example", "OK verify")
            self.assertEqual("OK verify", daemon.ask("late9.example"))
            self.assertEqual(0, oracle.reconnects)


class MemoryGroup:
    """A control group of its own with little memory; the kernel kills what needs more. Use as a context."""

    def __init__(self):
        is_old = os.path.isdir(MEMORY_GROUPS)
        self._folder = tempfile.mkdtemp(prefix="tlspolicyd-", dir=MEMORY_GROUPS if is_old else UNIFIED_GROUPS)
        self._limit = "memory.limit_in_bytes" if is_old else "memory.max"

    def write(self, name, value):
        with open(os.path.join(self._folder, name), "w", encoding="ascii") as file:
            file.write(str(value))

    def kill_when_it_grows(self, pid):
        """Only what is asked for from now on counts."""
        self.write(self._limit, 256 * 1024)
        self.write("cgroup.procs", pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        wait_until(lambda: not self._holds_any(), "the group is empty")
        os.rmdir(self._folder)

    def _holds_any(self):
        with open(os.path.join(self._folder, "cgroup.procs"), encoding="ascii") as file:
            return file.read()


class KilledByTheKernel(unittest.TestCase):
    @plain_build_only
    def test_44_a_store_that_the_kernel_kills_for_its_memory_is_started_again(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle, MemoryGroup() as group:
            store = daemon.role("store")
            group.kill_when_it_grows(store)
            daemon.edit("BEGIN;" + "".join(insertion(f"late{n}.example", "verified") for n in range(20_000)) + "COMMIT;")
            daemon.role("store", other_than=store)
            self.assertIn("role store was killed by signal 9", daemon.log())
            daemon.wait_until_answers("late9.example", "OK verify", within=60)
            oracle.settle()
            self.assertEqual(0, oracle.reconnects)


class FewDescriptors(unittest.TestCase):
    @plain_build_only
    def test_33_a_store_without_descriptors_is_seen_by_nobody_and_well_afterwards(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            store = daemon.role("store")
            with limited(store, resource.RLIMIT_NOFILE, len(os.listdir(f"/proc/{store}/fd"))):
                daemon.edit(insertion("late.example", "verified"))
                before, began = cpu_seconds(store), time.monotonic()
                oracle.settle(10)
                threading.Event().wait(1)
                self.assertLess((cpu_seconds(store) - before) / (time.monotonic() - began), 0.3)
            daemon.wait_until_answers("late.example", "OK verify")
            self.assertEqual(0, oracle.reconnects)


class Starved(unittest.TestCase):
    def test_45_beside_eight_busy_loops_every_answer_is_exact_and_the_watchdog_is_fed(self):
        with Daemon(ROWS, environment={"WATCHDOG_USEC": "5000000"}) as daemon:
            for pid in (daemon.process.pid, *daemon.roles().values()):
                os.setpriority(os.PRIO_PROCESS, pid, 19)
            busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"], preexec_fn=lambda: os.nice(19))
                    for _ in range(8)]
            try:
                with Oracle(daemon, ALLOWED) as oracle:
                    fed = daemon.notify.count("WATCHDOG=1")
                    oracle.settle(5)
                    wait_until(lambda: daemon.notify.count("WATCHDOG=1") > fed, "the watchdog is fed")
            finally:
                for each in busy:
                    each.kill()
                    each.wait()
            print(f"{oracle.slowest * 1000:.0f} ms the slowest of {oracle.lookups} answers", file=sys.stderr)


def run_in_circles(pid):
    """Puts a jump to itself where the process comes back from its system call."""
    counter = int(wait_until(lambda: read_proc(pid, "syscall").startswith(b"running") is False
                             and read_proc(pid, "syscall").split()[-1], "it waits"), 16)
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(counter)
        memory.write(ENDLESS_LOOP[platform.machine()])


class InCircles(unittest.TestCase):
    def test_46_an_endless_loop_in_answer_ends_with_the_watchdog_without_a_core_and_a_new_start_is_exact(self):
        """This test is the service manager: what is not fed in time it ends as systemd does, and starts it again."""
        with Daemon(ROWS, start=False, environment={"WATCHDOG_USEC": "1000000"}) as daemon, \
                Holder(tlsmap=daemon.tcp, **{"tlsmap-unix": daemon.unix}) as holder:
            daemon.start(holder.command())
            daemon.notify.wait_for("WATCHDOG=1")
            answer = daemon.role("answer")
            run_in_circles(answer)
            with daemon.client() as asking:
                asking.send(b"24:policy d0.strict.example,")
                wait_until(lambda: cpu_seconds(answer) > 1.0, "it runs in circles")
                fed = daemon.notify.count("WATCHDOG=1")
                threading.Event().wait(1.5)
                self.assertEqual(fed, daemon.notify.count("WATCHDOG=1"), "nobody says that all is well")
                for pid in (answer, daemon.role("store"), daemon.process.pid):
                    self.assertRegex(read_proc(pid, "limits").decode(), r"Max core file size +0 +0 ")
                daemon.process.send_signal(signal.SIGABRT)
                self.assertEqual(-signal.SIGABRT, daemon.process.wait(20))
                daemon.start(holder.command())
                self.assertEqual("OK encrypt", asking.read_reply(), "who waited is answered by the next one")

    def test_46_an_endless_loop_in_store_is_seen_by_nobody(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
            store = daemon.role("store")
            run_in_circles(store)
            wait_until(lambda: cpu_seconds(store) > 0.5, "it runs in circles")
            oracle.settle(5)
            os.kill(store, signal.SIGKILL)
            daemon.role("store", other_than=store)
            daemon.edit(insertion("late.example", "verified"))
            daemon.wait_until_answers("late.example", "OK verify")
            self.assertEqual(0, oracle.reconnects)


if __name__ == "__main__":
    unittest.main()
