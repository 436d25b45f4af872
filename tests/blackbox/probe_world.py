"""The mail hosts that probe_test visits: how each behaves, what it shows, and what must be said of it."""

import dataclasses
import os
import pathlib
import ssl
import sys
import tempfile

import mail_peers as peers
from processes import SANITIZED

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "dns"), str(TESTS / "postfix")]
from certificates import Authority  # noqa: E402  pylint: disable=wrong-import-position
from dns_server import DnsServer  # noqa: E402  pylint: disable=wrong-import-position

PORT = 20025
PATIENCE = 12 if SANITIZED else 6  # seconds for each address: those who never answer cost so much
RSA_1024 = ["-newkey", "rsa:1024", "-nodes"]
PROFILES = ("off", "opportunistic", "required", "verified", "secure", "pinned")
YES, NO, WHO_KNOWS = True, False, None


@dataclasses.dataclass(frozen=True)
class Case:
    """A mail host, and what the six profiles come to there."""

    manner: object = peers.good
    certificate: str = "both"  # a key of CERTIFICATES
    would: str = "yyyyyy"      # one letter for each of PROFILES: y, n or ?
    host: str = "mx.{}.example"
    cause: str | None = None
    version: ssl.TLSVersion | None = None
    # smtp(8) goes on where a probe stops: over an injected reply, a flood, a second handshake.
    is_left_by_us: bool = False
    # posttls-finger has seen enough when TLS is established, whatever comes then.
    fails_in_tls: bool = False


CASES = {
    "good": Case(),
    "hosted": Case(certificate="host", would="yyyyny", host="mx.{}-hoster.example"),
    "wildcard": Case(certificate="wildcard"),
    "complete": Case(certificate="complete"),
    "incomplete": Case(certificate="incomplete", would="yyynny"),
    "selfsigned": Case(certificate="selfsigned", would="yyynny"),
    "rogue": Case(certificate="rogue", would="yyynny"),
    "expired": Case(certificate="expired", would="yyynny"),
    "tomorrow": Case(certificate="tomorrow"),
    "wrongname": Case(certificate="wrongname", would="yyynny"),
    "iponly": Case(certificate="iponly", would="yyynny"),
    "sha1": Case(certificate="sha1", would="yyynny"),
    "rsa1024": Case(certificate="rsa1024"),
    "huge": Case(certificate="huge"),
    "toohuge": Case(certificate="toohuge", would="yynnnn", cause="handshake-failure"),
    "tls10": Case(version=ssl.TLSVersion.TLSv1, would="yyynnn"),
    "tls11": Case(version=ssl.TLSVersion.TLSv1_1, would="yyynnn"),
    "tls12": Case(version=ssl.TLSVersion.TLSv1_2),
    "tls13": Case(version=ssl.TLSVersion.TLSv1_3),
    "nostarttls": Case(peers.without_starttls, would="yynnnn", cause="starttls-not-supported"),
    "crossed": Case(peers.crossed_out, would="yynnnn", cause="starttls-not-supported"),
    "nohello": Case(peers.answers_hello_with("502 5.5.1 what"), would="yynnnn", cause="starttls-not-supported"),
    "busy": Case(peers.greets_with("421 4.3.2 later"), would="??????"),
    "rejects": Case(peers.greets_with("554 5.7.1 not you"), would="??????"),
    "greylists": Case(peers.answers_hello_with("450 4.7.1 greylisted"), would="??????"),
    "busystarttls": Case(peers.answers_starttls_with("421 4.3.2 later"), would="y?????"),
    "refuse": Case(peers.answers_starttls_with("454 4.7.0 not now"), would="yynnnn", cause="starttls-refused"),
    "never": Case(peers.answers_starttls_with("554 5.7.0 never"), would="yynnnn", cause="starttls-refused"),
    "garbage": Case(peers.garbles, would="yynnnn", cause="handshake-failure"),
    "dropped": Case(peers.hangs_up_in_handshake, would="yynnnn", cause="hang-up"),
    "silent": Case(peers.hangs_up_on_starttls, would="ynnnnn", cause="hang-up"),
    "leaves": Case(peers.hangs_up_in_tls, would="yynnnn", cause="hang-up", fails_in_tls=True),
    "stalls": Case(peers.stalls, would="yynnnn", cause="timeout"),
    "busyintls": Case(peers.hello_in_tls("421 4.3.2 later"), would="y?????", fails_in_tls=True),
    "drips": Case(peers.drips, would="??????"),
    "floodedbanner": Case(peers.floods_greeting, would="??????", is_left_by_us=True),
    "floodedhello": Case(peers.floods_hello, would="??????", is_left_by_us=True),
    "injected": Case(peers.injects, would="y?????", cause="plaintext-after-220", is_left_by_us=True),
    "renegotiates": Case(peers.renegotiates, would="y?????", is_left_by_us=True),
}
MEANING = {"y": YES, "n": NO, "?": WHO_KNOWS}


