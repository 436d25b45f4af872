"""Mail hosts that misbehave on purpose, each on a loopback address of its own and all on one port.

A manner is a function that holds one conversation; it is given a Talk, and may leave it wherever it likes.
"""

import contextlib
import os
import re
import socket
import socketserver
import ssl
import subprocess
import threading
import warnings

PATIENCE = 60  # seconds that a peer waits for its client
HELLO = ("250-mx.example", "250-8BITMIME", "250 STARTTLS")
HELLO_IN_TLS = ("250-mx.example", "250 8BITMIME")


class Talk:
    """One conversation, in clear or in TLS."""

    def __init__(self, peer, connection):
        self.peer = peer
        self.use(connection)

    def use(self, connection):
        connection.settimeout(PATIENCE)
        self.connection = connection
        self.lines = connection.makefile("rb")

    def send(self, data):
        self.connection.sendall(data)

    def say(self, *lines):
        self.send("".join(line + "\r\n" for line in lines).encode())

    def hear(self):
        """The verb of the next command; b"" once the client is gone."""
        line = self.lines.readline(4096)
        self.peer.heard.append(line)
        return line.strip().upper().split(b" ")[0]

    def wait_for_end(self):
        while self.connection.recv(4096):
            pass

    def reach_hello(self, banner="220 mx.example ESMTP"):
        self.say(banner)
        return self.hear()

    def reach_starttls(self, hello=HELLO):
        self.reach_hello()
        self.say(*hello)
        return self.serve(until=b"STARTTLS")

    def start_tls(self):
        self.say("220 2.0.0 go ahead")
        self.use(self.peer.context.wrap_socket(self.connection, server_side=True))

    def serve(self, hello=HELLO_IN_TLS, until=None, mail="250 2.1.0 ok"):
        """Answers like any mail host until the end, or until a verb, which is left to the caller."""
        while verb := self.hear():
            if verb == until:
                return True
            if verb in (b"EHLO", b"HELO"):
                self.say(*hello)
            elif verb == b"QUIT":
                self.say("221 2.0.0 goodbye")
                return False
            else:
                self.say(mail if verb == b"MAIL" else "250 2.0.0 ok")
        return False


def good(talk):
    if talk.reach_starttls():
        talk.start_tls()
        talk.serve()


def refuses_plaintext(talk):
    talk.reach_hello()
    talk.say(*HELLO)
    if talk.serve(until=b"STARTTLS", mail="530 5.7.0 Must issue a STARTTLS command first"):
        talk.start_tls()
        talk.serve()


def without_starttls(talk):
    talk.reach_hello()
    talk.say(*HELLO_IN_TLS)
    talk.serve()


def crossed_out(talk):
    talk.reach_hello()
    talk.say("250-mx.example", "250-8BITMIME", "250 XXXXXXXA")
    talk.serve()


def greets_with(reply):
    def talk_to(talk):
        talk.reach_hello(reply)
        talk.say("221 2.0.0 goodbye")
    return talk_to


def answers_hello_with(*lines):
    def talk_to(talk):
        talk.reach_hello()
        talk.say(*lines)
        talk.serve()
    return talk_to


def answers_starttls_with(reply):
    def talk_to(talk):
        if talk.reach_starttls():
            talk.say(reply)
            talk.serve()
    return talk_to


def hello_in_tls(*lines):
    def talk_to(talk):
        if talk.reach_starttls():
            talk.start_tls()
            talk.serve(hello=lines)
    return talk_to


def floods_greeting(talk):
    talk.send(b"220 " + b"a" * 65536 + b"\r\n")
    talk.wait_for_end()


def floods_hello(talk):
    talk.reach_hello()
    talk.say(*["250-STARTTLS"] * 4000, "250 STARTTLS")
    talk.wait_for_end()


def drips(talk):
    """A byte each second, until the client has had enough."""
    enough = threading.Event()
    for byte in b"220 mx.example ESMTP, a byte at a time, which is a great many seconds\r\n":
        talk.send(bytes([byte]))
        enough.wait(1)


def injects(talk):
    if talk.reach_starttls():
        talk.say("220 2.0.0 go ahead", "250 injected")
        with contextlib.suppress(OSError):
            talk.use(talk.peer.context.wrap_socket(talk.connection, server_side=True))
            talk.serve()


def hangs_up_on_starttls(talk):
    talk.reach_starttls()


