"""The tests' own internet: domains by receiver and column, their DNS records, and the receivers.

Every receiver NAME owns the domain NAME.test. For each label of LABELS there is LABEL.NAME.test, with
an MX host of its own name, so that one run can send mail to the same receiver under every profile.
Any other name below NAME.test goes to mx.NAME.test.
"""

import dataclasses
import functools
import ipaddress
import itertools
import os
import ssl

import dns_server
from certificates import Authority
from receivers import Arrivals, Manner, Receiver
from run import SPOOL

PROFILES = ("off", "opportunistic", "preferred", "native", "required", "verified", "secure", "pinned",
            "dane", "dane-only")
# A domain without a row: what main.cf says holds for it.
NO_ROW = "norow"
LABELS = (*PROFILES, NO_ROW)


@dataclasses.dataclass(frozen=True)
class Site:
    """One receiver: how it behaves, and what it shows to the world."""

    what: str
    manner: Manner | None = Manner()  # None: nothing listens
    certificate: str = "trusted"      # trusted | selfsigned | expired | wrongname | rogue | none
    zone: str = "signed"
    tlsa: str = "none"                # none | right | wrong
    hosts: tuple = ("mx",)            # MX hosts in order of preference, or () for an address alone
    hosted_by: str = ""               # MX hosts are this other site's
    pinned_to: str = "itself"         # itself | another certificate
    remembers: bool = False           # what it does depends on what was sent before


SITES = {
    "good": Site("does everything right"),
    "selfsigned": Site("shows a certificate that it signed itself", certificate="selfsigned"),
    "expired": Site("shows a certificate that has expired", certificate="expired"),
    "wrongname": Site("shows a certificate for other names", certificate="wrongname"),
    "rogue": Site("shows the right names, by a CA that nobody trusts", certificate="rogue",
                  pinned_to="another certificate"),
    "nostarttls": Site("doesn't offer STARTTLS", Manner(starttls="absent"), certificate="none"),
    "refuse": Site("answers STARTTLS with 454", Manner(starttls="refused"), certificate="none"),
    "broken": Site("sends garbage instead of a ServerHello", Manner(starttls="garbage")),
    "dropped": Site("closes after STARTTLS", Manner(starttls="dropped")),
    "slow": Site("stalls after STARTTLS", Manner(starttls="stalls")),
    "flaky": Site("breaks two handshakes, then does it right", Manner(broken_handshakes=2),
                  remembers=True),
    "strip": Site("offers STARTTLS for one message, then no more", Manner(offers=1), remembers=True),
    "tls10": Site("speaks TLS 1.0 only", Manner(version=ssl.TLSVersion.TLSv1)),
    "tls12": Site("speaks TLS 1.2 only", Manner(version=ssl.TLSVersion.TLSv1_2)),
    "tls13": Site("speaks TLS 1.3 only", Manner(version=ssl.TLSVersion.TLSv1_3)),
    "multi": Site("has a broken first MX host and a good second one", hosts=("mx1", "mx2")),
    "nomx": Site("has an address and no MX record", hosts=()),
    "hosted": Site("has another domain's MX hosts", hosted_by="hoster"),
    "hosted2": Site("the same, and its row at secure names the hoster", hosted_by="hoster"),
    "hoster": Site("receives mail for others"),
    "reject": Site("refuses every recipient", Manner(recipient_reply="550 5.1.1 no such user")),
    "greylist": Site("puts every recipient off", Manner(recipient_reply="451 4.7.1 greylisted")),
    "closed": Site("doesn't listen", manner=None),
    "bogus": Site("has a zone that doesn't validate", zone="bogus"),
    "dane": Site("has a TLSA record and a certificate of its own", certificate="selfsigned",
                 tlsa="right"),
    "danebad": Site("has a TLSA record that fits nothing", tlsa="wrong"),
    "danenotls": Site("has a TLSA record and no STARTTLS", Manner(starttls="absent"), tlsa="right"),
    "danebroken": Site("has a TLSA record and sends garbage", Manner(starttls="garbage"),
                       tlsa="right"),
    "unsigned": Site("has a TLSA record in a zone without DNSSEC", certificate="selfsigned",
                     tlsa="right", zone="unsigned"),
}
# Reached by name, never by MX: relayhosts. Port 587.
RELAYS = {
    "relay.infra.test": Manner(),
    "plainrelay.infra.test": Manner(starttls="absent"),
    "relay.example.com": Manner(),
}


@functools.cache
def shared():
    """The one internet of this process: it has the addresses for one."""
    return Internet(os.path.join(SPOOL, "internet"))


