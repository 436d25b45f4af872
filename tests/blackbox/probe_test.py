"""tlspolicyctl probe against mail hosts that misbehave, beside posttls-finger and openssl on the same ones."""

import concurrent.futures
import json
import subprocess
import unittest

import mail_peers as peers
from ctl_desk import CTL, DONE, FAILED, NOT_WELL, USAGE, Desk
from probe_world import CASES, MEANING, PATIENCE, PORT, PROFILES, World

LEVELS = ("encrypt", "verify", "secure", "fingerprint")
FINGER_PATIENCE = "5"


def setUpModule():
    global WORLD  # pylint: disable=global-variable-undefined
    WORLD = World()
    unittest.addModuleCleanup(WORLD.close)


def finger(place, level, *match):
    """Whether posttls-finger is content with a mail host at a level."""
    done = subprocess.run(
        ["/usr/sbin/posttls-finger", "-c", "-l", level, "-d", "sha256", "-F", WORLD.ca_file, "-L", "summary",
         "-T", FINGER_PATIENCE, "-t", FINGER_PATIENCE, place, *match],
        env={"MAIL_CONFIG": WORLD.folder.name}, capture_output=True, text=True, timeout=60, check=False)
    said = done.stdout + done.stderr
    if level == "encrypt":
        return "TLS connection established" in said and done.returncode == 0
    return "Verified TLS connection established" in said


class Probing(Desk):
    def setUp(self):
        super().setUp()
        self.configure(resolver=WORLD.dns.setting, probe_allow="127.0.0.0/8", tls_ca_file=WORLD.ca_file)

    def probe(self, *arguments, status=DONE):
        return self.data("probe", "--timeout", f"{PATIENCE}s", *arguments, status=status)

    def probe_one(self, name, *arguments, status=DONE):
        found, = self.probe(f"{name}:{PORT}" if "[" not in name else name, *arguments, status=status)
        return found

    def show(self, *arguments, status=DONE):
        return self.expect(status, "probe", "--timeout", f"{PATIENCE}s", *arguments).stdout


