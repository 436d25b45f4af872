#!/usr/bin/env python3
"""Role `ingest` follows a mail log that this test writes, rotates and truncates: what stands in it is counted once."""
import os
import shutil
import signal
import unittest

from daemon import Daemon
from evidence import (HANDSHAKE, SENT, append, counted, encrypted, ingest_status, line, status, wait_for_status,
                      wait_until_counted)
from processes import SANITIZED, children_of, name_of, plain_build_only, status_of, wait_until

ROWS = [("peer.test", "opportunistic"), ("other.test", "opportunistic")]


class Logged(Daemon):
    """A daemon with a mail log, empty when it starts."""

    def __init__(self, rows=ROWS, trusted="yes", there=True, **settings):
        super().__init__(rows, trust_maillog=trusted, **settings)
        self.maillog = self.path("mail.log")
        self.configure(maillog=self.maillog)
        if there:
            append(self.maillog, "")

    def __enter__(self):
        super().__enter__()
        # From here on every line is a new one.
        wait_for_status(self, lines=0)
        return self

    def write(self, text, name="mail.log"):
        append(self.path(name), text)


class TheRole(unittest.TestCase):
    def test_it_runs_only_where_there_is_something_to_read(self):
        with Daemon(ROWS) as daemon:
            self.assertEqual({"answer", "store"}, set(daemon.roles()))
            self.assertEqual({}, ingest_status(daemon))
        with Logged() as daemon:
            self.assertEqual({"answer", "store", "ingest"}, set(daemon.roles()))
            self.assertIn("tlspolicyd: ingest", map(name_of, children_of(daemon.process.pid)))
            self.assertEqual(daemon.role("ingest"), ingest_status(daemon)["pid"])

    @plain_build_only
    def test_it_runs_under_a_system_call_filter_of_its_own(self):
        with Logged() as daemon:
            self.assertEqual(2, status_of(daemon.role("ingest"), "Seccomp"))

    def test_kill_9_at_any_moment_counts_every_line_once(self):
        with Logged() as daemon:
            answer, store = daemon.role("answer"), daemon.role("store")
            written = 0
            for _ in range(5):
                daemon.write("".join(status("peer.test") for _ in range(2000)))
                killed = daemon.kill_role("ingest")
                daemon.write("".join(status("peer.test") for _ in range(100)))
                written += 2100
                daemon.role("ingest", other_than=killed)
            wait_until_counted(daemon, written)
            self.assertEqual((answer, store), (daemon.role("answer"), daemon.role("store")))
            self.assertIn("role ingest was killed by signal 9; it is started again", daemon.log())

    def test_its_death_is_not_seen_by_postfix(self):
        with Logged() as daemon, daemon.client() as client:
            for _ in range(3):
                killed = daemon.kill_role("ingest")
                self.assertEqual("OK may", client.ask("peer.test"))
                daemon.role("ingest", other_than=killed)

    def test_other_roles_killed_lose_no_later_line(self):
        for name in ("answer", "store"):
            with self.subTest(role=name), Logged() as daemon:
                daemon.write(status("peer.test"))
                wait_until_counted(daemon, 1)
                killed = daemon.kill_role(name)
                daemon.role(name, other_than=killed)
                daemon.write(status("peer.test"))
                wait_until_counted(daemon, 2)


class Following(unittest.TestCase):
    def test_each_line_is_counted_once_over_a_rename_and_over_a_restart(self):
        with Logged() as daemon:
            daemon.write(status("peer.test"))
            wait_until_counted(daemon, 1)
            os.rename(daemon.maillog, daemon.path("mail.log.1"))
            daemon.write(status("peer.test"), "mail.log.1")
            daemon.write(status("peer.test"))
            wait_for_status(daemon, lines=3)
            daemon.stop()
            self.assertEqual(3, counted(daemon))
            daemon.write(status("peer.test"))
            os.rename(daemon.maillog, daemon.path("mail.log.1"))
            daemon.write(status("peer.test"))
            daemon.start()
            wait_until_counted(daemon, 5)
            daemon.restart()
            daemon.write(status("peer.test"))
            wait_until_counted(daemon, 6)

    def test_copytruncate_truncation_and_nul_blocks(self):
        with Logged() as daemon:
            daemon.write(status("peer.test") * 3)
            wait_until_counted(daemon, 3)
            shutil.copy(daemon.maillog, daemon.path("mail.log.1"))
            size = os.path.getsize(daemon.maillog)
            os.truncate(daemon.maillog, 0)
            with open(daemon.maillog, "r+b") as writer:  # one that goes on at his old place
                writer.seek(size)
                writer.write(status("peer.test").encode())
            wait_until_counted(daemon, 4)
            os.truncate(daemon.maillog, 0)
            daemon.write(status("peer.test"))
            wait_until_counted(daemon, 5)

    def test_a_missing_file_is_said_and_waited_for(self):
        with Logged(there=False) as daemon:
            wait_for_status(daemon, maillog_missing=True)
            said = daemon.run_ctl("status")
            self.assertEqual(1, said.returncode)
            self.assertIn("not well", said.stdout)
            self.assertIn("To look at:\n  The mail log (maillog) can't be read", said.stdout)
            self.assertRegex(daemon.log(), "mail.log: No such file or directory; evidence from the mail log waits")
            daemon.write(status("peer.test"))
            wait_until_counted(daemon, 1)
            wait_for_status(daemon, maillog_missing=False)
            daemon.ctl("status")  # ends with 0

    def test_a_burst_is_taken_whole_in_bounded_memory(self):
        size = 6_000_000 if SANITIZED else 60_000_000
        with Logged() as daemon:
            filler = line("4ABC: removed") * 60
            block = (filler + status("peer.test")) * 100
            with open(daemon.maillog, "ab") as log:
                blocks = size // len(block)
                for _ in range(blocks):
                    log.write(block.encode())
            wait_until_counted(daemon, blocks * 100)
            wait_for_status(daemon, lines=blocks * 100 * 61, dropped=0)
            self.assertLess(status_of(daemon.role("ingest"), "VmHWM"), 40_000 if not SANITIZED else 400_000)


