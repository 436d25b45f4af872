"""tlspolicyctl doctor on real Postfix instances: what is wrong is found, and its own lines mend it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile

from daemon import BIN, Daemon
from instance import Postfix, full_version
from story import Story
from test_examples import read

DONE, NOT_WELL, FAILED = 0, 1, 3
# What the examples leave to the admin.
REST = """
smtp_connection_cache_on_demand = no
delay_warning_time = 4h
tls_required_enable = no
"""
# An option of this name only where Postfix knows it, else it complains.
if tuple(int(part) for part in full_version().split(".")[:2]) < (3, 10):
    REST = REST.replace("tls_required_enable = no\n", "")

# The installed one, as a Postfix 3.10 whose default stands.
POSTCONF_OF_3_10 = """#!/bin/sh
case " $* " in
*" mail_version "*) echo 3.10.2; exit;;
esac
"{real}" "$@" || exit
case " $* " in
*" -x "*) value=$(sed -n 's/^tls_required_enable *= *//p' "{main_cf}" | tail -n 1)
          echo "tls_required_enable = ${{value:-yes}}";;
esac
"""


class Doctor(Story):
    environment = None

    def make_host(self, main_cf="", master_cf="", rows="", **settings):
        self.postfix = self.make_postfix(read("unix-chroot.cf") + REST + main_cf, master_cf)
        self.daemon = self.make_daemon(self.postfix, **settings)
        self.daemon.edit(Daemon.row("bank.test", "required") + rows)

    def run_doctor(self, *arguments, configs=None, **options):
        directories = [self.postfix.config] if configs is None else configs
        program = [os.path.join(BIN, "tlspolicyctl"), "--config", self.daemon.config, "doctor"]
        for directory in directories:
            program += ["--postfix-config", directory]
        options.setdefault("env", self.environment)
        return subprocess.run([*program, *arguments], capture_output=True, text=True, check=False, **options)

    def findings(self, status, **options):
        done = self.run_doctor("--json", **options)
        self.assertEqual(done.returncode, status, f"{done.stdout}\n{done.stderr}")
        return json.loads(done.stdout)

    def complaints(self, status, **options):
        """The checks that aren't ok, each with its findings."""
        found = {}
        for each in self.findings(status, **options):
            if each["state"] != "ok":
                found.setdefault(each["check"], []).append(each)
        return found

    def assert_state(self, found, check, state, *words):
        text = json.dumps(found, indent=1)
        self.assertIn(check, found, text)
        self.assertIn(state, {each["state"] for each in found[check]}, text)
        for word in words:
            self.assertIn(word, json.dumps(found[check]), text)

    def apply(self, line):
        """One line of `fix`, as an admin would follow it."""
        setting = re.fullmatch(r"(/\S+): (\w+) = (.*)", line)
        if setting:
            self.set_option(*setting.groups())
        elif line.startswith("systemctl "):
            self.daemon.stop()
            self.daemon.start()
        else:
            path = BIN + ":" + os.environ["PATH"]
            done = subprocess.run(["/bin/sh", "-c", line], env={**os.environ, "PATH": path},
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, f"{line}: {done.stdout}{done.stderr}")

    def report(self):
        return json.loads(self.daemon.ctl("report", "--json"))["totals"]

    @staticmethod
    def set_option(path, key, value):
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith(f"{key} =")]
        with open(path, "w", encoding="utf-8") as file:
            file.writelines([*lines, f"{key} = {value}\n"])

    def mend(self, status=NOT_WELL):
        fixes = {}  # each once, in order
        for each in self.findings(status):
            for line in (each["fix"] or "").splitlines():
                fixes[line] = None
        for line in fixes:
            self.apply(line)
        self.daemon.stop()
        self.daemon.start()
        self.postfix.reload()


