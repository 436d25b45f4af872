"""tlspolicyctl learn: what past mail logs teach, from real files, pipes and a journal."""
import contextlib
import gzip
import json
import os
import pty
import shlex
import subprocess
import unittest

from ctl_desk import CTL, DONE, FAILED, PATIENCE, USAGE, Desk

CIPHER = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
NOT_OFFERED = "TLS is required, but was not offered by host mx.a.test[192.0.2.1]"


class Log:
    """Lines as Postfix writes them; every message has a queue id of its own."""

    def __init__(self, day=1, pid=4242, tag="postfix/smtp"):
        self.day, self.pid, self.tag = day, pid, tag
        self.messages = 0xA000 + 0x100 * day
        self.text = ""

    def line(self, message, tag=None):
        self.text += f"Nov {self.day:2d} 03:12:47 mail {tag or f'{self.tag}[{self.pid}]'}: {message}\n"
        return self

    def session(self, domain, trust="Trusted", address="192.0.2.1"):
        return self.line(f"{trust} TLS connection established to mx.{domain.strip('[]')}[{address}]:25: {CIPHER}")

    def status(self, domain, end, address="192.0.2.1", port=25):
        self.messages += 1
        return self.line(f"{self.messages:X}: to=<u@{domain}>, relay=mx.{domain.strip('[]')}[{address}]:{port}, delay=1, "
                         f"delays=0.1/0.01/0.3/0.5, {end}")

    def sent(self, domain, tls="", **more):
        return self.status(domain, f"{tls}dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9Z)", **more)

    def in_tls(self, domain, trust="Trusted", **more):
        return self.session(domain, trust).sent(domain, **more)

    def deferred(self, domain, text):
        return self.status(domain, f"dsn=4.7.5, status=deferred ({text})")


class LogDesk(Desk):
    def write(self, name, text):
        path = self.folder / name
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode("utf-8", "surrogateescape")))
        else:
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    def learn(self, *arguments):
        return {each["destination"]: each for each in self.data("learn", *arguments)}

    def counts(self, lesson):
        return {key: lesson[key] for key in ("deliveries", "tls", "trusted", "verified", "clear", "unknown")
                if lesson[key]}

    def append(self, name, log):
        path = self.folder / name
        with open(path, "a", encoding="utf-8") as file:
            file.write(log.text)
        log.text = ""
        return path