class WhatItSays(unittest.TestCase):
    def phase(self, daemon, destination):
        return daemon.edit(f"SELECT count(*) FROM destination_state WHERE destination = '{destination}';",
                           daemon.path("state.db")).strip()

    def test_a_trusted_log_raises_an_answer_and_an_untrusted_one_is_only_counted(self):
        for trusted, answer in (("yes", "OK encrypt"), ("no", "OK may")):
            with self.subTest(trusted=trusted), Logged(trusted=trusted) as daemon:
                daemon.write(encrypted("peer.test"))
                wait_until_counted(daemon, 1, "source = 'maillog' AND security = 'encrypted' AND destination = "
                                   f"'peer.test' AND cause = '' AND trusted = {int(trusted == 'yes')}")
                daemon.wait_until_answers("peer.test", answer)
                self.assertEqual("OK may", daemon.ask("other.test"))

    def test_trust_is_reloaded(self):
        with Logged(trusted="no") as daemon:
            daemon.configure(trust_maillog="yes")
            ready = daemon.notify.count("READY=1")
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: daemon.notify.count("READY=1") > ready, "it is reloaded")
            daemon.write(encrypted("peer.test"))
            daemon.wait_until_answers("peer.test", "OK encrypt")

    def test_a_line_belongs_to_what_its_process_asked_about(self):
        with Logged([("[relay.test]", "opportunistic"), *ROWS]) as daemon, daemon.client(daemon.unix) as client:
            client.ask("[relay.test]", "policy@tenant1")
            daemon.write(encrypted("peer.test", pid=os.getpid()))
            wait_until_counted(daemon, 1, "destination = '[relay.test]' AND view = 'tenant1'")
            self.assertEqual(1, counted(daemon))
            # Delivered on this host, by a process that never asked: to nobody's domain.
            daemon.write(status("peer.test", SENT, pid=1, relay="127.0.0.1[127.0.0.1]:10024"))
            wait_until(lambda: daemon.status()["feedback"].get("unplaced") == 1, "one has no place")
            self.assertEqual(1, counted(daemon))

    def test_a_line_that_could_be_of_several_views_is_none_of_theirs_also_after_a_restart(self):
        with Logged() as daemon:
            with daemon.client(daemon.unix) as client:
                client.ask("peer.test", "policy@tenant1")
                # One view alone is asked in, so a line of an unknown process is of that.
                daemon.write(encrypted("peer.test", pid=1))
                wait_until_counted(daemon, 1, "view = 'tenant1'")
                client.ask("peer.test", "policy@tenant2")
                daemon.write(encrypted("peer.test", pid=os.getpid()))
                wait_until_counted(daemon, 1, "view = 'tenant2'")
                daemon.write(encrypted("peer.test", pid=1))
                wait_until(lambda: daemon.status()["feedback"].get("unplaced") == 1, "the third has no place")
            self.assertEqual(2, counted(daemon))
            daemon.stop()
            daemon.write(encrypted("peer.test", pid=1))
            daemon.start()
            wait_until(lambda: daemon.status()["feedback"].get("unplaced") == 1, "nor the fourth")
            self.assertEqual(2, counted(daemon))
            self.assertEqual("OK may", daemon.ask("peer.test"))
            for view in ("tenant1", "tenant2"):
                self.assertEqual("OK encrypt", daemon.ask("peer.test", f"policy@{view}"))

    def test_the_evidence_says_where_it_comes_from(self):
        with Logged() as daemon:
            daemon.write(status("peer.test", HANDSHAKE))
            wait_until_counted(daemon, 1, "cause = 'handshake-failure' AND trusted = 1")
            wait_until(lambda: "handshake-failure" in daemon.ctl("state", "peer.test", "--json", expect=None)
                       or self.phase(daemon, "peer.test") == "1", "the state has it")

    def test_words_of_a_peer_and_lines_of_others_change_nothing(self):
        with Logged() as daemon:
            daemon.write(status("peer.test", "dsn=4.0.0, status=deferred (host mx1.peer.test[192.0.2.10] said: 450 "
                                "Cannot start TLS: handshake failure)"))
            daemon.write("\xff\x00 garbage\n" + "x" * 100_000 + "\n")
            daemon.write(status("not a domain", SENT))
            daemon.write(status("peer.test", SENT))
            wait_until_counted(daemon, 1)
            self.assertEqual("unknown", counted(daemon, "security"))
            wait_for_status(daemon, lines_too_long=1)


if __name__ == "__main__":
    unittest.main()
