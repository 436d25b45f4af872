"""Postfix's side of the two protocols, over addresses as main.cf writes them."""

import socket

PATIENCE = 30


def frame(payload):
    """A netstring."""
    payload = payload.encode() if isinstance(payload, str) else payload
    return b"%d:%b," % (len(payload), payload)


def make_socket(address):
    """An unconnected socket for `inet:HOST:PORT` or `unix:PATH`, and what to give its connect()."""
    kind, _, where = address.partition(":")
    if kind == "unix":
        return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), where
    host, _, port = where.rpartition(":")
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM), (host, int(port))


class Peer:
    """A connected socket. Use as a context."""

    def __init__(self, address, patience=PATIENCE):
        self.socket, where = make_socket(address)
        self.socket.settimeout(patience)
        try:
            self.socket.connect(where)
        except OSError:
            self.socket.close()
            raise
        self._stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read_rest(self):
        """Everything until the other side closes; a reset is an end too."""
        data = b""
        try:
            while chunk := self._stream.read1(65536):
                data += chunk
        except ConnectionResetError:
            pass
        return data


class Client(Peer):
    """A socketmap client: one reply for each request."""

    def read_reply(self):
        """The payload of the next reply; EOFError where the connection ended instead."""
        digits = b""
        while (octet := self._stream.read(1)) != b":":
            if not octet:
                raise EOFError(f"the connection ended after {digits!r}")
            if not octet.isdigit():
                raise AssertionError(f"no netstring: {digits + octet!r}")
            digits += octet
        payload = self._stream.read(int(digits) + 1)
        if len(payload) != int(digits) + 1:
            raise EOFError("the connection ended inside a reply")
        if payload[-1:] != b",":
            raise AssertionError(f"a netstring without its comma: {payload!r}")
        return payload[:-1].decode()

    def ask_bytes(self, request):
        self.send(frame(request))
        return self.read_reply()

    def ask(self, key, table="policy"):
        return self.ask_bytes(f"{table} {key}".encode())


class PolicyClient(Peer):
    """A policy delegation client: smtpd(8)'s attributes in, an action out."""

    def read_action(self):
        """The lines of the next answer, up to the empty one; EOFError where the connection ended."""
        lines = []
        while (line := self._stream.readline()) != b"\n":
            if not line.endswith(b"\n"):
                raise EOFError(f"the connection ended after {lines + [line]!r}")
            lines.append(line[:-1].decode())
        return lines