class Learn(LogDesk):
    def test_each_destination_is_told_apart(self):
        log = Log().in_tls("good.test").in_tls("good.test", "Untrusted").sent("plain.test")
        log.in_tls("bank.test", "Verified").in_tls("mixed.test").sent("mixed.test")
        log.deferred("a.test", NOT_OFFERED).sent("new.test", tls="tls=may, ")
        log.sent("fell.test", tls="tls=may:none, ").sent("X.Bank.Test", tls="tls=verify, ")
        found = self.learn(self.write("mail.log", log.text))
        self.assertEqual({"deliveries": 2, "tls": 2, "trusted": 1}, self.counts(found["good.test"]))
        self.assertEqual({"deliveries": 1, "clear": 1}, self.counts(found["plain.test"]))
        self.assertEqual({"deliveries": 1, "tls": 1, "verified": 1}, self.counts(found["bank.test"]))
        self.assertEqual({"deliveries": 2, "tls": 1, "trusted": 1, "clear": 1}, self.counts(found["mixed.test"]))
        self.assertEqual({"deliveries": 1, "tls": 1}, self.counts(found["new.test"]))
        self.assertEqual({"deliveries": 1, "clear": 1}, self.counts(found["fell.test"]))
        self.assertEqual({"deliveries": 1, "tls": 1, "verified": 1}, self.counts(found["x.bank.test"]))
        self.assertEqual({"starttls-not-supported": 1}, found["a.test"]["failures"])
        strictest = {name: lesson["passes"][-1] for name, lesson in found.items()}
        self.assertEqual({"good.test": "required", "plain.test": "opportunistic", "bank.test": "verified",
                          "mixed.test": "opportunistic", "a.test": "preferred", "new.test": "required",
                          "fell.test": "opportunistic", "x.bank.test": "verified"}, strictest)

    def test_the_table_shows_the_same_busiest_first(self):
        log = Log().in_tls("b.test").in_tls("b.test").in_tls("a.test").deferred("c.test", NOT_OFFERED)
        lines = self.done("learn", self.write("mail.log", log.text)).splitlines()
        self.assertEqual("DESTINATION DELIVERIES TLS TRUSTED VERIFIED CLEAR UNKNOWN PASSES FAILURES".split(),
                         lines[0].split())
        self.assertEqual("b.test 2 2 2 0 0 0 required -".split(), lines[1].split())
        self.assertEqual("a.test 1 1 1 0 0 0 required -".split(), lines[2].split())
        self.assertEqual("c.test 0 0 0 0 0 0 preferred 1 starttls-not-supported".split(), lines[3].split())

    def test_silence_is_unknown_where_the_log_does_not_show_tls(self):
        done = self.expect(DONE, "learn", self.write("mail.log", Log().sent("a.test").text))
        self.assertEqual("a.test 1 0 0 0 0 1 opportunistic -".split(), done.stdout.splitlines()[1].split())
        self.assertIn("smtp_tls_loglevel=1", done.stderr)

    def test_rotated_files_are_read_oldest_first_in_whatever_order_they_are_named(self):
        # The session is the last line of the older file, its delivery the first of the newer.
        old = self.write("mail.log.2.gz", Log(day=1).in_tls("a.test").session("split.test").text)
        new = self.write("mail.log", Log(day=2).sent("split.test").in_tls("b.test").text)
        for order in ((old, new), (new, old)):
            found = self.learn(*order)
            self.assertEqual({"deliveries": 1, "tls": 1, "trusted": 1}, self.counts(found["split.test"]))
            self.assertEqual({"a.test", "split.test", "b.test"}, set(found))

    def test_a_file_named_twice_is_read_once(self):
        path = self.write("mail.log", Log().in_tls("a.test").text)
        link = self.folder / "again"
        link.symlink_to(path)
        done = self.expect(DONE, "learn", path, link, "--json")
        self.assertEqual(1, json.loads(done.stdout)[0]["deliveries"])
        self.assertIn("named twice", done.stderr)

    def test_standard_input_may_be_plain_or_gzip(self):
        text = Log().in_tls("a.test").text.encode()
        for data in (text, gzip.compress(text), gzip.compress(text[:90]) + gzip.compress(text[90:])):
            path = self.folder / "input"
            path.write_bytes(data)
            with open(path, "rb") as stdin:
                found = json.loads(self.done("learn", "-", "--json", stdin=stdin))
            self.assertEqual({"deliveries": 1, "tls": 1, "trusted": 1}, self.counts(found[0]))

    def test_rfc_3339_stamps_and_other_names_of_the_service(self):
        log = Log(tag="postfix-out/relay/smtp").in_tls("a.test").sent("b.test")
        text = log.text.replace("Nov  1 03:12:47", "2026-11-01T03:12:47.123456+01:00")
        found = self.learn(self.write("mail.log", text))
        self.assertEqual("required", found["a.test"]["passes"][-1])
        self.assertEqual({"deliveries": 1, "clear": 1}, self.counts(found["b.test"]))

    def test_no_peer_can_say_what_postfix_says(self):
        log = Log().in_tls("a.test").status(
            "evil.test", "dsn=4.0.0, status=deferred (host mx.evil.test[192.0.2.1] said: 454 Cannot start TLS: "
            "handshake failure (in reply to RCPT TO command))")
        log.status("evil.test", f"dsn=2.0.0, status=sent (250 tls=verify, {NOT_OFFERED})")
        log.line("warning: to=<u@forged.test>, relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/0, dsn=2.0.0, "
                 "status=sent (250 ok)")
        found = self.learn(self.write("mail.log", log.text))
        self.assertEqual({"a.test", "evil.test"}, set(found))
        self.assertEqual({}, found["evil.test"]["failures"])
        self.assertEqual({"deliveries": 1, "clear": 1}, self.counts(found["evil.test"]))

    def test_hostile_lines_change_nothing_and_reach_no_terminal(self):
        log = Log().in_tls("a.test")
        log.text += "\0\0\x1b[2J\udcff\udcfe\n" + "x" * 3_000_000 + "\n\n" + "Nov  1 03:12:47\n"
        log.sent("\x1b[31mred.test").sent("a..b.test").sent("'; rm -rf $HOME;'.test").sent("-n.test")
        log.sent("u" * 300 + ".test").sent("\udcff.test")
        log.text += Log(day=2).sent("b.test").text[:-40]  # cut off, without a line end
        path = self.write("mail.log", log.text)
        for options in ((), ("--json",), ("--propose",)):
            done = self.expect(DONE, "learn", path, *options)
            for hostile in ("\x1b", "rm -rf", "..", "\0"):
                self.assertNotIn(hostile, done.stdout + done.stderr)
            self.assertIn("left out", done.stderr)
        self.assertEqual({"a.test"}, {name for name, each in self.learn(path).items() if each["tls"]})

    def test_mail_to_this_host_itself_is_left_out(self):
        log = Log().in_tls("a.test").sent("a.test", address="127.0.0.1", port=10024)
        done = self.expect(DONE, "learn", self.write("mail.log", log.text), "--json")
        self.assertEqual(1, json.loads(done.stdout)[0]["deliveries"])
        self.assertIn("content filters", done.stderr)

    def test_more_destinations_than_are_kept_are_said(self):
        log = Log()
        for number in range(100_003):
            log.messages += 1
            log.text += (f"Nov  1 03:12:47 mail postfix/smtp[1]: {log.messages:X}: to=<u@d{number}.test>, "
                         "relay=mx[192.0.2.1]:25, delay=1, delays=0/0/0/0, tls=may, dsn=2.0.0, status=sent (ok)\n")
            if number % 1000 == 999:
                self.append("mail.log", log)
        done = self.expect(DONE, "learn", self.append("mail.log", log), "--json")
        self.assertEqual(100_000, len(json.loads(done.stdout)))
        self.assertIn("left out: 3 deliveries", done.stderr)

    def test_what_cannot_be_read_is_named(self):
        whole = self.write("whole.gz", Log().in_tls("a.test").text).read_bytes()
        (self.folder / "cut.gz").write_bytes(whole[:-30])
        (self.folder / "damaged.gz").write_bytes(whole[:40] + b"\xff" * 20 + whole[60:])
        for name, words in (("absent", "No such file"), (".", "is a folder"), ("cut.gz", "not all there"),
                            ("damaged.gz", "damaged")):
            with self.subTest(name=name):
                said = self.refused(FAILED, "learn", self.folder / name)
                self.assertIn(words, said)
                self.assertIn(str(self.folder / name), said)

    def test_what_is_no_mail_log_is_refused(self):
        self.assertIn("of a mail log", self.refused(FAILED, "learn", self.config))
        self.assertIn("LOG", self.refused(USAGE, "learn"))
        self.assertIn("no deliveries", self.done("learn", self.write("empty", "")))
        self.assertEqual([], self.data("learn", self.write("empty", "")))

    def test_neither_daemon_nor_configuration_nor_database_is_needed(self):
        path = self.write("mail.log", Log().in_tls("a.test").text)
        if os.path.exists("/etc/tlspolicyd/tlspolicyd.conf"):
            self.fail("this host has a configuration of its own; the test needs one without")
        done = subprocess.run([CTL, "learn", path, "--propose"], capture_output=True, text=True, timeout=PATIENCE,
                              check=True)
        self.assertRegex(done.stdout, r"\Atlspolicyctl set a\.test required --reason 'learned [\d-]+: 1 delivery in TLS'\n\Z")
        self.config.unlink()
        self.assertIn("--config FILE", self.refused(FAILED, "learn", path))

    def test_progress_is_shown_on_a_terminal_alone(self):
        path = self.write("mail.log", Log().in_tls("a.test").text * 2000)
        self.assertEqual("", self.expect(DONE, "learn", path).stderr)
        master, terminal = pty.openpty()
        try:
            done = subprocess.run([CTL, "--config", self.config, "learn", path], stdout=subprocess.PIPE,
                                  stderr=terminal, timeout=PATIENCE, check=True)
            os.close(terminal)
            shown = b""
            with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more, and all was read
                while True:
                    shown += os.read(master, 65536)
            shown = shown.decode()
        finally:
            os.close(master)
        self.assertRegex(shown, r"mail\.log: \d+ %, 1024 lines")
        self.assertTrue(shown.endswith("\r\x1b[K"))
        self.assertIn(b"a.test", done.stdout)


