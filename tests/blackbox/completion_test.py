#!/usr/bin/env python3
"""The shell completion of tlspolicyctl, in a real bash with a real line editor."""
import pathlib
import unittest

from bash_line import BashLine
from ctl_desk import BIN, Desk
from ctl_help import options_in, verbs_in

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "completion" / "tlspolicyctl"


class Completion(Desk):
    def setUp(self):
        super().setUp()
        self.init()
        bash = BashLine(SCRIPT, [BIN.resolve()], self.folder)
        self.addCleanup(bash.__exit__)
        self.bash = bash
        self.complete, self.press_tab = bash.complete, bash.press_tab
        self.us = f"tlspolicyctl --config {self.config}"

    def test_it_offers_every_verb_and_sub_verb_that_help_names(self):
        self.assertEqual(sorted(verbs_in(self.done("--help"))), sorted(self.complete("tlspolicyctl ")))
        self.assertEqual(sorted(verbs_in(self.done("inbound", "--help"))), sorted(self.complete("tlspolicyctl inbound ")))
        self.assertEqual("tlspolicyctl can-receive-tls ", self.press_tab("tlspolicyctl can"))
        self.assertEqual("tlspolicyctl --json profile show ", self.press_tab("tlspolicyctl --json profile sh"))

    def test_it_offers_every_option_of_a_verb(self):
        wanted = {f"-{name}" for name in options_in(self.done("inbound", "add", "--help")) if name.startswith("-")}
        offered = self.complete("tlspolicyctl inbound add --")
        self.assertEqual(sorted(wanted | {"--help", "--config", "--json"}), sorted(offered))
        self.assertEqual("tlspolicyctl import --dry-run ", self.press_tab("tlspolicyctl import --dr"))
        self.assertEqual(["csv", "tls_policy"], self.complete("tlspolicyctl import --format "))
        self.assertEqual(["day", "month", "week"], sorted(self.complete("tlspolicyctl report ")))
        self.assertEqual("tlspolicyctl import --format=tls_policy ", self.press_tab("tlspolicyctl import --format=tl"))

    def test_it_offers_the_profiles_of_the_configuration_that_the_line_names(self):
        self.done("profile", "set", "prime", "level=encrypt")
        self.assertEqual(["preferred", "prime"], self.complete(f"{self.us} set x.example pr"))
        self.assertEqual(["prime"], self.complete(f"tlspolicyctl profile show --config={self.config} prim"))
        self.assertEqual(["prime"], self.complete("tlspolicyctl --config ~/tlspolicyd.conf profile remove prim"))
        self.assertEqual([], self.complete("tlspolicyctl --config ./none.conf profile show "))

    def test_it_offers_destinations_as_the_shell_must_read_them(self):
        for destination in ("bank.example", ".bank.example", "[relay.example]:587", "*"):
            self.done("set", destination, "required")
        self.assertEqual(f"{self.us} remove bank.example ", self.press_tab(f"{self.us} remove ba"))
        self.assertEqual(f"{self.us} explain '[relay.example]:587' ", self.press_tab(f"{self.us} explain '[re"))
        self.assertEqual(f"{self.us} remove \\[relay.example\\]:587 ", self.press_tab(f"{self.us} remove \\[re"))
        self.assertEqual(f"{self.us} remove \\[relay.example\\]:587 ",
                         self.press_tab(f"{self.us} remove \\[relay.example\\]:5"))
        self.assertEqual(sorted(["bank.example", ".bank.example", r"\[relay.example\]:587", r"\*"]),
                         sorted(self.complete(f"{self.us} remove ")))
        self.assertEqual(["bank.example"], self.complete(f"{self.us} decisions --destination ba"))

    def test_it_offers_files_and_the_rows_of_other_tables(self):
        self.done("submission", "set", "ann@mail.example")
        self.done("inbound", "add", "--client", "192.0.2.0/24")
        (self.folder / "my rows.csv").write_text("")
        self.assertEqual(f"{self.us} import my\\ rows.csv ", self.press_tab(f"{self.us} import my"))
        self.assertEqual(["ann@mail.example"], self.complete(f"{self.us} submission remove "))
        self.assertEqual(["1", "2", "3"], self.complete(f"{self.us} inbound remove "))
        self.assertEqual(f"tlspolicyctl --config {self.config} ", self.press_tab(f"tlspolicyctl --config {self.config}"[:-2]))

    def test_it_is_silent_and_runs_nothing_that_it_reads(self):
        self.done("profile", "set", "plain", "level=encrypt")
        hostile = self.folder / "hostile"
        hostile.mkdir()
        program = hostile / "tlspolicyctl"
        program.write_text("#!/bin/sh\necho told on standard error >&2\n"
                           "case \"$*\" in\n*--help*) printf 'Positionals:\\n  DEST TEXT   x\\n';;\n"
                           "*) printf '[\\n {\"destination\":\"$(touch ran)`touch ran`;x\",\"a\":1}\\n]\\n';;\nesac\n")
        program.chmod(0o755)
        self.assertEqual(r"hostile/tlspolicyctl \$\(touch\ ran\)\`touch\ ran\`\;x ", self.press_tab("hostile/tlspolicyctl "))
        self.assertEqual([], self.complete("tlspolicyctl --config $(touch${IFS}ran) profile show "))
        self.assertEqual([], self.complete("./no-such-folder/tlspolicyctl "))
        self.assertFalse((self.folder / "ran").exists())
        self.assertIn("hostile/tlspolicyctl", self.bash.printed)
        self.assertNotIn("told on", self.bash.printed)


if __name__ == "__main__":
    unittest.main()
