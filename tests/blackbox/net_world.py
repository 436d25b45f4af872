"""What role `net` meets: mail hosts on addresses of their own, a DNS server that names them, and the daemon beside."""

import contextlib
import json
import os
import pathlib
import sys
import tempfile

import mail_peers as peers
from daemon import Daemon
from processes import SLOWNESS, wait_until

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "dns"), str(TESTS / "postfix")]
from certificates import Authority  # noqa: E402  pylint: disable=wrong-import-position
import dns_server  # noqa: E402  pylint: disable=wrong-import-position

PORT = 20025
HANDSHAKE = "4.7.5 Cannot start TLS: handshake failure"
QUICK = ("INSERT INTO profile(name, level, fallback, attempts, retry_after, downgrade_to, first_contact) "
         "VALUES('{}', 'may', 'after-retry', {}, 1, 'none', 'encrypt');")


class World(contextlib.ExitStack):
    """`with World() as world: peer = world.host("good")`: good.example:PORT is served by it then."""

    def __init__(self):
        super().__init__()
        self.folder = self.enter_context(tempfile.TemporaryDirectory(prefix="net-"))
        self.authority = Authority(self.folder, "trusted-CA")
        self.dns = self.enter_context(dns_server.DnsServer({}))
        self._network = peers.loopback_network()
        self._count = 0

    def host(self, name, manner=peers.good):
        """The mail host mx.NAME.example, which is the MX of NAME.example."""
        self._count += 1
        address = f"{self._network}.{self._count}"
        certificate = self.authority.issue(name, [f"mx.{name}.example", f"{name}.example"])
        peer = peers.Peer(address, PORT, manner, certificate)
        self.callback(peer.close)
        self.alias(name, name)
        self.dns.zone[f"mx.{name}.example A"] = [address]
        return peer

    def alias(self, name, host):
        """NAME.example has the mail host of HOST.example."""
        self.dns.zone[f"{name}.example MX"] = [f"10 mx.{host}.example"]

    def daemon(self, rows=(), **settings):
        rows = [(f"{name}.example:{PORT}", profile) for name, profile in rows]
        return Watching(rows, **{"probe_watch": "yes", "resolver": self.dns.setting, "probe_allow": "127.0.0.0/8",
                                 "tls_ca_file": self.authority.certificate.chain, **settings})


class Watching(Daemon):
    """What it is told over its unix socket is believed."""

    def __init__(self, rows=(), **settings):
        super().__init__(rows, **{"evidence_uid": os.geteuid(), **settings})

    def net(self, name=None):
        """What status says of the role; {} or 0 while it is away."""
        found = self.status().get("net") or {}
        return found.get(name, 0) if name else found

    def wait_for_net(self, within=60, **least):
        wait_until(lambda: all(self.net(name) >= value for name, value in least.items()),
                   lambda: f"net has {least}: {self.net()}\n{self.log()}", within * SLOWNESS)

    def wait_until_watched(self, count):
        wait_until(lambda: self.net("watched") == count,
                   lambda: f"{count} are watched: {self.net()}\n{self.log()}", 20 * SLOWNESS)

    def check_now(self, *names):
        """Asks for checks before their turn."""
        self.ctl("watch", "--now", *(f"{name}.example:{PORT}" for name in names))

    def state_rows(self, sql):
        """Lines of what state.db says."""
        return self.edit(sql, self.path("state.db")).splitlines()

    def checked(self):
        """Destinations of the table probe."""
        return set(self.state_rows("SELECT destination FROM probe;"))

    def wait_until_checked(self, *names, within=60):
        wanted = {f"{name}.example:{PORT}" for name in names}
        wait_until(lambda: wanted <= self.checked(),
                   lambda: f"{wanted} are in the table probe: {self.net()}\n{self.log()}", within * SLOWNESS)

    def fail_delivery(self, name, outcome=HANDSHAKE):
        with self.client(self.unix) as client:
            client.ask(f"{name}.example:{PORT}")
            client.ask(outcome, "outcome")

    def decisions(self, kind):
        return [each for each in json.loads(self.ctl("decisions", "--json")) if each["kind"] == kind]

    def wait_for_decision(self, kind):
        return wait_until(lambda: self.decisions(kind), lambda: f"{kind} is in the ledger\n{self.log()}",
                          60 * SLOWNESS)[0]