class Journal(LogDesk):
    """journalctl itself is a stand-in here: a test host has no mail in its journal."""

    def with_journalctl(self, script):
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "journalctl"
        program.write_text("#!/bin/sh\n" + script)
        program.chmod(0o755)
        return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}

    def test_the_journal_is_asked_for_the_mail_facility(self):
        text = Log().in_tls("a.test").text.replace("Nov  1 03:12:47", "2026-11-01T03:12:47.123456+0100")
        journal = self.write("journal", text)
        asked = self.folder / "asked"
        environment = self.with_journalctl(f"printf '%s\\n' \"$@\" > {asked}\ncat {journal}\n")
        found = json.loads(self.done("learn", "journald", "--json", env=environment))
        self.assertEqual({"deliveries": 1, "tls": 1, "trusted": 1}, self.counts(found[0]))
        self.assertEqual(["--quiet", "--no-pager", "--output=short-iso-precise", "SYSLOG_FACILITY=2"],
                         asked.read_text().split())

    def test_an_empty_journal_is_said_to_be_empty(self):
        self.assertIn("systemd-journal", self.expect(DONE, "learn", "journald",
                                                     env=self.with_journalctl("exit 0\n")).stderr)

    def test_a_journalctl_that_fails_is_no_empty_log(self):
        done = self.expect(FAILED, "learn", "journald", env=self.with_journalctl("exit 1\n"))
        self.assertIn("journalctl failed", done.stderr)

    def test_a_host_without_journalctl_is_told_what_to_do(self):
        empty = self.folder / "empty"
        empty.mkdir()
        done = self.expect(FAILED, "learn", "journald", env={"PATH": str(empty)})
        self.assertIn("journalctl is not installed", done.stderr)
        self.assertIn("/var/log/mail.log", done.stderr)


