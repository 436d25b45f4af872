"""What tlspolicyctl probe finds where it offers only what nobody should take any more."""

import pathlib
import ssl
import subprocess
import sys
import unittest

import mail_peers as peers
from ctl_desk import DONE, Desk
from processes import SANITIZED

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "postfix"))
from certificates import Authority  # noqa: E402  pylint: disable=wrong-import-position

PATIENCE = 12 if SANITIZED else 4


def record(kind, content):
    return bytes([kind, 3, 1]) + len(content).to_bytes(2, "big") + content


def server_hello(version, cipher):
    body = version.to_bytes(2, "big") + b"r" * 32 + b"\0" + cipher.to_bytes(2, "big") + b"\0"
    return record(22, b"\2\0\0" + bytes([len(body)]) + body)


# Nothing in Debian speaks these, so they are said by hand.
RC4 = server_hello(0x0303, 0x0005)
SSL3 = server_hello(0x0300, 0x000a)
NOT_OFFERED = server_hello(0x0303, 0xc02f)
REFUSED = record(21, b"\2\x46")


class AnOfferOfWeakTls(Desk):
    def setUp(self):
        super().setUp()
        authority = Authority(self.folder, "CA")
        self.certificate = authority.issue("mx", ["mx.example"], addresses=[f"{peers.loopback_network()}.1"])
        self.configure(probe_allow="127.0.0.0/8", tls_ca_file=authority.certificate.chain)

    def peer(self, manner=peers.good, **tls):
        made = peers.Peer(f"{peers.loopback_network()}.1", 0, manner, self.certificate, **tls)
        self.addCleanup(made.close)
        return made

    def probe(self, peer, *arguments):
        found, = self.data("probe", "--timeout", f"{PATIENCE}s", peer.place, *arguments, status=DONE)
        return found["mx"][0]["addresses"][0]

    def answers(self, *manners, **tls):
        """To both offers, of a peer whose TLS works."""
        found = self.probe(self.peer(peers.InTurn(peers.good, *manners), **tls))
        return found["old_protocols"], found["broken_ciphers"]

    def test_is_refused_by_a_peer_that_does_it_right(self):
        peer = self.peer()
        found = self.probe(peer)
        self.assertEqual([], found["weak"])
        for offer, how in (("old_protocols", "protocol_version"), ("broken_ciphers", "handshake_failure")):
            self.assertEqual({"answer": "refused", "protocol": None, "cipher": None, "text": how}, found[offer])
        text = self.done("probe", peer.place)
        self.assertIn("TLS 1.1 and older: refused (protocol_version)", text)
        self.assertIn("broken ciphers: refused (handshake_failure)", text)

    def test_is_found_out_where_openssl_finds_it_too(self):
        seen = set()
        for tls in ({}, {"oldest": ssl.TLSVersion.TLSv1}, {"oldest": ssl.TLSVersion.TLSv1_1},
                    {"ciphers": "ALL:eNULL"}, {"version": ssl.TLSVersion.TLSv1_3}):
            peer = self.peer(**tls)
            found = self.probe(peer)
            with self.subTest(tls):
                for offer, options in (("old_protocols", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]),
                                       ("broken_ciphers", ["-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"])):
                    said = subprocess.run(
                        ["openssl", "s_client", "-starttls", "smtp", "-connect", f"{peer.address}:{peer.port}", *options],
                        input="", capture_output=True, text=True, timeout=60, check=False).stdout
                    is_taken = "Cipher is " in said and "Cipher is (NONE)" not in said
                    self.assertEqual("taken" if is_taken else "refused", found[offer]["answer"], said[-1000:])
                    seen.add((offer, is_taken))
        self.assertEqual(4, len(seen), seen)

    def test_that_is_taken_is_told_as_a_weakness(self):
        found = self.probe(self.peer(oldest=ssl.TLSVersion.TLSv1, ciphers="ALL:eNULL"))
        self.assertEqual("TLSv1.1", found["old_protocols"]["protocol"])
        self.assertRegex(found["broken_ciphers"]["cipher"], "NULL")
        self.assertEqual(2, len(found["weak"]), found["weak"])
        self.assertTrue(found["would_deliver"]["verified"])

    def test_names_what_no_library_here_speaks(self):
        old, broken = self.answers(peers.answers_tls_with(SSL3), peers.answers_tls_with(RC4))
        self.assertEqual(("taken", "SSLv3", "DES-CBC3-SHA"), (old["answer"], old["protocol"], old["cipher"]))
        self.assertEqual(("taken", "TLSv1.2", "RC4-SHA"), (broken["answer"], broken["protocol"], broken["cipher"]))

    def test_is_refused_by_hanging_up_too(self):
        for old in self.answers(peers.hangs_up_in_handshake):
            self.assertEqual("refused", old["answer"])
            self.assertRegex(old["text"], r"\Ait (closes|resets) the connection")

    def test_that_is_put_off_is_unknown_and_not_made_again(self):
        for manner, why in ((peers.greets_with("421 4.3.2 later"), "greets with 421"),
                            (peers.without_starttls, "not offered"),
                            (peers.answers_starttls_with("454 4.7.0 not now"), "454"),
                            (peers.injects, "somebody injects"),
                            (peers.answers_tls_with(NOT_OFFERED), "not offered"),
                            (peers.answers_tls_with(b"454 4.7.0 what\r\n"), "not answer in TLS"),
                            (peers.answers_tls_with(None), "no end")):
            turns = peers.InTurn(peers.good, manner)
            found = self.probe(self.peer(turns))
            with self.subTest(why):
                self.assertEqual(("unclear", "not-tried"), (found["old_protocols"]["answer"],
                                                            found["broken_ciphers"]["answer"]))
                self.assertIn(why, found["old_protocols"]["text"])
                self.assertEqual(2, turns.begun)
                self.assertEqual([], found["weak"])

    def test_is_not_made_where_the_session_was_old_already(self):
        found = self.probe(self.peer(version=ssl.TLSVersion.TLSv1_1))
        self.assertEqual(("not-tried", "refused"), (found["old_protocols"]["answer"], found["broken_ciphers"]["answer"]))
        self.assertRegex(found["weak"][0], "TLSv1.1 is obsolete")

    def test_is_not_made_where_it_is_not_wanted(self):
        turns = peers.InTurn(peers.good)
        found = self.probe(self.peer(turns), "--skip-weak")
        self.assertEqual(("not-tried", 1), (found["old_protocols"]["answer"], turns.begun))

    def test_is_asked_last_of_all(self):
        turns = peers.InTurn(peers.refuses_plaintext, peers.refuses_plaintext, peers.answers_tls_with(REFUSED))
        found = self.probe(self.peer(turns), "--refuses-plaintext")
        self.assertEqual(("refused", "refused", 4), (found["plain_mail"], found["broken_ciphers"]["answer"], turns.begun))


if __name__ == "__main__":
    unittest.main()
