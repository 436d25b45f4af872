#!/usr/bin/env python3
"""Schemas that aren't ours, and commits that take much away: the policy in force stays."""
import os
import unittest

from daemon import Daemon, insertion
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import wait_until

ROWS, STRICT = strict_rows(600)
ALLOWED = {**{key: STRICT[key] for key, _ in ROWS[:100]}, "absent.example": {NOT_FOUND}}
PROOF = insertion("proof.example", "verified")


class Story(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon(ROWS))

    def wait_for_trouble(self, code):
        wait_until(lambda: self.daemon.trouble() == code, lambda: f"{code} is reported: {self.daemon.status()}")
        self.assertNotEqual(0, self.daemon.status()["policy_db"]["since"])

    def wait_until_well(self):
        wait_until(lambda: self.daemon.status().get("ok"), lambda: f"all is well: {self.daemon.status()}")


class ForeignSchemas(Story):
    def check(self, code, spoil, mend):
        """`spoil` comes with an innocent edit, which must not be published either."""
        with Oracle(self.daemon, ALLOWED) as oracle:
            self.daemon.edit(f"BEGIN; {PROOF} {spoil} COMMIT;")
            self.wait_for_trouble(code)
            self.assertEqual(NOT_FOUND, self.daemon.ask("proof.example"))
            self.daemon.restart_store()
            self.wait_for_trouble(code)
            self.assertEqual(NOT_FOUND, self.daemon.ask("proof.example"))
            oracle.settle()
            self.daemon.edit(mend)
            self.daemon.wait_until_answers("proof.example", "OK verify")
            self.wait_until_well()
            oracle.settle()

    def test_a_schema_from_the_future(self):
        version = self.daemon.edit("PRAGMA user_version").strip()
        self.check("schema-newer", "PRAGMA user_version = 999;", f"PRAGMA user_version = {version};")

    def test_the_message_names_both_versions(self):
        version = self.daemon.edit("PRAGMA user_version").strip()
        self.daemon.edit("PRAGMA user_version = 999;")
        self.wait_for_trouble("schema-newer")
        text = self.daemon.status()["policy_db"]["text"]
        self.assertIn("999", text)
        self.assertRegex(text, rf"\b{version}\b")

    def test_a_database_of_another_application(self):
        ours = self.daemon.edit("PRAGMA application_id").strip()
        self.check("not-ours", "PRAGMA application_id = 1;", f"PRAGMA application_id = {ours};")

    def test_a_column_more_that_is_computed(self):
        self.check("hostile-schema", "ALTER TABLE outbound ADD COLUMN evil TEXT AS (upper(destination));",
                   "ALTER TABLE outbound DROP COLUMN evil;")

    def test_a_foreign_trigger_on_our_table(self):
        self.check("hostile-schema", "CREATE TRIGGER evil AFTER INSERT ON outbound BEGIN "
                   "DELETE FROM outbound WHERE destination = 'd0.strict.example'; END;", "DROP TRIGGER evil;")

    def test_a_trigger_of_ours_that_is_missing(self):
        trigger = self.daemon.edit("SELECT sql FROM sqlite_schema WHERE type = 'trigger' LIMIT 1").strip()
        name = trigger.split()[2]
        self.check("hostile-schema", f"DROP TRIGGER {name};", f"{trigger};")

    def test_a_virtual_table(self):
        self.check("hostile-schema", "CREATE VIRTUAL TABLE evil USING fts5(a);", "DROP TABLE evil;")

    def test_a_table_of_ours_that_is_missing(self):
        table = self.daemon.edit("SELECT sql FROM sqlite_schema WHERE name = 'change_log'").strip()
        self.check("hostile-schema", "DROP TABLE change_log;", f"{table};")

    def test_a_view_in_the_place_of_a_table(self):
        with Daemon(ROWS, start=False) as maker, Oracle(self.daemon, ALLOWED) as oracle:
            maker.edit("DROP TABLE outbound; CREATE TABLE kept(destination, profile, match, mode, expires_at);"
                       "CREATE VIEW outbound AS SELECT * FROM kept;")
            os.rename(maker.policy_db, self.daemon.policy_db)
            self.wait_for_trouble("hostile-schema")
            oracle.settle()

    def test_a_file_with_the_right_marks_and_too_few_columns(self):
        marks = [self.daemon.edit(f"PRAGMA {name}").strip() for name in ("application_id", "user_version")]
        with Oracle(self.daemon, ALLOWED) as oracle:
            new = self.daemon.path("new.db")
            self.daemon.edit(f"PRAGMA journal_mode = WAL; PRAGMA application_id = {marks[0]};"
                             f"PRAGMA user_version = {marks[1]};"
                             "CREATE TABLE profile(name TEXT PRIMARY KEY, level TEXT);"
                             "CREATE TABLE outbound(destination TEXT PRIMARY KEY, profile TEXT);", new)
            os.rename(new, self.daemon.policy_db)
            self.wait_for_trouble("hostile-schema")
            oracle.settle()

    def test_tables_and_indexes_of_the_admins_own_are_ignored(self):
        with Oracle(self.daemon, ALLOWED) as oracle:
            self.daemon.edit("CREATE TABLE notes(a TEXT, b); CREATE INDEX notes_a ON notes(a);"
                             f"INSERT INTO notes VALUES('a', 1); {PROOF}")
            self.daemon.wait_until_answers("proof.example", "OK verify")
            self.assertEqual("", self.daemon.trouble())
            oracle.settle()

    def test_a_cold_start_on_a_foreign_schema_is_temp_without_an_image(self):
        with Daemon(ROWS, start=False) as daemon:
            daemon.edit("PRAGMA user_version = 999;")
            daemon.start()
            self.assertTrue(daemon.ask("d0.strict.example").startswith("TEMP "))
            self.assertEqual("schema-newer", daemon.trouble())


