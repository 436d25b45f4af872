"""tlspolicyctl import: Postfix tables in, all or nothing, and every line that can't be taken named."""
import unittest

from ctl_desk import DONE, FAILED, NOT_WELL, USAGE, Desk

TABLE = """\
# partners
bank.example        encrypt protocols=>=TLSv1.2
    ciphers=high
# a comment inside, and an empty line

\t
.bank.example       encrypt ciphers=HIGH protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1
Partner.Example.    secure match=nexthop:.partner.example
old.example         none
b\u00fccher.example      may
pinned.example      fingerprint match=00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF
[relay.example]:587 verify servername=hostname connection_reuse=yes tafile=/etc/ta.pem
"""
ROWS = {"bank.example": ("encrypt-tls1.2-high", None), ".bank.example": ("encrypt-tls1.2-high", None),
        "partner.example": ("secure", "nexthop:.partner.example"), "old.example": ("off", None),
        "xn--bcher-kva.example": ("native", None), "[relay.example]:587": ("verify-tafile-sni-reuse", None),
        "pinned.example": ("pinned", "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF")}


class Importing(Desk):
    def setUp(self):
        super().setUp()
        self.init()
        self.table = self.folder / "tls_policy"

    def write(self, text):
        self.table.write_text(text, encoding="utf-8")
        return self.table

    def bring(self, text, *options, status=DONE):
        return self.expect(status, "import", self.write(text), *options)

    def counts(self, text, *options, status=DONE):
        said = self.data("import", self.write(text), *options, status=status)
        return said["added"], said["changed"], said["removed"], said["unchanged"]

    def rows(self):
        return {row["destination"]: (row["profile"], row["match"]) for row in self.data("list")}

    def row(self, destination):
        return next(row for row in self.data("list") if row["destination"] == destination)

    def changes(self):
        return self.sql("SELECT count(*) FROM change_log")


class ATable(Importing):
    def test_becomes_rows_that_share_profiles_with_telling_names(self):
        said = self.bring(TABLE)
        self.assertIn("7 added, 0 changed, 0 removed, 0 unchanged", said.stdout)
        self.assertIn("profiles made: encrypt-tls1.2-high, verify-tafile-sni-reuse", said.stdout)
        self.assertEqual(ROWS, self.rows())
        made = self.data("profile", "show", "encrypt-tls1.2-high")
        self.assertEqual(("encrypt", "never", "TLSv1.2", "high"),
                         (made["level"], made["fallback"], made["min_protocol"], made["ciphers"]))

    def test_comes_from_standard_input_too(self):
        with open(self.write(TABLE), encoding="utf-8") as stdin:
            self.done("import", "-", stdin=stdin)
        self.assertEqual(ROWS, self.rows())

    def test_a_second_time_changes_nothing_and_writes_nothing(self):
        self.bring(TABLE, "--sync")
        before = self.changes()
        self.assertEqual((0, 0, 0, 7), self.counts(TABLE, "--sync"))
        self.assertEqual(before, self.changes())

    def test_names_of_profiles_do_not_depend_on_the_order_of_the_lines(self):
        lines = [f"{name}.example encrypt exclude={cipher}\n"
                 for name, cipher in (("a", "MD5"), ("b", "RC4"), ("c", "DES"))]
        self.bring("".join(lines))
        first = self.rows()
        self.assertEqual({"encrypt-exclude", "encrypt-exclude-2", "encrypt-exclude-3"},
                         {profile for profile, _ in first.values()})
        for name in ("a", "b", "c"):
            self.done("remove", f"{name}.example")
        for profile in sorted({profile for profile, _ in first.values()}):
            self.done("profile", "remove", profile)
        self.bring("".join(reversed(lines)))
        self.assertEqual(first, self.rows())

    def test_merges_and_with_sync_also_removes(self):
        self.done("set", "mine.example", "secure", "--reason", "why")
        self.assertEqual((1, 0, 0, 0), self.counts("a.example encrypt\n"))
        self.assertEqual((0, 1, 0, 0), self.counts("a.example may\n"))
        self.assertEqual({"a.example": ("native", None), "mine.example": ("secure", None)}, self.rows())
        self.assertEqual((1, 0, 1, 1), self.counts("a.example may\nb.example dane\n", "--sync"))
        self.assertEqual({"a.example", "b.example"}, set(self.rows()))

    def test_a_line_that_says_what_holds_leaves_all_of_its_row_alone(self):
        self.done("set", "a.example", "opportunistic", "--owner", "me", "--reason", "why", "--comment", "c",
                  "--expires", "7d")
        before = self.row("a.example")
        self.assertEqual((0, 0, 0, 1), self.counts("a.example may\n", "--sync"))
        self.assertEqual(before, self.row("a.example"))
        self.assertEqual((0, 1, 0, 0), self.counts("a.example encrypt\n"))
        after = self.row("a.example")
        self.assertEqual(("required", None, None, None, None),
                         tuple(after[name] for name in ("profile", "owner", "reason", "comment", "expires_at")))

    def test_a_row_that_does_not_hold_comes_into_force(self):
        self.done("set", "a.example", "required", "--mode", "observe", "--owner", "me")
        self.done("set", "b.example", "required", "--expires", "2020-01-01", "--reason", "why")
        self.assertEqual((0, 2, 0, 0), self.counts("a.example encrypt\nb.example encrypt\n"))
        self.assertEqual(("enforce", "me"), (self.row("a.example")["mode"], self.row("a.example")["owner"]))
        self.assertEqual((None, "why"), (self.row("b.example")["expires_at"], self.row("b.example")["reason"]))

    def test_sync_leaves_alone_what_a_table_can_not_name(self):
        for destination, options in (("*", []), ("[*]", []), ("o.example", ["--mode", "observe"]),
                                     ("e.example", ["--expires", "2020-01-01"])):
            self.done("set", destination, "required", *options)
        self.done("set", "gone.example", "required")
        said = self.data("import", self.write("a.example encrypt\n"), "--sync")
        self.assertEqual((1, 1, 4), (said["added"], said["removed"], said["left_alone"]))
        self.assertEqual({"*", "[*]", "o.example", "e.example", "a.example"}, set(self.rows()))


