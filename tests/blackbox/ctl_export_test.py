"""tlspolicyctl export: sorted, stable, and the same again after an import."""
import csv
import io
import unittest

from ctl_desk import DONE, NOT_WELL, USAGE, Desk


class Exporting(Desk):
    def setUp(self):
        super().setUp()
        self.init()
        self.number = 0

    def fresh(self):
        """Another database."""
        self.number += 1
        self.db = self.folder / f"fresh{self.number}" / "policy.db"
        self.configure()
        self.init()

    def fill(self):
        self.done("profile", "set", "own", "level=encrypt", "fallback=after-retry", "attempts=3", "min_protocol=TLSv1.2",
                  "connection_reuse=yes", "comment=mine")
        self.done("profile", "set", "rpk", "level=verify", "enable_rpk=yes", "protocols=>=TLSv1.2:<=TLSv1.2")
        for destination, profile, *options in (
                ("z.example", "required"), ("a.example", "own", "--owner", "me", "--reason", 'a "b", c'),
                (".a.example", "secure", "--match", "nexthop:.a.example"), ("[relay.example]:587", "rpk"),
                ("b.example", "opportunistic"), ("off.example", "off", "--expires", "7d"),
                ("watched.example", "required", "--mode", "observe"), ("*", "required"), ("[*]", "native"),
                ("over.example", "required", "--expires", "2020-01-01")):
            self.done("set", destination, profile, *options)

    def table(self, *options):
        """The lines that aren't comments."""
        shown = self.done("export", *options)
        return [line for line in shown.splitlines() if not line.startswith("#")]

    def write(self, text):
        path = self.folder / "file"
        path.write_text(text, encoding="utf-8")
        return path


class ATable(Exporting):
    def test_is_sorted_and_in_the_words_of_the_configured_postfix(self):
        self.fill()
        old = "protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1"
        lines = [".a.example\tsecure match=nexthop:.a.example", f"[relay.example]:587\tverify {old}:!TLSv1.3",
                 f"a.example\tencrypt {old} connection_reuse=yes", "b.example\tmay", "off.example\tnone",
                 "z.example\tencrypt"]
        self.assertEqual(lines, self.table())
        lines[1] = "[relay.example]:587\tverify protocols=>=TLSv1.2:<=TLSv1.2 enable_rpk=yes"
        lines[2] = "a.example\tencrypt protocols=>=TLSv1.2 connection_reuse=yes"
        self.assertEqual(lines, self.table("--postfix-version", "3.10"))
        self.configure(postfix_version="3.10")
        self.assertEqual(lines, self.table())
        self.refused(USAGE, "export", "--postfix-version", "2.9")

    def test_says_what_it_can_not_carry(self):
        self.fill()
        said = self.expect(DONE, "export")
        for word in ("observe", "expired", "fallback", "* and [*]", "smtp_tls_security_level", "--format csv"):
            self.assertIn(word, "".join(line for line in said.stdout.splitlines() if line.startswith("#")))
        for word in ("observe: watched.example", "expired: over.example", "own (after-retry)", "* (encrypt)",
                     "have an end, the table has none: off.example", "smtp_tls_security_level", "rpk"):
            self.assertIn(word, said.stderr)

    def test_is_the_same_after_an_import_elsewhere_and_here(self):
        self.fill()
        first = self.done("export")
        before = (self.data("list"), self.sql("SELECT count(*) FROM change_log"))
        self.assertIn("6 unchanged; 4 left alone", self.done("import", self.write(first), "--sync"))
        self.assertEqual(before, (self.data("list"), self.sql("SELECT count(*) FROM change_log")))
        self.fresh()
        self.done("import", self.write(first))
        self.assertEqual(first, self.done("export"))

    def test_a_row_that_can_not_be_answered_is_left_out_and_said(self):
        self.done("set", "a.example", "required")
        self.done("set", "b.example", "secure")
        self.sql("UPDATE profile SET protocols='nonsense' WHERE name='secure'")
        said = self.expect(NOT_WELL, "export")
        self.assertIn("a.example\tencrypt\n", said.stdout)
        self.assertNotIn("\nb.example", said.stdout)
        self.assertIn("b.example", said.stderr)

    def test_as_data_is_destination_and_policy(self):
        self.done("set", "a.example", "required")
        self.assertEqual([{"destination": "a.example", "policy": "encrypt"}], self.data("export"))

    def test_of_nothing_is_a_comment(self):
        self.assertEqual([], self.table())
        self.assertEqual([], self.data("export"))


class Csv(Exporting):
    def export(self):
        return self.done("export", "--format", "csv")

    def test_carries_everything_and_is_the_same_after_an_import_elsewhere(self):
        self.fill()
        first = self.export()
        rows = self.data("list")
        self.assertEqual([row["destination"] for row in rows],
                         [row["destination"] for row in csv.DictReader(io.StringIO(first))])
        own = self.data("profile", "show", "own")
        self.fresh()
        self.done("import", self.write(first))
        self.assertEqual((first, rows), (self.export(), self.data("list")))
        self.assertEqual({**own, "comment": "made by tlspolicyctl import"}, self.data("profile", "show", "own"))

    def test_imported_where_it_comes_from_changes_nothing(self):
        self.fill()
        self.assertIn("0 added, 0 changed, 0 removed, 10 unchanged",
                      self.done("import", self.write(self.export()), "--sync"))

    def test_has_the_columns_of_outbound_and_no_more_where_shipped_profiles_do(self):
        self.done("set", "a.example", "required")
        self.assertEqual("destination,profile,match,mode,owner,reason,expires_at,comment\n"
                         "a.example,required,,enforce,,,,\n", self.export())

    def test_as_data_is_the_list(self):
        self.fill()
        self.assertEqual(self.data("list"), self.data("export", "--format", "csv"))


if __name__ == "__main__":
    unittest.main()
