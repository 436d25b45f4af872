"""What a daemon has counted and knows, and log lines and datagrams as Postfix writes them."""
import itertools
import time

from processes import SLOWNESS, wait_until

serials = itertools.count(0x10000)  # no queue id is short
HANDSHAKE = "dsn=4.7.5, status=deferred (Cannot start TLS: handshake failure)"
SENT = "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9Z)"


def line(message, pid=4242, stamp=None):
    stamp = stamp or time.strftime("%b %e %H:%M:%S")
    return f"{stamp} mail postfix/smtp[{pid}]: {message}\n"


def status(domain, end=HANDSHAKE, pid=4242, relay="mx1.peer.test[192.0.2.10]:25", stamp=None):
    """A status line with a queue id of its own."""
    return line(f"{next(serials):X}A: to=<u@{domain}>, relay={relay}, delay=0.4, delays=0.1/0.01/0.29/0, {end}",
                pid, stamp)


def encrypted(domain, pid=4242):
    return line("Trusted TLS connection established to mx1.peer.test[192.0.2.10]:25: TLSv1.3 with cipher "
                "TLS_AES_256_GCM_SHA384 (256/256 bits)", pid) + status(domain, SENT, pid)


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def counted(daemon, what="sum(count)", where="1"):
    """Of the table `evidence`; None while there is none."""
    said = daemon.edit(f"SELECT {what} FROM evidence WHERE {where};", daemon.path("state.db")).strip()
    return int(said) if said.isdigit() else said or 0


def wait_until_counted(daemon, number, where="1"):
    wait_until(lambda: counted(daemon, where=where) == number,
               lambda: f"{number} are counted where {where}:\n"
                       + daemon.edit("SELECT * FROM evidence;", daemon.path("state.db")) + daemon.log(),
               60 * SLOWNESS)


def ingest_status(daemon):
    return daemon.status().get("feedback", {}).get("ingest") or {}


def wait_for_status(daemon, **expected):
    wait_until(lambda: expected.items() <= ingest_status(daemon).items(),
               lambda: f"status has {expected}: {ingest_status(daemon)}\n{daemon.log()}", 20 * SLOWNESS)
