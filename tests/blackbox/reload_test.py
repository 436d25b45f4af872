#!/usr/bin/env python3
"""The configuration at start and at reload, and what the service manager is told."""
import os
import signal
import subprocess
import threading
import time
import unittest

from daemon import BAD_CONFIG, BIN, Daemon
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import SLOWNESS, stopped, wait_until

ROWS, STRICT = strict_rows(20)
PLAIN = "OK encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1"
MODERN = ("INSERT INTO profile(name, level, fallback, min_protocol) VALUES('modern', 'encrypt', 'never', 'TLSv1.2');"
          "INSERT INTO outbound(destination, profile) VALUES('modern.example', 'modern');")


def run(*arguments):
    """The program without a service: its exit status, standard output and error."""
    done = subprocess.run([os.path.join(BIN, "tlspolicyd"), *arguments], capture_output=True, text=True,
                          check=False, timeout=30)
    return done.returncode, done.stdout, done.stderr


class AtStart(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon(init=False, start=False))

    def check_refused(self, *expected):
        for arguments in (("--config", self.daemon.config), ("--check-config", "--config", self.daemon.config)):
            status, _, said = run(*arguments)
            self.assertEqual(BAD_CONFIG, status, said)
            for text in expected:
                self.assertIn(text, said)

    def test_a_bad_line_is_named_with_file_line_and_key(self):
        self.daemon.configure("\n# a comment\nmode = sometimes\nno_such_key = 1\npostfix_version\n")
        line = len(self.daemon.settings) + 3 - sum(value is None for value in self.daemon.settings.values())
        self.check_refused(f"{self.daemon.config}:{line}: mode", "enforce or observe",
                           f"{self.daemon.config}:{line + 1}: no_such_key", f"{self.daemon.config}:{line + 2}: ")

    def test_each_kind_of_bad_value_is_refused(self):
        for key, value in (("tlsmap_listen", "inet:example.com:8460"), ("tlsmap_listen", "inet:127.0.0.1:0"),
                           ("tlsmap_listen", "unix:relative"), ("policy_db", "a.db"), ("socket_mode", "9999"),
                           ("log_level", "loud"), ("postfix_version", "2.11"), ("stall_timeout", "0"),
                           ("stall_timeout", "ten"), ("control_socket", "/" + "x" * 200)):
            with self.subTest(key=key, value=value), Daemon(init=False, start=False, **{key: value}) as daemon:
                status, _, said = run("--config", daemon.config)
                self.assertEqual(BAD_CONFIG, status, said)
                self.assertRegex(said, rf"{daemon.config}:\d+: {key}: ")

    def test_an_account_that_does_not_exist_is_named_with_its_key(self):
        for key in ("user", "socket_owner", "socket_group"):
            with self.subTest(key=key):
                self.daemon.configure(f"{key} = no-such-account\n")
                self.check_refused(f"{self.daemon.config}: {key}: there is no ", "no-such-account")

    def test_a_config_that_cannot_be_read_is_refused(self):
        os.unlink(self.daemon.config)
        self.check_refused(self.daemon.config)
        os.mkdir(self.daemon.config)
        self.check_refused(self.daemon.config)
        os.rmdir(self.daemon.config)
        with open(self.daemon.config, "wb") as file:
            file.write(b"\0" * 1_000_000)
        self.check_refused(self.daemon.config)

    def test_a_good_config_is_checked_without_serving(self):
        status, said, _ = run("--check-config", "--config", self.daemon.config)
        self.assertEqual((0, f"{self.daemon.config}: OK\n"), (status, said))
        self.assertFalse(os.path.exists(self.daemon.path("tlsmap.sock")))

    def test_the_version_is_told(self):
        status, said, _ = run("--version")
        self.assertEqual(0, status)
        self.assertRegex(said, r"^tlspolicyd \d+\.\d+\.\d+ ")


