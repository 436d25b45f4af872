#!/usr/bin/env python3
"""A disk that takes a minute to sync: neither Postfix, nor an edit, nor an admin's question waits for it."""
import contextlib
import os
import socket
import time
import unittest

from daemon import Daemon
from faults_state_test import HANDSHAKE, learning
from processes import SLOWNESS, plain_build_only, strace_on, wait_until

ROWS = [("bank.example", "required")]
STARTS = 5
MINUTE = "delay_enter=60000000"  # in microseconds


def first_answer(daemon, key):
    """Of one that is starting, as soon as it can be connected to."""
    said = []

    def is_asked():
        with contextlib.suppress(ConnectionError, EOFError):  # of one that is not there yet, or still ends
            said.append(daemon.ask(key))
        return said

    wait_until(is_asked, "it listens", 20 * SLOWNESS)
    return said[0]


class SlowToSync(unittest.TestCase):
    @plain_build_only
    def test_edits_are_live_while_the_last_known_good_policy_is_on_its_way_to_the_disk(self):
        with Daemon(ROWS) as daemon:
            wait_until(lambda: os.path.exists(daemon.image_file), "the image is saved", 20 * SLOWNESS)
            before = os.stat(daemon.image_file).st_mtime_ns
            # SQLite calls fdatasync(2).
            with strace_on(daemon.role("store"), "-e", "trace=fsync", "-e", f"inject=fsync:{MINUTE}"):
                for profile, answer in (("verified", "OK verify"), ("required", "OK encrypt"), ("verified", "OK verify")):
                    daemon.edit(f"UPDATE outbound SET profile = '{profile}' WHERE destination = 'bank.example';")
                    daemon.wait_until_answers("bank.example", answer)
                    self.assertTrue(daemon.status()["ok"])
                self.assertEqual(before, os.stat(daemon.image_file).st_mtime_ns, "the disk was not slow")
            wait_until(lambda: os.stat(daemon.image_file).st_mtime_ns != before, "it is saved then", 20 * SLOWNESS)
            daemon.stop()
            os.unlink(daemon.policy_db)
            daemon.start()
            self.assertEqual("OK verify", daemon.ask("bank.example"))

    @plain_build_only
    def test_the_first_start_answers_before_state_db_is_made(self):
        with Daemon(ROWS, start=False) as daemon:
            daemon.start(["strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", f"inject=fdatasync:{MINUTE}"],
                         ready=False)
            try:
                first_answer(daemon, "bank.example")
                daemon.wait_until_answers("bank.example", "OK encrypt")
                self.assertEqual(0, os.path.getsize(daemon.path("state.db")), "the disk was not slow")
            finally:
                daemon.kill()


class SlowToRead(unittest.TestCase):
    @plain_build_only
    def test_a_start_answers_nobody_before_it_knows_what_was_lowered(self):
        with learning() as daemon:
            daemon.deliver("a.peer.test", HANDSHAKE)
            daemon.wait_until_lowered("a.peer.test")
            slow = ["strace", "-f", "-o", "/dev/null", "-P", daemon.path("state.db"), "-e", "trace=pread64",
                    "-e", "inject=pread64:delay_enter=20000"]
            said = []
            for _ in range(STARTS):
                daemon.kill()
                daemon.start(slow, ready=False)
                said.append(first_answer(daemon, "a.peer.test"))
                daemon.notify.wait_for("READY=1", within=60)
            # After a second and a half it answers without, and strictly: a machine may stand still so long, once.
            self.assertIn("OK may", said)
            daemon.kill()


class HungRoles(unittest.TestCase):
    def test_a_start_waits_for_a_role_of_a_killed_daemon_that_its_disk_holds(self):
        with Daemon(ROWS, start=False) as daemon:
            path = daemon.path("control.sock")
            holder = self.left_behind(path)
            self.addCleanup(os.close, holder)
            daemon.start(ready=False)
            wait_until(lambda: "roles of a daemon that was killed still hold it" in daemon.log(), daemon.log,
                       20 * SLOWNESS)
            time.sleep(1.5)  # longer than a role takes that nothing holds
            self.assertIsNone(daemon.process.poll(), daemon.log())
            os.write(holder, b".")
            daemon.notify.wait_for("READY=1", within=60)
            self.assertEqual("OK encrypt", daemon.ask("bank.example"))

    @staticmethod
    def left_behind(path):
        """Somebody who ends leaves its listener to a child, which ends when it reads a byte."""
        reading, writing = os.pipe()
        maker = os.fork()
        if maker == 0:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen()
            if os.fork() == 0:
                os.close(writing)
                os.read(reading, 1)
            os._exit(0)
        os.close(reading)
        os.waitpid(maker, 0)
        return writing


if __name__ == "__main__":
    unittest.main()