class EveryKindOfPeer(Probing):
    @classmethod
    def setUpClass(cls):
        cls.seen = None
        cls.said = set()  # verbs

    def all(self):
        """What one probe of all of them says, made once for all tests of this class."""
        if type(self).seen is None:
            before = {name: len(WORLD.peers[name].heard) for name in CASES}
            found = self.probe(*(f"{name}.example:{PORT}" for name in CASES), status=NOT_WELL)
            type(self).seen = dict(zip(CASES, found, strict=True))
            type(self).said = {line.split(b" ")[0].strip() for name in CASES
                               for line in WORLD.peers[name].heard[before[name]:]}
        return self.seen

    def test_gets_the_mail_that_each_profile_would_deliver(self):
        for name, found in self.all().items():
            with self.subTest(name):
                expected = {profile: MEANING[letter] for profile, letter in zip(PROFILES, CASES[name].would)}
                self.assertEqual((expected, CASES[name].cause),
                                 (found["would_deliver"], found["mx"][0]["addresses"][0]["cause"]),
                                 found["mx"][0]["addresses"][0]["trouble"])

    def test_is_seen_as_posttls_finger_sees_it(self):
        compared = {name: found for name, found in self.all().items() if not CASES[name].is_left_by_us}
        questions = [(name, level) for name in compared for level in LEVELS]
        with concurrent.futures.ThreadPoolExecutor(8) as workers:
            seen = dict(zip(questions, workers.map(lambda each: self.finger(*each, compared[each[0]]), questions)))
        for name, found in compared.items():
            would = found["would_deliver"]
            ours = {"encrypt": would["required"] is True, "verify": would["verified"] is True,
                    "secure": would["secure"] is True, "fingerprint": would["pinned"] is True}
            if CASES[name].fails_in_tls:
                ours = dict.fromkeys(ours, True)
                self.assertTrue(found["mx"][0]["addresses"][0]["protocol"])
            with self.subTest(name):
                self.assertEqual(ours, {level: seen[name, level] for level in LEVELS})

    @staticmethod
    def finger(name, level, found):
        """Whether Postfix's own TLS client would send mail at a level."""
        chain = found["mx"][0]["addresses"][0]["chain"]
        match = {"encrypt": [], "verify": [CASES[name].host.format(name)],
                 "secure": [f"{name}.example", f".{name}.example"],
                 "fingerprint": [chain[0]["key_fingerprint"] if chain else "00:00"]}
        return finger(WORLD.peers[name].place, level, *match[level])

    def test_speaks_what_openssl_speaks_with_it(self):
        compared = 0
        for name, found in self.all().items():
            address = found["mx"][0]["addresses"][0]
            if address["protocol"] is None or CASES[name].is_left_by_us:
                continue
            # As smtp(8) has it where it looks at the certificate; older protocols need less.
            strength = 0 if address["protocol"] in ("TLSv1", "TLSv1.1") else 1
            with self.subTest(name):
                done = self.openssl(address, strength)
                self.assertRegex(done, rf"New, \S+, Cipher is {address['cipher']}\n")
                self.assertEqual("Verification: OK" in done, address["trust"] == "trusted", done[-2000:])
                named = self.openssl(address, strength, "-verify_hostname", CASES[name].host.format(name))
                self.assertEqual("Verification: OK" in named, address["trust"] == "trusted" and address["name_matches"],
                                 named[-2000:])
                compared += 1
        self.assertGreater(compared, 15)

    @staticmethod
    def openssl(address, strength, *options):
        return subprocess.run(
            ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{address['address']}:{PORT}",
             "-CAfile", WORLD.ca_file, "-no-CApath", "-no-CAstore", "-cipher", f"ALL:@SECLEVEL={strength}",
             "-min_protocol", "TLSv1", "-noservername", *options],
            input="", capture_output=True, text=True, timeout=60, check=False).stdout

    def test_is_described_as_it_is(self):
        found = {name: target["mx"][0]["addresses"][0] for name, target in self.all().items()}
        for name, trust in (("selfsigned", "self-signed"), ("incomplete", "incomplete"), ("rogue", "incomplete"),
                            ("expired", "expired"), ("sha1", "too-weak"), ("good", "trusted")):
            self.assertEqual(trust, found[name]["trust"], name)
        for name, word in (("tls10", "obsolete"), ("sha1", "sha1WithRSA|ecdsa-with-SHA1"), ("rsa1024", "1024")):
            self.assertRegex(" ".join(found[name]["weak"]), word)
        self.assertEqual([], found["good"]["weak"])
        self.assertEqual((0, 29), (found["tomorrow"]["days_left"], found["good"]["days_left"]))
        self.assertLess(found["expired"]["days_left"], -1000)
        self.assertEqual(["mx.somebody-else.example"], found["wrongname"]["names"])
        self.assertEqual(2, len(found["complete"]["chain"]))
        self.assertTrue(found["crossed"]["crossed_out"])
        self.assertEqual((True, False), (found["hosted"]["name_matches"], found["wrongname"]["name_matches"]))
        self.assertIn("asks for another handshake", found["renegotiates"]["trouble"])

    def test_shows_its_pins_as_postfix_writes_them(self):
        chain, = self.all()["good"]["mx"][0]["addresses"][0]["chain"]
        self.assertEqual(WORLD.peers["good"].certificate.fingerprint(), chain["fingerprint"])

    def test_never_hears_of_a_message(self):
        self.all()
        self.assertEqual({b"EHLO", b"HELO", b"STARTTLS", b"QUIT", b""}, self.said | {b""})