class AtReload(unittest.TestCase):
    def reload(self, daemon):
        """Returns when the service manager is told that it is over."""
        seen = len(daemon.notify.drain())
        daemon.process.send_signal(signal.SIGHUP)
        daemon.notify.wait_for("READY=1", daemon.notify.wait_for("RELOADING=1", seen))

    def test_postfix_version_and_mode_are_live_at_once(self):
        with Daemon(ROWS, postfix_version="3.4") as daemon:
            daemon.edit(MODERN)
            daemon.wait_until_answers("modern.example", PLAIN)
            with daemon.client() as client:
                daemon.configure(postfix_version="3.6")
                self.reload(daemon)
                wait_until(lambda: client.ask("modern.example") == "OK encrypt protocols=>=TLSv1.2", "3.6 is known")
                daemon.configure(mode="observe")
                self.reload(daemon)
                wait_until(lambda: client.ask("modern.example") == NOT_FOUND, "nothing is enforced")
                daemon.configure(mode="enforce")
                self.reload(daemon)
                wait_until(lambda: client.ask("modern.example") == "OK encrypt protocols=>=TLSv1.2", "all is enforced")

    def test_a_bad_config_keeps_the_old_one_and_says_where(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, STRICT) as oracle:
            lines = len([value for value in daemon.settings.values() if value is not None])
            daemon.configure("mode = sometimes\n", postfix_version="3.10")
            self.reload(daemon)
            wait_until(lambda: "the old one stays in force" in daemon.log(), "it is said")
            self.assertIn(f"{daemon.config}:{lines + 2}: mode", daemon.log())
            # Asked about what runs, tlspolicyctl names the bad line and answers; what writes must not guess.
            status = daemon.run_ctl("status")
            self.assertIn("all is well", status.stdout)
            self.assertIn(f"{daemon.config}:{lines + 2}: mode", status.stderr)
            daemon.ctl("list", expect=3)
            os.unlink(daemon.config)
            self.reload(daemon)
            wait_until(lambda: daemon.log().count("the old one stays in force") == 2, "it is said again")
            oracle.settle()

    def test_what_takes_a_restart_is_said_and_not_done(self):
        with Daemon(ROWS) as daemon:
            before = daemon.tcp
            daemon.configure(tlsmap_listen=f"unix:{daemon.path('other.sock')}")
            self.reload(daemon)
            wait_until(lambda: "tlsmap_listen has changed; that takes a restart" in daemon.log(), "it is said")
            self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))
            self.assertEqual(before, daemon.tcp)

    def test_a_value_that_takes_a_restart_stays_whatever_role_dies_and_is_named_at_each_reload(self):
        with Daemon(ROWS) as daemon:
            other = daemon.path("other.db")
            for told in (1, 2):
                daemon.configure(state_db=other)
                self.reload(daemon)
                wait_until(lambda told=told: daemon.log().count("state_db has changed; that takes a restart") == told,
                           "it is said")
                wait_until(lambda: daemon.log().count("configuration reloaded") == told, "it is done")
                self.assertIn("all is well", daemon.run_ctl("status").stdout)
            daemon.restart_store()
            self.assertIn("all is well", daemon.run_ctl("status").stdout)
            self.assertFalse(os.path.exists(other))
            daemon.restart()
            self.assertTrue(os.path.exists(other))

    def test_a_user_of_evidence_that_does_not_exist_is_told_when_it_is_news_and_nobody_is_none(self):
        with Daemon(ROWS, maillog="/nonexistent/mail.log", evidence_uid="") as daemon:
            self.assertNotIn("evidence_uid: ", daemon.log())
            for reloaded in (1, 2):
                daemon.configure(evidence_uid="no-such-user")
                self.reload(daemon)
                wait_until(lambda reloaded=reloaded: daemon.log().count("configuration reloaded") == reloaded, "it is done")
            self.assertEqual(1, daemon.log().count("evidence_uid: there is no user no-such-user; "))
            self.assertIn("postconf mail_owner", daemon.log())

    def test_a_role_that_takes_no_orders_is_named_and_gets_the_configuration_when_it_does(self):
        with Daemon(ROWS) as daemon, stopped(daemon.role("answer")):
            daemon.configure(mode="observe", probe_opt_out=", ".join(f"d{n}.example" for n in range(4_000)))

            def is_told():
                daemon.process.send_signal(signal.SIGHUP)
                return "role answer takes no orders" in daemon.log()

            wait_until(is_told, "its queue is full", 30 * SLOWNESS)
            daemon.configure(mode="enforce", postfix_version="3.6")
            self.reload(daemon)
            answer = daemon.role("answer")
            os.kill(answer, signal.SIGCONT)
            wait_until(lambda: "role answer has the new configuration now" in daemon.log(), "it has", 20 * SLOWNESS)
            self.assertEqual(1, daemon.log().count("role answer takes no orders"))
            daemon.edit(MODERN)
            daemon.wait_until_answers("modern.example", "OK encrypt protocols=>=TLSv1.2")
            self.assertEqual(answer, daemon.role("answer"))

    def test_another_policy_db_takes_effect(self):
        with Daemon(ROWS) as daemon:
            other = daemon.path("other.db")
            daemon.edit(f"VACUUM INTO '{other}'")
            daemon.edit("PRAGMA journal_mode = WAL; INSERT INTO outbound(destination, profile) "
                        "VALUES('other.example', 'required')", other)
            daemon.configure(policy_db=other)
            self.reload(daemon)
            daemon.wait_until_answers("other.example", "OK encrypt")
            self.assertEqual("OK encrypt", daemon.ask("d0.strict.example"))