class Internet:
    """Starts DNS and all receivers; all of it ends with the process."""

    def __init__(self, directory):
        self.arrivals = Arrivals()
        os.makedirs(directory, exist_ok=True)
        self._trusted = Authority(directory, "trusted-CA")
        self._untrusted = Authority(directory, "rogue-CA")
        self.ca_file = self._trusted.certificate.chain
        self.certificates = {}
        self._zones = dns_server.Zones()
        self._addresses = itertools.chain.from_iterable(
            ipaddress.ip_network(network).hosts()
            for network in ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"))
        self._hosts = {}
        for name, site in SITES.items():
            self._build_site(name, site)
        self._build_relays()
        dns_server.DnsServer(self._zones)

    def pin_of(self, site):
        """The fingerprint that a pinned row of this site has as its match."""
        if SITES[site].pinned_to == "itself" and site in self.certificates:
            return self.certificates[site].fingerprint()
        return self._trusted.certificate.fingerprint()

    def point_at(self, domain, site):
        """One more domain, whose mail and that of all names below it goes to a site."""
        self._zones.add_zone(domain, "signed")
        for name in (domain, f"*.{domain}"):
            self._zones.add(name, dns_server.mx(10, f"mx.{site}.test"))

    def _listen(self, name, manner, certificate, port=25):
        address = str(next(self._addresses))
        if manner:
            Receiver(name, manner, certificate, self.arrivals).listen(address, port)
        return address

    def _certify(self, name, site):
        hosts = site.hosts or ("",)
        below = (name, *(f"{label}.{name}" for label in LABELS))
        names = [f"{host}.{domain}.test".lstrip(".") for domain in below for host in hosts]
        makers = {
            "trusted": lambda: self._trusted.issue(name, names),
            "rogue": lambda: self._untrusted.issue(name, names),
            "expired": lambda: self._trusted.issue_expired(name, names),
            "wrongname": lambda: self._trusted.issue(name, ["mx.somebody-else.test"]),
            "selfsigned": lambda: self._untrusted.self_signed(f"mx.{name}.test"),
            "none": lambda: None,
        }
        return makers[site.certificate]()

    def _build_site(self, name, site):
        zone = f"{name}.test"
        self._zones.add_zone(zone, site.zone)
        certificate = self._certify(name, site)
        if certificate:
            self.certificates[name] = certificate
        shared = {}
        tlsa = self._make_tlsa(site, certificate)
        for domain in (zone, *(f"{label}.{zone}" for label in LABELS)):
            for host in site.hosts or ("",):
                manner = Manner(starttls="garbage") if host == "mx1" else site.manner
                full = f"{host}.{domain}".lstrip(".")
                if host not in shared or site.remembers:
                    shared[host] = self._listen(full, manner, certificate)
                self._zones.add(full, dns_server.a(shared[host]))
                if tlsa:
                    self._zones.add(f"_25._tcp.{full}", tlsa)
            self._add_mx(domain, site, domain.replace(name, site.hosted_by or name))
        self._add_mx(f"*.{zone}", site, f"{site.hosted_by or name}.test")

    @staticmethod
    def _make_tlsa(site, certificate):
        if site.tlsa == "none":
            return None
        right = certificate.tlsa()
        return dns_server.tlsa(right if site.tlsa == "right" else right[:3] + bytes(32))

    def _add_mx(self, domain, site, hosts_of):
        for preference, host in enumerate(site.hosts):
            self._zones.add(domain, dns_server.mx(10 * (preference + 1), f"{host}.{hosts_of}"))

    def _build_relays(self):
        for name, manner in RELAYS.items():
            certificate = self._trusted.issue(name, [name])
            self._zones.add_zone(name, "signed")
            self._zones.add(name, dns_server.a(self._listen(name, manner, certificate, port=587)))

    # What a test adds for itself.

    def give_hosts(self, domain, *hosts):
        """One more domain, with MX hosts of others in this order."""
        self._zones.add_zone(domain, "signed")
        for preference, host in enumerate(hosts):
            self._zones.add(domain, dns_server.mx(10 * (preference + 1), host))

    def ask_for_reports(self, domain):
        """The record of RFC 8460 3: Postfix reports on TLS with domains that have one."""
        self._zones.add(f"_smtp._tls.{domain}", dns_server.txt(f"v=TLSRPTv1; rua=mailto:tls@{domain}"))

    def open_site(self, name, manner):
        """One more receiver: mx.NAME.test, with a certificate that is trusted, and all of NAME.test."""
        self._build_site(name, Site("opened by a test", manner))

    def open_peer(self, domain, manner):
        """One more domain, with a receiver of its own, which is returned: it may change its manner."""
        host = f"mx.{domain}"
        receiver = Receiver(host, manner, self._trusted.issue(domain, [host]), self.arrivals)
        address = str(next(self._addresses))
        receiver.listen(address)
        self._zones.add_zone(domain, "signed")
        self._zones.add(domain, dns_server.mx(10, host))
        self._zones.add(host, dns_server.a(address))
        return receiver
