#!/usr/bin/env python3
"""What is counted stands in /metrics, on the page and in `tlspolicyctl status`, with the right number."""
import json
import os
import signal
import subprocess
import unittest

from daemon import BIN, Daemon, loopback_address
from evidence import append, encrypted, status, wait_for_status
from http_client import get, samples
from http_daemon import Shown
from net_world import HANDSHAKE, PORT, QUICK, World
from processes import SLOWNESS, wait_until


class Metrics(unittest.TestCase):
    def test_answers_evidence_and_the_policy_are_counted(self):
        with Shown([("bank.example", "required"), ("other.example", "verified")]) as daemon:
            with daemon.client(daemon.unix) as client:
                for key, table in (("bank.example", "policy"), ("bank.example", "policy-3.10@t1"),
                                   ("other.example", "QUERY"), ("none.example", "policy"),
                                   ("absent.example", "policy@t2"), ("bank.example", "strict"),
                                   ("4.7.5 Cannot start TLS: handshake failure", "outcome"),
                                   ("x.example", "nonsense")):
                    client.ask(key, table)
                client.ask("bank.example")
                client.ask("2.0.0 Ok", "outcome")
                client.ask("2.0.0 Ok", "outcome")
            daemon.wait_for_metrics({
                ("tlspolicyd_answers_total", ("map", "policy"), ("status", "OK")): 4,
                ("tlspolicyd_answers_total", ("map", "policy"), ("status", "NOTFOUND")): 2,
                ("tlspolicyd_answers_total", ("map", "strict"), ("status", "OK")): 1,
                ("tlspolicyd_answers_total", ("map", "outcome"), ("status", "NOTFOUND")): 3,
                ("tlspolicyd_answers_total", ("map", "other"), ("status", "PERM")): 1,
                ("tlspolicyd_evidence_total", ("source", "outcome"), ("security", "unknown"),
                 ("cause", "handshake-failure")): 1,
                ("tlspolicyd_evidence_total", ("source", "outcome"), ("security", "encrypted"), ("cause", "none")): 1,
                ("tlspolicyd_outcome_orphans_total",): 1,
                ("tlspolicyd_image_rows",): 2,
                ("tlspolicyd_image_faulty_rows",): 0,
                ("tlspolicyd_policy_lag_seconds",): 0,
                ("tlspolicyd_role_restarts_total", ("role", "store")): 0,
                ("tlspolicyd_frozen",): 0,
                ("tlspolicyd_dropped_total", ("where", "answer")): 0})

    def test_latency_is_a_histogram_of_one_request_in_sixteen(self):
        with Shown([("bank.example", "required")]) as daemon:
            with daemon.client() as client:
                for _ in range(160):
                    client.ask("bank.example")
            daemon.wait_for_metrics({("tlspolicyd_answer_duration_seconds_count",): 10,
                                     ("tlspolicyd_answer_duration_seconds_bucket", ("le", "+Inf")): 10})
            found = daemon.metrics()
            buckets = [value for (name, _), value in found.items() if name.endswith("_bucket")]
            self.assertEqual(sorted(buckets), buckets)
            self.assertGreater(found[("tlspolicyd_answer_duration_seconds_sum", frozenset())], 0)

    def test_a_downgrade_in_force_is_counted_and_shown_with_its_why(self):
        with Shown(init=False, start=False) as daemon:
            daemon.ctl("init")
            daemon.edit(QUICK.format("quick", 1) + "INSERT INTO outbound(destination, profile) VALUES('peer.example', 'quick');")
            daemon.start()
            with daemon.client(daemon.unix) as client:
                client.ask("peer.example")
                client.ask(HANDSHAKE, "outcome")
            daemon.wait_for_metrics({("tlspolicyd_destinations", ("phase", "downgraded")): 1,
                                     ("tlspolicyd_downgrades",): 1,
                                     ("tlspolicyd_destinations", ("phase", "normal")): 0})
            overview = daemon.status()["overview"]
            downgrade = overview["downgrades"][0]
            decision = json.loads(daemon.ctl("decisions", "--json"))[0]
            self.assertEqual(("peer.example", "downgraded", decision["why"], decision["until"], decision["to_level"]),
                             tuple(downgrade[name] for name in ("destination", "phase", "why", "until", "to")))
            self.assertEqual(decision["seq"], overview["decisions"][0]["seq"])
            page = daemon.get("/").text
            self.assertIn("peer.example", page)
            self.assertIn(decision["why"], page.replace("&#39;", "'"))

    def test_a_delivery_that_two_sources_report_counts_once(self):
        with Shown([("bank.example", "required")], maillog="") as daemon:
            log = daemon.path("mail.log")
            append(log, "")
            daemon.configure(maillog=log, trust_maillog="yes")
            daemon.restart()
            wait_for_status(daemon, lines=0)  # from here on every line is a new one
            with daemon.client(daemon.unix) as client:
                client.ask("bank.example")
                client.ask("2.0.0 Ok", "outcome")
            append(log, encrypted("bank.example"))
            append(log, status("weak.example"))
            wait_for_status(daemon, evidence=2)
            daemon.wait_for_metrics({
                ("tlspolicyd_evidence_total", ("source", "maillog"), ("security", "encrypted"), ("cause", "none")): 1,
                ("tlspolicyd_evidence_total", ("source", "outcome"), ("security", "encrypted"), ("cause", "none")): 1})

            def total():
                hours = daemon.status()["overview"]["traffic"]
                self.assertEqual(24, len(hours))
                return sum(hour["encrypted"] for hour in hours), sum(hour["deferred"] for hour in hours)
            wait_until(lambda: total() == (1, 1), lambda: f"one encrypted, one put off, not {total()}", 20 * SLOWNESS)
            partners = daemon.status()["overview"]["partners"]
            self.assertEqual([("weak.example", "handshake-failure", 1)],
                             [(each["destination"], each["cause"], each["deferred"]) for each in partners])

    def test_restarts_of_roles_are_counted(self):
        with Shown() as daemon:
            for name in ("answer", "answer", "store"):
                daemon.role(name, other_than=daemon.kill_role(name))
            daemon.wait_for_metrics({("tlspolicyd_role_restarts_total", ("role", "answer")): 2,
                                     ("tlspolicyd_role_restarts_total", ("role", "store")): 1,
                                     ("tlspolicyd_role_up", ("role", "answer")): 1})
            self.assertNotIn(("tlspolicyd_role_up", frozenset({("role", "net")})), daemon.metrics())

    def test_checks_and_certificates_are_counted(self):
        with World() as world:
            world.host("good")
            where = f"inet:{loopback_address()}"
            with world.daemon([("good", "verified")], http_listen=where) as daemon:
                daemon.wait_until_watched(1)
                daemon.check_now("good")
                daemon.wait_until_checked("good")

                def found():
                    answer = get(where, "/metrics")
                    return samples(answer.text) if answer.status == 200 else {}
                wait_until(lambda: found().get(("tlspolicyd_probe_results", frozenset({("result", "compliant")}))) == 1,
                           lambda: f"one is compliant: {found()}", 20 * SLOWNESS)
                metrics = found()
                self.assertEqual(1, metrics[("tlspolicyd_watched_destinations", frozenset())])
                self.assertEqual(1, sum(value for (name, _), value in metrics.items()
                                        if name == "tlspolicyd_certificates"))
                self.assertEqual([f"good.example:{PORT}"],
                                 [each["destination"] for each in daemon.status()["overview"]["certificates"]])


