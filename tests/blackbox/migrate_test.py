"""The commands of postfix-examples/migrate/README.md, run as they stand there, on what other services leave."""
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import time
import unittest

from ctl_desk import CTL, PATIENCE, Desk

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "postfix-examples" / "migrate"
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", (FOLDER / "README.md").read_text(encoding="utf-8"), re.S)
            for line in block.splitlines()]

# As `mysql --batch --skip-column-names` prints them.
OVERRIDES = ("bank.example\tencrypt\tprotocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1\t1\n"
             "partner.example\tsecure\tmatch=nexthop:.partner.example\t1\n"
             "[relay.example]:587\tverify\t\t1\n"
             "old.example\tnone\tNULL\t0\n")
# As `postfix-tlspol -export` prints it: "%-28s %s".
TLSPOL = (f"{'dane.example':28} dane-only\n"
          f"{'sts.example':28} secure match=mx1.sts.example:.mail.example servername=hostname\n")


class EachWay(Desk):
    def setUp(self):
        super().setUp()
        self.init()
        tools = self.folder / "bin"
        tools.mkdir()
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        self.tool("tlspolicyctl", f'exec "{CTL.resolve()}" --config "{self.config}" "$@"')

    def tool(self, name, script):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def leave(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def run_line(self, line, status=0):
        """In the shell, from a folder where the scripts and what the others left are."""
        for script in FOLDER.glob("*.sh"):
            (self.folder / script.name).write_bytes(script.read_bytes())
        done = subprocess.run(["sh", "-c", line], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        return done

    def migrate(self, word):
        """The command with this word in it: dry first, then in earnest; the rows that it made."""
        command, = [line for line in COMMANDS if word in line]
        self.assertIn("nothing was written", self.run_line(command).stdout)
        self.assertEqual([], self.data("list"))
        self.run_line(command.replace(" --dry-run", ""))
        return {row["destination"]: (row["profile"], row["match"]) for row in self.data("list")}

    def test_every_script_and_every_way_is_tried_here(self):
        self.assertEqual(4, len(COMMANDS))
        self.assertEqual({"README.md", "mailcow.sh", "mta-sts-resolver.sh"},
                         {path.name for path in FOLDER.iterdir()})

    def test_from_a_postfix_table(self):
        self.leave("tls_policy", "bank.example encrypt\n")
        self.assertEqual({"bank.example": ("required", None)}, self.migrate("import tls_policy"))

    def test_from_mailcow(self):
        self.leave("overrides.tsv", OVERRIDES)
        self.assertEqual({"bank.example": ("encrypt-tls1.2", None), "[relay.example]:587": ("verified", None),
                          "partner.example": ("secure", "nexthop:.partner.example")}, self.migrate("mailcow.sh"))

    def test_from_mailcow_only_what_its_table_can_hold(self):
        for line in ("a.example\tencrypt\t1\n", "#.example\tencrypt\t\t1\n", "a b\tmay\t\t1\n", "\tmay\t\t1\n",
                     "a.example\tencrypt\t\tyes\n"):
            with self.subTest(line=line):
                self.leave("overrides.tsv", line)
                self.assertIn("line 1", self.run_line("sh mailcow.sh overrides.tsv", status=1).stderr)
        self.leave("overrides.tsv", "a.example\tsecure\tmatch=x\\nb.example none\t1\n")
        self.assertIn("nothing was imported",
                      self.run_line("sh mailcow.sh overrides.tsv | tlspolicyctl import -", status=3).stderr)

    def test_from_postfix_tlspol(self):
        self.leave("export", TLSPOL)
        self.tool("postfix-tlspol", f'[ "$1" = -export ] && cat "{self.folder}/export"')
        self.assertEqual({"dane.example": ("dane-only", None),
                          "sts.example": ("secure-sni", "mx1.sts.example:.mail.example")}, self.migrate("postfix-tlspol"))

    def test_from_the_cache_of_mta_sts_resolver(self):
        now = int(time.time())
        self.fill_cache([
            ("sts.example", now, {"mode": "enforce", "max_age": 86400, "mx": ["mx1.sts.example", "*.mail.example"]}),
            ("testing.example", now, {"mode": "testing", "max_age": 86400, "mx": ["mx.testing.example"]}),
            ("over.example", now - 90000, {"mode": "enforce", "max_age": 86400, "mx": ["mx.over.example"]}),
            ("bad.example\nbank.example none #", now, {"mode": "enforce", "max_age": 86400, "mx": ["mx.bad.example"]}),
            ("evil.example", now, {"mode": "enforce", "max_age": 86400, "mx": ["x\nbank.example none"]})])
        self.assertEqual({"sts.example": ("secure-sni", ".mail.example:mx1.sts.example")}, self.migrate("resolver.sh"))
        self.assertIn("usage", self.run_line("sh mta-sts-resolver.sh nowhere", status=2).stderr)

    def fill_cache(self, policies):
        """The schema of postfix-mta-sts-resolver 1.5."""
        cache = sqlite3.connect(self.folder / "cache.db", isolation_level=None)
        cache.execute("create table sts_policy_cache (domain text, ts integer, pol_id text, pol_body text)")
        cache.executemany("insert into sts_policy_cache values(?, ?, 'id', ?)",
                          [(domain, at, json.dumps({"version": "STSv1", **body})) for domain, at, body in policies])
        cache.close()


if __name__ == "__main__":
    unittest.main()
