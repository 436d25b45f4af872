"""The Debian package in a clean Debian with a systemd of its own: installed, upgraded, removed, purged.

`package_test.py SUITE`: bookworm or trixie. Needs root, debootstrap and a network to Debian's mirror; minutes.
The package is built first, unless TLSPOLICYD_PACKAGE_BOOKWORM or _TRIXIE names one.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import base
from machine import Machine

SUITE = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1] in base.RELEASES else "bookworm"
HERE = pathlib.Path(__file__).resolve().parent
SERVICE = "tlspolicyd.service"
PORT_SOCKET = "tlspolicyd-tlsmap.socket"
CHROOT_SOCKETS = ("tlspolicyd-tlsmap-unix.socket", "tlspolicyd-policyd-unix.socket")
PORT = "inet:127.0.0.1:8460"
CHROOT = "/var/spool/postfix/tlspolicyd"
LOWEST = "0.0.1~test"
MOST_EXPOSED = 1.5
LONGEST_GAP = 5.0  # seconds; smtp(8) waits for 100, and how long it took is printed
# What else changes when a package comes and goes: dpkg's and apt's own books, the journal, and the accounts,
# whose earlier state is kept beside them.
NOT_OURS = re.compile(r"^/(proc|sys|dev|run|tmp|root)(/|$)|^/var/(lib/(dpkg|apt|systemd)|cache|log)(/|$)"
                      r"|^/etc/(passwd|group|g?shadow|subuid|subgid)-?$|^/etc/\.pwd\.lock$")


class Installed(unittest.TestCase):
    """A machine with the package, without Postfix."""

    package = None
    older = None
    postfix = False

    @classmethod
    def setUpClass(cls):
        cls.root = base.make_base(SUITE, Installed.package)

    def setUp(self):
        self.machine = self.enterContext(Machine(self.root))
        if self.postfix:
            self.install_postfix()

    def install(self, package=None):
        name = f"/root/{(package or self.package).name}"
        self.machine.path(name).write_bytes((package or self.package).read_bytes())
        self.machine.run("apt-get", "install", "-y", "--no-install-recommends", "--allow-downgrades", name)

    def install_postfix(self):
        self.machine.run("debconf-set-selections", stdin="postfix postfix/main_mailer_type select Local only\n"
                                                         "postfix postfix/mailname string test.example\n")
        self.machine.run("apt-get", "install", "-y", "--no-install-recommends", "postfix", "sqlite3")

    def is_active(self, unit):
        return self.machine.try_run("systemctl", "is-active", unit).stdout.strip() == "active"

    def ask(self, key, expected):
        """An edit is live in a moment, not at once."""
        self.wait_until(lambda: self.machine.run("tlspolicyctl", "query", key).strip() == expected,
                        f"{key} answers {expected}")

    def wait_until(self, condition, what):
        deadline = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)

    def set(self, destination, profile, answer, *options):
        self.machine.run("tlspolicyctl", "set", destination, profile, *options)
        self.ask(destination, answer)

    def modes(self, *paths):
        return self.machine.run("stat", "-c", "%n %a %U:%G", *paths).splitlines()

    def files(self):
        found = self.machine.run("find", "/", "-xdev", "-not", "-path", "/proc/*").splitlines()
        return {path for path in found if not NOT_OURS.match(path)}


class AfterInstallation(Installed):
    def test_it_serves_on_loopback_by_units_that_a_boot_starts_again(self):
        self.install()
        for unit in (SERVICE, PORT_SOCKET):
            self.assertTrue(self.is_active(unit), unit)
            self.assertEqual(self.machine.run("systemctl", "is-enabled", unit).strip(), "enabled")
        self.machine.run("tlspolicyctl", "status")
        self.ask("bank.example", "NOTFOUND")
        self.set("bank.example", "required", "OK encrypt")
        self.assertIn("postconf", self.machine.try_run("tlspolicyctl", "doctor").stderr, "Postfix is missing")

    def test_folders_and_files_have_the_modes_that_keep_others_out(self):
        self.install()
        self.assertEqual(self.modes(
            "/etc/tlspolicyd", "/etc/tlspolicyd/tlspolicyd.conf", "/run/tlspolicyd", "/run/tlspolicyd/control.sock",
            "/usr/sbin/tlspolicyd", "/var/lib/tlspolicyd", "/var/lib/tlspolicyd/policy.db",
            "/var/lib/tlspolicyd/state.db"), [
            "/etc/tlspolicyd 755 root:root", "/etc/tlspolicyd/tlspolicyd.conf 644 root:root",
            "/run/tlspolicyd 750 tlspolicyd:tlspolicyd", "/run/tlspolicyd/control.sock 660 tlspolicyd:tlspolicyd",
            "/usr/sbin/tlspolicyd 755 root:root", "/var/lib/tlspolicyd 750 tlspolicyd:tlspolicyd",
            "/var/lib/tlspolicyd/policy.db 660 tlspolicyd:tlspolicyd",
            "/var/lib/tlspolicyd/state.db 640 tlspolicyd:tlspolicyd"])
        self.assertEqual(self.machine.run("getent", "passwd", "tlspolicyd").split(":")[5:],
                         ["/var/lib/tlspolicyd", "/usr/sbin/nologin\n"])

    def test_without_postfix_nothing_is_made_in_its_place(self):
        self.install()
        self.assertFalse(self.machine.path("/var/spool/postfix").exists())
        for unit in CHROOT_SOCKETS:
            self.assertFalse(self.is_active(unit), unit)
        self.assertEqual(self.machine.run("systemctl", "list-units", "--failed", "--plain", "--no-legend",
                                          "tlspolicyd*"), "")

    def test_the_configuration_names_every_key_and_is_in_use_as_it_is(self):
        self.install()
        shipped = self.machine.path("/etc/tlspolicyd/tlspolicyd.conf").read_text(encoding="utf-8")
        keys = re.findall(r"^#?(\w+) = ?", shipped, re.M)
        printed = self.machine.run("tlspolicyd", "--print-config")
        self.assertEqual(keys, re.findall(r"^#(\w+) = ?", printed, re.M))
        self.assertEqual(re.findall(r"^[^#\n].*", shipped, re.M), ["user = tlspolicyd"])
        self.machine.run("tlspolicyd", "--check-config")

    def test_no_process_has_a_right_or_leaves_a_core(self):
        self.install()
        pids = self.machine.processes_of(SERVICE)
        self.assertGreaterEqual(len(pids), 3)
        for pid in pids:
            text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
            fields = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                self.assertEqual(int(fields[name], 16), 0, f"{fields['Name']} {name}")
            self.assertEqual((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"), fields["Name"])
            self.assertNotIn("0", fields["Uid"].split())
            limits = pathlib.Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
            self.assertRegex(limits, r"Max core file size +0 +0 ")

    def test_the_unit_lets_each_role_close_its_sandbox(self):
        self.install()
        said = self.machine.run("journalctl", "--no-pager", "--unit", SERVICE)
        self.assertIn("policy published", said)
        for trouble in ("Landlock", "seccomp", "error"):
            self.assertNotIn(trouble, said)

    def test_systemd_finds_little_that_it_could_break(self):
        self.install()
        said = self.machine.run("systemd-analyze", "security", "--no-pager", SERVICE)
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
        print(f"systemd-analyze security: {exposure}", file=sys.stderr)
        self.assertLessEqual(exposure, MOST_EXPOSED, said)

    def test_manual_pages_completion_and_examples_are_there(self):
        self.install()
        listed = set(self.machine.run("dpkg", "-L", "tlspolicyd").splitlines())
        for path in ("/usr/share/man/man8/tlspolicyd.8.gz", "/usr/share/man/man8/tlspolicyctl.8.gz",
                     "/usr/share/man/man5/tlspolicyd.conf.5.gz", "/usr/share/man/man5/tlspolicyd-schema.5.gz",
                     "/usr/share/bash-completion/completions/tlspolicyctl",
                     "/usr/share/doc/tlspolicyd/README.Debian", "/usr/share/doc/tlspolicyd/examples/tcp.cf",
                     "/usr/share/doc/tlspolicyd/docs/failures.md.gz", "/usr/share/doc/tlspolicyd/docs/upgrade.md.gz",
                     "/usr/lib/sysusers.d/tlspolicyd.conf", "/usr/lib/tmpfiles.d/tlspolicyd.conf"):
            self.assertIn(path, {path, path.removesuffix(".gz")} & listed or listed)


class WithPostfix(Installed):
    def check_the_chroot(self):
        self.assertEqual(self.modes(CHROOT, f"{CHROOT}/tlsmap.sock", f"{CHROOT}/policyd.sock"), [
            f"{CHROOT} 755 root:root", f"{CHROOT}/tlsmap.sock 660 root:postfix",
            f"{CHROOT}/policyd.sock 660 root:postfix"])
        question = ["postmap", "-q", "bank.example", f"socketmap:unix:{CHROOT}/tlsmap.sock:policy"]
        self.set("bank.example", "required", "OK encrypt")
        self.assertEqual(self.machine.run("setpriv", "--reuid=postfix", "--regid=postfix", "--clear-groups", *question),
                         "encrypt\n")
        refused = self.machine.try_run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *question)
        self.assertNotEqual(refused.returncode, 0, "who is not Postfix is kept out")

    def test_installed_before_us_its_chroot_has_our_sockets(self):
        self.install_postfix()
        self.install()
        self.check_the_chroot()

    def test_installed_after_us_its_chroot_gets_our_sockets(self):
        self.install()
        self.install_postfix()
        self.check_the_chroot()

    def test_smtp_asks_and_holds_mail_back(self):
        self.install_postfix()
        self.install()
        self.set("[127.0.0.1]:2525", "required", "OK encrypt")
        self.machine.run("postconf", "-e", "relayhost=[127.0.0.1]:2525", "maillog_file=/var/log/postfix.log",
                         "inet_protocols=ipv4", "default_transport=smtp", "relay_transport=relay",
                         "smtp_tls_policy_maps=socketmap:unix:tlspolicyd/tlsmap.sock:policy",
                         "smtp_delivery_status_filter=socketmap:unix:tlspolicyd/tlsmap.sock:outcome, "
                         "$default_delivery_status_filter")
        self.machine.run("systemctl", "restart", "postfix")
        self.machine.run("sendmail", "-f", "a@test.example", "b@bank.example", stdin="Subject: one\n\ntext\n")
        self.machine.shell("for i in $(seq 300); do grep -q status=deferred /var/log/postfix.log && exit; sleep 0.1; "
                           "done; exit 1")
        log = self.machine.path("/var/log/postfix.log").read_text(encoding="utf-8")
        self.assertNotIn("warning", log)
        # `answer` tells its counts a few times a second.
        asked, until = 0, time.monotonic() + 10
        while asked < 3 and time.monotonic() < until:
            time.sleep(0.2)
            asked = json.loads(self.machine.run("tlspolicyctl", "status", "--json"))["answer"]["lookups"]
        self.assertGreaterEqual(asked, 3, "set()'s own, a policy and an outcome")

    def check_the_tlsrpt_socket(self):
        self.assertEqual(self.modes(f"{CHROOT}/tlsrpt"), [f"{CHROOT}/tlsrpt 750 tlspolicyd:postfix"])
        config = self.machine.path("/etc/tlspolicyd/tlspolicyd.conf")
        config.write_text(config.read_text(encoding="utf-8") + f"tlsrpt_socket = {CHROOT}/tlsrpt/tlsrpt.sock\n",
                          encoding="utf-8")
        self.machine.run("systemctl", "restart", SERVICE)
        send = ["logger", "--socket", f"{CHROOT}/tlsrpt/tlsrpt.sock", "no report"]
        self.machine.run("setpriv", "--reuid=postfix", "--regid=postfix", "--clear-groups", *send)
        self.wait_until(lambda: json.loads(self.machine.run("tlspolicyctl", "status", "--json"))["feedback"]
                        ["ingest"]["datagrams_refused"] == 1, "what Postfix sends is received")
        refused = self.machine.try_run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *send)
        self.assertNotEqual(refused.returncode, 0, "who is not Postfix is kept out")

    def test_tlsrpt_datagrams_can_be_taken_where_postfix_was_there_before_us(self):
        self.install_postfix()
        self.install()
        self.check_the_tlsrpt_socket()

    def test_tlsrpt_datagrams_can_be_taken_where_postfix_came_after_us(self):
        self.install()
        self.install_postfix()
        self.check_the_tlsrpt_socket()

    def test_doctor_knows_the_sockets_once_the_configuration_names_them(self):
        self.install_postfix()
        self.install()
        config = self.machine.path("/etc/tlspolicyd/tlspolicyd.conf")
        config.write_text(config.read_text(encoding="utf-8") +
                          f"tlsmap_listen = {PORT}, unix:{CHROOT}/tlsmap.sock\n", encoding="utf-8")
        self.machine.run("systemctl", "restart", SERVICE)
        self.machine.run("postconf", "-e", "smtp_tls_policy_maps=socketmap:unix:tlspolicyd/tlsmap.sock:policy")
        self.assertNotIn("another daemon", self.machine.run("tlspolicyctl", "doctor"))


class AnUpgrade(Installed):
    OLD_SCHEMA = ("DROP TABLE inbound; DROP TABLE submission; PRAGMA user_version = 1;")

    def test_it_migrates_the_policy_and_postfix_is_answered_all_the_while(self):
        self.install_postfix()
        self.install(self.older)
        self.set("bank.example", "required", "OK encrypt", "--owner", "ops")
        self.machine.run("setpriv", "--reuid=tlspolicyd", "--regid=tlspolicyd", "--clear-groups", "sqlite3",
                         "/var/lib/tlspolicyd/policy.db", self.OLD_SCHEMA)
        self.assertEqual(self.schema(), 1)
        before, sockets = self.machine.processes_of(SERVICE), self.socket_runs()
        askers = [self.start_asking(address) for address in (PORT, f"unix:{self.machine.path(CHROOT)}/tlsmap.sock")]
        self.install()
        for asker in askers:
            said, _ = asker.communicate("", timeout=60)
            found = json.loads(said.splitlines()[-1])
            print(f"upgrade: {found}", file=sys.stderr)
            self.assertGreater(found["answers"], 100)
            self.assertEqual(found["wrong"], {})
            self.assertEqual(found["refused"], 0)
            self.assertLess(found["longest"], LONGEST_GAP)
        self.assertEqual(self.socket_runs(), sockets, "no socket is closed, not even for a moment")
        self.assertFalse(set(before) & set(self.machine.processes_of(SERVICE)), "all of it is the new one's")
        self.machine.run("tlspolicyctl", "status")
        self.assertGreater(self.schema(), 1)
        row = json.loads(self.machine.run("tlspolicyctl", "list", "--json"))
        self.assertEqual([(each["destination"], each["owner"]) for each in row], [("bank.example", "ops")])
        self.assertEqual(self.modes("/var/lib/tlspolicyd/policy.db"),
                         ["/var/lib/tlspolicyd/policy.db 660 tlspolicyd:tlspolicyd"])

    def socket_runs(self):
        """What systemd calls each socket unit's run: another where it was started again."""
        return {unit: self.machine.run("systemctl", "show", "--value", "--property", "InvocationID", unit).strip()
                for unit in (PORT_SOCKET, *CHROOT_SOCKETS)}

    def schema(self):
        return int(self.machine.run("sqlite3", "/var/lib/tlspolicyd/policy.db", "PRAGMA user_version"))

    def start_asking(self, address):
        asker = subprocess.Popen(self.machine.on_its_network("/usr/bin/python3", "-B", HERE / "asker.py", address,
                                                             "bank.example", "OK encrypt"),
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(asker.kill)
        self.assertEqual(asker.stdout.readline(), "asking\n")
        return asker

    def test_a_policy_that_is_missing_is_not_replaced_by_an_empty_one(self):
        self.install(self.older)
        self.set("bank.example", "required", "OK encrypt")
        self.machine.shell("rm /var/lib/tlspolicyd/policy.db*")
        self.install()
        self.assertFalse(self.machine.path("/var/lib/tlspolicyd/policy.db").exists())
        self.ask("bank.example", "OK encrypt")

    def test_the_admins_configuration_stays(self):
        self.install(self.older)
        file = self.machine.path("/etc/tlspolicyd/tlspolicyd.conf")
        text = file.read_text(encoding="utf-8").replace("#mode = enforce", "mode = observe")
        file.write_text(text, encoding="utf-8")
        self.install()
        self.assertEqual(file.read_text(encoding="utf-8"), text)


class Removal(Installed):
    def install_dependencies(self):
        """So that what is left afterwards is ours alone."""
        depends = subprocess.run(["dpkg-deb", "--field", self.package, "Depends"], check=True, capture_output=True,
                                 text=True).stdout
        names = [re.split(r"[ |(]", part.strip())[0] for part in depends.split(",")]
        # What is there stays as it is: a newer one may be known of, and the machine has no network.
        self.machine.run("apt-get", "install", "-y", "--no-install-recommends", "--no-upgrade", *sorted(set(names)))

    def processes(self):
        """Ours, by the names that /proc has for them; the machine need not have ps(1)."""
        listed = self.machine.shell("for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $each; echo; done 2> /dev/null")
        return [line for line in listed.splitlines() if re.match(r"(/usr/sbin/)?tlspolicyd\b", line)]

    def test_remove_keeps_what_is_the_admins_and_a_later_installation_goes_on_with_it(self):
        self.install_postfix()
        self.install()
        self.set("bank.example", "required", "OK encrypt")
        self.assertGreaterEqual(len(self.processes()), 3)  # the parent, answer and store
        self.machine.run("postconf", "-e", "smtp_tls_policy_maps=socketmap:unix:tlspolicyd/tlsmap.sock:policy")
        said = self.machine.shell("apt-get remove -y tlspolicyd 2>&1")
        self.assertIn("tlspolicyd: Postfix still asks it, and mail waits", said)
        for path in ("/etc/tlspolicyd/tlspolicyd.conf", "/var/lib/tlspolicyd/policy.db",
                     "/var/lib/tlspolicyd/state.db", "/var/lib/tlspolicyd/policy.image"):
            self.assertTrue(self.machine.path(path).exists(), path)
        for path in ("/run/tlspolicyd", CHROOT, "/usr/sbin/tlspolicyd"):
            self.assertFalse(self.machine.path(path).exists(), path)
        self.assertEqual(self.processes(), [])
        self.install()
        self.ask("bank.example", "OK encrypt")

    def test_purge_leaves_nothing_but_the_account(self):
        self.install_postfix()
        self.install_dependencies()
        before = self.files()
        self.install()
        self.set("bank.example", "required", "OK encrypt")
        self.machine.run("systemctl", "restart", SERVICE)
        self.assertGreater(len(self.files() - before), 20, "what was installed is seen")
        self.machine.run("apt-get", "purge", "-y", "tlspolicyd")
        self.assertEqual(self.files() - before, set())
        self.assertEqual(before - self.files(), set())
        self.assertTrue(self.machine.run("getent", "passwd", "tlspolicyd"))
        self.assertEqual(self.machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "tlspolicyd*"),
                         "")


def main():
    if os.geteuid() != 0:
        sys.exit("tests/package: root is needed, to make a Debian and boot it")
    with tempfile.TemporaryDirectory(prefix="package-") as folder:
        Installed.package = base.build(SUITE)
        Installed.older = base.repack(Installed.package, LOWEST, pathlib.Path(folder))
        unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
