"""Both ends of Postfix's socketmap protocol: a client, and a server that answers from a script."""

import socket
import socketserver
import threading


def encode(payload):
    return b"%d:%s," % (len(payload), payload)


def read_frame(stream):
    """The payload of the next netstring, or None at the end of the stream."""
    digits = b""
    while (octet := stream.read(1)) != b":":
        if not octet:
            return None
        if not octet.isdigit():
            raise ValueError(f"not a netstring: {digits + octet!r}")
        digits += octet
    payload = stream.read(int(digits))
    if stream.read(1) != b",":
        raise ValueError("a netstring without its comma")
    return payload


def connect(endpoint):
    """`inet:HOST:PORT` or `unix:PATH`, as in main.cf."""
    kind, _, where = endpoint.partition(":")
    if kind == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(10)
        try:
            connection.connect(where)
        except OSError:
            connection.close()
            raise
        return connection
    host, _, port = where.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def ask(endpoint, name, key):
    """The reply to `NAME KEY`, as text."""
    with connect(endpoint) as connection, connection.makefile("rb") as stream:
        connection.sendall(encode(f"{name} {key}".encode()))
        reply = read_frame(stream)
    if reply is None:
        raise ConnectionError(f"{endpoint} hung up without an answer")
    return reply.decode()


class ScriptedServer:
    """Answers each request with answer(NAME, KEY), a whole payload in bytes, on a loopback port."""

    def __init__(self, answer):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while request := read_frame(self.rfile):
                    name, _, key = request.decode().partition(" ")
                    self.wfile.write(encode(answer(name, key)))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = "inet:127.0.0.1:%d" % server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
