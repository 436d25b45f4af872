"""README.md from beginning to end on a host with a real Postfix: every command, and what becomes of mail."""

import os
import signal
import subprocess
import sys
import time

from daemon import BIN
from run import ROOT
from story import Story

sys.path.insert(0, os.path.join(ROOT, "tests"))
# pylint: disable=wrong-import-position
import readme_commands

TLS_POLICY = "bank.example encrypt\n.lab.example may\n"
TRYING = "Two commands"
RETRY_BY_HAND = ("minimal_backoff_time=1h", "maximal_backoff_time=1h", "queue_run_delay=1h")


class Service:
    """systemctl's part."""

    def __init__(self, daemon):
        self.daemon, self.start, self.stop = daemon, daemon.start, daemon.stop

    def reload(self):
        before = self.daemon.log().count("configuration reloaded")
        self.daemon.signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while self.daemon.log().count("configuration reloaded") == before:
            if time.monotonic() > deadline:
                raise AssertionError(f"no reload\n{self.daemon.log()}")
            time.sleep(0.01)


class Readme(Story):
    def make_host(self):
        """One that delivers by an old table, as the README's reader has it."""
        self.internet.point_at("bank.example", "nostarttls")
        self.postfix = self.make_postfix("smtp_tls_security_level = may\n")
        subprocess.run(["postconf", "-c", self.postfix.config, "-e", *RETRY_BY_HAND], check=True)
        self.daemon = self.make_daemon()
        root = os.path.join(self.directory, "host")
        os.makedirs(os.path.join(root, "var/spool"))
        os.symlink(self.postfix.queue, os.path.join(root, "var/spool/postfix"))
        files = {"policy_db": "policy.db", "state_db": "state.db", "image_file": "policy.image"}
        self.host = readme_commands.Host(root, BIN, Service(self.daemon), self.postfix.config, [
            f"{key} = {root}/var/lib/tlspolicyd/{name}" for key, name in files.items()] + [
            f"control_socket = {self.daemon.directory}/control.sock", "postfix_version = 3.7"])
        self.daemon.config = str(self.host.config)
        table = os.path.join(root, "etc/postfix/tls_policy")
        with open(table, "w", encoding="ascii") as file:
            file.write(TLS_POLICY)
        subprocess.run(["postmap", "-c", self.postfix.config, f"hash:{table}"], check=True)
        self.host.statuses["tlspolicyctl held"] = 1
        os.symlink(os.path.join(self.postfix.directory, "mail.log"), os.path.join(root, "var/log/mail.log"))

    def retry(self):
        [message] = self.postfix.queued()
        subprocess.run(["postqueue", "-c", self.postfix.config, "-i", message["queue_id"]], check=True)

    def after(self, line):
        """What the README promises of mail, once a line has run."""
        if line.startswith("tlspolicyctl query"):
            self.postfix.send("held@bank.example")
            self.assert_not_offered(self.postfix, "held@bank.example")
            self.postfix.wait_until(lambda: self.postfix.queued()[0]["queue_name"] == "deferred", 30, "it waits")
        elif line.startswith("tlspolicyctl set bank.example off"):
            self.daemon.wait_until_answers("bank.example", "OK none")
            self.retry()
            self.assertEqual(self.postfix.wait_for_attempt("held@bank.example", nth=2).status, "sent")
            self.assertEqual(self.arrival("held@bank.example").seen, "PLAIN")

    def test_takes_a_host_there_and_back(self):
        self.make_host()
        lines = readme_commands.commands(*(title for title in readme_commands.sections() if title != TRYING))
        with self.postfix:
            try:
                for line in lines:
                    said = self.host.run(line)
                    if line.startswith("tlspolicyctl held"):
                        self.assertIn("bank.example", said)
                    self.after(line)
                    self.postfix.read_log()
            finally:
                self.daemon.stop()
            self.assertEqual((self.host.left, self.host.ran), ([], lines), "none is skipped")
            # Gone: the table that was exported holds by itself.
            self.postfix.send("left@bank.example")
            self.assert_not_offered(self.postfix, "left@bank.example")
