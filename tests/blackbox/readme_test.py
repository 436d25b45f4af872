"""Every command of README.md is run: here against a real daemon, those of a Postfix host in tests/postfix."""
import pathlib
import re
import signal
import sys
import unittest

from daemon import BIN, Daemon, quoted

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
# pylint: disable=wrong-import-position
import readme_commands

TLS_POLICY = "bank.example encrypt\npartner.example secure match=mx.hosting.example\n.lab.example may\n"
TRYING = "Two commands"


class Service:
    """systemctl's part."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.start, self.stop = daemon.start, daemon.stop

    def reload(self):
        seen = len(self.daemon.notify.drain())
        self.daemon.process.send_signal(signal.SIGHUP)
        self.daemon.notify.wait_for("READY=1", self.daemon.notify.wait_for("RELOADING=1", seen))


class Readme(unittest.TestCase):
    def make_host(self, daemon):
        files = {"policy_db": "policy.db", "state_db": "state.db", "image_file": "policy.image"}
        host = readme_commands.Host(daemon.directory, BIN, Service(daemon), settings=[
            f"{key} = {daemon.path('var/lib/tlspolicyd')}/{name}" for key, name in files.items()] + [
            f"control_socket = {daemon.path('control.sock')}"])
        # An address that no other test has.
        host.config.write_text(host.config.read_text().replace("inet:127.0.0.1:8460", daemon.tcp))
        daemon.config, daemon.policy_db = str(host.config), daemon.path("var/lib/tlspolicyd/policy.db")
        return host

    def test_its_commands_do_what_it_says_in_its_order(self):
        titles = [title for title in readme_commands.sections() if title != TRYING]
        with Daemon(init=False, start=False) as daemon:
            host = self.make_host(daemon)
            (host.root / "etc/postfix/tls_policy").write_text(TLS_POLICY)
            (host.root / "var/log/mail.log").write_text("")
            said = {}
            for line in readme_commands.commands(*titles):
                said[line] = host.run(line)
                if line.startswith("systemctl reload") and "mode = enforce" in host.config.read_text():
                    daemon.wait_until_answers("bank.example", "OK encrypt")
                elif line.startswith("tlspolicyctl panic"):
                    daemon.wait_until_answers("bank.example", "NOTFOUND " if "observe" in line else "OK encrypt")
                elif line.startswith("tlspolicyctl set bank.example off"):
                    daemon.wait_until_answers("bank.example", "OK none")
                elif line.startswith("tlspolicyctl undo"):
                    daemon.wait_until_answers("bank.example", "OK encrypt")
            self.assertEqual(said["tlspolicyctl query bank.example"], "OK encrypt\n")
            self.assertIn("bank.example", (host.root / "etc/postfix/tls_policy").read_text())
            self.assertTrue((host.root / "etc/systemd/system/tlspolicyd.service").exists())
            self.assertIn("tlspolicyd", (host.root / "etc/passwd").read_text())
        print("\n".join(["ran:", *host.ran, "needs a Postfix, run by tests/postfix:", *host.left]))
        self.assertEqual(sorted([*host.ran, *host.left]), sorted(readme_commands.commands(*titles)))

    def test_what_it_shows_after_dev_run_is_so(self):
        with Daemon([("bank.example", "required")]) as daemon:
            host = self.make_host(daemon)
            host.map = lambda line: line.replace("var/policy.db", daemon.path("policy.db")) \
                .replace("var/tlspolicyd.conf", daemon.path("tlspolicyd.conf")).replace("build/release/bin", BIN)
            *others, asking = readme_commands.commands(TRYING)
            for line in others:
                host.run(line)
            daemon.wait_until_answers("shop.example", "OK verify")
            self.assertEqual(host.run(asking).strip(), asking.rpartition("# ")[2])

    def test_what_it_shows_of_main_cf_is_an_example_that_is_run(self):
        shown = [text for blocks in readme_commands.sections().values() for language, text in blocks if language == "cf"]
        examples = [path.read_text() for path in (readme_commands.ROOT / "postfix-examples").glob("*.cf")]
        self.assertTrue(shown)
        for text in shown:
            self.assertTrue(any(text in example for example in examples), text)

    def test_a_command_that_nobody_knows_is_an_error(self):
        with Daemon(init=False, start=False) as daemon:
            host = self.make_host(daemon)
            for line in ("tlspolicyctl frobnicate", "rm -rf /etc", "systemctl mask tlspolicyd", "./dev frobnicate",
                         "systemctl start other"):
                with self.subTest(line=line), self.assertRaises(AssertionError):
                    host.run(line)

    def test_verbs_and_files_named_in_its_prose_exist(self):
        prose = re.sub(readme_commands.FENCE, "", readme_commands.read())
        with Daemon(init=False, start=False) as daemon:
            for verb in sorted(set(re.findall(r"`tlspolicyctl (\w+(?: \w+)?)", prose))):
                words = verb.split() if verb.startswith("profile ") else verb.split()[:1]
                self.assertIn("Usage", daemon.ctl(*words, "--help"), quoted(verb))
        for path in re.findall(r"\]\(([\w./-]+)\)", prose):
            self.assertTrue((readme_commands.ROOT / path).exists(), path)


if __name__ == "__main__":
    unittest.main()
