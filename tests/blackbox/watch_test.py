#!/usr/bin/env python3
"""tlspolicyctl watch: reads what the daemon's checks left in state.db, with the daemon stopped."""
import json
import time
import unittest

from daemon import Daemon, quoted

DAY = 86400
ROWS = (("good.test", "verified"), ("bad.test", "required"), ("never.test", "secure"), ("may.test", "opportunistic"),
        ("seen.test", "required", None, "observe"), (".below.test", "required"))


def probe(destination, at, delivers=None, since=0, **columns):
    values = {"destination": destination, "at": at, "watched_at": at, "route": "mx", "fault": "", "trouble": "",
              "signed": 0, "hosts": f"mx.{destination}", "delivers": delivers, "since": since, "warned_days": 0,
              "warned_of": 0, "memory": "[]", **columns}
    return insert("probe", values)


def address(destination, place=0, **columns):
    """A peer that does everything well, but for `columns`."""
    values = {"destination": destination, "place": place, "host": f"mx.{destination}", "preference": 10,
              "address": f"192.0.2.{place + 1}", "port": 25, "security": "encrypted", "cause": "", "trouble": "",
              "spoken": 1, "offered": 1, "crossed_out": 0, "protocol": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384",
              "bits": 256, "fit": 1, "trust": "trusted", "named_for_verify": 1, "named_for_secure": 1, "names": "",
              "more_names": 0, "not_after": 4000000000, "issuer": "O=Trust", "pin": "AA", "fingerprint": "BB",
              "off": 1, "opportunistic": 1, "required": 1, "verified": 1, "secure": 1, "pinned": 1, **columns}
    return insert("probe_address", values)


def plain(destination, place=0):
    return address(destination, place, security="clear", cause="starttls-not-supported", offered=0, protocol="",
                   cipher="", bits=0, fit=0, trust="no-certificate", not_after=0, issuer="", pin="", fingerprint="",
                   required=0, verified=0, secure=0, pinned=0)


def insert(table, values):
    return f"INSERT INTO {table}({', '.join(values)}) VALUES({', '.join(quoted(each) for each in values.values())});\n"


