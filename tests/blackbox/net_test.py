#!/usr/bin/env python3
"""Role `net`: watched destinations are checked, what is found is written down, and mail learns from it."""
import json
import signal
import unittest

import mail_peers as peers
from net_world import HANDSHAKE, PORT, QUICK, World
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import SLOWNESS, wait_until


class WithAWorld(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)


class ACheck(WithAWorld):
    def test_of_a_destination_that_must_have_tls_is_written_down(self):
        peer = self.world.host("good")
        with self.world.daemon([("good", "required"), ("any", "opportunistic")]) as daemon:
            daemon.wait_until_watched(1)
            daemon.check_now("good")
            daemon.wait_until_checked("good")
            daemon.wait_for_net(checks=1, probes=1, evidence=1)
            row, = daemon.state_rows("SELECT hosts, trouble FROM probe;")
            self.assertEqual("mx.good.example|", row)
            self.assertIn(b"QUIT\r\n", peer.heard)
            self.assertEqual(daemon.role("net"), daemon.net("pid"))
            self.assertRegex(daemon.ctl("status"), r"(?m)^net +pid \d+, 1 destination watched$")
            # Mail learns from it: a row that depends on what is known answers accordingly.
            found = f"destination = 'good.example:{PORT}' AND offered_at > 0"
            wait_until(lambda: daemon.state_rows(f"SELECT 1 FROM destination_state WHERE {found};"),
                       lambda: f"the offer is remembered\n{daemon.log()}")
            wait_until(lambda: daemon.state_rows("SELECT 1 FROM evidence WHERE source = 'probe';"), "it is counted")

    def test_that_a_peer_puts_off_says_nothing_of_it(self):
        self.world.host("busy", peers.greets_with("421 4.3.2 later"))
        with self.world.daemon([("busy", "required")]) as daemon:
            daemon.wait_until_watched(1)
            daemon.check_now("busy")
            daemon.wait_for_net(checks=1, put_off=1)
            daemon.wait_until_checked("busy")
            self.assertEqual([], daemon.state_rows("SELECT 1 FROM destination_state;"))

    def test_is_shared_by_destinations_with_one_mail_host(self):
        peer = self.world.host("good")
        names = ["good", *(f"hosted{number}" for number in range(5))]
        for name in names[1:]:
            self.world.alias(name, "good")
        with self.world.daemon([(name, "required") for name in names]) as daemon:
            daemon.wait_until_watched(len(names))
            daemon.check_now(*names)
            daemon.wait_until_checked(*names)
            daemon.wait_for_net(checks=len(names))
            self.assertEqual(1, peer.heard.count(b"QUIT\r\n"))
            self.assertEqual(1, daemon.net("probes"))

    def test_comes_again_no_sooner_than_the_gap_lets_it(self):
        peer = self.world.host("good")
        other = self.world.host("other")
        with self.world.daemon([("good", "required"), ("other", "required")]) as daemon:
            daemon.wait_until_watched(2)
            daemon.check_now("good")
            daemon.wait_until_checked("good")
            daemon.check_now("good", "other")
            daemon.wait_until_checked("other")
            self.assertEqual((1, 1), (peer.heard.count(b"QUIT\r\n"), other.heard.count(b"QUIT\r\n")))


class WhoIsWatched(WithAWorld):
    def test_follows_the_policy(self):
        self.world.host("good")
        with self.world.daemon([("good", "required")]) as daemon:
            daemon.wait_until_watched(1)
            daemon.edit(f"INSERT INTO outbound(destination, profile, mode) VALUES('a.example:{PORT}', 'preferred', "
                        "'enforce'), ('b.example', 'secure', 'observe'), ('.c.example', 'required', 'enforce'), "
                        "('*', 'opportunistic', 'enforce'), ('[d.example]', 'verified', 'enforce'), "
                        "('e.example', 'native', 'enforce');")
            daemon.wait_until_watched(4)
            daemon.edit("DELETE FROM outbound WHERE destination = 'b.example';")
            daemon.wait_until_watched(3)

    def test_is_also_who_got_mail_lately(self):
        with self.world.daemon([]) as daemon:
            daemon.edit("INSERT INTO outbound(destination, profile) VALUES('*', 'opportunistic');")
            daemon.wait_until_answers("mail.example", "OK may")
            with daemon.client(daemon.unix) as client:
                client.ask("mail.example")
                client.ask("2.0.0 250 taken", "outcome")
            wait_until(lambda: daemon.state_rows("SELECT 1 FROM evidence;"), "it is counted")
            killed = daemon.kill_role("net")
            daemon.role("net", other_than=killed)
            daemon.wait_until_watched(1)

    def test_is_not_who_opted_out_nor_what_is_private(self):
        here, there = self.world.host("leave"), self.world.host("private")
        allow = f"{here.address}/32"
        with self.world.daemon([("leave", "required"), ("private", "required")], probe_allow=allow,
                               probe_opt_out="leave.example, 192.0.2.0/24") as daemon:
            daemon.wait_until_watched(2)
            daemon.check_now("leave", "private")
            daemon.wait_for_net(refused=2, checks=1)
            self.assertEqual(([], [], 0), (here.heard, there.heard, daemon.net("probes")))

    def test_an_admin_may_ask_for_any_destination(self):
        self.world.host("good")
        with self.world.daemon([]) as daemon:
            wait_until(daemon.net, "net reports")
            daemon.check_now("good")
            daemon.wait_until_checked("good")
            said = json.loads(daemon.ctl("watch", "--now", "GOOD.example.", "--json"))
            self.assertEqual({"ok": True, "destinations": ["good.example"]}, said)
            self.assertIn("tlspolicyctl watch good.example", daemon.ctl("watch", "--now", "good.example"))

    def test_what_nobody_can_connect_to_is_refused(self):
        with self.world.daemon([]) as daemon:
            wait_until(daemon.net, "net reports")
            for wrong in (".example.com", "*", "a b"):
                self.assertIn("no destination", daemon.run_ctl("watch", "--now", wrong).stderr)
            self.assertEqual(2, daemon.run_ctl("watch", "--now").returncode)
            daemon.configure(probe_watch="no")
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "net" not in daemon.roles(), "net is gone")
            refused = wait_until(lambda: (done := daemon.run_ctl("watch", "--now", "a.example")).returncode and done,
                                 "store has heard of it")
            self.assertEqual(3, refused.returncode)
            self.assertIn("probe_watch = no", refused.stderr)


