"""A DNS server that answers from a dict, over UDP and TCP on one port of an address, and lies as it is told.

    with DnsServer({"example.com MX": ["10 mx.example.com"], "mx.example.com A": ["192.0.2.1"]}) as server:
        server.manners["example.com"] = dns_server.slow(0.5)

It plays a validating resolver: what it finds has the AD bit, unless a record begins with "!". A name without
a record of any type is NXDOMAIN; a CNAME is followed, at most once round a circle. A manner, of a name or of
everything below it ("" is all), gets the query, the true reply and whether it came by TCP, and returns the
packets to send instead; a number among them is a pause in seconds.
"""

import ipaddress
import os
import select
import socket
import struct
import threading

TYPES = {"A": 1, "CNAME": 5, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
OPT = 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5
AD, TC = 0x0020, 0x0200
LARGEST_UDP = 1232
MOST_CNAMES = 16


def encode_name(name):
    labels = [label.encode("utf-8") for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def encode_data(kind, text):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(text).packed
    if kind == "MX":
        preference, host = text.split(" ", 1)
        return struct.pack("!H", int(preference)) + encode_name(host)
    if kind == "CNAME":
        return encode_name(text)
    if kind == "TXT":
        pieces = [text[i:i + 255].encode() for i in range(0, len(text), 255)]
        return b"".join(bytes([len(piece)]) + piece for piece in pieces)
    return bytes.fromhex(text)


def encode_record(owner, kind, data):
    return encode_name(owner) + struct.pack("!HHIH", TYPES.get(kind, kind), 1, 60, len(data)) + data


class Query:
    def __init__(self, packet):
        self.packet = packet
        self.identity, self.flags, questions = struct.unpack_from("!3H", packet)
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii"))
            at += 1 + packet[at]
        self.name = ".".join(labels)
        number, record_class = struct.unpack_from("!2H", packet, at + 1)
        self.kind = {number: kind for kind, number in TYPES.items()}.get(number, number)
        self.question = packet[12:at + 5]
        self.has_edns = len(packet) > at + 5
        if questions != 1 or record_class != 1:
            raise ValueError(f"an odd query: {packet!r}")

    def reply(self, rcode=NOERROR, records=(), flags=0, additional=b"", question=None, identity=None):
        """`records` are encoded."""
        count = 1 if self.has_edns else 0
        opt = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, len(additional)) + additional if count else b""
        return struct.pack("!6H", self.identity if identity is None else identity, 0x8180 | flags | rcode,
                           1, len(records), 0, count) + (question or self.question) + b"".join(records) + opt


class DnsServer:
    """Serves `zone` from entering to leaving, on a free port unless one is named."""

    def __init__(self, zone, manners=None, port=0, address="127.0.0.1"):
        self.zone = dict(zone)
        self.manners = dict(manners or {})
        self.queries = []  # (name, type, "udp" or "tcp"), as they came
        self._stop, self._wake = os.pipe()
        self._threads = []
        while True:
            self._tcp = socket.create_server((address, port), backlog=100)
            self.port = self._tcp.getsockname()[1]
            self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                self._udp.bind((address, self.port))
                break
            except OSError:  # somebody has this port for UDP
                self._tcp.close()
                self._udp.close()
        self.setting = f"{address}:{self.port}"

    def __enter__(self):
        self._start(self._serve)
        return self

    def __exit__(self, *_):
        os.close(self._wake)
        for thread in self._threads:
            thread.join()
        for each in (self._udp, self._tcp):
            each.close()
        os.close(self._stop)

    def _start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _pause(self, seconds):
        """True unless the server ends."""
        return not select.select([self._stop], [], [], seconds)[0]

    def _serve(self):
        while True:
            ready, _, _ = select.select([self._stop, self._udp, self._tcp], [], [])
            if self._stop in ready:
                return
            if self._udp in ready:
                packet, client = self._udp.recvfrom(65535)
                self._start(self._answer_udp, packet, client)
            if self._tcp in ready:
                self._start(self._serve_tcp, self._tcp.accept()[0])

    def _answer_udp(self, packet, client):
        for part in self._packets(packet, "udp"):
            if callable(part):
                part(client)
            elif isinstance(part, bytes):
                self._udp.sendto(part, client)
            elif not self._pause(part):
                return

    def _serve_tcp(self, connection):
        with connection:
            buffer = b""
            while True:
                if self._stop in select.select([self._stop, connection], [], [])[0]:
                    return
                try:
                    piece = connection.recv(65535)
                except OSError:
                    return
                buffer += piece
                while len(buffer) >= 2 and len(buffer) >= (end := 2 + struct.unpack_from("!H", buffer)[0]):
                    if not self._answer_tcp(connection, buffer[2:end]):
                        return
                    buffer = buffer[end:]
                if not piece:
                    return

    def _answer_tcp(self, connection, packet):
        """False where the connection is to be closed."""
        for part in self._packets(packet, "tcp"):
            if part is None:
                return False
            if isinstance(part, bytes):
                connection.sendall(struct.pack("!H", len(part)) + part)
            elif not callable(part) and not self._pause(part):
                return False
        return True

    def _packets(self, packet, transport):
        query = Query(packet)
        self.queries.append((query.name, query.kind, transport))
        truth = self.find(query)
        name = query.name
        while name and name not in self.manners:
            name = name.partition(".")[2]
        manner = self.manners.get(name, honest)
        return manner(query, truth, transport)

    def find(self, query):
        """The true reply."""
        flags, records, name = AD, [], query.name
        for _ in range(MOST_CNAMES):
            kinds = {key.partition(" ")[2]: key for key in self.zone if key.partition(" ")[0] == name}
            if not kinds:
                return query.reply(NXDOMAIN, records, flags)
            kind = query.kind if query.kind in kinds else "CNAME"
            for text in self.zone.get(f"{name} {kind}", []):
                if text.startswith("!"):
                    flags, text = 0, text[1:]
                records.append(encode_record(name, kind, encode_data(kind, text)))
            if kind == query.kind or kind not in kinds:
                break
            name = self.zone[f"{name} CNAME"][0].lstrip("!")
        return query.reply(NOERROR, records, flags)


# Manners.

def honest(query, truth, transport):
    if transport == "udp" and len(truth) > LARGEST_UDP:
        return truncated(query, truth, transport)
    return [truth]


def dead(_query, _truth, _transport):
    return []


def slow(seconds):
    return lambda _query, truth, _transport: [seconds, truth]


def says(rcode, additional=b""):
    return lambda query, _truth, _transport: [query.reply(rcode, additional=additional)]


def bogus(query, _truth, _transport):
    """SERVFAIL with extended error 6 (RFC 8914)."""
    return [query.reply(SERVFAIL, additional=struct.pack("!3H", 15, 2, 6))]


def truncated(query, truth, transport):
    return [query.reply(flags=TC)] if transport == "udp" else [truth]


def truncated_for_ever(query, _truth, _transport):
    return [query.reply(flags=TC)]


def truncated_then_hangs_up(query, _truth, transport):
    return [query.reply(flags=TC)] if transport == "udp" else [None]


def without_edns(query, truth, _transport):
    """An old server, to which OPT is a format error."""
    if not query.has_edns:
        return [truth]
    return [struct.pack("!6H", query.identity, 0x8181, 1, 0, 0, 0) + query.question]


def forged(query):
    """What somebody would like to be the answer."""
    kind, text = ("MX", "1 evil.example") if query.kind == "MX" else (query.kind, {
        "A": "198.51.100.66", "AAAA": "2001:db8::66"}.get(query.kind, "evil"))
    return [encode_record(query.name, kind, encode_data(kind, text))]


def wrong_identity(query, truth, _transport):
    return [query.reply(records=forged(query), identity=query.identity ^ 1), truth]


def wrong_question(query, truth, _transport):
    question = encode_name("other.example") + query.question[-4:]
    return [query.reply(records=forged(query), question=question), truth]


def wrong_port(query, truth, _transport):
    def send_from_elsewhere(client):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(query.reply(records=forged(query)), client)
    return [send_from_elsewhere, truth]


def only(manner):
    """The lie without the truth behind it."""
    return lambda query, truth, transport: manner(query, truth, transport)[:-1]


def further_records(query, _truth, _transport):
    """Records that nobody asked for, and none that somebody did."""
    return [query.reply(records=[encode_record("bank.example", "MX", encode_data("MX", "1 evil.example")),
                                 encode_record("bank.example", "A", b"evil")])]


def rubbish(query, _truth, _transport):
    return [query.packet[:2] + b"\x81\x80" + query.packet[4:6] + b"\0\1\0\0\0\0" + query.question + b"\xc0"]


def pointer_loop(query, _truth, _transport):
    at = 12 + len(query.question)
    return [query.reply(records=[struct.pack("!H", 0xc000 | at) + struct.pack("!HHIH", 15, 1, 60, 2) + b"\0\1"])]


def compression_bomb(query, _truth, transport):
    """A thousand names, each a long walk of pointers."""
    if transport == "udp":
        return [query.reply(flags=TC)]
    start = 12 + len(query.question) + 12
    chain = b"".join(struct.pack("!H", 0xc000 | (12 if i == 0 else start + 2 * (i - 1))) for i in range(1000))
    walk = struct.pack("!H", 0xc000 | (start + 2 * 999))
    record = b"\xc0\x0c" + struct.pack("!HHIH", 15, 1, 60, 4) + b"\0\1" + walk
    bomb = b"\xc0\x0c" + struct.pack("!HHIH", 99, 1, 60, len(chain)) + chain
    return [query.reply(records=[bomb, *[record] * 998])]


class LosesFirst:
    """Drops the first packet of every question."""

    def __init__(self):
        self._seen = set()

    def __call__(self, query, truth, _transport):
        key = (query.name, query.kind)
        if key in self._seen:
            return [truth]
        self._seen.add(key)
        return []
