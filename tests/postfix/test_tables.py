"""Postfix tables in and out: what postmap(1) reads, import reads; what export writes, smtp(8) obeys."""

import os
import subprocess

from story import Story

TABLE = """\
# comment
nostarttls.test  encrypt   # no comment, but two words that no policy has
"""
SOUND = """\
# comment
nostarttls.test     encrypt
    protocols=>=TLSv1.2,ciphers=high
  # comment inside

good.test\tnone
.Good.test  verify match=hostname:nexthop
pinned.test  fingerprint match=00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
[Relay.test]:587  secure\tservername=hostname connection_reuse=no exclude=aNULL
may.test may
"""


class ATable(Story):
    def setUp(self):
        super().setUp()
        self.postfix = self.make_postfix("")
        self.daemon = self.make_daemon(self.postfix)

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def postmap(self, *arguments):
        return subprocess.run(["postmap", "-c", self.postfix.config, *arguments], capture_output=True, text=True,
                              check=True, timeout=60)

    def compiled(self, text):
        """The table as `postmap -s` lists it."""
        path = self.write("compiled", text)
        kinds = subprocess.run(["postconf", "-c", self.postfix.config, "-m"], capture_output=True, text=True,
                               check=True).stdout.split()
        kind = "hash" if "hash" in kinds else "lmdb"
        self.postmap(f"{kind}:{path}")
        return self.write("listed", self.postmap("-s", f"{kind}:{path}").stdout)

    def test_gives_the_same_rows_from_its_source_and_from_the_compiled_map(self):
        self.daemon.ctl("import", self.write("source", SOUND))
        rows = self.daemon.ctl("list", "--json")
        self.assertEqual(6, len(rows.splitlines()) - 2)
        said = self.daemon.ctl("import", self.compiled(SOUND), "--sync")
        self.assertIn("0 added, 0 changed, 0 removed, 6 unchanged", said)
        self.assertEqual(rows, self.daemon.ctl("list", "--json"))

    def test_that_was_exported_answers_postmap_and_lists_as_it_was_written(self):
        self.daemon.ctl("import", self.write("source", SOUND))
        exported = self.daemon.ctl("export")
        path = self.write("exported", exported)
        lines = [line.split("\t") for line in exported.splitlines() if not line.startswith("#")]
        self.assertEqual(6, len(lines))
        for key, policy in lines:
            self.assertEqual((f"{policy}\n", ""), (self.postmap("-q", key, f"texthash:{path}").stdout,
                                                   self.postmap("-q", key, f"texthash:{path}").stderr))
        with open(self.compiled(exported), encoding="utf-8") as listed:
            self.assertEqual(sorted(lines), sorted(line.rstrip("\n").split("\t") for line in listed))

    def test_that_was_exported_takes_the_daemons_place(self):
        self.daemon.ctl("import", self.write("source", "nostarttls.test encrypt protocols=>=TLSv1.2\n"
                                             "good.test none\n.good.test verify connection_reuse=no\n"))
        path = self.write("exported", self.daemon.ctl("export"))
        self.postfix.configure("smtp_tls_security_level = may\n"
                               f"smtp_tls_policy_maps = texthash:{path}\n")
        with self.postfix:
            self.postfix.send("a@nostarttls.test", "b@good.test", "c@x.good.test")
            self.assert_not_offered(self.postfix, "a@nostarttls.test")
            self.assert_arrives(self.postfix, "b@good.test", "PLAIN")
            self.assert_arrives(self.postfix, "c@x.good.test", "TLS")
            self.assertIn("Verified TLS connection established to mx.good.test[", self.postfix.read_log())
            self.assertNotIn("warning: smtp_tls_policy_maps", self.postfix.read_log())

    def test_that_postfix_would_refuse_is_refused_where_postfix_refuses_it(self):
        """Both read a hash behind the policy as part of it."""
        with self.assertRaisesRegex(AssertionError, ":2: nostarttls.test: "):
            self.daemon.ctl("import", self.write("source", TABLE))
        self.postfix.configure(f"smtp_tls_policy_maps = texthash:{self.write('refused', TABLE)}\n")
        with self.postfix:
            self.postfix.send("a@nostarttls.test")
            self.assert_deferred(self.postfix, "a@nostarttls.test", "4.7.5", "client TLS configuration problem")
