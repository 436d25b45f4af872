"""What smtpd(8) asks a policy service, session by session, as raw bytes.

Postfix is told to ask at every stage it knows, at once (smtpd_delay_reject = no), so that the stages
before MAIL are seen too.
"""

import os
import re
import smtplib
import socket
import ssl
import subprocess
import threading

from authentication import Authentication
from certificates import Authority
from instance import SUBMISSION_PORT

SERVICE_PORT = 8466
SERVER = "192.0.2.25"
CLIENT = "192.0.2.40"
V6_SERVER = "2001:db8::25"
V6_CLIENT = "2001:db8::40"
UNNAMED = "198.51.100.7"
NAME = "client.example"
TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3
ASK = f"check_policy_service inet:127.0.0.1:{SERVICE_PORT}"

MAIN_CF = """
inet_protocols = all
mydestination = here.example
local_recipient_maps =
local_transport = discard:
smtpd_peername_lookup = yes
smtpd_delay_reject = no
smtpd_tls_security_level = may
smtpd_tls_ask_ccert = yes
smtpd_tls_cert_file = {chain}
smtpd_tls_key_file = {key}
smtpd_tls_CAfile = {trusted}
smtpd_sasl_type = dovecot
smtpd_sasl_path = auth
""" + "".join(f"smtpd_{stage}_restrictions = {ASK}\n"
              for stage in ("client", "helo", "sender", "data", "end_of_data", "etrn")) + (
    f"smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = {ASK}, reject_unauth_destination\n")

SUBMISSION = f"check_policy_service {{ inet:127.0.0.1:{SERVICE_PORT}, policy_context=submission }}"
MASTER_CF = f"""
{SERVER}:{SUBMISSION_PORT} inet n - n - 1 smtpd
[{V6_SERVER}]:{SUBMISSION_PORT} inet n - n - 1 smtpd
{SERVER}:587 inet n - n - 1 smtpd
  -o smtpd_sasl_auth_enable=yes
  -o {{ smtpd_recipient_restrictions = {SUBMISSION}, permit_sasl_authenticated, reject }}
{SERVER}:465 inet n - n - 1 smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o {{ smtpd_recipient_restrictions = {SUBMISSION}, permit_sasl_authenticated, reject }}
"""


class Recorder:
    """A policy service that lets everything pass and keeps what it was asked. Use as a context."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", SERVICE_PORT))
        self._lock = threading.Lock()
        self._asked = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def take(self):
        """The requests since the last taking; smtpd has had its answers when the client has its own."""
        with self._lock:
            asked, self._asked = self._asked, []
        return asked

    def _accept(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        with peer:
            unread = b""
            while octets := peer.recv(65536):
                *requests, unread = (unread + octets).split(b"\n\n")
                for request in requests:
                    with self._lock:
                        self._asked.append(request + b"\n\n")
                    peer.sendall(b"action=DUNNO\n\n")


class Sessions:
    """One SMTP client for each kind of session there is; `start` makes the Postfix they talk to."""

    def __init__(self, directory):
        self._partners = Authority(directory, "Partner CA")
        strangers = Authority(directory, "Stranger CA")
        server = self._partners.issue("here", ["here.example"])
        trusted = self._partners.issue("client", [NAME])
        self.main_cf = MAIN_CF.format(chain=server.chain, key=server.key, trusted=self._partners.certificate.chain)
        self.kinds = {
            "clear": {},
            "clear-ipv6": {"source": V6_CLIENT, "server": V6_SERVER},
            "clear-unnamed": {"source": UNNAMED},
            "clear-commands": {"talk": self._say_rare_commands},
            "clear-helo": {"talk": self._send_by_helo},
            "clear-bounce-for-two": {"sender": "", "recipients": ("me@here.example", "you@here.example")},
            "tls12": {"tls": TLS12},
            "tls12-trusted": {"tls": TLS12, "certificate": trusted},
            "tls13": {"tls": TLS13},
            "tls13-ipv6": {"tls": TLS13, "source": V6_CLIENT, "server": V6_SERVER},
            "tls13-trusted": {"tls": TLS13, "certificate": trusted},
            "tls13-untrusted": {"tls": TLS13, "certificate": strangers.issue("client", [NAME])},
            "tls13-selfsigned": {"tls": TLS13, "certificate": strangers.self_signed(NAME)},
            "tls13-expired": {"tls": TLS13, "certificate": self._partners.issue_expired("old", [NAME])},
            "submission-587": {"tls": TLS13, "port": 587, "user": "ann"},
            "submission-465": {"tls": TLS12, "port": 465, "user": "ann"},
        }

    @staticmethod
    def prepare_host(directory, root="/"):
        """Addresses for the clients, and the name that smtpd verifies, in the tests' namespaces."""
        for address in (V6_SERVER, V6_CLIENT):
            subprocess.run(["ip", "-6", "address", "replace", f"{address}/128", "dev", "lo"], check=True)
        hosts = os.path.join(directory, "hosts")
        with open(hosts, "w", encoding="ascii") as file:
            file.write(f"{CLIENT} {NAME}\n{V6_CLIENT} {NAME}\n")
        subprocess.run(["mount", "--bind", hosts, os.path.join(root, "etc", "hosts")], check=True)

    def record(self, postfix):
        """The bytes that a running Postfix sends for each kind of session."""
        recorded = {}
        with Recorder() as recorder, Authentication(os.path.join(postfix.queue, "auth")):
            for kind, session in self.kinds.items():
                self._hold(**session)
                recorded[kind] = b"".join(recorder.take())
        return recorded

    @staticmethod
    def _connect(source, server, port, tls, certificate):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if tls:
            context.minimum_version = context.maximum_version = tls
        if certificate:
            context.load_cert_chain(certificate.chain, certificate.key)
        if port == 465:
            return smtplib.SMTP_SSL(server, port, NAME, timeout=60, source_address=(source, 0), context=context)
        client = smtplib.SMTP(server, port, NAME, timeout=60, source_address=(source, 0))
        client.ehlo()
        if tls:
            client.starttls(context=context)
            client.ehlo()
        return client

    def _hold(self, source=CLIENT, server=SERVER, port=SUBMISSION_PORT, tls=None, certificate=None, user=None,
              talk=None, sender="ann@client.example", recipients=("me@here.example",)):
        with self._connect(source, server, port, tls, certificate) as client:
            if user:
                client.login(user, "secret")
            if talk:
                talk(client)
            else:
                client.mail(sender, ["SIZE=1000", *(["AUTH=ann@client.example"] if user else [])])
                for recipient in recipients:
                    client.rcpt(recipient)
                code, text = client.data(b"Subject: test\r\n\r\nhello\r\n")
                if code != 250:
                    raise AssertionError(f"{code} {text}")

    @staticmethod
    def _say_rare_commands(client):
        client.docmd("VRFY", "me@here.example")
        client.docmd("ETRN", "here.example")

    @staticmethod
    def _send_by_helo(client):
        client.helo(NAME)
        client.mail("ann@client.example")
        client.rcpt("me@here.example")
        client.rset()


# What is another every time.
CHANGING = (rb"^(instance)=[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]+\.[0-9a-f]+$", rb"^(queue_id)=[0-9A-Za-z]+$",
            rb"^(client_port)=[0-9]+$", rb"^(ccert_(?:pubkey_)?fingerprint)=(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$",
            rb"^(mail_version)=[0-9.]+$")


def without_what_changes(octets):
    for pattern in CHANGING:
        octets = re.sub(pattern, rb"\1=...", octets, flags=re.MULTILINE)
    return octets.decode().splitlines()
