"""RELIABILITY 2, 5, 7, 24, 41 and 42, the side of state.db: no answer is weaker than what is on disk.

Nobody may turn this machine's clock forward; what the daemon remembers of it is turned instead.
"""
import contextlib
import json
import os
import random
import shutil
import subprocess
import threading
import time
import unittest

from daemon import Daemon
from evidence import append, ingest_status, status, wait_until_counted
from faults_lock_test import enter_own_mounts, mount
from oracle import Oracle, strict_rows
from processes import SLOWNESS, plain_build_only, strace_on, wait_until
from tlsrpt_test import Reported, datagram

HANDSHAKE = "4.7.5 Cannot start TLS: handshake failure"
SENT = "2.0.0 250 2.0.0 taken"
ROWS, ALLOWED = strict_rows(8)
# Kills of role store; ./dev test --long has more.
KILLS = 40 if os.environ.get("TLSPOLICYD_LONG") else 8
TEN_YEARS = 10 * 365 * 86_400


class Learning(Daemon):
    """Its peers below peer.test are lowered to may for a day a second after they failed, those below slow.test
    after five."""

    def __enter__(self):
        super().__enter__()
        self.prepare()
        return self

    def prepare(self):
        for name, seconds in (("peer", 1), ("slow", 5)):
            self.ctl("profile", "set", name, "level=encrypt", "fallback=after-retry", f"retry_after={seconds}",
                     "downgrade_for=86400")
            self.ctl("set", f".{name}.test", name)
        if self.process:
            self.wait_until_answers("any.slow.test", "OK encrypt")

    def deliver(self, name, end):
        """As one smtp(8) process: the question, the delivery, its end."""
        with self.client(self.unix) as client:
            said = client.ask(name)
            client.ask(end, "outcome")
        return said

    def lowered(self):
        """The names in the ledger, each as often as it stands there."""
        listed = json.loads(self.ctl("decisions", "--json"))
        return sorted(each["destination"] for each in listed if each["kind"] == "downgrade")

    def wait_until_lowered(self, name):
        self.wait_until_answers(name, "OK may")
        if name not in self.lowered():
            raise AssertionError(f"{name} is answered may, and no downgrade is on disk: {self.lowered()}")

    def check_ledger(self, *names):
        if self.lowered() != sorted(names):
            raise AssertionError(f"{self.lowered()} are in the ledger, not {sorted(names)}")
        self.ctl("decisions", "--verify")
        sound = self.edit("PRAGMA integrity_check;", self.settings["state_db"])
        if sound != "ok\n":
            raise AssertionError(sound)


def learning(**settings):
    return Learning(ROWS, evidence_uid=os.geteuid(), **settings)


class KilledWhileItWrites(unittest.TestCase):
    def test_fault_2_no_downgrade_that_was_answered_is_lost_and_none_is_written_twice(self):
        names = [f"d{number}.peer.test" for number in range(5 * KILLS)]
        choice = random.Random(2)
        with learning() as daemon, Oracle(daemon, ALLOWED) as oracle:
            for turn in range(KILLS):
                for name in names[5 * turn:5 * turn + 5]:
                    self.assertEqual("OK encrypt", daemon.deliver(name, HANDSHAKE))
                threading.Event().wait(choice.random() * 1.5)
                killed = daemon.kill_role("store")
                # What is answered weaker now was acknowledged: it is on disk though its writer is dead.
                answered = {name for name in names if daemon.ask(name) == "OK may"}
                self.assertLessEqual(answered, set(daemon.lowered()))
                daemon.role("store", other_than=killed)
            for name in names:
                daemon.wait_until_lowered(name)
            oracle.settle()
            daemon.check_ledger(*names)
            killed = [daemon.kill_role(role) for role in ("answer", "store")]
            for role, pid in zip(("answer", "store"), killed):
                daemon.role(role, other_than=pid)
            for name in names:
                daemon.wait_until_lowered(name)
            daemon.check_ledger(*names)


class FullDisk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        enter_own_mounts()

    @contextlib.contextmanager
    def disk(self, daemon):
        path = daemon.path("disk")
        os.makedirs(path)
        mount("-t", "tmpfs", "-o", "size=1536k", "tmpfs", path)
        try:
            yield path
        finally:
            subprocess.run(["umount", "-l", path], check=True, timeout=20)

    def test_fault_5_nothing_is_lowered_while_nothing_can_be_written(self):
        with learning(start=False) as daemon, self.disk(daemon) as disk:
            daemon.configure(state_db=os.path.join(disk, "state.db"))
            daemon.start()
            daemon.wait_until_answers("any.slow.test", "OK encrypt")
            daemon.deliver("a.peer.test", HANDSHAKE)
            daemon.wait_until_lowered("a.peer.test")
            daemon.deliver("b.slow.test", HANDSHAKE)
            wait_until(lambda: "b.slow.test" in daemon.edit("SELECT destination FROM destination_state;",
                                                            daemon.settings["state_db"]), "its failure is on disk")
            with contextlib.suppress(OSError), open(os.path.join(disk, "ballast"), "wb", buffering=0) as ballast:
                while True:
                    ballast.write(bytes(4096))
            roles = daemon.roles()
            with Oracle(daemon, {**ALLOWED, "b.slow.test": {"OK encrypt"}}) as oracle:
                wait_until(lambda: "warning: downgrade b.slow.test" in daemon.log(), "its downgrade is decided")
                wait_until(lambda: any("state.db" in each for each in daemon.status()["alarms"]), "an alarm is raised")
                wait_until(lambda: daemon.status()["feedback"].get("waiting_for_commit") == 1, "and it waits")
                oracle.settle(3)
                self.assertEqual(["a.peer.test"], daemon.lowered())
                oracle.allow({"b.slow.test": {"OK encrypt", "OK may"}})
                os.unlink(os.path.join(disk, "ballast"))
                daemon.wait_until_lowered("b.slow.test")
                oracle.settle()
            wait_until(lambda: daemon.status()["ok"], lambda: f"all is well: {daemon.status()}")
            self.assertEqual(roles, daemon.roles(), "without a restart")
            daemon.check_ledger("a.peer.test", "b.slow.test")