class TakingMuchAway(Story):
    def check_held(self, sql, dropped, weakened, afterwards):
        with Oracle(self.daemon, ALLOWED) as oracle:
            self.daemon.edit(sql)
            wait_until(lambda: self.daemon.status()["pending"], "the policy waits")
            pending = self.daemon.status()["pending"]
            self.assertEqual((dropped, weakened, len(ROWS)),
                             (pending["dropped"], pending["weakened"], pending["rows_before"]))
            self.assertFalse(self.daemon.status()["ok"])
            oracle.settle()
            # It waits through the death of each role, and through a restart of all.
            for name in ("store", "answer"):
                killed = self.daemon.kill_role(name)
                self.daemon.role(name, other_than=killed)
                oracle.settle()
            wait_until(lambda: self.daemon.status().get("pending"), "the policy waits again")
            oracle.settle()
        self.daemon.restart()
        with Oracle(self.daemon, ALLOWED) as oracle:
            wait_until(lambda: self.daemon.status().get("pending"), "the policy waits after a restart")
            oracle.settle()
            oracle.allow({key: {*replies, *afterwards} for key, replies in ALLOWED.items()})
            self.daemon.ctl("accept")
            key = ROWS[0][0]
            self.daemon.wait_until_answers(key, afterwards[0])
            self.wait_until_well()

    def test_a_mass_delete_waits_to_be_accepted(self):
        self.check_held("DELETE FROM outbound;", len(ROWS), 0, [NOT_FOUND])

    def test_a_mass_weakening_waits_to_be_accepted(self):
        self.check_held("UPDATE outbound SET profile = 'opportunistic';", 0, len(ROWS), ["OK may"])

    def test_one_profile_that_weakens_many_rows_waits_to_be_accepted(self):
        self.check_held("UPDATE profile SET level = 'none', fallback = 'never' WHERE name IN "
                        "('required', 'verified', 'secure', 'dane-only');", 0, len(ROWS), ["OK none"])

    def test_a_mass_expiry_written_by_hand_waits_to_be_accepted(self):
        self.check_held("UPDATE outbound SET expires_at = 1000000000;", len(ROWS), 0, [NOT_FOUND])

    def test_what_is_put_right_before_it_is_accepted_never_counts(self):
        with Oracle(self.daemon, ALLOWED) as oracle:
            self.daemon.edit("DELETE FROM outbound;")
            wait_until(lambda: self.daemon.status()["pending"], "the policy waits")
            self.daemon.edit("BEGIN;" + "".join(insertion(*row) for row in ROWS) + PROOF + "COMMIT;")
            self.daemon.wait_until_answers("proof.example", "OK verify")
            self.assertIsNone(self.daemon.status()["pending"])
            self.daemon.ctl("accept")
            oracle.settle()

    def test_a_hundred_rows_or_a_fifth_go_without_a_question(self):
        fifth = len(ROWS) // 5
        self.daemon.edit(f"DELETE FROM outbound WHERE destination IN (SELECT destination FROM outbound LIMIT {fifth})")
        wait_until(lambda: self.daemon.status()["image"]["rows"] == len(ROWS) - fifth, "a fifth is gone")
        self.assertIsNone(self.daemon.status()["pending"])

    def test_stricter_rows_and_new_ones_go_without_a_question(self):
        rows, added = strict_rows(1000, "added.example")
        self.daemon.edit("BEGIN; UPDATE outbound SET profile = 'secure' WHERE profile <> 'dane-only';"
                         + "".join(insertion(*row) for row in rows) + "COMMIT;")
        self.daemon.wait_until_answers(rows[1][0], next(iter(added[rows[1][0]])))
        self.assertEqual("OK secure", self.daemon.ask(ROWS[0][0]))


if __name__ == "__main__":
    unittest.main()