class Storms(unittest.TestCase):
    def test_a_thousand_reloads_a_second_become_a_few_and_change_no_answer(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, STRICT) as oracle:
            began = time.monotonic()
            for _ in range(1000):
                daemon.process.send_signal(signal.SIGHUP)
                time.sleep(0.001)
            oracle.settle()
            most = time.monotonic() - began + 2
            self.assertLessEqual(daemon.log().count("configuration reloaded"), most)
            # The last one asked for is done.
            daemon.configure(mode="observe")
            oracle.allow({key: {*replies, NOT_FOUND} for key, replies in STRICT.items()})
            daemon.process.send_signal(signal.SIGHUP)
            daemon.wait_until_answers("d0.strict.example", NOT_FOUND)

    def test_a_flood_of_child_pipe_and_other_signals_changes_no_answer(self):
        with Daemon(ROWS) as daemon, Oracle(daemon, STRICT) as oracle:
            pids = [daemon.process.pid, *daemon.roles().values()]
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGCONT, signal.SIGWINCH, signal.SIGURG):
                for _ in range(500):
                    for pid in pids:
                        os.kill(pid, number)
            for pid in pids[1:]:  # a role takes its orders from the parent alone
                for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                    os.kill(pid, number)
            oracle.settle(2)
            self.assertEqual(pids[1:], list(daemon.roles().values()))
            self.assertEqual(0, oracle.reconnects)


class ServiceManager(unittest.TestCase):
    def test_ready_status_reloading_and_stopping_are_told_in_turn(self):
        with Daemon(ROWS) as daemon:
            ready = daemon.notify.wait_for("READY=1")
            status = daemon.notify.wait_for(f"STATUS=policy: {len(ROWS)} rows")
            daemon.process.send_signal(signal.SIGHUP)
            reloading = daemon.notify.wait_for("RELOADING=1", ready + 1)
            self.assertTrue(any(line.startswith("MONOTONIC_USEC=")
                                for line in daemon.notify.messages[reloading]))
            again = daemon.notify.wait_for("READY=1", reloading + 1)
            daemon.process.send_signal(signal.SIGTERM)
            daemon.notify.wait_for("STOPPING=1", max(again, status) + 1)

    def test_the_watchdog_is_fed_only_while_the_answering_loop_turns(self):
        with Daemon(ROWS, environment={"WATCHDOG_USEC": "400000"}) as daemon:
            wait_until(lambda: daemon.notify.count("WATCHDOG=1") > 3, "the watchdog is fed")
            answer = daemon.role("answer")
            os.kill(answer, signal.SIGSTOP)
            threading.Event().wait(1.0)  # what was said before it stopped counts for one period
            fed = daemon.notify.count("WATCHDOG=1")
            threading.Event().wait(1.0)
            self.assertEqual(fed, daemon.notify.count("WATCHDOG=1"))
            os.kill(answer, signal.SIGCONT)
            wait_until(lambda: daemon.notify.count("WATCHDOG=1") > fed, "the watchdog is fed again")

    def test_without_a_watchdog_it_is_not_fed(self):
        with Daemon(ROWS) as daemon:
            daemon.ask("d0.strict.example")
            daemon.restart()
            self.assertEqual(0, daemon.notify.count("WATCHDOG=1"))


if __name__ == "__main__":
    unittest.main()