class AHost(Doctor):
    def test_set_up_by_the_examples_is_well(self):
        self.make_host(rows=Daemon.row("good.test", "verified"))
        with self.daemon, self.postfix:
            self.assertEqual(self.complaints(DONE), {})
            said = self.run_doctor().stdout
            self.assertIn("all is well.", said.splitlines()[-1])
            self.assertRegex(said, r"ok +sockets +smtp/unix, relay/unix +unix:tlspolicyd/tlsmap.sock")
            text = json.dumps(self.findings(DONE))
            self.assertIn("user postfix connects from inside the chroot", text)

    def test_its_json_has_the_promised_keys(self):
        self.make_host()
        with self.daemon:
            for each in self.findings(DONE):
                self.assertEqual(list(each), ["check", "instance", "service", "looked_at", "state", "text",
                                              "fix"])
                self.assertIn(each["state"], ("ok", "warning", "error", "skipped"))

    def test_with_the_daemon_down_says_so_once_and_goes_on(self):
        self.make_host(main_cf="smtp_fallback_relay = [relay.infra.test]\n")
        found = self.complaints(NOT_WELL)
        self.assertEqual([each["state"] for each in found["daemon"]], ["error"])
        self.assertEqual({each["state"] for each in found["sockets"]}, {"skipped"})
        self.assert_state(found, "fallback-relay", "error")

    def test_made_wrong_in_its_tables_is_mended_by_the_printed_lines(self):
        self.make_host(main_cf="smtp_tls_policy_maps = static:may, "
                       "proxy:socketmap:unix:/elsewhere/tlsmap.sock:policy-3.99\n"
                       "smtp_delivery_status_filter = socketmap:inet:127.0.0.1:8460:outcome\n"
                       "default_delivery_status_filter = inline:{ x=y }\n"
                       "smtp_fallback_relay = [relay.infra.test]\n",
                       master_cf="out unix - - y - - smtp\n  -o smtp_tls_policy_maps=\n",
                       postfix_version="3.99")
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "maps", "error", "static:may answers every question", "out/unix")
            self.assert_state(found, "names", "error", "proxy:", "policy-3.99")
            self.assert_state(found, "outcome", "error")
            self.assert_state(found, "sockets", "error", "/elsewhere/tlsmap.sock")
            self.assert_state(found, "fallback-relay", "error", "bank.test")
            self.mend()
            # Hidden before by the name that said a version itself.
            found = self.complaints(NOT_WELL)
            self.assertEqual(set(found), {"names"})
            self.mend()
            self.assertEqual(self.complaints(DONE), {})
            self.postfix.send("a@bank.test", "b@good.test")
            self.assert_arrives(self.postfix, "b@good.test", "TLS")

    def test_made_wrong_in_what_rows_need_is_mended_by_the_printed_lines(self):
        self.make_host(main_cf="smtp_tls_CAfile =\nignore_mx_lookup_error = yes\ndelay_warning_time = 0\n"
                       "smtp_connection_cache_on_demand = yes\nsmtp_tls_connection_reuse = yes\n",
                       rows=Daemon.row("dane.test", "dane-only") + Daemon.row("hosted.test", "secure")
                       + Daemon.row("good.test", "secure"))
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "ca-store", "error", "smtp_tls_CAfile")
            self.assert_state(found, "dane", "error", "smtp_dns_support_level", "ignore_mx_lookup_error")
            self.assert_state(found, "delay-warning", "warning")
            self.assert_state(found, "match", "error", "hosted.test", "mx.hoster.test")
            self.assertNotIn("good.test", json.dumps(found["match"]))
            self.assert_state(found, "connection-cache", "warning", "smtp_tls_connection_reuse")
            self.mend()
            self.assertEqual(self.complaints(DONE), {})

    def test_made_wrong_in_its_log_is_mended_by_the_printed_lines(self):
        self.make_host(main_cf="smtp_tls_loglevel = 0\n", maillog=os.path.join(self.directory, "no.log"))
        with self.daemon, self.postfix:
            self.postfix.wait_until(lambda: "can't read it" in self.run_doctor().stdout, 60, "the log is missed")
            found = self.complaints(DONE)
            self.assertEqual(set(found), {"daemon", "maillog"})
            self.assert_state(found, "maillog", "warning", "can't read it", "no.log", "smtp_tls_loglevel = 0",
                              os.path.join(self.postfix.directory, "mail.log"))
            self.mend(DONE)
            self.assertEqual(self.complaints(DONE), {})
            self.postfix.send("a@good.test")
            self.assert_arrives(self.postfix, "a@good.test", "TLS")
            self.postfix.wait_until(lambda: self.report()["percent"]["encrypted"] == 100.0, 20,
                                    "the log tells that it went in TLS")

    def test_made_wrong_in_its_relays_is_mended_by_the_printed_lines(self):
        self.make_host(main_cf="relayhost = [relay.infra.test]:587\nsmtp_sasl_auth_enable = yes\n"
                       "smtp_sasl_password_maps = inline:{ x=y }\n"
                       "content_filter = smtp:[127.0.0.1]:10024\n"
                       "transport_maps = inline:{ { bank.test = smtp:[mx.good.test] } }\n",
                       rows=Daemon.row("[*]", "required")
                       + Daemon.row("[relay.infra.test]:587", "opportunistic"))
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "relayhost", "error", "bank.test")
            self.assert_state(found, "sasl", "error", "[relay.infra.test]:587")
            self.assert_state(found, "content-filter", "error", "[127.0.0.1]:10024")
            self.mend()
            found = self.complaints(DONE)
            self.assertEqual(set(found), {"relayhost"}, "a relay still stands between, by TLS")

    def test_with_wrappermode_below_encrypt_is_mended_by_the_printed_lines(self):
        self.make_host(main_cf="relayhost = [relay.infra.test]:465\nsmtp_tls_wrappermode = yes\n",
                       rows=Daemon.row("[relay.infra.test]:465", "opportunistic"))
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "sasl", "error", "[relay.infra.test]:465 with smtp_tls_wrappermode",
                              "below encrypt Postfix sends nothing")
            self.mend()
            self.assertEqual(set(self.complaints(DONE)), {"relayhost"}, "a relay still stands between, by TLS")

    def test_whose_row_for_a_relay_with_a_password_may_be_lowered_is_mended(self):
        self.make_host(main_cf="relayhost = [relay.infra.test]:587\nsmtp_sasl_auth_enable = yes\n"
                       "smtp_sasl_password_maps = inline:{ x=y }\n")
        self.daemon.ctl("profile", "set", "lowered", "level=encrypt", "fallback=after-retry")
        self.daemon.ctl("set", "[relay.infra.test]:587", "lowered")
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "sasl", "error", "[relay.infra.test]:587 with smtp_sasl_auth_enable",
                              "the password may go over the wire in clear")
            self.mend()
            self.assertEqual(set(self.complaints(DONE)), {"relayhost"})

    def test_whose_postfix_knows_the_header_tls_required_is_mended_by_the_printed_lines(self):
        """As Postfix 3.10 says it (postconf(5)): on unless main.cf says otherwise."""
        self.make_host()
        folder = os.path.join(self.directory, "bin")
        os.makedirs(folder)
        stand_in = os.path.join(folder, "postconf")
        with open(stand_in, "w", encoding="ascii") as file:
            file.write(POSTCONF_OF_3_10.format(real=shutil.which("postconf"), main_cf=f"{self.postfix.config}/main.cf"))
        os.chmod(stand_in, 0o755)
        self.environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "tls-required", "error", "bank.test does not hold", "tls_required_enable = no")
            self.mend()
            self.assertEqual(self.complaints(DONE), {})
            self.assertEqual(["ok"], [each["state"] for each in self.findings(DONE) if each["check"] == "tls-required"][:1])

    def test_with_a_table_that_leads_elsewhere_is_found(self):
        self.make_host(main_cf="transport_maps = inline:{ { .test = smtp:[mx.good.test] } }\n")
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "routes", "error", "bank.test", "[mx.good.test]")
            self.mend()
            self.assertEqual(self.complaints(DONE), {})

    def test_with_more_rows_than_one_question_holds_has_each_looked_up(self):
        names = [f"mail.{'a' * 50}{n:03}.{'b' * 50}{n:03}.{'c' * 50}{n:03}.test" for n in range(199)]
        self.make_host(main_cf=f"transport_maps = inline:{{ {{ {names[-1]} = smtp:[mx.good.test] }} }}\n",
                       rows="".join(Daemon.row(name, "required") for name in names))
        with self.daemon, self.postfix:
            self.assert_state(self.complaints(NOT_WELL), "routes", "error", names[-1])

    def test_with_tables_of_policy_db_that_can_not_be_read_is_not_well(self):
        self.make_host()
        with self.daemon, self.postfix:
            self.daemon.edit("DROP TABLE submission; DROP TABLE inbound;")
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "policy", "error", "table submission: ", "table inbound: ")

    def test_with_wrong_files_and_listeners_is_mended_by_the_printed_lines(self):
        self.make_host()
        self.set_option(self.daemon.config, "tlsmap_listen",
                        f"inet:0.0.0.0:8460, unix:{self.postfix.queue}/tlspolicyd/tlsmap.sock")
        folder = os.path.join(self.postfix.queue, "tlspolicyd")
        with self.daemon, self.postfix:
            os.chmod(self.daemon.policy_db, 0o666)
            os.chmod(folder, 0o700)
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "files", "error", "policy.db", "chmod o-w")
            self.assert_state(found, "sockets", "error", "Permission denied", f"chmod o+x {folder}")
            self.assert_state(found, "listeners", "warning", "inet:0.0.0.0:8460")
            self.mend()
            self.assertEqual(self.complaints(DONE), {})

    def test_whose_socket_is_closed_to_postfix_is_mended_by_the_printed_lines(self):
        self.make_host()
        self.set_option(self.daemon.config, "socket_group", "root")
        with self.daemon, self.postfix:
            self.assert_state(self.complaints(NOT_WELL), "sockets", "error", "Permission denied")
            self.mend()
            self.assertEqual(self.complaints(DONE), {})

    def test_with_its_socket_out_of_the_chroot_is_mended_by_the_printed_lines(self):
        self.make_host()
        outside = os.path.join(self.daemon.directory, "tlsmap.sock")
        self.set_option(self.daemon.config, "tlsmap_listen", f"unix:{outside}")
        self.postfix.configure(f"smtp_tls_policy_maps = socketmap:unix:{outside}:policy\n")
        with self.daemon, self.postfix:
            found = self.complaints(NOT_WELL)
            self.assert_state(found, "sockets", "error", "runs chrooted in", self.postfix.queue + outside)
            self.mend()
            self.assertEqual(self.complaints(DONE), {})

    def test_is_judged_by_its_own_chroot_column(self):
        self.make_host()
        outside = os.path.join(self.daemon.directory, "tlsmap.sock")
        self.set_option(self.daemon.config, "tlsmap_listen", f"unix:{outside}")
        self.postfix.configure(
            f"smtp_tls_policy_maps = socketmap:unix:{outside}:policy\n"
            f"smtp_delivery_status_filter = socketmap:unix:{outside}:outcome, $default_delivery_status_filter\n")
        for service in ("smtp", "relay"):
            subprocess.run(["postconf", "-c", self.postfix.config, "-F", f"{service}/unix/chroot=n"], check=True)
        os.chmod(self.daemon.directory, 0o755)
        with self.daemon:
            self.assertEqual(self.complaints(DONE), {})

    def test_that_is_looked_at_without_root_says_what_was_not_tried(self):
        self.make_host()
        with self.daemon:
            os.chmod(self.daemon.directory, 0o755)
            os.chmod(self.daemon.policy_db, 0o666)
            # The tree may lie in a home that others can't enter.
            copy = shutil.copy(os.path.join(BIN, "tlspolicyctl"), self.daemon.directory)
            program = shlex.join([copy, "--config", self.daemon.config, "doctor",
                                  "--postfix-config", self.postfix.config, "--json"])
            done = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/bin/sh",
                                   "-c", program], capture_output=True, text=True, check=False)
            found = json.loads(done.stdout)
            sockets = [each for each in found if each["check"] == "sockets"]
            self.assertEqual({each["state"] for each in sockets}, {"skipped"})
            self.assertIn("only root can become user postfix", sockets[0]["text"])