def make_certificates(folder, name, authority, rogue, address):
    """Maker of each kind of certificate for the mail host of NAME.example."""
    host = [CASES[name].host.format(name)]
    both = [*host, f"{name}.example"]
    middle = lambda: Authority(folder, f"middle-{name}", authority)  # noqa: E731

    def complete():
        between = middle()
        made = between.issue(name, both)
        with open(made.chain, "a", encoding="ascii") as chain, \
                open(between.certificate.chain, encoding="ascii") as issuer:
            chain.write(issuer.read())
        return made

    def of_size(count):
        return authority.issue(name, both + [f"{number:050}.{name}.example" for number in range(count)])

    return {
        "both": lambda: authority.issue(name, both),
        "host": lambda: authority.issue(name, host),
        "wildcard": lambda: authority.issue(name, [f"*.{name}.example"]),
        "complete": complete,
        "incomplete": lambda: middle().issue(name, both),
        "selfsigned": lambda: rogue.self_signed(host[0]),
        "rogue": lambda: rogue.issue(name, both),
        "expired": lambda: authority.issue_expired(name, both),
        "tomorrow": lambda: authority.issue(name, both, days=1),
        "wrongname": lambda: authority.issue(name, ["mx.somebody-else.example"]),
        "iponly": lambda: authority.issue(name, [], addresses=[address]),
        "sha1": lambda: authority.issue(name, both, digest="-sha1"),
        "rsa1024": lambda: authority.issue(name, both, key=RSA_1024),
        "huge": lambda: of_size(700),
        "toohuge": lambda: of_size(1700),
    }


class World:
    """All mail hosts and their names, for as long as the tests of this module run."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="probe-")
        authority = Authority(self.folder.name, "trusted-CA")
        rogue = Authority(self.folder.name, "rogue-CA")
        self.ca_file = authority.certificate.chain
        main_cf = pathlib.Path(self.folder.name, "main.cf")
        main_cf.write_text("compatibility_level = 3.6\n")
        os.utime(main_cf, (0, 0))  # Postfix waits for a file that was written just now
        network = peers.loopback_network()
        self.peers, zone = {}, {}
        for number, (name, case) in enumerate(CASES.items(), 1):
            address = f"{network}.{number}"
            made = make_certificates(self.folder.name, name, authority, rogue, address)[case.certificate]()
            self.peers[name] = peers.Peer(address, PORT, case.manner, made, case.version)
            host = case.host.format(name)
            zone[f"{name}.example MX"] = [f"10 {host}"]
            zone[f"{host} A"] = [address]
        zone["three.example MX"] = ["10 mx.good.example", "20 mx.three.example"]
        zone["mx.three.example A"] = [self.peers[name].address for name in ("good", "nostarttls")]
        zone["closed.example MX"] = ["10 mx.closed.example"]
        zone["mx.closed.example A"] = [f"{network}.250"]
        zone["null.example MX"] = ["0 ."]
        zone["mixed.example MX"] = ["10 mx.good.example", "20 mx.nowhere.example"]
        zone["refusing.example MX"] = ["10 mx.refusing.example"]
        zone["mx.refusing.example A"] = [f"{network}.251"]
        # One server for forty addresses: it listens on all there are.
        self.crowd = peers.Crowd(20)
        self.peers["crowd"] = peers.Peer("0.0.0.0", 0, self.crowd)
        zone["crowd.example MX"] = ["10 mx1.crowd.example", "10 mx2.crowd.example"]
        below = network.rpartition(".")[0]
        for host in (1, 2):
            zone[f"mx{host}.crowd.example A"] = [f"{below}.{host}.{number}" for number in range(1, 21)]
        self.peers["refusing"] = peers.Peer(f"{network}.251", PORT, peers.refuses_plaintext,
                                            self.peers["good"].certificate)
        self.dns = DnsServer(zone).__enter__()

    def close(self):
        for peer in self.peers.values():
            peer.close()
        self.dns.__exit__()
        self.folder.cleanup()
