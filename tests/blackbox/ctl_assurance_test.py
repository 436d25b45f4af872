"""tlspolicyctl can-receive-tls and check-forwards: which addresses are sure to be reached by TLS."""
import unittest

from ctl_desk import DONE, FAILED, NOT_WELL, USAGE, Desk


class CanReceiveTls(Desk):
    def setUp(self):
        super().setUp()
        self.init()

    def can(self, address, require=None):
        """Yes or no, by exit status and JSON alike."""
        arguments = ["can-receive-tls", address, *(("--require", require) if require else ())]
        done = self.ctl(*arguments)
        self.assertIn(done.returncode, (DONE, NOT_WELL), done.stderr)
        found = self.data(*arguments, status=done.returncode)
        self.assertEqual(done.returncode == DONE, found["can_receive"])
        self.assertEqual(address, found["address"])
        self.assertIn(found["why"], done.stdout)
        return found["can_receive"]

    def test_a_row_that_demands_tls_makes_sure_and_no_row_does_not(self):
        self.done("set", "bank.example", "required")
        self.assertTrue(self.can("ann@bank.example"))
        self.assertTrue(self.can("Ann@Bank.Example."))
        self.assertTrue(self.can("bank.example"))
        self.assertFalse(self.can("ann@other.example"))
        self.assertFalse(self.can("ann@sub.bank.example"), "a domain does not cover what is below it")

    def test_verified_is_more_than_encrypted(self):
        for destination, profile in (("a.example", "required"), ("b.example", "verified"), ("c.example", "secure"),
                                     ("d.example", "dane-only"), ("e.example", "dane")):
            self.done("set", destination, profile)
        self.assertEqual([True, True, True, True, False],
                         [self.can(f"x@{name}.example") for name in "abcde"])
        self.assertEqual([False, True, True, True, False],
                         [self.can(f"x@{name}.example", "verify") for name in "abcde"])

    def test_what_may_fall_back_is_not_sure(self):
        for profile in ("opportunistic", "preferred", "native", "off"):
            self.done("set", "a.example", profile)
            self.assertFalse(self.can("x@a.example"), profile)

    def test_a_row_that_has_ended_or_only_observes_makes_nothing_sure(self):
        self.done("set", "a.example", "required", "--expires", "2020-01-01")
        self.assertFalse(self.can("x@a.example"))
        self.done("set", "a.example", "required", "--mode", "observe")
        self.assertFalse(self.can("x@a.example"))
        self.done("set", "a.example", "required")
        self.assertTrue(self.can("x@a.example"))
        self.configure(mode="observe")
        self.assertFalse(self.can("x@a.example"))
        self.assertIn("mode observe", self.data("can-receive-tls", "x@a.example", status=NOT_WELL)["why"])

    def test_the_answer_names_the_row_and_the_level(self):
        self.done("set", ".example", "verified")
        found = self.data("can-receive-tls", "x@a.example")
        self.assertEqual(("a.example", "encrypt", True, "verify", "verify", ".example"),
                         tuple(found[key] for key in
                               ("destination", "require", "can_receive", "assured", "level", "row")))

    def test_what_cannot_be_told_is_neither_yes_nor_no(self):
        self.done("set", "a.example", "required")
        drops = self.sql("SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type='trigger'")
        self.sql(f"{drops} PRAGMA ignore_check_constraints=1;"
                 "UPDATE outbound SET match='x.example' WHERE destination='a.example'")
        self.assertIn("can't be told now", self.refused(FAILED, "can-receive-tls", "x@a.example"))
        self.db.unlink()
        self.assertIn("policy.db", self.refused(FAILED, "can-receive-tls", "x@a.example"))

    def test_usage(self):
        self.assertIn("encrypt or verify",
                      self.refused(USAGE, "can-receive-tls", "x@a.example", "--require", "none"))
        self.refused(USAGE, "can-receive-tls", "x@")
        self.refused(USAGE, "can-receive-tls", "")
        self.refused(USAGE, "can-receive-tls")


ALIASES = """\
# the postmaster
postmaster: root
root:       ann, "|/usr/bin/archive x@clear.example",
            Bob <bob@clear.example>
sales:      eve@bank.example, /var/mail/sales
team:       :include:/etc/team
"""
VIRTUAL = """\
info@here.example   info@bank.example, info@clear.example
@old.example        @clear.example
"""
SIEVE = """\
require ["copy"];
# redirect "no@clear.example";
if header :contains "Subject" "urgent" { redirect :copy "phone@clear.example"; }
redirect "eve@bank.example";
"""


class CheckForwards(Desk):
    def setUp(self):
        super().setUp()
        self.init()
        self.done("set", "bank.example", "required")

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def found(self, *files, options=(), status=NOT_WELL):
        return [(each["file"].rsplit("/", 1)[-1], each["line"], each["address"])
                for each in self.data("check-forwards", *files, *options, status=status)]

    def test_each_kind_of_file_is_read_and_each_forward_named_with_its_line(self):
        files = (self.file("aliases", ALIASES), self.file("virtual", VIRTUAL), self.file("a.sieve", SIEVE))
        self.assertEqual(
            [("aliases", 3, "bob@clear.example"), ("aliases", 6, ":include:/etc/team"),
             ("virtual", 1, "info@clear.example"), ("virtual", 2, "@clear.example"),
             ("a.sieve", 3, "phone@clear.example")], self.found(*files))
        text = self.expect(NOT_WELL, "check-forwards", *files).stdout
        self.assertRegex(text, r"(?m)^\S+/virtual +1 +info@clear\.example +no rule in force demands TLS for it$")
        self.assertIn("5 of 8 forwards", text)

    def test_where_all_are_sure_nothing_is_named(self):
        file = self.file("aliases", "sales: eve@bank.example, bob\n")
        self.assertEqual([], self.found(file, status=DONE))
        self.assertIn("0 of 1 forward is not sure", self.done("check-forwards", file))
        self.assertEqual([("aliases", 1, "eve@bank.example")], self.found(file, options=("--require", "verify")))

    def test_domains_of_this_host_are_no_forwards(self):
        file = self.file("virtual", "a@here.example b@here.example, c@clear.example\n")
        self.assertEqual([("virtual", 1, "c@clear.example")], self.found(file, options=("--local", "Here.example")))

    def test_the_format_can_be_given(self):
        file = self.file("list", "sales: eve@clear.example\n")
        self.assertEqual([("list", 1, "eve@clear.example")], self.found(file, options=("--format", "virtual")))
        self.assertIn("aliases, virtual or sieve", self.refused(USAGE, "check-forwards", file, "--format", "mbox"))

    def test_a_file_that_cannot_be_read_to_its_end_is_no_clean_file(self):
        self.assertIn("missing", self.refused(FAILED, "check-forwards", self.folder / "missing"))
        broken = self.file("b.sieve", 'keep;\nredirect "a@bank.example')
        self.assertIn("b.sieve: line 2: a string is left open", self.refused(FAILED, "check-forwards", broken))
        self.refused(FAILED, "check-forwards", self.folder)

    def test_what_a_file_says_reaches_no_terminal_unfiltered(self):
        file = self.file("aliases", "a: x\x1b[2J@clear.example\n")
        self.assertNotIn("\x1b", self.expect(NOT_WELL, "check-forwards", file).stdout)


if __name__ == "__main__":
    unittest.main()