class Watch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon(ROWS))
        cls.daemon.stop()
        cls.now = int(time.time())

    def setUp(self):
        self.fill("DELETE FROM probe; DELETE FROM probe_address; DELETE FROM probe_change;\n")

    def fill(self, *lines):
        self.daemon.edit("".join(lines), self.daemon.path("state.db"))

    def watch(self, *arguments, expect=0):
        return json.loads(self.daemon.ctl("watch", "--json", *arguments, expect=expect))

    def test_all_that_is_stricter_than_opportunistic_is_watched_and_what_was_checked(self):
        self.assertEqual(["bad.test", "good.test", "never.test", "seen.test"],
                         [each["destination"] for each in self.watch()])
        self.assertEqual({"unknown: not checked yet"}, {each["verdict"] for each in self.watch()})
        self.fill(probe("other.test", self.now), plain("other.test"))
        found = self.watch()[-2]
        self.assertEqual(("other.test", None, None, "no STARTTLS", "no row asks"),
                         tuple(found[key] for key in ("destination", "profile", "level", "does", "verdict")))

    def test_each_is_judged_by_its_row(self):
        since = self.now - 3 * DAY
        self.fill(probe("good.test", self.now, 1, since), address("good.test"),
                  probe("bad.test", self.now, 0, since), plain("bad.test"),
                  probe("below.test", self.now), address("below.test"),
                  probe("a.below.test", self.now), address("a.below.test"), plain("a.below.test", 1))
        found = {each["destination"]: each for each in self.watch(expect=1)}
        self.assertEqual(("verified", "verify", "TLSv1.3 trusted", since, 4000000000, "ok", True),
                         tuple(found["good.test"][key] for key in
                               ("profile", "level", "does", "since", "expires", "verdict", "delivers")))
        self.assertEqual(("fails: no STARTTLS", False, since, None),
                         tuple(found["bad.test"][key] for key in ("verdict", "delivers", "since", "expires")))
        self.assertEqual("no row asks", found["below.test"]["verdict"])
        self.assertEqual((".below.test", "ok, at 1 of 2 addresses", "1x TLSv1.3 trusted, 1x no STARTTLS"),
                         tuple(found["a.below.test"][key] for key in ("row", "verdict", "does")))
        self.assertEqual(["192.0.2.1", "192.0.2.2"], [each["address"] for each in found["a.below.test"]["addresses"]])
        text = self.daemon.ctl("watch", expect=1)
        self.assertRegex(text, r"(?m)^DESTINATION +ASKED +DOES +SINCE +EXPIRES +VERDICT$")
        self.assertRegex(text, r"(?m)^good\.test +verified \(verify\) +TLSv1\.3 trusted +20\S+Z +2096-\S+Z \(in .+\) +ok$")

    def test_the_exit_status_is_that_of_those_named_and_in_force(self):
        self.fill(probe("good.test", self.now, 1, 5), address("good.test", trust="expired"),
                  probe("seen.test", self.now), plain("seen.test"))
        self.assertEqual("fails: certificate expired", self.watch("GOOD.test.", expect=1)[0]["verdict"])
        # A row that is observed holds nothing up.
        seen = self.watch("seen.test")[0]
        self.assertEqual(("observe", "fails: no STARTTLS"), (seen["mode"], seen["verdict"]))
        text = self.daemon.ctl("watch", "good.test", expect=1)
        self.assertRegex(text, r"(?m)^  mx\.good\.test +192\.0\.2\.1 +TLSv1\.3 \S+ +expired +O=Trust +\S+ "
                               r"+fails: certificate expired$")

    def test_what_is_unknown_says_why_and_what_was(self):
        self.fill(probe("good.test", self.now - 9 * DAY, 1, 5, fault="timeout", trouble="the resolver is silent"))
        found = self.watch("good.test")[0]
        self.assertEqual(("unknown: the resolver is silent (was ok)", None, None),
                         tuple(found[key] for key in ("verdict", "delivers", "since")))
        self.assertRegex(self.daemon.ctl("watch", "good.test"), r"\(was ok\) \(checked 9 d")

    def test_changes_are_listed_newest_first(self):
        self.assertIn("No change", self.daemon.ctl("watch", "--changes"))
        for at, name in ((self.now - 9 * DAY, "a.test"), (self.now - DAY, "b.test"), (self.now, "a.test")):
            self.fill(insert("probe_change", {"at": at, "destination": name, "kind": "pin-changed", "host": "mx", "before": "A",
                                              "after": "B", "text": "another\x07 key"}))
        listed = self.watch("--changes")
        self.assertEqual([("a.test", self.now), ("b.test", self.now - DAY), ("a.test", self.now - 9 * DAY)],
                         [(each["destination"], each["at"]) for each in listed])
        self.assertEqual({"seq", "at", "destination", "change", "host", "before", "after", "text"}, set(listed[0]))
        self.assertEqual(2, len(self.watch("--changes", "--since", "7d")))
        self.assertEqual(1, len(self.watch("--changes", "--since", "7d", "--destination", "A.test")))
        self.assertRegex(self.daemon.ctl("watch", "--changes"), r"(?m)^20\S+Z +a\.test +pin-changed +mx +another\? key$")
        self.assertIn("--changes", self.daemon.run_ctl("watch", "--since", "7d").stderr)
        self.assertEqual(2, self.daemon.run_ctl("watch", "--since", "7d").returncode)


class WithoutState(unittest.TestCase):
    def test_no_state_db_is_told(self):
        with Daemon(ROWS, start=False) as daemon:
            done = daemon.run_ctl("watch")
            self.assertEqual(3, done.returncode)
            self.assertIn("state.db", done.stderr)


if __name__ == "__main__":
    unittest.main()