class Propose(LogDesk):
    def setUp(self):
        super().setUp()
        self.init()

    def propose(self, log, *options):
        return {each["destination"]: each["profile"]
                for each in self.data("learn", self.write("mail.log", log.text), "--propose", *options)}

    def test_only_what_the_evidence_supports(self):
        log = Log().in_tls("good.test").sent("plain.test").in_tls("mixed.test").sent("mixed.test")
        log.in_tls("checked.test", "Verified", tls="tls=verify, ").in_tls("dane.test", "Verified", tls="tls=dane, ")
        log.in_tls("verified.test", "Verified").in_tls("broken.test").deferred("broken.test", NOT_OFFERED)
        log.sent("port.test", tls="tls=may, ", port=587).in_tls("twice.test").in_tls("twice.test")
        self.assertEqual({"good.test": "required", "twice.test": "required", "checked.test": "verified"},
                         self.propose(log))
        self.assertEqual({"twice.test": "required"}, self.propose(log, "--at-least", "2"))

    def test_a_profile_that_can_not_be_read_is_there_all_the_same(self):
        self.sql("PRAGMA ignore_check_constraints=1; UPDATE profile SET level='nonsense' WHERE name='required'")
        done = self.expect(DONE, "learn", self.write("mail.log", Log().in_tls("good.test").text), "--propose")
        self.assertEqual("", done.stdout)
        self.assertRegex(done.stderr, r'nothing for 1 destination: profile "required" can\'t be used: \S')

    def test_the_lines_do_what_they_say(self):
        log = Log().in_tls("good.test").in_tls("checked.test", "Verified", tls="tls=verify, ").in_tls("[192.0.2.1]")
        lines = self.done("learn", self.write("mail.log", log.text), "--propose").splitlines()
        self.assertEqual(3, len(lines))
        for line in lines:
            words = shlex.split(line)
            self.assertEqual(["tlspolicyctl", "--config", str(self.config), "set"], words[:4])
            self.done(*words[3:])
        self.assertEqual("[192.0.2.1]|required\nchecked.test|verified\ngood.test|required",
                         self.sql("SELECT destination, profile FROM outbound ORDER BY 1"))
        self.assertRegex(self.sql("SELECT reason FROM outbound WHERE destination = 'good.test'"),
                         r"\Alearned \d{4}-\d\d-\d\d: 1 delivery in TLS\Z")
        # Once they stand there is nothing left to propose.
        self.assertEqual({}, self.propose(log))

    def test_the_lines_are_safe_in_a_shell_whatever_the_folder_is_called(self):
        folder = self.folder / "it's $(touch pwned) `touch pwned`; touch pwned"
        folder.mkdir()
        self.config = self.config.rename(folder / "tlspolicyd.conf")
        line = self.done("learn", self.write("mail.log", Log().in_tls("a.test").text), "--propose")
        subprocess.run(["sh", "-c", line.replace("tlspolicyctl", str(CTL.resolve()), 1)], cwd=self.folder, check=True,
                       capture_output=True, timeout=PATIENCE)
        self.assertEqual("a.test|required", self.sql("SELECT destination, profile FROM outbound"))
        self.assertFalse((self.folder / "pwned").exists())

    def test_no_row_is_ever_weakened(self):
        for destination, profile in (("strict.test", "verified"), (".below.test", "secure"), ("same.test", "required"),
                                     ("weak.test", "opportunistic"), ("fallback.test", "lenient")):
            if profile == "lenient":
                self.done("profile", "set", "lenient", "level=encrypt", "fallback=after-retry")
            self.done("set", destination, profile)
        self.done("set", "watched.test", "required", "--mode", "observe")
        log = Log()
        for name in ("strict", "a.below", "same", "weak", "fallback", "watched", "free"):
            log.in_tls(f"{name}.test")
        self.assertEqual({"weak.test": "required", "fallback.test": "required", "free.test": "required"},
                         self.propose(log))

    def test_a_changed_profile_is_not_proposed_for_what_it_was(self):
        self.done("profile", "set", "required", "level=may")
        done = self.expect(DONE, "learn", self.write("mail.log", Log().in_tls("a.test").text), "--propose")
        self.assertEqual("", done.stdout)
        self.assertIn('profile "required" was changed', done.stderr)

    def test_a_database_that_cannot_be_read_stops_proposals_but_not_learning(self):
        self.db.write_bytes(b"no database" * 500)
        path = self.write("mail.log", Log().in_tls("a.test").text)
        self.refused(FAILED, "learn", path, "--propose")
        self.assertIn("a.test", self.done("learn", path))


if __name__ == "__main__":
    unittest.main()