class FailingDisk(unittest.TestCase):
    @plain_build_only
    def test_fault_7_after_an_error_of_the_disk_the_store_starts_anew_and_assumes_nothing_written(self):
        for number, calls in enumerate(("fsync,fdatasync", "pwrite64", "fsync,fdatasync")):
            name = f"d{number}.peer.test"
            with self.subTest(calls=calls), learning() as daemon, \
                    Oracle(daemon, {**ALLOWED, name: {"OK encrypt", "OK may"}}) as oracle:
                store = daemon.role("store")
                with strace_on(store, "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO"):
                    self.assertEqual("OK encrypt", daemon.deliver(name, HANDSHAKE))
                    daemon.role("store", other_than=store)
                wait_until(lambda: "role store ended with status 74" in daemon.log(), daemon.log)
                daemon.wait_until_lowered(name)
                oracle.settle()
                daemon.check_ledger(name)


class ClockForward(unittest.TestCase):
    def test_fault_24_ten_years_forward_only_make_stricter(self):
        rows = [*ROWS, ("lab.example", "off", None, "enforce", int(time.time()) + 86_400), ("*", "required"),
                ("offered.example", "preferred")]
        daemon = self.enterContext(Learning(rows, evidence_uid=os.geteuid()))
        daemon.deliver("a.peer.test", HANDSHAKE)
        daemon.wait_until_lowered("a.peer.test")
        self.assertEqual("OK encrypt", daemon.deliver("offered.example", HANDSHAKE))
        self.assertEqual("OK none", daemon.ask("lab.example"))
        daemon.stop()
        daemon.edit(f"UPDATE memory SET value = value + {TEN_YEARS} WHERE name = 'wall'", daemon.path("state.db"))
        daemon.start()
        with Oracle(daemon, {**ALLOWED, "a.peer.test": {"OK encrypt"}, "lab.example": {"OK encrypt"},
                             "offered.example": {"OK encrypt"}}) as oracle:
            wait_until(lambda: [each["why"] for each in json.loads(daemon.ctl("decisions", "--json"))
                                if each["kind"] == "restore"] == ["expiry"], "the downgrade is over")
            oracle.settle(2)
        # What was offered is still known: it isn't by the time of day that an offer is forgotten.
        daemon.deliver("offered.example", "4.7.4 TLS is required, but was not offered by host mx.a[192.0.2.1]")
        self.assertEqual("OK encrypt", daemon.ask("offered.example"))


class AnswersAreExact(unittest.TestCase):
    def test_fault_41_while_the_mail_log_is_rotated_and_cut(self):
        daemon = Daemon([*ROWS, ("peer.test", "opportunistic")], trust_maillog="yes")
        log = daemon.path("mail.log")
        daemon.configure(maillog=log)
        append(log, "")
        with daemon, Oracle(daemon, ALLOWED) as oracle:
            wait_until(lambda: ingest_status(daemon).get("lines") == 0, "the log is followed")
            for turn in range(3):
                append(log, status("peer.test") * 100)
                os.rename(log, f"{log}.{turn}")
                append(f"{log}.{turn}", status("peer.test"))
                append(log, status("peer.test"))
                wait_until_counted(daemon, 102 * (2 * turn + 1))
                shutil.copy(log, f"{log}.copy")
                os.truncate(log, 0)
                append(log, "\0" * 10_000 + "\n" + status("peer.test") * 102)
                wait_until_counted(daemon, 102 * (2 * turn + 2))
                oracle.settle()

    def test_fault_42_in_a_flood_of_tlsrpt_datagrams(self):
        with Reported([*ROWS, ("peer.test", "opportunistic")]) as daemon, Oracle(daemon, ALLOWED) as oracle:
            number = 5_000 // SLOWNESS
            bad = [b"{" * 1000, datagram()[:-1] + b',"d":"x.test"}', b"\xff" * 60_000]
            daemon.report(*(bad * (number // 100)), *([datagram()] * number))
            wait_until_counted(daemon, number)
            self.assertEqual(len(bad) * (number // 100), ingest_status(daemon)["datagrams_refused"])
            oracle.settle()


if __name__ == "__main__":
    unittest.main()
