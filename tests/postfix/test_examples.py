"""Every file of postfix-examples/, run as it stands."""

import json
import os
import pathlib
import re
import unittest

from daemon import Daemon
from run import ROOT
from story import Story

EXAMPLES = os.path.join(ROOT, "postfix-examples")
BASE = "unix-chroot.cf"


def read(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


def files():
    """The folder migrate/ has tests of its own, which need no Postfix."""
    return [name for name in os.listdir(EXAMPLES) if os.path.isfile(os.path.join(EXAMPLES, name))]


class EveryExample(unittest.TestCase):
    def test_is_run_by_a_test(self):
        tests = "".join(path.read_text(encoding="utf-8") for path in pathlib.Path(__file__).parent.glob("test_*.py"))
        for name in files():
            self.assertIn(f'"{name}"', tests)

    def test_is_named_by_the_readme_and_the_readme_names_no_other(self):
        named = set(re.findall(r"`([\w.-]+\.cf)`", read("README.md"))) - {"main.cf", "master.cf"}
        self.assertEqual(named | {"README.md"}, set(files()))


class TheExample(Story):
    def make_postfix_with(self, *fragments, master_cf=""):
        postfix = self.make_postfix("".join(read(name) for name in fragments), master_cf)
        self.assertEqual(postfix.complaints_about_configuration(), [])
        return postfix

    def check_rows_hold(self, postfix, **settings):
        daemon = self.make_daemon(postfix, **settings)
        daemon.edit(Daemon.row("nostarttls.test", "required") + Daemon.row("good.test", "off"))
        with daemon, postfix:
            postfix.send("a@nostarttls.test", "b@good.test", "c@x.good.test")
            self.assert_not_offered(postfix, "a@nostarttls.test")
            self.assert_arrives(postfix, "b@good.test", "PLAIN")
            self.assert_arrives(postfix, "c@x.good.test", "TLS")
            self.assertIn("TLS connection established to mx.good.test[", postfix.read_log())

    def test_for_the_chroot_makes_rows_hold(self):
        self.check_rows_hold(self.make_postfix_with("unix-chroot.cf"))

    def test_for_tcp_makes_rows_hold(self):
        self.check_rows_hold(self.make_postfix_with("tcp.cf"))

    def test_for_observing_changes_nothing(self):
        postfix = self.make_postfix_with("observe.cf")
        daemon = self.make_daemon(postfix, mode="observe")
        daemon.edit(Daemon.row("nostarttls.test", "required") + Daemon.row("good.test", "off"))
        with daemon, postfix:
            postfix.send("a@nostarttls.test", "b@good.test")
            self.assert_arrives(postfix, "a@nostarttls.test", "PLAIN")
            self.assert_arrives(postfix, "b@good.test", "TLS")
            self.assertNotIn("warning: socketmap:", postfix.read_log())

    def test_for_observing_tells_what_would_have_waited(self):
        postfix = self.make_postfix_with("observe.cf")
        daemon = self.make_daemon(postfix, mode="observe", maillog=os.path.join(postfix.directory, "mail.log"))
        daemon.edit("".join(Daemon.row(f"{name}.test", "required") for name in ("nostarttls", "good")))

        def observed():
            return {line["destination"]: line for line in json.loads(daemon.ctl("decisions", "--observed", "--json"))}

        with daemon, postfix:
            postfix.send("a@good.test")
            self.assert_arrives(postfix, "a@good.test", "TLS")
            # Only once the log has shown TLS does its silence mean "in clear".
            postfix.wait_until(lambda: observed().get("good.test", {}).get("tls") == 1, 30, "TLS was observed")
            postfix.send("a@nostarttls.test")
            self.assert_arrives(postfix, "a@nostarttls.test", "PLAIN")
            postfix.wait_until(lambda: observed().get("nostarttls.test", {}).get("clear") == 1, 30, "clear was observed")
            found = observed()
        for name, foreseen in (("good.test", (1, 0, 0)), ("nostarttls.test", (0, 1, 0))):
            line = found[name]
            self.assertEqual(foreseen, tuple(line[each] for each in ("would_pass", "would_wait", "undecided")), line)
            self.assertEqual((name, "required", ["encrypt"]), (line["row"], line["profile"], line["level"]))

    def test_for_a_relayhost_sends_by_the_relays_row(self):
        postfix = self.make_postfix_with(BASE, "relayhost.cf")
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row("[relay.example.com]:587", "verified"))
        with daemon, postfix:
            postfix.send("a@anywhere.test")
            self.assert_arrives(postfix, "a@anywhere.test", "TLS")
            self.assertEqual(self.arrival("a@anywhere.test").receiver, "relay.example.com")
            self.assertIn("Verified TLS connection established to relay.example.com[",
                          postfix.read_log())

    def test_for_a_strict_transport_keeps_its_mail_from_going_in_clear(self):
        self.internet.point_at("bank.example.com", "nostarttls")
        postfix = self.make_postfix_with(BASE, "strict-transport.cf",
                                         master_cf=read("strict-transport.master.cf"))
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row("bank.example.com", "off") + Daemon.row("nostarttls.test", "off"))
        with daemon, postfix:
            postfix.send("a@bank.example.com", "b@sub.bank.example.com", "c@nostarttls.test")
            self.assert_not_offered(postfix, "a@bank.example.com")
            self.assert_not_offered(postfix, "b@sub.bank.example.com")
            self.assert_arrives(postfix, "c@nostarttls.test", "PLAIN")
            self.assertRegex(postfix.read_log(), r"postfix/smtp-strict/smtp\[\d+\]: \w+: to=<a@bank")

    def test_for_dane_makes_tlsa_records_count(self):
        postfix = self.make_postfix_with(BASE, "dane.cf")
        daemon = self.make_daemon(postfix)
        daemon.edit(Daemon.row("dane.test", "dane-only") + Daemon.row("danebad.test", "dane-only"))
        with daemon, postfix:
            postfix.send("a@dane.test", "b@danebad.test")
            self.assert_arrives(postfix, "a@dane.test", "TLS")
            self.assertIn("Verified TLS connection established to mx.dane.test[", postfix.read_log())
            self.assert_deferred(postfix, "b@danebad.test", "4.7.5", "Server certificate not verified")

    def test_for_policyd_accepts_mail_with_the_daemon_and_without(self):
        postfix = self.make_postfix_with("policyd.cf")
        with self.make_daemon(postfix), postfix:
            postfix.send("a@good.test", sender="somebody@sender.test")
            self.assert_arrives(postfix, "a@good.test", "PLAIN")
            self.assertNotIn("policyd.sock", postfix.read_log())
        postfix = self.make_postfix_with("policyd.cf")
        with postfix:
            postfix.send("b@good.test", sender="somebody@sender.test")
            self.assert_arrives(postfix, "b@good.test", "PLAIN")
            self.assertRegex(postfix.read_log(), r"warning: .*policyd\.sock")

    def test_commands_of_the_readme_do_what_it_says(self):
        commands = re.findall(r"^tlspolicyctl (.*?)(?: +#.*)?$", read("README.md"), re.MULTILINE)
        self.assertGreater(len(commands), 3)
        with self.make_daemon() as daemon:
            for command in commands:
                daemon.ctl(*(word.strip("'") for word in command.split()))
            for key, reply in (("bank.example.com", "OK encrypt"), ("a.bank.example.com", "OK encrypt"),
                               ("partner.example.com", "OK verify"), ("old.example.com", "OK none"),
                               ("[relay.example.com]:587", "OK verify")):
                daemon.wait_until_answers(key, reply)