class Mail(WithAWorld):
    def begin(self, daemon, name, attempts):
        """NAME.example is held to TLS once it has offered it, and lowered after so many failures; its key."""
        key = f"{name}.example:{PORT}"
        daemon.edit(QUICK.format("quick", attempts) +
                    f"INSERT INTO outbound(destination, profile) VALUES('{key}', 'quick');")
        daemon.wait_until_answers(key, "OK encrypt")
        wait_until(daemon.net, "net reports")
        return key

    def test_goes_by_tls_again_as_soon_as_a_probe_shows_that_it_works(self):
        self.world.host("good")
        with self.world.daemon([]) as daemon:
            key = self.begin(daemon, "good", attempts=1)
            daemon.fail_delivery("good")
            self.assertEqual("none", daemon.wait_for_decision("downgrade")["to_level"])
            daemon.check_now("good")
            restored = daemon.wait_for_decision("restore")
            self.assertEqual("probe", restored["why"])
            daemon.wait_until_answers(key, "OK encrypt")

    def test_that_failed_is_lowered_when_the_second_try_is_a_probe(self):
        self.world.host("broken", peers.hangs_up_in_handshake)
        with self.world.daemon([]) as daemon:
            self.begin(daemon, "broken", attempts=2)
            daemon.fail_delivery("broken", HANDSHAKE)
            decided = daemon.wait_for_decision("downgrade")
            self.assertIn('"probe"', str(decided["evidence"]).replace("'", '"'))

    def test_is_never_lowered_by_probes_alone(self):
        self.world.host("broken", peers.hangs_up_in_handshake)
        with self.world.daemon([]) as daemon:
            key = self.begin(daemon, "broken", attempts=1)
            daemon.check_now("broken")
            daemon.wait_until_checked("broken")
            wait_until(lambda: daemon.state_rows("SELECT 1 FROM evidence WHERE source = 'probe';"), "it is counted")
            self.assertEqual([], daemon.decisions("downgrade"))
            daemon.wait_until_answers(key, "OK encrypt")


class TheRole(WithAWorld):
    def test_is_turned_off_and_on_by_a_reload(self):
        self.world.host("good")
        with self.world.daemon([("good", "required")], probe_watch="no") as daemon:
            self.assertEqual({"answer", "store"}, set(daemon.roles()))
            self.assertIsNone(daemon.status()["net"])
            for wanted, roles in (("yes", {"answer", "store", "net"}), ("no", {"answer", "store"})):
                daemon.configure(probe_watch=wanted)
                daemon.process.send_signal(signal.SIGHUP)
                wait_until(lambda want=roles: set(daemon.roles()) == want, lambda: f"{daemon.roles()}\n{daemon.log()}")
                if wanted == "yes":
                    daemon.wait_until_watched(1)
            self.assertNotIn("started again", daemon.log())

    def test_that_is_killed_is_started_at_once_and_goes_on(self):
        self.world.host("good")
        rows, strict = strict_rows(20)
        with self.world.daemon([("good", "required")]) as daemon:
            daemon.edit("".join(f"INSERT INTO outbound(destination, profile) VALUES('{name}', '{profile}');"
                                for name, profile in rows))
            for name in ("d0.strict.example", "d19.strict.example"):
                daemon.wait_until_answers(name, *strict[name])
            with Oracle(daemon, {**strict, "absent.example": {NOT_FOUND}}) as oracle:
                others = {name: daemon.role(name) for name in ("answer", "store")}
                for _ in range(3):
                    killed = daemon.kill_role("net")
                    daemon.role("net", other_than=killed)
                    oracle.settle()
                daemon.wait_until_watched(21)
                daemon.check_now("good")
                daemon.wait_until_checked("good")
                self.assertEqual(others, {name: daemon.role(name) for name in others})
                self.assertEqual(0, oracle.reconnects)

    def test_outlives_the_roles_that_it_reports_to(self):
        self.world.host("good")
        self.world.host("other")
        with self.world.daemon([("good", "required"), ("other", "required")]) as daemon:
            daemon.wait_until_watched(2)
            net = daemon.role("net")
            daemon.check_now("good")
            daemon.wait_until_checked("good")
            killed = daemon.kill_role("answer")
            daemon.role("answer", other_than=killed)
            daemon.restart_store()
            daemon.wait_until_watched(2)
            daemon.check_now("other")
            daemon.wait_until_checked("other")
            wait_until(lambda: len(daemon.state_rows("SELECT 1 FROM destination_state;")) == 2,
                       lambda: f"the new answer is told\n{daemon.log()}", 20 * SLOWNESS)
            self.assertEqual(net, daemon.role("net"))

    def test_without_authorities_it_says_so_and_probes_nobody(self):
        self.world.host("good")
        with self.world.daemon([("good", "required")], tls_ca_file="/nowhere/ca.pem") as daemon:
            wait_until(lambda: "no destination is probed" in daemon.log(), daemon.log)
            self.assertIn("/nowhere/ca.pem", daemon.log())
            self.assertEqual(0, daemon.net("watched"))


if __name__ == "__main__":
    unittest.main()
