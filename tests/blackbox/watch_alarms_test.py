#!/usr/bin/env python3
"""What role `net` finds becomes changes in state.db and alarms, each once: by the real daemon and mail hosts of ours."""
import json
import pathlib
import time
import unittest

import mail_peers as peers
from net_world import PORT, World
from processes import SLOWNESS, wait_until


class Town(World):
    """Each mail host in a network of its own, and known to have offered STARTTLS a day ago."""

    def host(self, name, manner=peers.good):
        self._network = peers.scattered_network(self._count)
        return super().host(name, manner)

    def remember(self, daemon, *names, **columns):
        """As if a check of yesterday had found STARTTLS there."""
        yesterday = int(time.time()) - 86400
        for name in names:
            memory = [{"name": f"mx.{name}.example", "offered_at": yesterday, "absent_since": 0,
                       "issuers": ["Somebody"], "pins": ["AA"]}]
            values = {"destination": f"{name}.example:{PORT}", "at": yesterday, "watched_at": yesterday, "route": "mx",
                      "fault": "", "trouble": "", "signed": 0, "hosts": f"mx.{name}.example", "delivers": 1,
                      "since": yesterday, "warned_days": 0, "warned_of": 0, "memory": json.dumps(memory), **columns}
            texts = ", ".join(str(value) if isinstance(value, int) else f"'{value}'" for value in values.values())
            daemon.edit(f"INSERT INTO probe({', '.join(values)}) VALUES({texts});", daemon.path("state.db"))


class Alarms(unittest.TestCase):
    def setUp(self):
        self.town = Town()
        self.addCleanup(self.town.close)

    def lines(self, daemon, words):
        return [line for line in daemon.log().splitlines() if words in line]

    def wait_for_line(self, daemon, words):
        return wait_until(lambda: self.lines(daemon, words), lambda: f"{words}\n{daemon.log()}", 60 * SLOWNESS)

    def begin(self, daemon, *names, **columns):
        """Stopped, made to remember, and started again."""
        daemon.stop()
        self.town.remember(daemon, *names, **columns)
        daemon.start()
        daemon.wait_until_watched(len(names))
        daemon.check_now(*names)

    def test_a_partner_who_slips_is_told_of_and_shown(self):
        self.town.host("slips", peers.without_starttls)
        with self.town.daemon([("slips", "required")]) as daemon:
            self.begin(daemon, "slips")
            self.wait_for_line(daemon, f"warning: compliance slips.example:{PORT}: mail to slips.example:{PORT} would no "
                                       "longer go at level encrypt: no STARTTLS")
            changes = json.loads(daemon.ctl("watch", "--changes", "--json"))
            self.assertEqual({"compliance-lost", "starttls-vanished"}, {each["change"] for each in changes})
            shown = json.loads(daemon.ctl("watch", "--json", expect=1))[0]
            self.assertEqual(("fails: no STARTTLS", "required"), (shown["verdict"], shown["profile"]))
            self.assertEqual([], self.lines(daemon, "own-network"))

    def test_a_certificate_that_ends_is_told_of_with_what_would_stop(self):
        self.town.host("ends")
        with self.town.daemon([("ends", "verified")]) as daemon:
            self.begin(daemon, "ends")
            line = self.wait_for_line(daemon, "warning: certificate-expiry")[0]
            self.assertRegex(line, r"the certificate of mx\.ends\.example ends in \d+ days, \S+Z: 0 deliveries a week would stop")
            # Who vouches for it is another than was remembered, and the level asks for that.
            self.assertEqual(1, len(self.lines(daemon, "warning: issuer-changed")))
            shown = json.loads(daemon.ctl("watch", "--json"))[0]
            self.assertEqual("ok", shown["verdict"])

    def test_another_mx_set_is_told_of(self):
        self.town.host("moves")
        with self.town.daemon([("moves", "required")]) as daemon:
            memory = json.dumps([{"name": "old.example", "offered_at": 5, "absent_since": 0, "issuers": [], "pins": []}])
            self.begin(daemon, "moves", memory=memory)
            line = self.wait_for_line(daemon, "warning: mx-changed")[0]
            self.assertIn("gone: old.example; learnt anew: mx.moves.example", line)

    def test_many_unrelated_hosts_without_starttls_are_our_own_network(self):
        names = [f"partner{number}" for number in range(6)]
        for name in names:
            self.town.host(name, peers.crossed_out)
        with self.town.daemon([(name, "required") for name in names]) as daemon:
            self.begin(daemon, *names)
            line = self.wait_for_line(daemon, "warning: own-network")[0]
            self.assertRegex(line, r"[56] of [56] unrelated hosts that offered STARTTLS before do not since \S+Z, [56] of "
                                   r"them with capabilities crossed out")
            frozen = daemon.wait_for_decision("freeze")
            self.assertIn("our own network strips STARTTLS", frozen["why"])
            self.assertEqual(1, daemon.status()["alarms_raised"]["own-network"])
            # Doctor comes to it by itself, from state.db.
            postfix = pathlib.Path(self.town.folder, "postfix")
            postfix.mkdir()
            (postfix / "main.cf").write_text("compatibility_level = 3.6\n")
            (postfix / "master.cf").write_text("smtp unix - - n - - smtp\n")
            done = daemon.run_ctl("--json", "doctor", "--postfix-config", postfix)
            [network] = [finding for finding in json.loads(done.stdout) if finding["check"] == "network"]
            self.assertIn("error", network.values())
            self.assertIn("it is likely our own network that strips it", str(network))


if __name__ == "__main__":
    unittest.main()
