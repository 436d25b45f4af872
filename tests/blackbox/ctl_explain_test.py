"""tlspolicyctl explain: the answer, and why; worked out from policy.db without a daemon."""
import json
import time
import unittest

from ctl_desk import DONE, FAILED, USAGE, Answering, Desk


def replies(found):
    return {each["map"]: each["reply"] for each in found["answers"]}


def fates(found):
    return [(each["destination"], each["step"], each["fate"]) for each in found["rows"]]


class Explain(Desk):
    settings = {"postfix_version": "3.5"}

    def setUp(self):
        super().setUp()
        self.init()

    def explain(self, destination):
        return self.data("explain", destination)

    def test_an_exact_row_with_all_that_is_known_of_it(self):
        before = int(time.time())
        self.done("set", "bank.example", "verified", "--owner", "mailops", "--reason", "contract", "--expires", "7d")
        found = self.explain("Bank.Example.")
        self.assertEqual("bank.example", found["destination"])
        self.assertEqual(("policy", "verify", "as written"), (found["verdict"], found["level"], found["step"]))
        self.assertEqual([("policy", "3.5"), ("policy-3.10", "3.10"), ("strict", "3.5")],
                         [(each["map"], each["postfix_version"]) for each in found["answers"]])
        self.assertEqual({"policy": "OK verify", "policy-3.10": "OK verify", "strict": "OK verify"}, replies(found))
        self.assertEqual(("verified", "mailops", "contract"),
                         tuple(found["row"][key] for key in ("profile", "owner", "reason")))
        self.assertEqual(("verified", "verify", "never"),
                         tuple(found["profile"][key] for key in ("name", "level", "fallback")))
        self.assertEqual(int(self.sql("SELECT max(seq) FROM change_log")), found["last_change"]["seq"])
        self.assertEqual("insert", found["last_change"]["op"])
        self.assertLessEqual(before, found["last_change"]["at"])
        self.assertEqual([], found["next_keys"])
        text = self.done("explain", "bank.example")
        for words in ("OK verify", "Postfix 3.5, configured", "Postfix 3.10", "map strict", "mailops", "contract",
                      "as written", "won", "Profile verified", "fallback", "change "):
            self.assertIn(words, text)
        self.assertRegex(text, r"expires +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \(in ")

    def test_each_postfix_gets_the_form_that_it_understands(self):
        self.done("profile", "set", "modern", "level=encrypt", "min_protocol=TLSv1.2")
        self.done("set", "a.example", "modern")
        found = replies(self.explain("a.example"))
        self.assertIn("protocols=!SSLv2", found["policy"])
        self.assertIn("protocols=>=TLSv1.2", found["policy-3.10"])

    def test_match_and_pins_are_part_of_the_answer(self):
        pin = ":".join(["0A"] * 32)
        self.done("set", "a.example", "pinned", "--match", pin)
        self.done("set", "b.example", "secure", "--match", "b.example:.b.example")
        self.assertEqual({f"OK fingerprint match={pin}"}, set(replies(self.explain("a.example")).values()))
        self.assertEqual({"OK secure match=b.example:.b.example"}, set(replies(self.explain("b.example")).values()))

    def test_map_strict_raises_what_allows_plaintext(self):
        self.done("set", "a.example", "native")
        self.assertEqual({"policy": "OK may", "policy-3.10": "OK may", "strict": "OK encrypt"},
                         replies(self.explain("a.example")))

    def test_each_row_that_lost_says_why(self):
        self.done("set", "a.b.example", "required", "--mode", "observe")
        self.done("set", ".b.example", "secure", "--expires", "2020-01-01")
        self.done("set", ".example", "verified")
        self.done("set", "*", "native")
        found = self.explain("a.b.example")
        self.assertEqual([("a.b.example", "as written", "observed"), (".b.example", "parent domain", "expired"),
                          (".example", "parent domain", "won"), ("*", "any domain", "outranked")], fates(found))
        self.assertEqual(".example", found["row"]["destination"])
        why = [each["why"] for each in found["rows"]]
        self.assertIn("observe", why[0])
        self.assertIn("expired at 2020-01-01T00:00:00Z", why[1])
        self.assertIsNone(why[2])
        self.assertEqual("outranked by .example", why[3])
        text = self.done("explain", "a.b.example")
        for line in why[:2] + why[3:]:
            self.assertIn(line, text)

    def test_ports_and_brackets_lead_to_the_host(self):
        self.done("set", "relay.example", "required")
        self.done("set", "[*]", "native")
        self.done("set", "*", "off")
        found = self.explain("[Relay.Example]:587")
        self.assertEqual("[relay.example]:587", found["destination"])
        self.assertEqual([("relay.example", "without brackets", "won"), ("[*]", "any host", "outranked")],
                         fates(found))
        self.assertEqual([], self.explain("[192.0.2.1]:25")["next_keys"])

    def test_where_no_row_applies_it_says_what_postfix_does_then(self):
        found = self.explain("a.b.example")
        self.assertEqual(("not-found", None, None), (found["verdict"], found["level"], found["row"]))
        self.assertEqual({"NOTFOUND "}, set(replies(found).values()))
        self.assertEqual([".b.example", ".example"], found["next_keys"])
        self.assertEqual("smtp_tls_security_level", found["then"])
        text = self.done("explain", "a.b.example")
        self.assertIn(".b.example, .example", text)
        self.assertIn("smtp_tls_security_level", text)
        for key in ("[a.example]", "10.0.0.1", "a_b", "user@a.example", "*", ".a.example", "\u00ff"):
            self.assertEqual("not-found", self.explain(key)["verdict"])
        self.assertIn("name of a row", self.done("explain", "*"))

    def test_while_the_mode_is_observe_nothing_is_enforced_and_that_is_said(self):
        self.done("set", "a.example", "required")
        self.configure(mode="observe")
        found = self.explain("a.example")
        self.assertEqual(("observe", "not-found"), (found["mode"], found["verdict"]))
        self.assertEqual("a.example", found["row"]["destination"], "what would hold is shown")
        self.assertIn("mode is observe", " ".join(found["notes"]))
        self.assertIn("would hold", found["rows"][0]["why"])
        self.assertIn("mode is observe", self.done("explain", "a.example"))

    def break_row(self, destination, change):
        """What no tool may write without cheating: the checks are switched off."""
        drops = self.sql("SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_schema WHERE type='trigger'")
        self.sql(f"{drops} PRAGMA ignore_check_constraints=1;"
                 f"UPDATE outbound SET {change} WHERE destination='{destination}'")

    def test_a_faulty_row_waits_and_is_never_not_found(self):
        self.done("set", "a.example", "required")
        self.done("set", "*", "off")
        self.break_row("a.example", "match='x.example'")
        found = self.explain("a.example")
        self.assertEqual("unknown", found["verdict"])
        self.assertTrue(replies(found)["policy"].startswith("TEMP "))
        self.assertEqual("faulty", found["rows"][0]["fate"])
        self.assertIn("match", found["rows"][0]["why"])
        text = self.done("explain", "a.example")
        self.assertIn("tlspolicyctl set a.example", text)

    def test_an_end_that_is_no_time_is_a_fault_and_ends_nothing(self):
        self.done("set", "a.example", "required")
        self.break_row("a.example", "expires_at=-1")
        found = self.explain("a.example")
        self.assertEqual("faulty", found["rows"][0]["fate"])
        self.assertIn("expires_at is -1", found["rows"][0]["why"])
        self.assertTrue(replies(found)["policy"].startswith("TEMP "))

    def test_a_daemon_that_does_not_serve_this_content_is_mentioned(self):
        self.done("set", "a.example", "required")
        for status, words in (
                ({"policy_db": {"state": "trouble", "text": "it is locked"}}, "it is locked"),
                ({"policy_db": {"state": "waiting"}, "pending": {"dropped": 900}}, "tlspolicyctl accept")):
            with Answering.on_unix(self.control, lambda heard: heard.endswith(b"\n"),
                                   json.dumps(status).encode() + b"\n"):
                self.assertIn(words, " ".join(self.explain("a.example")["notes"]))
            self.control.unlink()
        with Answering.on_unix(self.control, lambda heard: heard.endswith(b"\n"),
                               b'{"policy_db": {"state": "live"}, "pending": null}\n'):
            self.assertEqual([], self.explain("a.example")["notes"])

    def test_what_can_not_be_shown_is_named(self):
        self.done("set", "a.example", "required")
        self.sql("ALTER TABLE change_log RENAME COLUMN op TO operation")
        found = self.explain("a.example")
        self.assertEqual("OK encrypt", replies(found)["policy"])
        self.assertIn("When the row was written can't be shown", " ".join(found["notes"]))

    def test_an_unreadable_database_ends_with_3(self):
        self.db.write_bytes(b"no database" * 500)
        for name in ("-wal", "-shm"):
            self.db.with_name(self.db.name + name).unlink(missing_ok=True)
        self.assertIn(str(self.db), self.refused(FAILED, "explain", "a.example"))
        self.refused(USAGE, "explain")
        self.assertEqual(DONE, self.ctl("--version").returncode)


if __name__ == "__main__":
    unittest.main()