class AMailHost(Probing):
    def test_that_does_it_right_is_shown_step_by_step(self):
        text = self.show(f"good.example:{PORT}")
        for step in (f"mx.good.example[{WORLD.peers['good'].address}]:{PORT}", "< 220 mx.example ESMTP", "> EHLO ",
                     "< 250 STARTTLS", "> STARTTLS", "< 220 2.0.0 go ahead", "encrypted: TLSv1.3", "certificate 1: CN=",
                     "the chain is trusted", "< 250 8BITMIME", "> QUIT", "< 221 ", "matches mx.good.example",
                     "expires", "WOULD DELIVER"):
            self.assertIn(step, text)
            text = text[text.index(step) + len(step):]
        self.assertRegex(text, r"\nnext:  tlspolicyctl --config \S+ set good\.example:20025 secure\n\Z")

    def test_gets_the_next_command_that_fits(self):
        for name, words in (("hosted", ["verified", "secure --match mx.hosted-hoster.example"]),
                            ("nostarttls", ["opportunistic"]), ("busy", [])):
            found = self.probe_one(f"{name}.example", status=DONE if name == "hosted" else NOT_WELL)
            self.assertEqual(words, [line.split(" ", 5)[5] for line in found["next"]], found["next"])
        found = self.probe_one("selfsigned.example")
        self.assertEqual(["required", f"pinned --match {found['pin']}"],
                         [line.split(" ", 5)[5] for line in found["next"]])

    def test_whose_next_command_is_typed_has_that_row(self):
        self.init()
        line, = self.probe_one("good.example")["next"]
        subprocess.run(line, shell=True, check=True, env={"PATH": f"{CTL.resolve().parent}:/usr/bin:/bin"},
                       capture_output=True, timeout=60)
        self.assertIn("good.example:20025  secure", self.done("list"))

    def test_that_offers_less_than_its_row_asks_for_is_not_proposed_a_weaker_one(self):
        self.init()
        name = f"nostarttls.example:{PORT}"
        self.done("set", name, "required")
        found = self.probe_one("nostarttls.example", status=NOT_WELL)
        self.assertEqual([], found["next"])
        self.assertIn(f"row {name} asks for required, more than", found["next_objection"])
        text = self.ctl("probe", name).stdout
        self.assertRegex(text, r"\nnext:  nostarttls\.example:20025: row \S+ asks for required.* Ask the partner; [^\n]+\n\Z")
        # As much as it has is proposed, and what is stricter.
        self.done("set", f"good.example:{PORT}", "required")
        line, = self.probe_one("good.example")["next"]
        self.assertIn("secure", line)
        self.db.write_text("no database")
        self.assertIn("file is not a database", self.probe_one("good.example")["next_objection"])

    def test_with_an_address_alone_is_found_without_dns(self):
        self.configure(probe_allow="127.0.0.0/8", tls_ca_file=WORLD.ca_file, resolver="127.0.0.1:1")
        peer = WORLD.peers["iponly"]
        for written in (peer.place, f"{peer.address}:{PORT}"):
            found, = self.probe(written)
            self.assertEqual((peer.place, "literal"), (found["target"], found["kind"]))
            # An address stands in this certificate; at secure Postfix wants a name with a dot before it too.
            self.assertEqual((True, False), (found["would_deliver"]["verified"], found["would_deliver"]["secure"]))
        self.assertEqual((True, False), (finger(peer.place, "verify"), finger(peer.place, "secure")))

    def test_in_brackets_is_the_host_itself(self):
        found = self.probe_one(f"[mx.hosted-hoster.example]:{PORT}")
        self.assertEqual(("host", True), (found["kind"], found["would_deliver"]["secure"]))

    def test_of_several_is_found_though_the_others_are_well(self):
        found = self.probe_one("three.example", status=NOT_WELL)
        good, three = found["mx"]
        self.assertEqual([True, False], [address["would_deliver"]["required"] for address in three["addresses"]])
        self.assertEqual((True, True, True), (good["would_deliver"]["required"], three["would_deliver"]["required"],
                                              found["would_deliver"]["required"]))
        self.assertFalse(found["well"])
        self.assertEqual(["opportunistic"], [line.split(" ", 5)[5] for line in found["next"]])

    def test_that_two_hosts_share_is_visited_once(self):
        before = len(WORLD.peers["good"].heard)
        self.probe("--skip-weak", f"good.example:{PORT}", f"three.example:{PORT}", status=NOT_WELL)
        self.assertEqual(1, WORLD.peers["good"].heard[before:].count(b"STARTTLS\r\n"))

    def test_that_refuses_plaintext_is_told_from_one_that_takes_it(self):
        refusing = self.probe_one("refusing.example", "--refuses-plaintext")["mx"][0]["addresses"][0]
        self.assertEqual("refused", refusing["plain_mail"])
        self.assertEqual((False, True), (refusing["would_deliver"]["off"], refusing["would_deliver"]["required"]))
        before = len(WORLD.peers["good"].heard)
        taking = self.probe_one("good.example", "--refuses-plaintext", "--skip-weak", "--from", "a@us.example",
                                status=NOT_WELL)["mx"][0]["addresses"][0]
        self.assertEqual("accepted", taking["plain_mail"])
        said = WORLD.peers["good"].heard[before:]
        self.assertEqual([b"MAIL FROM:<a@us.example>\r\n", b"RSET\r\n", b"QUIT\r\n"],
                         [line for line in said if line][-3:])

    def test_with_many_addresses_is_asked_at_twenty_of_them_at_a_time(self):
        found, = self.probe(f"crowd.example:{WORLD.peers['crowd'].port}", status=NOT_WELL)
        troubles = [address["trouble"] for host in found["mx"] for address in host["addresses"]]
        self.assertEqual(["it greets with 421 4.3.2 later"] * 40, troubles)
        self.assertEqual(20, WORLD.crowd.most)

    def test_is_reached_over_ipv6_too(self):
        peer = peers.Peer("::1", 0, peers.good, WORLD.peers["good"].certificate)
        self.addCleanup(peer.close)
        self.configure(probe_allow="::1", tls_ca_file=WORLD.ca_file)
        found, = self.probe(f"[IPv6:::1]:{peer.port}")
        self.assertEqual((peer.place, True), (found["target"], found["would_deliver"]["required"]))

    def test_that_nobody_serves_is_unknown(self):
        found = self.probe_one("closed.example", status=NOT_WELL)
        self.assertEqual({None}, set(found["would_deliver"].values()))
        self.assertIn("Connection refused", found["mx"][0]["addresses"][0]["trouble"])


