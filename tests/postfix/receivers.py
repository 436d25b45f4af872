"""SMTP receivers that misbehave on purpose, and the record of what each of them saw.

A Receiver is one address with one Manner. It takes mail like any MX host and notes for every message
whether it came in TLS or in clear; what it notes is what the tests assert, whatever Postfix's log says.
"""

import dataclasses
import itertools
import socket
import socketserver
import ssl
import threading
import time
import warnings

PATIENCE = 60  # seconds a receiver waits for its client
GARBAGE = b"this is not a ServerHello\r\n"


@dataclasses.dataclass(frozen=True)
class Manner:
    """How a receiver behaves. What isn't said is done properly."""

    # works | absent | refused | silent: closes instead of a reply | dropped: closes behind it | garbage | stalls
    starttls: str = "works"
    broken_handshakes: int = 0  # so many at first, garbage each
    offers: int | None = None   # STARTTLS is offered until so many messages were taken
    version: ssl.TLSVersion | None = None  # this one only
    recipient_reply: str = "250 2.1.5 accepted"
    # (verb, reply): said instead of doing it. CONNECT is the greeting, and the dot the end of a message.
    replies: tuple = ()


@dataclasses.dataclass(frozen=True)
class Arrival:
    """A message as it reached a receiver."""

    receiver: str
    recipient: str
    encrypted: bool
    version: str  # "TLSv1.3"; empty in clear
    sni: str      # empty where none was sent

    @property
    def domain(self):
        return self.recipient.rpartition("@")[2]

    @property
    def seen(self):
        return "TLS" if self.encrypted else "PLAIN"


class Arrivals:
    """What all receivers saw, in order; safe for many threads."""

    def __init__(self):
        self._all = []
        self._changed = threading.Condition()

    def note(self, arrival):
        with self._changed:
            self._all.append(arrival)
            self._changed.notify_all()

    def all(self):
        with self._changed:
            return list(self._all)

    def clear(self):
        with self._changed:
            self._all.clear()

    def of(self, recipient):
        return [arrival for arrival in self.all() if arrival.recipient == recipient]

    def wait_for(self, enough, seconds):
        """Waits until enough(list of arrivals); an AssertionError with what came instead."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while not enough(self._all):
                if not self._changed.wait(max(0, deadline - time.monotonic())):
                    raise AssertionError(f"not within {seconds} s; arrived: {self._all[-20:]}")
            return list(self._all)


class Receiver:
    """One listening receiver."""

    def __init__(self, name, manner, certificate, arrivals):
        self.name = name
        self._manner = manner
        self._arrivals = arrivals
        self._taken = itertools.count(1)
        self._taken_so_far = 0
        self._handshakes = itertools.count(1)
        self._context = self._make_context(certificate) if certificate else None
        self._server_name = threading.local()

    def listen(self, address, port=25):
        receiver = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                conversation = Conversation(receiver, self.request)
                try:
                    conversation.hold()
                except (OSError, ValueError):
                    pass  # the client went away; what arrived before is noted
                finally:
                    conversation.close()

        server = Server((address, port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def _make_context(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # What TLS 1.0 needs of today's OpenSSL; harmless to the others.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        if self._manner.version:
            with warnings.catch_warnings():
                # TLS 1.0 is deprecated, and that is the point.
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = self._manner.version
        context.load_cert_chain(certificate.chain, certificate.key)
        context.sni_callback = self._note_server_name
        return context

    def _note_server_name(self, _connection, name, _context):
        self._server_name.value = name or ""

    def behave(self, manner):
        """From the next command on; safe while it serves."""
        self._manner = manner

    # What a Conversation asks of its receiver.

    def offers_starttls(self):
        manner = self._manner
        if manner.offers is not None and self._taken_so_far >= manner.offers:
            return False
        return manner.starttls != "absent"

    def starttls_manner(self):
        if next(self._handshakes) <= self._manner.broken_handshakes:
            return "garbage"
        return self._manner.starttls

    def recipient_reply(self):
        return self._manner.recipient_reply

    def reply_to(self, verb, proper=""):
        return dict(self._manner.replies).get(verb, proper)

    def start_tls(self, connection):
        self._server_name.value = ""
        secured = self._context.wrap_socket(connection, server_side=True)
        return secured, self._server_name.value

    def take(self, recipient, version, sni):
        self._taken_so_far = next(self._taken)
        self._arrivals.note(Arrival(self.name, recipient, bool(version), version, sni))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        raise  # not swallowed: a receiver that fails is a broken test


class Conversation:
    """One SMTP session, from greeting to QUIT."""

    def __init__(self, receiver, connection):
        self._receiver = receiver
        self._version = ""
        self._sni = ""
        self._recipients = []
        self._use(connection)

    def _use(self, connection):
        connection.settimeout(PATIENCE)
        self._connection = connection
        self._lines = connection.makefile("rb")

    def close(self):
        """Both, where TLS has taken the connection over."""
        self._lines.close()
        self._connection.close()

    def _say(self, *lines):
        self._connection.sendall("".join(line + "\r\n" for line in lines).encode())

    def hold(self):
        self._say(self._receiver.reply_to("CONNECT", f"220 {self._receiver.name} ESMTP"))
        while line := self._lines.readline(4096):
            verb = line[:8].strip().upper().split(b" ")[0].split(b":")[0]
            if verb == b"QUIT":
                self._say("221 2.0.0 goodbye")
                return
            if reply := self._receiver.reply_to(verb.decode(errors="replace")):
                self._say(reply)
                continue
            if verb == b"STARTTLS":
                if not self._start_tls():
                    return
            elif verb == b"EHLO":
                starttls = not self._version and self._receiver.offers_starttls()
                self._say(f"250-{self._receiver.name}", "250-8BITMIME",
                          "250 STARTTLS" if starttls else "250 SMTPUTF8")
            elif line.upper().startswith(b"RCPT TO:"):
                self._hear_recipient(line)
            elif verb == b"DATA":
                self._take_message()
            else:
                if line.upper().startswith(b"MAIL FROM:"):
                    self._recipients = []
                self._say("250 2.0.0 ok")

    def _hear_recipient(self, line):
        reply = self._receiver.recipient_reply()
        if reply.startswith("2"):
            self._recipients.append(line.decode().partition("<")[2].partition(">")[0])
        self._say(reply)

    def _take_message(self):
        self._say("354 go on")
        while self._lines.readline(4096) not in (b".\r\n", b""):
            pass
        reply = self._receiver.reply_to(".", f"250 2.0.0 taken by {self._receiver.name}")
        if reply.startswith("2"):
            for recipient in self._recipients:
                self._receiver.take(recipient, self._version, self._sni)
        self._say(reply)

    def _start_tls(self):
        """Whether the conversation goes on."""
        manner = self._receiver.starttls_manner()
        if manner == "refused":
            self._say("454 4.7.0 TLS not available")
            return True
        if manner == "silent":
            return False
        self._say("220 2.0.0 go ahead")
        if manner == "works":
            secured, self._sni = self._receiver.start_tls(self._connection)
            self._version = secured.version()
            self._use(secured)
            return True
        if manner == "garbage":
            self._connection.recv(4096)
            self._connection.sendall(GARBAGE)
        elif manner == "stalls":
            # Until the client gives up.
            while self._connection.recv(4096):
                pass
        return False  # dropped: closed without a word