class ADryRun(Importing):
    def test_shows_the_difference_and_writes_nothing(self):
        self.done("set", "a.example", "required", "--reason", "why")
        self.done("set", "b.example", "required")
        before = (self.data("list"), self.changes(), self.db.read_bytes())
        said = self.done("import", self.write("a.example secure match=.a.example\nc.example encrypt ciphers=high\n"),
                         "--sync", "--dry-run")
        self.assertEqual(["+ profile encrypt-high  level=encrypt fallback=never ciphers=high",
                          "~ a.example  profile required -> secure, match - -> .a.example, reason why -> -",
                          "- b.example  profile required",
                          "+ c.example  profile encrypt-high",
                          "1 added, 1 changed, 1 removed, 0 unchanged; profiles made: encrypt-high; nothing was "
                          "written (--dry-run)"], said.splitlines())
        self.assertEqual(before, (self.data("list"), self.changes(), self.db.read_bytes()))

    def test_as_data_has_before_and_after(self):
        self.done("set", "a.example", "required")
        said = self.data("import", self.write("a.example none\nb.example may\n"), "--dry-run")
        self.assertEqual((1, 1, 0, 0), tuple(said[key] for key in ("added", "changed", "removed", "unchanged")))
        self.assertEqual([("change", "a.example"), ("add", "b.example")],
                         [(each["op"], each["destination"]) for each in said["diff"]])
        self.assertEqual(("required", "off"), tuple(said["diff"][0][when]["profile"] for when in ("before", "after")))
        self.assertIsNone(said["diff"][1]["before"])
        self.assertEqual([], said["refused"])

    def test_names_the_lines_that_can_not_be_taken_and_is_not_well(self):
        table = "a.example encrypt\nb.example encrpyt\n"
        said = self.bring(table, "--dry-run", status=NOT_WELL)
        self.assertIn("+ a.example", said.stdout)
        self.assertIn(f"{self.table}:2: b.example", said.stderr)
        said = self.data("import", self.table, "--dry-run", status=NOT_WELL)
        self.assertEqual([2], [each["line"] for each in said["refused"]])

    def test_works_while_somebody_else_holds_the_write_lock(self):
        import sqlite3  # pylint: disable=import-outside-toplevel
        other = sqlite3.connect(self.db, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN IMMEDIATE")
        self.assertIn("1 added", self.done("import", self.write("a.example encrypt\n"), "--dry-run"))
        self.assertIn("lock", self.bring("a.example encrypt\n", status=FAILED).stderr)


class WhatCanNotBeTaken(Importing):
    def test_refuses_the_whole_file_and_every_line_is_named_with_what_is_allowed(self):
        lines = {1: (" lead.example encrypt", "white space"), 2: ("a.example encrpyt", "may, encrypt"),
                 3: ("b.example encrypt match=x", "verify and secure"), 4: ("c.example", "no value"),
                 5: ("d.example encrypt cipher=high", "ciphers"), 6: ("e.example encrypt", None),
                 7: ("E.example secure", "line 6"), 8: ("* may", "tlspolicyctl set '*'"),
                 9: ("192.0.2.1 may", "[192.0.2.1]"), 10: ("f.example: encrypt", "colon"),
                 11: ("g.example encrypt ciphers=null", "medium and high"), 12: ("ok.example encrypt", None),
                 13: ("h.example encrypt protocols=TLSv9", "TLSv1.3"), 14: ("i.example fingerprint", "pins"),
                 15: ("j.example secure policy_type=sts", "no column"), 16: ("/pattern/ encrypt", "no destination"),
                 17: ("k.example secure tafile=/a tafile=/b", "one file")}
        before = self.changes()
        said = self.bring("".join(f"{line}\n" for line, _ in lines.values()), status=FAILED).stderr.splitlines()
        wanted = {number: word for number, (_, word) in lines.items() if word}
        for number, word in wanted.items():
            with self.subTest(line=lines[number]):
                self.assertTrue([line for line in said if f"{self.table}:{number}: " in line and word in line], said)
        self.assertEqual(len(wanted) + 1, len(said))
        self.assertIn("15 lines can't be taken; nothing was imported", said[-1])
        self.assertEqual((before, {}), (self.changes(), self.rows()))

    def test_of_very_many_lines_a_hundred_are_shown_and_the_rest_counted(self):
        said = self.bring("".join(f"d{number}.example nonsense\n" for number in range(20_000)), status=FAILED).stderr
        self.assertEqual(102, len(said.splitlines()))
        self.assertIn("and 19900 more", said)
        self.assertIn("20000 lines", said)

    def test_the_same_line_twice_is_one_row_and_a_note(self):
        said = self.bring("a.example encrypt\nA.EXAMPLE.  Encrypt\n")
        self.assertIn("1 added", said.stdout)
        self.assertIn(f"{self.table}:2: a.example stands on line 1", said.stderr)

    def test_attributes_at_none_are_left_out_with_a_note(self):
        said = self.bring("a.example none ciphers=high\n")
        self.assertIn(f"{self.table}:1: a.example", said.stderr)
        self.assertEqual({"a.example": ("off", None)}, self.rows())

    def test_an_empty_file_does_not_empty_the_database(self):
        self.done("set", "a.example", "required")
        self.assertIn("--sync", self.bring("# nothing\n", "--sync", status=FAILED).stderr)
        self.assertEqual((0, 0, 0, 0), self.counts(""))
        self.assertEqual((0, 0, 1, 0), self.counts("destination,profile\n", "--sync"))

    def test_hostile_bytes_are_refused_and_do_not_reach_the_terminal(self):
        self.table.write_bytes(b"a.example encrypt\0\n\x1b[2J\xff.example may\n" + b"x" * 100_000 + b" may\n")
        said = self.expect(FAILED, "import", self.table).stderr
        self.assertNotIn("\x1b", said)
        self.assertIn("3 lines", said)
        self.assertLess(len(said), 5000)

    def test_what_is_no_file_or_no_format_is_said(self):
        self.assertIn("nowhere", self.refused(FAILED, "import", self.folder / "nowhere"))
        self.refused(FAILED, "import", self.folder)
        self.refused(USAGE, "import")
        self.refused(USAGE, "import", self.write(""), "--format", "xml")


class CsvFiles(Importing):
    HEAD = "destination,profile,match,mode,owner,reason,expires_at,comment\n"

    def test_carry_every_column(self):
        self.bring(self.HEAD + 'a.example,secure,.a.example,observe,me,"say ""no"", twice",2000000000,\u00fcber\n'
                   "b.example,required,,,,,2030-01-02T03:04,\n")
        self.assertEqual({"destination": "a.example", "profile": "secure", "match": ".a.example", "mode": "observe",
                          "owner": "me", "reason": 'say "no", twice', "expires_at": 2000000000, "comment": "\u00fcber"},
                         self.row("a.example"))
        self.assertEqual(("enforce", 1893553440, None),
                         tuple(self.row("b.example")[name] for name in ("mode", "expires_at", "owner")))

    def test_columns_that_are_not_there_stay_as_they_are(self):
        self.done("set", "a.example", "required", "--owner", "me", "--reason", "why")
        self.assertEqual((0, 1, 0, 0), self.counts("profile,destination,reason\nverified,A.example,\n"))
        self.assertEqual(("verified", "me", None),
                         tuple(self.row("a.example")[name] for name in ("profile", "owner", "reason")))
        before = self.changes()
        self.assertEqual((0, 0, 0, 1), self.counts("destination,profile\na.example,verified\n", "--sync"))
        self.assertEqual(before, self.changes())

    def test_sync_removes_what_is_not_there_whatever_it_is(self):
        self.done("set", "*", "required")
        self.done("set", "o.example", "required", "--mode", "observe")
        self.assertEqual((1, 0, 2, 0), self.counts("destination,profile\na.example,verified\n", "--sync"))

    def test_an_unknown_column_is_named_with_those_that_are_allowed(self):
        for header, word in (("destination,profile,level", '"level"'), ("destination,profile,profile", "twice"),
                             ("destination,match", "no column profile")):
            with self.subTest(header=header):
                said = self.bring(f"{header}\na.example,required,\n", status=FAILED).stderr
                self.assertIn(f"{self.table}:1: ", said)
                self.assertIn(word, said)
        self.assertIn("expires_at", self.bring("destination,profile,x\n", status=FAILED).stderr)

    def test_every_line_that_can_not_be_taken_is_named(self):
        lines = [("a.example,nonsense,,,,,,", "nonsense"), ("b.example,required,x,,,,,", "match"),
                 ("c.example,secure,*.x,,,,,", ".x"), ("d.example,required,,maybe,,,,", "observe"),
                 ("e.example,required,,,,,tomorrow,", "expires_at"), ("f.example,required,,,,,4h,", "expires_at"),
                 ("g.example,required", "2 fields"), ("192.0.2.1,required,,,,,,", "[192.0.2.1]"),
                 (",required,,,,,,", "empty"), ("h.example,required,,,\x07,,,", "owner"),
                 (f"i.example,required,,,,{'x' * 1001},,", "reason"), ('j.example,req"uired,,,,,,', "quote"),
                 ("k.example,pinned,,,,,,", "pins")]
        said = self.bring(self.HEAD + "".join(f"{line}\n" for line, _ in lines), status=FAILED).stderr.splitlines()
        for number, (line, word) in enumerate(lines, 2):
            with self.subTest(line=line):
                self.assertTrue([each for each in said if f"{self.table}:{number}: " in each and word in each], said)
        self.assertEqual(len(lines) + 1, len(said))
        self.assertEqual({}, self.rows())

    def test_profiles_of_ones_own_travel_with_their_rows(self):
        settings = "profile_settings\na.example,own,level=encrypt fallback=bounce attempts=3\n"
        self.bring("destination,profile," + settings)
        own = self.data("profile", "show", "own")
        self.assertEqual(("encrypt", "bounce", 3), (own["level"], own["fallback"], own["attempts"]))
        self.assertEqual((0, 0, 0, 1), self.counts("destination,profile," + settings))
        self.assertIn("another one here", self.bring("destination,profile,profile_settings\n"
                                                     "b.example,own,level=may\n", status=FAILED).stderr)


class ALongFile(Importing):
    def test_says_how_far_it_got_where_it_is_asked_to(self):
        text = "".join(f"d{number}.example encrypt\n" for number in range(100_000))
        said = self.bring(text, "--progress", "--json")
        self.assertIn("100000 of 100000 rows written", said.stderr)
        self.assertEqual("", self.bring(text).stderr)


if __name__ == "__main__":
    unittest.main()