class Names(Probing):
    def test_that_take_no_mail_are_not_well(self):
        for name, fault in (("null.example", "null-mx"), ("absent.example", "no-such-name")):
            found = self.probe_one(name, status=NOT_WELL)
            self.assertEqual(fault, found["fault"])
            self.assertEqual([], [host for host in found["mx"] if host["addresses"]])
            self.assertTrue(found["trouble"])

    def test_that_nobody_can_look_up_come_to_nothing(self):
        self.configure(resolver="127.0.0.1:1", probe_allow="127.0.0.0/8")
        self.assertIn("good.example", self.refused(FAILED, "probe", "good.example"))

    def test_of_a_host_that_does_not_exist_leave_the_others(self):
        found = self.probe_one("mixed.example", status=NOT_WELL)
        self.assertEqual([1, 0], [len(host["addresses"]) for host in found["mx"]])
        self.assertTrue(found["would_deliver"]["required"])

    def test_come_from_a_file_and_standard_input_too(self):
        listed = self.folder / "names"
        listed.write_text(f"# partners\n\ngood.example:{PORT}  # the first\nGOOD.example.:{PORT}\n")
        found = self.probe("-f", listed)
        self.assertEqual([f"good.example:{PORT}"], [each["target"] for each in found])
        with open(listed, encoding="ascii") as text:
            done = self.ctl("probe", "--json", "-f", "-", stdin=text)
        self.assertEqual([f"good.example:{PORT}"], [each["target"] for each in json.loads(done.stdout)])

    def test_of_many_are_a_table_before_they_are_transcripts(self):
        text = self.show(f"good.example:{PORT}", f"nostarttls.example:{PORT}", status=NOT_WELL)
        header, first, second = text.splitlines()[:3]
        self.assertRegex(header, r"\ATARGET +MX +ADDRESS +TLS +CHAIN +NAME +EXPIRES IN\Z")
        self.assertRegex(first, r"\Agood\.example:20025 .* TLSv1\.3 +trusted +matches +29 d\Z")
        self.assertRegex(second, r"\Anostarttls\.example:20025 .* starttls-not-supported +- +- +-\Z")
        self.assertLess(text.index("WOULD DELIVER"), text.index("> EHLO"))
        self.assertIn(f"\n\nnostarttls.example:{PORT}\n\nmx.nostarttls.example[", text)


class WhatIsAsked(Probing):
    def test_must_be_somewhere_that_mail_can_go(self):
        for wrong in (["*"], [".example.com"], ["[a.example]:none"], [], ["good.example", "--from", "a b"],
                      ["good.example", "--timeout", "soon"]):
            self.refused(USAGE, "probe", *wrong)

    def test_is_refused_where_an_address_is_our_own_and_not_allowed(self):
        self.configure(resolver=WORLD.dns.setting)
        said = self.refused(FAILED, "probe", WORLD.peers["good"].place)
        self.assertIn("loopback", said)
        self.assertIn("probe_allow", said)
        self.configure(resolver=WORLD.dns.setting, probe_allow=f"{WORLD.peers['good'].address}/32")
        before = len(WORLD.peers["nostarttls"].heard)
        found = self.probe_one("three.example", status=NOT_WELL)
        self.assertIn("loopback", found["mx"][1]["addresses"][1]["refused"])
        self.assertEqual(before, len(WORLD.peers["nostarttls"].heard))

    def test_with_a_broken_list_of_authorities_comes_to_nothing(self):
        broken = self.folder / "ca.pem"
        broken.write_text("nothing\n")
        self.configure(resolver=WORLD.dns.setting, probe_allow="127.0.0.0/8", tls_ca_file=broken)
        self.assertIn(str(broken), self.refused(FAILED, "probe", WORLD.peers["good"].place))


class APeersText(Probing):
    def test_cannot_reach_the_terminal_as_it_is(self):
        evil = peers.Peer(f"{peers.loopback_network()}.252", PORT,
                          peers.greets_with("554 \x1b[2J\x07 \x9b31m\u202eevil"))
        self.addCleanup(evil.close)
        text = self.show(evil.place, status=NOT_WELL)
        self.assertIn("evil", text)
        for mark in ("\x1b", "\x07", "\x9b", "\u202e"):
            self.assertNotIn(mark, text)


if __name__ == "__main__":
    unittest.main()
