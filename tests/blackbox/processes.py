"""Processes as /proc shows them, waiting for what must become true, and what a sanitizer build changes."""

import contextlib
import os
import signal
import subprocess
import sys
import time

# A sanitizer build is slower and larger, and its roles run without the system call filter.
SANITIZED = os.environ.get("TLSPOLICYD_SANITIZED") == "1"
SLOWNESS = 10 if SANITIZED else 1
LOOK_EVERY = 0.005
# So many times the time that is aimed at is no noise of the machine, but something that waits where it should not.
HANGS = 10
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def plain_build_only(test):
    """Takes what holds for a build without sanitizers alone out of the others: it isn't loaded there."""
    return None if SANITIZED else test


def wait_until(condition, what, within=20.0):
    """The first true value of condition(); fails, naming `what`, if none comes."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {within} s still not so: {what() if callable(what) else what}")
        time.sleep(LOOK_EVERY)
    return value


def check_figure(what, took, goal):
    """In seconds. Shown beside the goal, which the benchmarks measure; only what hangs is a failure."""
    print(f"{what}: {took * 1000:.0f} ms (the goal: {goal * 1000:.0f} ms)", file=sys.stderr)
    if took >= HANGS * goal * SLOWNESS:
        raise AssertionError(f"{what}: {took:.2f} s, where {goal} s is the goal")


def read_proc(pid, name):
    """Bytes of a file below /proc/PID, none for a process that is gone."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def is_alive(pid):
    """False for a zombie too: it runs no more."""
    state = read_proc(pid, "stat").rpartition(b")")[2].split()
    return bool(state) and state[0] != b"Z"


def children_of(pid):
    return [int(child) for child in read_proc(pid, f"task/{pid}/children").split()]


def name_of(pid):
    """argv[0]."""
    return read_proc(pid, "cmdline").split(b"\0")[0].decode(errors="replace")


def targets_of(pid):
    """What its descriptors are, but for those that it closes meanwhile."""
    folder, targets = f"/proc/{pid}/fd", []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            targets.append(os.readlink(os.path.join(folder, name)))
    return targets


def status_of(pid, field):
    """A number of /proc/PID/status; kB where it is a size."""
    for line in read_proc(pid, "status").decode().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no {field}: it is gone")


def cpu_seconds(pid):
    user, system = read_proc(pid, "stat").rpartition(b")")[2].split()[11:13]
    return (int(user) + int(system)) / TICKS_PER_SECOND


@contextlib.contextmanager
def strace_on(pid, *options, log="/dev/null"):
    """A strace(1) of the process and of its threads, attached on entry; what it writes goes to `log`."""
    strace = subprocess.Popen(["strace", "-f", "-p", str(pid), "-o", log, *options], stderr=subprocess.PIPE, text=True)
    try:
        first = strace.stderr.readline()
        if "attached" not in first:
            raise AssertionError(f"strace: {first}")
        yield
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(20)
        strace.stderr.close()


def all_with(mark):
    """Every living process that has `mark`, NAME=VALUE, in the environment it was started with."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids
            if mark.encode() in read_proc(pid, "environ").split(b"\0") and is_alive(pid)]


@contextlib.contextmanager
def stopped(pid):
    """It stands still meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
