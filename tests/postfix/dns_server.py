"""A small authoritative DNS server for the tests' own internet, over UDP and TCP.

It plays the validating resolver that Postfix is told to trust: answers from a signed zone carry the
AD bit, and a bogus zone is SERVFAIL. It knows no recursion, no compression in what it sends, and
answers every name outside its zones with NXDOMAIN.
"""

import ipaddress
import socket
import socketserver
import struct
import threading

A, NS, CNAME, MX, TXT, AAAA, OPT, TLSA = 1, 2, 5, 15, 16, 28, 41, 52
NOERROR, FORMERR, SERVFAIL, NXDOMAIN = 0, 1, 2, 3
TTL = 60
MOST_CNAMES = 8


def encode_name(name):
    labels = [label.encode("ascii") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def a(address):
    return A, ipaddress.IPv4Address(address).packed


def mx(preference, host):
    return MX, struct.pack("!H", preference) + encode_name(host)


def cname(target):
    return CNAME, encode_name(target)


def txt(text):
    octets = text.encode("ascii")
    pieces = [octets[i:i + 255] for i in range(0, len(octets), 255)]
    return TXT, b"".join(bytes([len(piece)]) + piece for piece in pieces)


def tlsa(data):
    return TLSA, data


class Zones:
    """What the server knows: zones by apex, records by name; `*.x` stands for names below x."""

    def __init__(self):
        self._zones = {}    # apex -> "signed" | "unsigned" | "bogus"
        self._records = {}  # name -> [(type, rdata)]
        self._existing = set()
        self._aliases = {}
        self.add_zone("", "signed")
        self.add("", (NS, encode_name("ns.test")))

    def add_zone(self, apex, kind):
        self._zones[apex] = kind
        self._existing.add(apex)

    def add(self, name, *records):
        for kind, data in records:
            self._records.setdefault(name, []).append((kind, data))
            if kind == CNAME:
                self._aliases[name] = decode_name(data, 0)[0]
        while name:
            self._existing.add(name)
            name = name.partition(".")[2]

    def _zone_of(self, name):
        while name not in self._zones:
            name = name.partition(".")[2]
        return self._zones[name]

    def _find(self, name):
        """The records at a name, of the wildcard that covers it (RFC 4592 3.3.1), or None."""
        if name in self._existing:
            return self._records.get(name, [])
        while name and name not in self._existing:
            name = name.partition(".")[2]
        return self._records.get(f"*.{name}")

    def answer(self, name, kind):
        """(rcode, signed, [(owner, type, rdata)])"""
        found = []
        signed = True
        for _ in range(MOST_CNAMES):
            zone = self._zone_of(name)
            if zone == "bogus":
                return SERVFAIL, False, []
            signed = signed and zone == "signed"
            records = self._find(name)
            if records is None:
                return NXDOMAIN, signed, found
            found += [(name, t, data) for t, data in records if t == kind]
            target = self._aliases.get(name)
            if target is None or kind == CNAME:
                return NOERROR, signed, found
            found.append((name, CNAME, encode_name(target)))
            name = target
        return SERVFAIL, False, []


def decode_name(packet, at):
    """(name in lower case, offset behind it); queries are never compressed."""
    labels = []
    while packet[at]:
        length = packet[at]
        if length > 63:
            raise ValueError("a compressed name in a question")
        labels.append(packet[at + 1:at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def reply_to(query, zones):
    identity, flags, questions, _, _, additional = struct.unpack_from("!6H", query)
    name, end = decode_name(query, 12)
    kind, _ = struct.unpack_from("!2H", query, end)
    question = query[12:end + 4]
    rcode, signed, found = zones.answer(name, kind) if questions == 1 else (FORMERR, False, [])
    edns = b""
    wants_dnssec = bool(flags & 0x0020)
    opt = query[end + 4:]
    if additional and len(opt) >= 11 and struct.unpack_from("!H", opt, 1)[0] == OPT:
        wants_dnssec = wants_dnssec or bool(opt[7] & 0x80)
        edns = b"\0" + struct.pack("!HHIH", OPT, 4096, struct.unpack_from("!I", opt, 5)[0] & 0x8000, 0)
    response = 0x8480 | (flags & 0x0100) | (0x0020 if signed and wants_dnssec else 0) | rcode
    body = b"".join(encode_name(owner) + struct.pack("!HHIH", t, 1, TTL, len(data)) + data
                    for owner, t, data in found)
    header = struct.pack("!6H", identity, response, 1, len(found), 0, 1 if edns else 0)
    return header + question + body + edns


class DnsServer:
    """Serves `zones` on UDP and TCP port 53 of `address` until the process ends."""

    def __init__(self, zones, address="127.0.0.1"):
        self._zones = zones
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._udp.bind((address, 53))
        threading.Thread(target=self._serve_udp, daemon=True).start()

        class Handler(socketserver.StreamRequestHandler):
            def handle(handler):  # pylint: disable=no-self-argument
                while len(length := handler.rfile.read(2)) == 2:
                    answer = reply_to(handler.rfile.read(struct.unpack("!H", length)[0]), zones)
                    handler.wfile.write(struct.pack("!H", len(answer)) + answer)

        self._tcp = socketserver.ThreadingTCPServer((address, 53), Handler)
        self._tcp.daemon_threads = True
        threading.Thread(target=self._tcp.serve_forever, daemon=True).start()

    def _serve_udp(self):
        while True:
            query, client = self._udp.recvfrom(4096)
            try:
                self._udp.sendto(reply_to(query, self._zones), client)
            except (ValueError, IndexError, struct.error) as problem:
                print(f"dns_server: query {query!r}: {problem}", flush=True)