class SeveralInstances(Doctor):
    def test_are_each_looked_at(self):
        self.make_host()
        directory = os.path.join(self.directory, "other")
        other = Postfix(directory, self.internet, "multi_instance_name = postfix-out\n")
        with self.daemon:
            found = self.complaints(NOT_WELL, configs=[self.postfix.config, other.config])
            self.assertEqual({each["instance"] for each in found["maps"]}, {"postfix-out"})
            self.assertIn(f"postconf -c {other.config} -e ", found["maps"][0]["fix"])

    def test_are_found_by_postmulti(self):
        self.make_host()
        directory = os.path.join(self.directory, "other")
        other = Postfix(directory, self.internet, "multi_instance_name = postfix-out\n"
                        "multi_instance_enable = yes\n")
        self.postfix.configure(f"multi_instance_directories = {other.config}\nmulti_instance_enable = yes\n")
        subprocess.run(["mount", "--bind", self.postfix.config, "/etc/postfix"], check=True)
        self.addCleanup(subprocess.run, ["umount", "/etc/postfix"], check=True)
        with self.daemon:
            found = self.findings(NOT_WELL, configs=[])
            self.assertEqual([each["instance"] for each in found if each["check"] == "instance"],
                             ["-", "postfix-out"])

    def test_of_which_one_can_not_be_read_is_an_error_and_the_others_are_looked_at(self):
        self.make_host()
        with self.daemon:
            found = self.complaints(NOT_WELL, configs=[self.postfix.config, "/nowhere"])
            self.assertEqual(set(found), {"instance"})
            self.assertIn("/nowhere", found["instance"][0]["looked_at"])

    def test_without_postconf_are_no_answer(self):
        self.make_host()
        with tempfile.NamedTemporaryFile() as nothing:
            subprocess.run(["mount", "--bind", nothing.name, "/usr/sbin/postconf"], check=True)
            try:
                done = self.run_doctor()
            finally:
                subprocess.run(["umount", "/usr/sbin/postconf"], check=True)
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("is Postfix installed", done.stderr)

    def test_whose_postconf_never_stops_printing_are_no_answer(self):
        self.make_host()
        folder = os.path.join(self.directory, "bin")
        os.makedirs(folder)
        stand_in = os.path.join(folder, "postconf")
        with open(stand_in, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexec yes\n")
        os.chmod(stand_in, 0o755)
        done = self.run_doctor(env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("postconf: it prints too much", done.stderr)

    def test_of_which_none_can_be_read_is_no_answer(self):
        self.make_host()
        done = self.run_doctor("--json", configs=["/nowhere"])
        self.assertEqual((done.returncode, done.stdout), (FAILED, ""))
        self.assertIn("/nowhere", done.stderr)
