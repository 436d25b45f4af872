"""tlspolicyctl: the line itself, the configuration, init, upgrade, set, remove, list and undo."""
import datetime
import json
import os
import pathlib
import re
import stat
import subprocess
import time
import unittest

from ctl_desk import CTL, DONE, FAILED, PATIENCE, USAGE, Desk

COLUMNS = ["destination", "profile", "match", "mode", "owner", "reason", "expires_at", "comment"]


class Line(Desk):
    def test_help_and_version_need_no_configuration(self):
        for arguments in (["--help"], ["--version"], ["set", "--help"], ["profile", "set", "--help"]):
            done = subprocess.run([CTL, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                                  check=False)
            self.assertEqual((DONE, ""), (done.returncode, done.stderr), arguments)
            self.assertTrue(done.stdout)
        help_text = self.done("--help")
        for word in ("init", "upgrade", "set", "remove", "list", "profile", "query", "explain", "accept",
                     "undo", "status", "--config", "--json", "Exit status"):
            self.assertIn(word, help_text)
        for group in ("The policy", "Asking", "The running daemon", "The database"):
            self.assertIn(group, help_text)
        self.assertRegex(self.done("--version"), r"\Atlspolicyctl \d+\.\d+\.\d+\n\Z")

    def test_wrong_usage_ends_with_2(self):
        for arguments in ([], ["nonsense"], ["set"], ["set", "a.example"], ["set", "a.example", "off", "x"],
                          ["list", "--nonsense"], ["profile"], ["profile", "nonsense"], ["profile", "show"],
                          ["profile", "set", "x"], ["remove"], ["query"], ["explain"], ["explain", ""],
                          ["undo"], ["undo", "x"], ["undo", "0"], ["undo", "-1"], ["status", "x"],
                          ["list", "list"], ["list", "--config"]):
            with self.subTest(arguments=arguments):
                self.assertNotEqual("", self.refused(USAGE, *arguments))

    def test_config_and_json_may_stand_behind_the_verb(self):
        self.init()
        for arguments in (["--config", self.config, "--json", "list"],
                          ["list", "--json", "--config", self.config],
                          ["profile", "list", "--config", self.config, "--json"],
                          ["profile", "--json", "list", "--config", self.config],
                          ["explain", "a.example", f"--config={self.config}", "--json"]):
            done = subprocess.run([CTL, *arguments], capture_output=True, text=True, timeout=PATIENCE,
                                  check=False)
            self.assertEqual(DONE, done.returncode, done.stderr)
            json.loads(done.stdout)

    def test_a_destination_may_have_the_name_of_a_verb(self):
        self.init()
        for name in ("list.example", "list", "set", "profile"):
            self.assertEqual(name, self.data("set", name, "required")["destination"])
            self.assertEqual(name, self.data("explain", name)["destination"])
            self.done("remove", name)

    def test_a_missing_or_bad_configuration_ends_with_3_and_says_where(self):
        self.config.write_text("mode = enforce\nnonsense = 1\nmode = x\npolicy_db = here\n")
        said = self.refused(FAILED, "list")
        self.assertIn(f"{self.config}:2: nonsense: unknown key", said)
        self.assertIn(f"{self.config}:3: mode: ", said)
        self.assertIn(f"{self.config}:4: policy_db: \"here\" is not allowed; allowed is an absolute path", said)
        self.config.unlink()
        self.assertIn(str(self.config), self.refused(FAILED, "list"))

    @unittest.skipIf(pathlib.Path("/etc/tlspolicyd/tlspolicyd.conf").exists(), "it is installed here")
    def test_without_the_default_configuration_nothing_is_guessed(self):
        done = subprocess.run([CTL, "list"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(FAILED, done.returncode)
        self.assertIn("/etc/tlspolicyd/tlspolicyd.conf", done.stderr)
        self.assertIn("--config", done.stderr)

    def test_a_listing_that_could_not_be_written_is_not_done(self):
        self.init()
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([CTL, "--config", self.config, "list"], stdout=full, stderr=subprocess.PIPE,
                                  timeout=PATIENCE, check=False)
        self.assertEqual(FAILED, done.returncode)

    def test_without_a_database_every_verb_says_how_to_make_one(self):
        for arguments in (["list"], ["set", "a.example", "required"], ["remove", "a.example"],
                          ["profile", "list"], ["profile", "show", "off"], ["profile", "set", "x", "level=may"],
                          ["profile", "remove", "off"], ["explain", "a.example"], ["undo", "1"], ["upgrade"]):
            with self.subTest(arguments=arguments):
                said = self.refused(FAILED, *arguments)
                self.assertIn(str(self.db), said)
                self.assertIn("init", said)
        self.assertFalse(self.db.exists())


class Init(Desk):
    def test_init_makes_folder_and_database_and_says_what_to_do_next(self):
        said = self.init()
        self.assertIn(str(self.db), said)
        self.assertIn("set bank.example required", said)
        self.assertIn(f"smtp_tls_policy_maps = socketmap:unix:{self.folder}/map.sock:policy", said)
        self.assertEqual(0o750, stat.S_IMODE(self.db.parent.stat().st_mode) | 0o050)
        self.assertEqual("wal", self.sql("PRAGMA journal_mode"))
        self.assertEqual("10", self.sql("SELECT count(*) FROM profile"))
        self.assertEqual("0", self.sql("SELECT count(*) FROM outbound"))

    def test_init_leaves_what_exists_alone(self):
        self.init()
        self.done("set", "a.example", "required")
        said = self.refused(FAILED, "init")
        self.assertIn(str(self.db), said)
        self.assertIn("exists", said)
        self.assertEqual("a.example", self.sql("SELECT destination FROM outbound"))

    def test_init_does_not_follow_a_dangling_link(self):
        self.db.parent.mkdir()
        self.db.symlink_to(self.folder / "elsewhere")
        self.refused(FAILED, "init")
        self.assertFalse((self.folder / "elsewhere").exists())

    @unittest.skipUnless(os.geteuid() == 0, "giving away needs root")
    def test_init_by_root_gives_what_it_makes_to_the_user_of_the_configuration(self):
        import pwd
        account = pwd.getpwnam("nobody")
        self.folder.chmod(0o755)
        self.configure(user="nobody")
        self.init()
        for made in (self.db, self.db.parent):
            self.assertEqual((account.pw_uid, account.pw_gid), (made.stat().st_uid, made.stat().st_gid), made)
        self.assertEqual(0, self.folder.stat().st_uid)

    @unittest.skipUnless(os.geteuid() == 0, "giving away needs root")
    def test_init_by_root_refuses_a_user_that_does_not_exist_before_it_makes_anything(self):
        self.configure(user="nobody-of-this-name")
        self.assertIn("nobody-of-this-name", self.refused(FAILED, "init"))
        self.assertFalse(self.db.parent.exists())

    def test_upgrade_of_the_newest_schema_changes_nothing(self):
        self.init()
        said = self.data("upgrade")
        self.assertEqual(said["from"], said["to"])
        self.assertIn("newest", self.done("upgrade"))


class Rows(Desk):
    def setUp(self):
        super().setUp()
        self.init()

    def test_set_says_in_a_sentence_what_is_in_force(self):
        self.assertEqual("bank.example: profile required (encrypt, never)\n",
                         self.done("set", "bank.example", "required"))

    def test_set_stores_every_column_and_replaces_the_whole_row(self):
        self.done("set", "Bank.Example.", "secure", "--match", "bank.example:.bank.example", "--mode", "observe",
                  "--owner", "mailops", "--reason", "contract 7", "--expires", "2030-01-02T03:04", "--comment", "x")
        self.assertEqual(
            [{"destination": "bank.example", "profile": "secure", "match": "bank.example:.bank.example",
              "mode": "observe", "owner": "mailops", "reason": "contract 7", "expires_at": 1893553440,
              "comment": "x"}], self.data("list"))
        self.done("set", "bank.example", "required")
        (row,) = self.data("list")
        self.assertEqual(COLUMNS, list(row))
        self.assertEqual([None] * 5, [row[key] for key in ("match", "owner", "reason", "expires_at", "comment")])
        self.assertEqual("enforce", row["mode"])

    def test_destinations_are_brought_into_normal_form(self):
        for written, stored in (("EXAMPLE.com.", "example.com"), (".Example.com", ".example.com"),
                                ("b\u00fccher.example", "xn--bcher-kva.example"),
                                ("[Relay.Example]:587", "[relay.example]:587"), ("[*]", "[*]"), ("*", "*"),
                                ("[192.0.2.1]:25", "[192.0.2.1]:25")):
            with self.subTest(written=written):
                self.assertEqual(stored, self.data("set", written, "required")["destination"])
                self.assertEqual(stored, self.sql(f"SELECT destination FROM outbound WHERE destination='{stored}'"))
                self.done("remove", written)

    def test_what_can_not_be_a_destination_is_wrong_usage(self):
        for written in ("a..b", "me@a.example", "a b", "x" * 64 + ".example", "", "*.example.com"):
            with self.subTest(written=written):
                self.refused(USAGE, "set", written, "required")
                self.refused(USAGE, "remove", written)

    def test_expiry_in_every_form(self):
        for written, seconds in (("90", 90), ("30m", 1800), ("4h", 14400), ("7d", 604800), ("2w", 1209600)):
            before = int(time.time())
            at = self.data("set", "a.example", "required", "--expires", written)["expires_at"]
            self.assertTrue(before + seconds <= at <= int(time.time()) + seconds, written)
        at = self.data("set", "a.example", "required", "--expires", "2031-05-06")["expires_at"]
        self.assertEqual(datetime.datetime(2031, 5, 6, tzinfo=datetime.timezone.utc).timestamp(), at)
        self.assertIsNone(self.data("set", "a.example", "required", "--expires", "never")["expires_at"])
        self.assertIn("until 2031-05-06T00:00:00Z (in ", self.done("set", "a.example", "off", "--expires", "2031-05-06"))
        for wrong in ("soon", "0", "-4h", "2031-13-01"):
            self.assertIn("--expires", self.refused(USAGE, "set", "a.example", "required", f"--expires={wrong}"))
        self.done("set", "b.example", "secure")
        warned = self.expect(DONE, "set", "b.example", "off", "--expires", "4h").stderr
        self.assertIn("the row before (secure) does not come back", warned)
        undo = re.search(r"tlspolicyctl (undo \d+)$", warned.strip()).group(1)
        self.done(*undo.split())
        self.assertEqual("secure", self.data("list")[-1]["profile"])
        self.done("set", "b.example", "off", "--expires", "4h")
        self.assertEqual("", self.expect(DONE, "set", "b.example", "off", "--expires", "5h").stderr,
                         "what ended earlier is not missed")
        self.assertEqual("", self.expect(DONE, "set", "c.example", "off", "--expires", "5h").stderr)

    def test_an_expiry_in_the_past_is_stored_with_a_warning(self):
        done = self.expect(DONE, "set", "a.example", "required", "--expires", "2020-01-01")
        self.assertIn("expired at 2020-01-01T00:00:00Z", done.stderr)
        self.assertRegex(self.done("list"), r"2020-01-01T00:00:00Z expired")

    def test_what_is_not_enforced_is_said(self):
        self.assertIn("mode observe", self.done("set", "a.example", "required", "--mode", "observe"))
        self.assertIn("--mode", self.refused(USAGE, "set", "a.example", "required", "--mode", "audit"))
        self.configure(mode="observe")
        self.assertIn("mode is observe", self.expect(DONE, "set", "a.example", "required").stderr)

    def test_what_the_database_or_postfix_would_refuse_is_not_stored_and_named(self):
        for arguments, words in ((["a.example", "nonsense"], ["a.example", "nonsense", "profile list"]),
                                 (["a.example", "pinned"], ["a.example", "match"]),
                                 (["a.example", "required", "--match", "x.example"], ["a.example", "match"]),
                                 (["a.example", "secure", "--match", "a b"], ["a.example", "match"]),
                                 (["a.example", "pinned", "--match", "not-a-pin"], ["a.example", "match"]),
                                 (["a.example", "required", "--owner", "a\nb"], ["a.example", "owner"])):
            with self.subTest(arguments=arguments):
                said = self.refused(FAILED, "set", *arguments)
                for word in words:
                    self.assertIn(word, said)
        self.assertEqual([], self.data("list"))

    def test_remove_ends_with_3_where_there_is_no_such_row(self):
        self.done("set", "a.example", "required")
        self.assertIn("a.example: removed", self.done("remove", "A.example"))
        self.assertIn("a.example: there is no row", self.refused(FAILED, "remove", "a.example"))
        self.assertEqual("0", self.sql("SELECT count(*) FROM outbound"))

    def test_list_shows_what_any_tool_has_written(self):
        self.assertIn("no rows", self.done("list"))
        self.assertEqual([], self.data("list"))
        self.sql("INSERT INTO outbound(destination, profile, owner) VALUES('bank.example','required','J\u00fcrgen')")
        self.done("set", "[relay.example]:587", "secure", "--reason", "SASL password")
        header, *rows = self.done("list").splitlines()
        self.assertEqual(["DESTINATION", "PROFILE", "LEVEL", "MODE", "MATCH", "EXPIRES", "OWNER", "REASON"],
                         header.split())
        self.assertEqual(["[relay.example]:587", "secure", "secure", "enforce", "-", "-", "-", "SASL", "password"],
                         rows[0].split())
        self.assertEqual(["bank.example", "required", "encrypt", "enforce", "-", "-", "J\u00fcrgen", "-"],
                         rows[1].split())
        self.assertEqual(header.index("PROFILE"), rows[1].index("required"))

    def test_nothing_reaches_the_terminal_unfiltered(self):
        self.sql("INSERT INTO outbound(destination, profile, reason) VALUES('a.example','required','x'||"
                 "'\u202egnp')")
        self.assertNotIn("\u202e", self.done("list"))
        self.assertNotIn("\u202e", self.done("explain", "a.example"))

    def test_undo_puts_a_row_back(self):
        self.done("set", "a.example", "required", "--owner", "me")
        self.done("set", "a.example", "off")
        seq = self.sql("SELECT max(seq) FROM change_log")
        self.assertIn("a.example", self.done("undo", seq))
        (row,) = self.data("list")
        self.assertEqual(("required", "me"), (row["profile"], row["owner"]))
        self.assertIn(seq, self.refused(FAILED, "undo", seq), "it has changed since")
        self.assertIn("4711", self.refused(FAILED, "undo", "4711"))

    def test_a_lock_held_by_somebody_else_is_named_and_not_waited_for_for_ever(self):
        holder = subprocess.Popen(["sqlite3", "-batch", self.db], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        self.addCleanup(holder.stdout.close)
        try:
            holder.stdin.write("BEGIN IMMEDIATE; SELECT 'held';\n")
            holder.stdin.flush()
            self.assertEqual("held\n", holder.stdout.readline())
            said = self.refused(FAILED, "set", "a.example", "required")
            self.assertIn("lock", said)
            self.assertEqual([], self.data("list"), "reading needs no lock")
        finally:
            holder.communicate("ROLLBACK;\n", timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()