def hangs_up_in_handshake(talk):
    if talk.reach_starttls():
        talk.say("220 2.0.0 go ahead")


def hangs_up_in_tls(talk):
    if talk.reach_starttls():
        talk.start_tls()


def garbles(talk):
    if talk.reach_starttls():
        talk.say("220 2.0.0 go ahead")
        talk.connection.recv(4096)
        talk.say("this is no ServerHello")
        talk.wait_for_end()


def stalls(talk):
    if talk.reach_starttls():
        talk.say("220 2.0.0 go ahead")
        talk.wait_for_end()


def renegotiates(talk):
    """By `openssl s_server`, which does it when it is told to."""
    if not talk.reach_starttls():
        return
    talk.say("220 2.0.0 go ahead")
    certificate = talk.peer.certificate
    with subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_2", "-crlf",
             "-cert", certificate.chain, "-key", certificate.key],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            port = next(int(found[1]) for line in server.stdout
                        if (found := re.match(rb"ACCEPT .*:(\d+)", line)))
            with socket.create_connection(("127.0.0.1", port)) as behind:
                for source, sink in ((talk.connection, behind), (behind, talk.connection)):
                    threading.Thread(target=carry, args=(source, sink), daemon=True).start()
                for line in server.stdout:
                    if b"EHLO" in line:
                        server.stdin.write(b"R\n")
                        server.stdin.flush()
        finally:
            server.kill()


class InTurn:
    """A manner for the first conversation, one for the second, and so on; the last one for all others."""

    def __init__(self, *manners):
        self._manners = manners
        self._lock = threading.Lock()
        self.begun = 0

    def __call__(self, talk):
        with self._lock:
            manner = self._manners[min(self.begun, len(self._manners) - 1)]
            self.begun += 1
        manner(talk)


def answers_tls_with(answer):
    """Bytes instead of a handshake; after None, silence."""
    def talk_to(talk):
        if talk.reach_starttls():
            talk.say("220 2.0.0 go ahead")
            talk.connection.recv(4096)
            if answer is not None:
                talk.send(answer)
            talk.wait_for_end()
    return talk_to


class Crowd:
    """A manner that waits for `size` conversations at a time, and a moment for one too many."""

    MOMENT = 0.3

    def __init__(self, size):
        self._together = threading.Barrier(size, timeout=PATIENCE)
        self._too_many = threading.Event()
        self._lock = threading.Lock()
        self._size = size
        self._here = 0
        self.most = 0

    def __call__(self, talk):
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
            if self._here > self._size:
                self._too_many.set()
        self._together.wait()
        self._too_many.wait(self.MOMENT)
        talk.say("421 4.3.2 later")
        talk.hear()
        with self._lock:
            self._here -= 1


def carry(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Peer:
    """A mail host; on a free port for 0. `heard` is every line that clients said in clear or in TLS."""

    def __init__(self, address, port, manner, certificate=None, version=None, **tls):
        self.address = address
        self.manner = manner
        self.certificate = certificate
        self.context = certificate and context_of(certificate, version, **tls)
        self.heard = []
        peer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                talk = Talk(peer, self.request)
                # Clients of these peers leave whenever they like; ssl says it with ValueError too.
                with contextlib.suppress(OSError, ValueError):
                    peer.manner(talk)
                talk.lines.close()
                talk.connection.close()

        self._server = (Server6 if ":" in address else Server)((address, port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    @property
    def place(self):
        return f"[{self.address}]:{self.port}"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class Server6(Server):
    address_family = socket.AF_INET6


def context_of(certificate, version, oldest=ssl.TLSVersion.TLSv1_2, ciphers="DEFAULT"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # What old protocols, short keys and SHA-1 need of today's OpenSSL; harmless to the others.
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version or oldest
        if version:
            context.maximum_version = version
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


def loopback_network():
    """Three numbers of addresses that no other process on this machine uses: 127/8 is ours to share."""
    pid = os.getpid()
    return f"127.{1 + (pid >> 8) % 126}.{pid & 255}"


MOST_SCATTERED = 16


def scattered_network(number):
    """The same, MOST_SCATTERED of them to a process, for hosts that have nothing to do with each other."""
    assert number < MOST_SCATTERED, number
    pid = os.getpid()
    return f"127.{128 + (pid >> 4) % 126}.{(pid & 15) * MOST_SCATTERED + number}"
