#!/usr/bin/env python3
"""The manual pages say what the programs do: every key, verb, option, table and column, and nothing that isn't."""
import os
import pwd
import re
import subprocess
import unittest

import man_pages
from ctl_desk import BIN, DONE, PATIENCE, Desk
from ctl_help import all_verbs, options_in
from daemon import BAD_CONFIG, Daemon

OPTION = re.compile(r'Option\{\s*"(\w+)",\s*"([^"]*)",\s*(true|false),')


def options_of_the_source():
    """Key to (default, whether a reload takes it), in order."""
    text = (man_pages.ROOT / "src" / "app" / "options.cc").read_text(encoding="utf-8")
    return {key: (default, reloads == "true") for key, default, reloads in OPTION.findall(text)}


class Pages(unittest.TestCase):
    def test_each_formats_without_a_warning(self):
        self.assertEqual(sorted(man_pages.NAMES), sorted(os.listdir(man_pages.FOLDER)))
        for name in man_pages.NAMES:
            with self.subTest(page=name):
                done = subprocess.run(["groff", "-mdoc", "-ww", "-Tutf8", "-z", man_pages.FOLDER / name],
                                      capture_output=True, text=True, timeout=PATIENCE, check=False)
                self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr))

    def test_each_refers_to_the_others_and_to_no_page_of_ours_that_is_not(self):
        for name in man_pages.NAMES:
            ours = {page for page in man_pages.references(name) if page.startswith("tlspolicy")}
            self.assertEqual(set(man_pages.NAMES) - {name}, ours - {name}, name)


    def test_the_options_of_the_daemon_stand_and_no_other(self):
        done = subprocess.run([BIN / "tlspolicyd", "--help"], capture_output=True, text=True, timeout=PATIENCE, check=True)
        self.assertEqual(sorted(options_in(done.stdout)), sorted(man_pages.options_below(man_pages.read("tlspolicyd.8"))))


class Keys(Desk):
    def test_every_key_stands_with_its_default_and_no_other(self):
        wanted = {key: default for key, (default, _) in options_of_the_source().items()}
        self.assertEqual(wanted, {key: default for key, (default, _) in man_pages.keys().items()})

    def test_they_are_those_that_the_daemon_knows(self):
        self.config.write_text("nonsense = 1\n")
        done = subprocess.run([BIN / "tlspolicyd", "--config", self.config, "--check-config"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(BAD_CONFIG, done.returncode)
        known = re.search(r"the keys are (.*)", done.stderr).group(1).split(", ")
        self.assertEqual(sorted(known), sorted(man_pages.keys()))

    def test_it_is_said_which_take_a_restart(self):
        source = options_of_the_source()
        for key, (_, text) in man_pages.keys().items():
            with self.subTest(key=key):
                _, reloads = source[key]
                self.assertEqual(not reloads, "Takes a restart." in text)

    def test_the_example_is_a_configuration_that_is_taken(self):
        lines = [line for block in man_pages.examples("tlspolicyd.conf.5") for line in block if re.match(r"\w+ = ", line)]
        self.assertLess(5, len(lines))
        # The account is the package's; a test has to do with the one that it runs as.
        own = f"user = {pwd.getpwuid(os.getuid()).pw_name}"
        self.assertIn("user = tlspolicyd", lines)
        self.config.write_text("\n".join(own if line.startswith("user =") else line for line in lines) + "\n")
        done = subprocess.run([BIN / "tlspolicyd", "--config", self.config, "--check-config"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))


class Verbs(Desk):
    def test_every_verb_and_option_stands_and_no_other(self):
        wanted, documented = all_verbs(), man_pages.verbs()
        self.assertEqual(sorted(wanted), sorted(documented))
        for verb, options in wanted.items():
            with self.subTest(verb=verb):
                self.assertEqual(sorted(options), sorted(documented[verb]))

    def test_the_examples_do_what_they_are_there_for(self):
        self.init()
        (self.folder / "shim").mkdir()
        shim = self.folder / "shim" / "tlspolicyctl"
        shim.write_text(f"#!/bin/sh\nexec '{(BIN / 'tlspolicyctl').resolve()}' --config '{self.config}' \"$@\"\n")
        shim.chmod(0o755)
        (self.folder / "etc").write_text("club.example may\n")
        (self.folder / "rows.csv").write_text("destination,profile\nbank.example,required\n")
        (self.folder / "mail.log").write_text("")
        with Daemon(state_db=str(self.folder / "state.db")):
            pass  # that there is one
        ran = 0
        for block in man_pages.examples("tlspolicyctl.8"):
            script = "\n".join(block).replace("/etc/postfix/tls_policy", "etc").replace("/var/log/", "")
            done = subprocess.run(["bash", "-eu", "-c", script], cwd=self.folder, capture_output=True, text=True,
                                  env={**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}"},
                                  timeout=PATIENCE, check=False)
            self.assertEqual(DONE, done.returncode, f"{script}\n{done.stdout}{done.stderr}")
            ran += 1
        self.assertLess(5, ran)


class Schema(unittest.TestCase):
    def test_every_table_and_column_stands_and_no_other(self):
        with Daemon() as daemon:
            for database, file in (("policy", daemon.policy_db), ("state", daemon.path("state.db"))):
                documented = man_pages.tables()[database]
                names = daemon.edit("SELECT name FROM sqlite_master WHERE type = 'table'", file).split()
                self.assertEqual(sorted(names), sorted(documented), database)
                for name in names:
                    columns = daemon.edit(f"SELECT name FROM pragma_table_info('{name}')", file).split()
                    self.assertEqual(sorted(columns), sorted(documented[name]), name)

    def test_its_examples_are_sql_that_the_shell_takes(self):
        with Daemon() as daemon:
            for block in man_pages.examples("tlspolicyd-schema.5"):
                sql = "\n".join(line for line in block if not line.startswith("sqlite3 "))
                daemon.edit(sql, daemon.path("state.db") if "FROM evidence" in sql else daemon.policy_db)
            self.assertEqual(["bank.example|required", "club.example|off"],
                             daemon.edit("SELECT destination, profile FROM outbound ORDER BY 1").split())


if __name__ == "__main__":
    unittest.main()
