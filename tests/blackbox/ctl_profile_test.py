"""tlspolicyctl profile: list, show, set, remove."""
import unittest

from ctl_desk import FAILED, USAGE, Desk

COLUMNS = ["name", "level", "fallback", "first_contact", "protocols", "min_protocol", "ciphers", "exclude",
           "tafile", "servername", "connection_reuse", "enable_rpk", "attempts", "retry_after",
           "failure_memory", "downgrade_to", "downgrade_for", "downgrade_max", "remember_for", "reroute_to",
           "comment"]
SHIPPED = {"off": ("none", "never"), "opportunistic": ("may", "after-retry"),
           "preferred": ("may", "unless-offered"), "native": ("may", "native"), "required": ("encrypt", "never"),
           "verified": ("verify", "never"), "secure": ("secure", "never"), "pinned": ("fingerprint", "never"),
           "dane": ("dane", "never"), "dane-only": ("dane-only", "never")}


class Profiles(Desk):
    def setUp(self):
        super().setUp()
        self.init()

    def test_the_shipped_profiles_set_nothing_but_level_and_fallback(self):
        profiles = self.data("profile", "list")
        self.assertEqual(SHIPPED, {each["name"]: (each["level"], each["fallback"]) for each in profiles})
        for each in profiles:
            self.assertEqual(COLUMNS, list(each))
            self.assertEqual({"name", "level", "fallback", "comment"},
                             {key for key, value in each.items() if value is not None} | {"comment"})
        header, *rows = self.done("profile", "list").splitlines()
        self.assertEqual(["NAME", "LEVEL", "FALLBACK", "SETTINGS", "COMMENT"], header.split())
        self.assertEqual(len(SHIPPED), len(rows))

    def test_show_has_every_column_of_one(self):
        shown = self.data("profile", "show", "required")
        self.assertEqual(COLUMNS, list(shown))
        self.assertEqual(("required", "encrypt"), (shown["name"], shown["level"]))
        lines = self.done("profile", "show", "required").splitlines()
        self.assertEqual(COLUMNS, [line.split()[0] for line in lines])
        self.assertIn("nonsense", self.refused(FAILED, "profile", "show", "nonsense"))

    def test_set_makes_a_profile_and_changes_columns_of_one(self):
        said = self.done("profile", "set", "strict-tls", "level=secure", "min_protocol=TLSv1.2", "attempts=3")
        self.assertEqual("profile strict-tls: level secure, fallback never, min_protocol=TLSv1.2 attempts=3\n", said)
        self.done("profile", "set", "strict-tls", "attempts=", "comment=a = b, c")
        shown = self.data("profile", "show", "strict-tls")
        self.assertIsNone(shown["attempts"])
        self.assertEqual(("TLSv1.2", "a = b, c"), (shown["min_protocol"], shown["comment"]))
        self.assertEqual(3, self.data("profile", "set", "strict-tls", "attempts=3")["attempts"])
        self.assertEqual("3", self.sql("SELECT attempts FROM profile WHERE name='strict-tls'"))

    def test_a_profile_of_every_level_can_be_made(self):
        for level in sorted({level for level, _ in SHIPPED.values()}):
            with self.subTest(level=level):
                self.assertEqual(level, self.data("profile", "set", f"my-{level}", f"level={level}")["level"])

    def test_what_is_no_setting_is_wrong_usage_that_names_the_columns(self):
        for setting in ("level", "nonsense=1", "=1", "name=x", "Level=may"):
            with self.subTest(setting=setting):
                said = self.refused(USAGE, "profile", "set", "required", setting)
                self.assertIn(f'"{setting}"', said)
                self.assertIn("min_protocol", said)

    def test_a_bad_profile_is_not_stored_and_the_reason_named(self):
        for name, settings, word in (
                ("x", ["level=nonsense"], "level"), ("x", ["comment=only"], "level"),
                ("x", ["level=may", "fallback=nonsense"], "fallback"),
                ("x", ["level=verify", "fallback=after-retry"], "after-retry"),
                ("x", ["level=encrypt", "attempts=0"], "attempts"),
                ("x", ["level=encrypt", "attempts=two"], "attempts"),
                ("x", ["level=encrypt", "retry_after=-1"], "retry_after"),
                ("x", ["level=encrypt", "tafile=/x"], "tafile"),
                ("bad name", ["level=encrypt"], "name")):
            with self.subTest(settings=settings):
                said = self.refused(FAILED, "profile", "set", name, *settings)
                self.assertIn(word, said)
                self.assertIn(f"profile {name}", said)
        self.assertEqual(str(len(SHIPPED)), self.sql("SELECT count(*) FROM profile"))

    def test_what_only_postfix_would_refuse_is_put_back(self):
        before = self.data("profile", "show", "required")
        said = self.refused(FAILED, "profile", "set", "required", "protocols=!SSLv2:nonsense")
        self.assertIn("protocols", said)
        self.assertEqual(before, self.data("profile", "show", "required"))
        self.refused(FAILED, "profile", "set", "new-one", "level=encrypt", "protocols=nonsense")
        self.refused(FAILED, "profile", "show", "new-one")

    def test_putting_back_takes_no_earlier_change_with_it(self):
        self.done("profile", "set", "required", "comment=mine")
        self.refused(FAILED, "profile", "set", "required", "protocols=nonsense")
        self.assertEqual("mine", self.data("profile", "show", "required")["comment"])

    def test_one_at_fault_that_can_not_be_put_back_is_said_to_be_stored(self):
        self.sql("PRAGMA ignore_check_constraints=1; UPDATE profile SET level='nonsense' WHERE name='required'")
        said = self.refused(FAILED, "profile", "set", "required", "level=encrypt", "protocols=nonsense")
        self.assertIn("profile required: stored, though at fault: protocols", said)
        self.assertIn("could not be put back", said)
        self.assertNotIn("not stored", said)
        self.assertEqual("nonsense", self.data("profile", "show", "required")["protocols"])

    def test_what_another_tool_has_broken_is_named_and_not_taken_back(self):
        self.sql("UPDATE profile SET protocols='nonsense' WHERE name='required'")
        self.assertIn("nonsense", self.refused(FAILED, "profile", "set", "required", "protocols=nonsense"))
        self.assertEqual("nonsense", self.data("profile", "show", "required")["protocols"])
        self.assertIsNone(self.data("profile", "set", "required", "protocols=")["protocols"])

    def test_a_profile_that_rows_use_can_not_be_removed_nor_changed_under_them(self):
        self.done("set", "a.example", "secure", "--match", "a.example")
        said = self.refused(FAILED, "profile", "remove", "secure")
        self.assertIn("secure", said)
        self.refused(FAILED, "profile", "set", "secure", "level=encrypt")
        self.assertEqual("secure", self.data("profile", "show", "secure")["level"])
        self.done("remove", "a.example")
        self.assertIn("removed", self.done("profile", "remove", "secure"))
        self.assertIn("no profile", self.refused(FAILED, "profile", "remove", "secure"))

    def test_undo_brings_a_removed_profile_back(self):
        self.done("profile", "remove", "dane")
        self.done("undo", self.sql("SELECT max(seq) FROM change_log"))
        self.assertEqual("dane", self.data("profile", "show", "dane")["level"])


if __name__ == "__main__":
    unittest.main()
