"""Our model of Postfix's policy grammar, against the real smtp(8).

A scripted socketmap server answers each domain with one text of policy_texts.txt; what smtp(8) makes
of it must be what the table says for this Postfix, and what the model says of the same text.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import unittest

import internet
from daemon import BIN
from instance import Postfix, full_version, version
from run import SPOOL
from socketmap import ScriptedServer

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "policy_texts.txt")
# For connection_reuse.
TLSPROXY = "tlsproxy unix - - y - 0 tlsproxy\n"


@dataclasses.dataclass(frozen=True)
class Line:
    verdicts: dict  # Postfix version -> word
    escaped: str    # as grammar_probe wants it

    @property
    def octets(self):
        return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]),
                      self.escaped.encode())


def read_table():
    with open(TABLE, encoding="ascii") as file:
        rows = [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]
    versions = rows[0].split()[:-1]
    lines = []
    for row in rows[1:]:
        *words, text = row.split(maxsplit=len(versions))
        lines.append(Line(dict(zip(versions, words, strict=True)),
                          re.sub(r"\\s$", r"\\x20", text)))
    return versions, lines


def ask_model(postfix_version, lines):
    """What grammar_probe says of each line: nothing, or the objection."""
    asked = "".join(f"{postfix_version}\t{line.escaped}\n" for line in lines)
    done = subprocess.run([os.path.join(BIN, "grammar_probe")], input=asked, capture_output=True,
                          text=True, check=True)
    return ["" if said == "ok" else said for said in done.stdout.splitlines()]


class TheModelOfPostfixsGrammar(unittest.TestCase):
    longMessage = False

    def test_says_what_the_table_says_for_every_version(self):
        versions, lines = read_table()
        wrong = []
        for postfix_version in versions:
            for line, objection in zip(lines, ask_model(postfix_version, lines), strict=True):
                verdict = line.verdicts[postfix_version]
                if verdict != "-" and (verdict == "takes") != (objection == ""):
                    wrong.append(f"{line.escaped!r}: {postfix_version} {verdict}, model: {objection}")
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_agrees_with_the_real_smtp(self):
        versions, lines = read_table()
        column = versions[1] if version() >= (3, 10) else versions[0]
        objections = ask_model(full_version(), lines)
        attempts, log = self.deliver_by(lines)
        wrong = []
        for number, (line, objection) in enumerate(zip(lines, objections, strict=True)):
            verdict = line.verdicts[column]
            seen = self.name_verdict(attempts[number])
            if seen == "takes" and verdict == "cuts":
                seen = "cuts"
            if verdict not in ("-", seen):
                wrong.append(f"{line.escaped!r}: {column} {verdict}, seen {attempts[number]}")
            if (seen == "takes") != (objection == ""):
                wrong.append(f"{line.escaped!r}: seen {seen}, model: {objection or 'no objection'}")
            if seen == "refuses" and objection not in self.warnings_about(number, log):
                wrong.append(f"{line.escaped!r}: the model says {objection}, "
                             f"Postfix {self.warnings_about(number, log)}")
        self.assertEqual(wrong, [], "\n".join(wrong))

    def deliver_by(self, lines):
        """The first attempt under each text, and the log."""
        world = internet.shared()
        texts = {f"t{number}.good.test": line.octets for number, line in enumerate(lines)}
        server = ScriptedServer(
            lambda _name, key: b"OK " + texts[key] if key in texts else b"NOTFOUND ")
        postfix = Postfix(os.path.join(SPOOL, "grammar"), world,
                          f"smtp_tls_policy_maps = socketmap:{server.endpoint}:policy\n"
                          "smtp_dns_support_level = dnssec\n", TLSPROXY)
        shutil.copy(world.ca_file, os.path.join(postfix.queue, "ca.pem"))
        with postfix:
            recipients = [f"a@{domain}" for domain in texts]
            postfix.send(*recipients)
            attempts = [postfix.wait_for_attempt(recipient) for recipient in recipients]
            return attempts, postfix.read_log()

    @staticmethod
    def warnings_about(number, log):
        """In ASCII, and `?` for every octet that isn't."""
        found = re.findall(rf'warning: (.*"t{number}\.good\.test".*)', log)
        return re.sub(rb"[^ -~]", b"?", "; ".join(found).encode()).decode()

    @staticmethod
    def name_verdict(attempt):
        if "client TLS configuration problem" in attempt.text:
            return "refuses"
        return "fails" if "handshake failure" in attempt.text else "takes"
