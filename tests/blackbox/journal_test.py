#!/usr/bin/env python3
"""`maillog = journald`: a real journal, written by systemd-journal-remote, in the place of the system's own."""
import os
import subprocess
import time
import unittest

from daemon import Daemon
from evidence import HANDSHAKE, SENT, counted, ingest_status, serials, wait_for_status, wait_until_counted

REMOTE = "/lib/systemd/systemd-journal-remote"
SYSTEM = "/var/log/journal"
MACHINE = "0123456789abcdef0123456789abcdef"


@unittest.skipUnless(os.geteuid() == 0, "only root can put another journal in the place of the system's")
class TheJournal(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon([("peer.test", "opportunistic")], start=False, maillog="journald", trust_maillog="no",
                             evidence_uid="4711")
        self.daemon.__enter__()
        self.addCleanup(self.leave)
        self.folder = self.daemon.path("journal")
        os.makedirs(os.path.join(self.folder, MACHINE))
        with open(self.daemon.path("machine-id"), "w", encoding="ascii") as file:
            file.write(MACHINE + "\n")
        self.write("daemon started")

    def leave(self):
        self.daemon.__exit__(None)

    def start(self):
        script = (f"mount --bind {self.folder} {SYSTEM} && "
                  f'mount --bind {self.daemon.path("machine-id")} /etc/machine-id && exec "$@"')
        self.daemon.start(command=("unshare", "--mount", "sh", "-c", script, "sh"))

    def write(self, message, uid=4711, unit="session-1.scope"):
        now = time.time_ns() // 1000
        entry = (f"__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={time.monotonic_ns() // 1000}\n_BOOT_ID={MACHINE}\n"
                 f"_MACHINE_ID={MACHINE}\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=postfix/smtp\n_PID=42\n_UID={uid}\n"
                 f"_HOSTNAME=mail\n_SYSTEMD_UNIT={unit}\nMESSAGE={message}\n\n")
        subprocess.run([REMOTE, "-o", os.path.join(self.folder, MACHINE, "system.journal"), "-"], input=entry, text=True,
                       check=True, capture_output=True)

    def deliver(self, end=HANDSHAKE, **sender):
        self.write(f"{next(serials):X}A: to=<u@peer.test>, relay=mx1.peer.test[192.0.2.10]:25, delay=0.4, "
                   f"delays=0.1/0.01/0.29/0, {end}", **sender)

    def test_entries_of_postfix_are_believed_and_those_of_others_are_counted(self):
        self.start()
        wait_for_status(self.daemon, lines=0)
        self.deliver(uid=1000)
        wait_until_counted(self.daemon, 1, "trusted = 0")
        self.deliver("tls=encrypt, " + SENT)
        self.deliver("tls=encrypt, " + SENT, uid=0, unit="postfix@-.service")
        wait_until_counted(self.daemon, 2, "trusted = 1 AND security = 'encrypted'")
        self.daemon.wait_until_answers("peer.test", "OK encrypt")

    def test_a_restart_counts_what_was_written_meanwhile_and_nothing_twice(self):
        self.start()
        wait_for_status(self.daemon, lines=0)
        self.deliver()
        wait_until_counted(self.daemon, 1)
        self.daemon.stop()
        self.deliver()
        self.start()
        wait_until_counted(self.daemon, 2)
        killed = self.daemon.kill_role("ingest")
        self.daemon.role("ingest", other_than=killed)
        self.deliver()
        wait_until_counted(self.daemon, 3)
        self.assertEqual(3, counted(self.daemon))
        self.assertEqual(0, ingest_status(self.daemon)["dropped"])


if __name__ == "__main__":
    unittest.main()