class Status(unittest.TestCase):
    def test_status_shows_what_the_page_shows_and_json_has_it_whole(self):
        with Shown(init=False, start=False) as daemon:
            daemon.ctl("init")
            rows = "".join(f"INSERT INTO outbound(destination, profile) VALUES('peer{i}.example', 'quick');" for i in range(7))
            daemon.edit(QUICK.format("quick", 1) + rows)
            daemon.configure(freeze_domains=100, freeze_share=100)
            daemon.start()
            self.assertIn("none was seen", daemon.ctl("status"))
            with daemon.client(daemon.unix) as client:
                for i in range(7):
                    client.ask(f"peer{i}.example")
                    client.ask(HANDSHAKE, "outcome")
            wait_until(lambda: daemon.status()["overview"]["downgrades_total"] == 7,
                       lambda: f"seven are downgraded: {daemon.status()}", 20 * SLOWNESS)
            wait_until(lambda: sum(hour["deferred"] for hour in daemon.status()["overview"]["traffic"]) == 7,
                       "seven are put off", 20 * SLOWNESS)
            text = daemon.ctl("status")
            for words in ("Downgraded or rerouted", "encrypt -> none", "2 more: tlspolicyctl state",
                          "Partners that fail", "handshake-failure", "2 more: tlspolicyctl watch",
                          "Mail of the last 24 hours", "put off", "Last decisions", "2 more: tlspolicyctl decisions"):
                self.assertIn(words, text)
            self.assertRegex(text, r"put off +7 ")
            overview = daemon.status()["overview"]
            since = {each["destination"]: each["since"] for each in overview["downgrades"]}
            self.assertEqual(since, {each["destination"]: each["since"] for each in overview["partners"]})

    def test_watching_goes_on_until_it_is_interrupted(self):
        with Daemon() as daemon:
            command = [os.path.join(BIN, "tlspolicyctl"), "--config", daemon.config, "status", "--watch"]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as watching:
                seen = 0
                for line in watching.stdout:
                    seen += line.startswith("tlspolicyd ")
                    self.assertNotIn("\x1b", line)
                    if seen == 2:
                        break
                watching.send_signal(signal.SIGINT)
                watching.stdout.read()
                self.assertEqual(0, watching.wait(20))


if __name__ == "__main__":
    unittest.main()
