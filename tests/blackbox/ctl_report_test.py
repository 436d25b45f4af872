#!/usr/bin/env python3
"""tlspolicyctl report: what a real daemon counted and decided, summed up for the period that is asked for."""
import csv
import io
import json
import os
import subprocess
import time
import unittest

from ctl_desk import FAILED, USAGE, Desk
from daemon import BIN, quoted
from evidence import append, counted, encrypted, status, wait_for_status, wait_until_counted
from feedback_test import HANDSHAKE, NOT_OFFERED, SENT, Believed
from processes import plain_build_only

HOUR, DAY = 3600, 86_400
ENDINGS = ("authenticated", "encrypted", "clear", "unknown", "deferred")


def endings(found):
    return tuple(found[each] for each in ENDINGS)


class Counting(Believed):
    """Believes what comes over the unix socket; reads a log."""

    def __init__(self, rows=(), **settings):
        super().__init__(rows, **settings)
        self.configure(maillog=self.path("mail.log"))
        append(self.path("mail.log"), "")

    def deliver(self, name, *ends, address=None):
        with self.client(address or self.unix) as client:
            for end in ends:
                client.ask(name)
                client.ask(end, "outcome")

    def report(self, *arguments):
        return json.loads(self.ctl("report", "--json", *arguments))

    def lines(self, *arguments):
        return {line["destination"]: line for line in self.report(*arguments)["destinations"]}

    def table(self, *arguments):
        """Of --csv, and its lines end as RFC 4180 says."""
        done = subprocess.run([os.path.join(BIN, "tlspolicyctl"), "--config", self.config, "report", "--csv", *arguments],
                              capture_output=True, check=True, timeout=120)
        text = done.stdout.decode()
        assert text.endswith("\r\n") and text.count("\n") == text.count("\r\n"), text
        return {line["destination"]: line for line in csv.DictReader(io.StringIO(text, newline=""))}

    def count(self, destination, hour, count=1, source="outcome", security="encrypted", cause=""):
        """As the daemon would have counted it in another hour."""
        values = ("", destination, int(hour) // HOUR * HOUR, source, cause, security, 1, count)
        self.edit(f"INSERT INTO evidence VALUES({', '.join(map(quoted, values))});", self.path("state.db"))


class WhatItShows(unittest.TestCase):
    def test_a_delivery_that_the_map_and_the_log_both_saw_is_one(self):
        with Counting([("peer.test", "native")]) as daemon:
            wait_for_status(daemon, lines=0)
            daemon.deliver("peer.test", SENT, SENT)
            append(daemon.path("mail.log"), encrypted("peer.test") + encrypted("peer.test", 4243))
            wait_until_counted(daemon, 4)
            daemon.stop()
            self.assertEqual((0, 2, 0, 0, 0), endings(daemon.lines()["peer.test"]))
            totals = daemon.report("day")["totals"]
            self.assertEqual((2, 1, 0, 2, 100.0), (totals["deliveries"], totals["destinations"], totals["in_clear"],
                                                   totals["untrusted"], totals["percent"]["encrypted"]))

    def test_every_ending_has_its_column_and_every_cause_its_word(self):
        rows = [("sure.test", "verified"), ("tls.test", "required"), ("gone.test", "required"), ("any.test", "native")]
        with Counting(rows) as daemon:
            wait_for_status(daemon, lines=0)
            daemon.deliver("sure.test", SENT)
            daemon.deliver("tls.test", SENT, SENT, HANDSHAKE)
            daemon.deliver("gone.test", NOT_OFFERED, NOT_OFFERED, HANDSHAKE)
            daemon.deliver("any.test", SENT)
            append(daemon.path("mail.log"), encrypted("logged.test") + status("clear.test", "dsn=2.0.0, status=sent (250 ok)"))
            wait_until_counted(daemon, 10)
            lines = daemon.lines()
            self.assertEqual({"sure.test": (1, 0, 0, 0, 0), "tls.test": (0, 2, 0, 0, 1), "gone.test": (0, 0, 0, 0, 3),
                              "any.test": (0, 0, 0, 1, 0), "logged.test": (0, 1, 0, 0, 0), "clear.test": (0, 0, 1, 0, 0)},
                             {name: endings(line) for name, line in lines.items()})
            self.assertEqual({"starttls-not-supported": 2, "handshake-failure": 1}, lines["gone.test"]["causes"])
            self.assertEqual(["clear.test", "gone.test", "tls.test", "any.test"], list(lines)[:4], "what is worst comes first")
            self.assertEqual({name: line["deferred"] for name, line in lines.items()},
                             {name: int(line["deferred"]) for name, line in daemon.table().items()})
            text = daemon.ctl("report")
            self.assertRegex(text, r"\AMail from 20\d\d-\d\d-\d\dT\d\d:00:00Z to 20\S+Z \(7 d.*, UTC\)\n")
            self.assertIn("10 deliveries to 6 destinations:", text)
            self.assertRegex(text, r"in clear +1 +10\.0 % +to 1 destination\n")
            self.assertRegex(text, r"deferred for TLS +4 +40\.0 % +starttls-not-supported 2, handshake-failure 2\n")
            self.assertRegex(text, r"\n  DESTINATION +DELIVERIES +AUTHENTICATED +ENCRYPTED +IN CLEAR +UNKNOWN +DEFERRED +CAUSES\n"
                                   r"  clear\.test +1 +0 +0 +1 +0 +0 +-\n")
            self.assertIn("Of 1 delivery nobody saw whether it went in TLS", text)
            self.assertIn("Nothing was downgraded.", text)

    def test_mail_in_clear_is_listed_with_what_a_row_asks(self):
        rows = [("asked.test", "required"), ("let.test", "opportunistic"), ("tried.test", "secure", None, "observe")]
        with Counting(rows) as daemon:
            daemon.stop()
            for number, name in enumerate(("asked.test", "let.test", "tried.test", "none.test")):
                daemon.count(name, time.time(), 9 - number, "maillog", "clear", "plaintext" if number == 1 else "")
            daemon.count("asked.test", time.time(), 11, "maillog")
            found = daemon.report()["plaintext"]
            self.assertEqual([("asked.test", 9, 20, 0, "yes", "asked.test", "required", "encrypt", "never"),
                              ("let.test", 8, 8, 8, "no", "let.test", "opportunistic", "may", "after-retry"),
                              ("tried.test", 7, 7, 0, "observed", "tried.test", "secure", "secure", "never"),
                              ("none.test", 6, 6, 0, "no row", None, None, None, None)],
                             [tuple(line[key] for key in ("destination", "clear", "deliveries", "after_tls_failed",
                                                          "asked_more", "row", "profile", "level", "fallback"))
                              for line in found])
            text = daemon.ctl("report")
            self.assertRegex(text, r"asked\.test +9 +20 +45\.0 % +0 +yes: asked\.test \(required: encrypt, never\)\n")
            self.assertRegex(text, r"in clear +30 +73\.2 % +to 4 destinations, 8 after TLS had failed\n")
            self.assertEqual("observed", daemon.table()["tried.test"]["asked_more"])
            os.unlink(daemon.policy_db)
            done = daemon.run_ctl("report", "--json")
            self.assertEqual((0, {"unknown"}),
                             (done.returncode, {line["asked_more"] for line in json.loads(done.stdout)["plaintext"]}))
            self.assertIn("whether a row asked for more can't be told: ", done.stderr)

    def test_downgrades_stand_there_with_their_decisions(self):
        with Counting() as daemon:
            daemon.ctl("profile", "set", "quick", "level=may", "fallback=after-retry", "retry_after=1")
            daemon.ctl("set", "quick.test", "quick")
            daemon.wait_until_answers("quick.test", "OK may")
            daemon.deliver("quick.test", HANDSHAKE)
            daemon.wait_for_decision("downgrade")
            found, = daemon.report()["downgrades"]
            decided, = daemon.decisions()
            for key in ("seq", "at", "kind", "destination", "from_level", "to_level", "rule", "fallback", "why", "until",
                        "affected"):
                self.assertEqual(decided[key], found[key], key)
            self.assertEqual((1, None), (found["affected"], found["ended_at"]))
            daemon.ctl("set", "quick.test", "required")
            daemon.wait_for_decision("restore")
            daemon.ctl("panic", "observe", "--for", "1h")
            panic, found = daemon.report("day")["downgrades"]
            self.assertEqual(("panic", None, "mode observe for 3600 s"),
                             (panic["kind"], panic["destination"], panic["why"]))
            self.assertEqual(("admin", 2), (found["ended_by"], found["ended_seq"]))
            wait_until_counted(daemon, 1)
            self.assertEqual("1", daemon.table()["quick.test"]["decisions"])
            daemon.stop()
            text = daemon.ctl("report")
            self.assertRegex(text, r"\n  SEQ +AT +KIND +DESTINATION +LEVEL +UNTIL +ENDED +AFFECTED +WHY\n"
                                   r"  3 +\S+Z +panic +all +- +\S+Z +- +0 +mode observe for 3600 s\n"
                                   r"  1 +\S+Z +downgrade +quick\.test +encrypt -> may +\S+Z +\S+Z \(admin\) +1 +1 failure")

    def test_a_name_that_is_a_formula_or_a_command_to_a_terminal_is_neither(self):
        with Counting([("*", "native")]) as daemon:
            names = ['=cmd|" /c calc"!a0', "+1", "-2", "@sum(a1)", 'a,"b"', "evil\x1b[2J"]
            for name in names:
                daemon.deliver(name, SENT)
            wait_until_counted(daemon, len(names))
            table = daemon.table()
            self.assertEqual({'\'=cmd|" /c calc"!a0', "'+1", "'-2", "'@sum(a1)", 'a,"b"', "evil?[2j"}, set(table))
            self.assertNotIn("\x1b", daemon.ctl("report"))
            self.assertEqual(len(names), len(daemon.lines()))


class ThePeriod(unittest.TestCase):
    def test_it_is_a_day_a_week_a_month_or_from_then_to_then(self):
        with Counting() as daemon:
            daemon.stop()
            now = time.time()
            for days in (0, 2, 8, 20, 40):
                daemon.count(f"d{days}.test", now - days * DAY)

            def days(*arguments):
                return {int(name[1:-len(".test")]) for name in daemon.lines(*arguments)}

            self.assertEqual([{0}, {0, 2}, {0, 2}, {0, 2, 8, 20}],
                             [days("day"), days("week"), days(), days("month")])
            self.assertEqual({8, 20}, days("--since", "21d", "--until", "3d"))
            self.assertEqual({2, 8}, days("week", "--until", str(int(now - 2 * DAY))))
            self.assertEqual({0, 2, 8, 20, 40}, days("--since", time.strftime("%Y-%m-%d", time.gmtime(now - 41 * DAY))))
            self.assertEqual({8}, days("month", "--destination", "D8.test."))
            found = daemon.report("day")
            self.assertEqual(0, found["since"] % HOUR)
            self.assertLessEqual(DAY, found["until"] - found["since"])
            self.assertGreater(DAY + HOUR, found["until"] - found["since"])
            self.assertIn("is kept for 90 days", daemon.ctl("report", "--since", "2020-01-01"))

    def test_an_empty_one_says_so_and_why(self):
        with Counting() as daemon:
            said = daemon.ctl("report")
            for words in ("No delivery was counted.", "smtp_delivery_status_filter", f"maillog = {daemon.path('mail.log')}"):
                self.assertIn(words, said)
            daemon.settings["maillog"] = None
            daemon.configure()
            self.assertIn(f"set maillog in {daemon.config}", daemon.ctl("report", "--destination", "a.test"))
            self.assertEqual(([], [], [], 0), (*(daemon.report()[part] for part in ("destinations", "plaintext", "downgrades")),
                                               daemon.report()["totals"]["deliveries"]))
            self.assertEqual({}, daemon.table())


@plain_build_only
class Many(unittest.TestCase):
    def test_more_destinations_than_are_sorted_are_all_there_and_take_no_more_memory(self):
        most, all_of_them = 100_000, 230_000
        with Counting() as daemon:
            daemon.stop()
            hour = int(time.time()) // HOUR * HOUR
            daemon.edit("INSERT INTO evidence WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                        f"{all_of_them}) SELECT '', 'd' || i || '.test', {hour}, 'maillog', '', "
                        "iif(i % 1000 = 7, 'clear', 'encrypted'), 1, i FROM n;", daemon.path("state.db"))
            # First of all: what this process itself holds is counted for those that it starts.
            for how in ((), ("--json",), ("--csv",)):
                program = subprocess.Popen([os.path.join(BIN, "tlspolicyctl"), "--config", daemon.config, "report", *how],
                                           stdout=subprocess.DEVNULL)
                _, program.returncode, used = os.wait4(program.pid, 0)
                self.assertEqual(0, program.returncode)
                self.assertLess(used.ru_maxrss, 160 * 1024, f"KiB, {how}")
            lines = daemon.report()["destinations"]
            self.assertEqual(all_of_them, len({line["destination"] for line in lines}))
            self.assertEqual(all_of_them, len(lines))
            counts = [line["deliveries"] for line in lines]
            self.assertEqual("d229007.test", lines[0]["destination"])
            self.assertEqual(counts[all_of_them // 1000:most], sorted(counts[all_of_them // 1000:most], reverse=True))
            self.assertEqual(all_of_them, len(daemon.table()))
            self.assertIn(f"and {all_of_them - 50} more", daemon.ctl("report"))
            self.assertEqual(all_of_them, counted(daemon, "count(*)"))


class Usage(Desk):
    def test_what_contradicts_itself_or_is_no_time_is_refused(self):
        for arguments, words in ((("year",), "PERIOD"),
                                 (("week", "--since", "3d"), "--since: not together with week"),
                                 (("--since", "soon"), "--since: "),
                                 (("--until", "later"), "--until: "),
                                 (("--since", "1d", "--until", "2d"), "the period is empty"),
                                 (("--csv", "--json"), "--csv: not together with --json")):
            self.assertIn(words, self.refused(USAGE, "report", *arguments))

    def test_without_a_state_db_there_is_nothing_to_sum_up(self):
        self.assertIn("state.db", self.refused(FAILED, "report"))


if __name__ == "__main__":
    unittest.main()
