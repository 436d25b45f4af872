"""One HTTP request to the daemon, byte by byte where that matters."""
import re
import socket

SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("ascii").split("\r\n")
        self.raw = raw
        self.status = int(lines[0].split(" ")[1]) if raw else 0
        self.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}

    @property
    def text(self):
        return self.body.decode()


def connect(where, patience=30):
    """`where`: as http_listen has it."""
    kind, _, address = where.partition(":")
    if kind == "unix":
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(patience)
        peer.connect(address)
        return peer
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), patience)


def read_all(peer):
    """What comes until the daemon closes."""
    said = b""
    while True:
        try:
            more = peer.recv(65536)
        except ConnectionResetError:
            return said
        if not more:
            return said
        said += more


def exchange(where, raw):
    with connect(where) as peer:
        peer.sendall(raw)
        return Answer(read_all(peer))


def get(where, path, method="GET", host="localhost", version="1.1"):
    field = "" if host is None else f"Host: {host}\r\n"
    return exchange(where, f"{method} {path} HTTP/{version}\r\n{field}Accept: */*\r\n\r\n".encode())


def samples(text):
    """Metrics as {(name, frozenset of labels): value}; a line that is none is an error."""
    found = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if not match:
            raise AssertionError(f"no sample: {line}")
        name, labels, value = match.groups()
        key = (name, frozenset(LABEL.findall(labels or "")))
        if key in found:
            raise AssertionError(f"twice: {line}")
        found[key] = float(value)
    return found
