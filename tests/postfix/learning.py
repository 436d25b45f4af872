"""What a test needs to see what the daemon learns from Postfix: one smtp(8) process, and eyes on both ends."""

import contextlib
import json
import os
import smtplib
import sqlite3
import subprocess
import time

import daemon as daemons
import socketmap
from daemon import BIN, Daemon
from instance import SUBMISSION_PORT
from story import Story

# Inside the chroot of smtp(8) and relative to the queue directory: right with a chroot and without.
CHROOT_ENDPOINT = f"unix:{daemons.SOCKET_FOLDER}/tlsmap.sock"
# A transport with room for one process: every delivery comes over the same connection to us.
SOLO = "solo unix - - y - 1 smtp -o minimal_backoff_time=4s\n"
WITHIN = 60
LOOK_EVERY = 0.05
HANDSHAKE = "4.7.5 Cannot start TLS: handshake failure"
# One failure is enough, so that whatever is taken for one shows as a decision.
HASTY = ("INSERT INTO profile(name, level, fallback, attempts, retry_after, downgrade_to)"
         " VALUES('hasty', 'may', 'after-retry', 1, 1, 'none');\n")


def maps(endpoint=CHROOT_ENDPOINT, policy="policy", outcome="outcome"):
    return (f"smtp_tls_security_level = may\n"
            f"smtp_tls_policy_maps = socketmap:{endpoint}:{policy}\n"
            f"smtp_delivery_status_filter = socketmap:{endpoint}:{outcome}\n"
            "default_transport = solo\n")


def eventually(done, what, seconds=WITHIN):
    """Until done() is true, and what it then says; `what` may be a function."""
    deadline = time.monotonic() + seconds
    while not (found := done()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(LOOK_EVERY)
    return found


def send_one(*recipients, sender="", header=""):
    """One message for all of them: Postfix makes one delivery of those with one next-hop."""
    with smtplib.SMTP("127.0.0.1", SUBMISSION_PORT, timeout=60) as smtpd:
        smtpd.sendmail(sender, recipients, f"{header}Subject: test\r\n\r\nhello\r\n")


@contextlib.contextmanager
def acting_as(uid, gid):
    """What the kernel tells of us in the meantime, as of the whole process."""
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


class Speaker:
    """One connection to the daemon, which says what smtp(8) would say, or wouldn't."""

    def __init__(self, endpoint, uid=0, gid=0):
        with acting_as(uid, gid):
            self._connection = socketmap.connect(endpoint)
        self._stream = self._connection.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._connection.close()

    def say(self, request):
        self._connection.sendall(socketmap.encode(request.encode()))
        return socketmap.read_frame(self._stream).decode()


class Trace:
    """`tlspolicyctl trace DEST`, running: what Postfix asks about a destination and all below it."""

    def __init__(self, daemon, destination):
        self._daemon = daemon
        self._destination = destination
        self._path = os.path.join(daemon.directory, "trace")

    def __enter__(self):
        # pylint: disable-next=consider-using-with
        self._output = open(self._path, "w", encoding="utf-8")
        # pylint: disable-next=consider-using-with
        self._program = subprocess.Popen(
            [os.path.join(BIN, "tlspolicyctl"), "--config", self._daemon.config, "trace",
             self._destination, "--json"], stdin=subprocess.DEVNULL, stdout=self._output)
        # A question of ours, asked until it shows: from then on nothing is missed.
        mark = f"mark.{self._destination}"
        eventually(lambda: self._daemon.ask(mark) and self._lines(), "the trace shows nothing")
        return self

    def __exit__(self, *_):
        self._program.terminate()
        self._program.wait(20)
        self._output.close()

    def _lines(self):
        with open(self._path, encoding="utf-8") as file:
            return [line for line in file if line.endswith("\n")]

    def heard(self):
        """As "policy a.test -> OK encrypt" and "a.test: outcome 2.0.0 ... -> NOTFOUND"."""
        found = []
        for line in self._lines():
            said = json.loads(line)
            if not said["key"].startswith("mark."):
                is_outcome = said["map"].startswith("outcome")
                asked = f"{said['key']}: {said['map']}" if is_outcome else f"{said['map']} {said['key']}"
                found.append(f"{asked} -> {said['reply'].strip()}")
        return found

    def wait_for(self, *expected):
        eventually(lambda: len(self.heard()) >= len(expected), lambda: f"{expected}, but: {self.heard()}")
        return self.heard()


class Learning(Story):
    """A Postfix that delivers by one process, and a daemon that hears it."""

    maxDiff = None

    def begin(self, sql, main_cf=None, master_cf="", **settings):
        self.postfix = self.make_postfix(maps() if main_cf is None else main_cf, SOLO + master_cf)
        self.daemon = self.make_daemon(self.postfix, **settings)
        self.daemon.edit(HASTY + sql)
        # Both end with the test, the Postfix first.
        self.enterContext(self.daemon)
        self.enterContext(self.postfix)

    @staticmethod
    def rows(profile, *destinations):
        return "".join(Daemon.row(destination, profile) for destination in destinations)

    def deliver(self, recipient, **more):
        """One message, and what became of its first try."""
        self.postfix.send(recipient, **more)
        return self.postfix.wait_for_attempt(recipient)

    # What the daemon knows.

    def feedback(self):
        return json.loads(self.daemon.ctl("status", "--json"))["feedback"]

    def counters(self):
        """(outcomes, orphans, untrusted)"""
        feedback = self.feedback()
        return tuple(feedback.get(name, 0) for name in ("outcomes", "orphans", "untrusted"))

    def wait_for_counters(self, outcomes, orphans, untrusted=0):
        expected = (outcomes, orphans, untrusted)
        eventually(lambda: self.counters() == expected,
                   lambda: f"{expected}: {self.counters()}\n{self.daemon.log()}")

    def state_db(self, sql):
        path = os.path.join(self.daemon.directory, "state.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(sql).fetchall()

    def evidence(self, source="outcome"):
        """{(view, destination): {(security, cause): count}}"""
        found = {}
        for view, destination, security, cause, count in self.state_db(
                "SELECT view, destination, security, cause, sum(count) FROM evidence"
                f" WHERE source = '{source}' GROUP BY 1, 2, 3, 4"):
            found.setdefault((view, destination) if view else destination, {})[security, cause] = count
        return found

    def wait_for_evidence(self, expected, source="outcome"):
        """All of it, and not a piece more."""
        eventually(lambda: self.evidence(source) == expected,
                   lambda: f"{expected}: {self.evidence(source)}\n{self.daemon.log()}")

    def assert_no_evidence(self):
        """Of any delivery so far: one behind them all is counted after them."""
        self.deliver("fence@good.test")
        self.wait_for_evidence({"good.test": {("unknown", ""): 1}})

    def state(self, destination, view=""):
        states = json.loads(self.daemon.ctl("state", destination, "--json"))
        return next((state for state in states if state["view"] == view), None)

    def wait_for_state(self, destination, holds, view=""):
        return eventually(lambda: (state := self.state(destination, view)) and holds(state) and state,
                          lambda: f"the state of {destination}: {self.state(destination, view)}")

    def decisions(self, kind="downgrade"):
        return [(decision["destination"], decision["to_level"])
                for decision in json.loads(self.daemon.ctl("decisions", "--json"))
                if decision["kind"] == kind]

    def assert_nothing_was_learnt(self, *destinations):
        """No state that changes an answer, and no decision. Counts are written by the second, so
        whoever calls this has waited for them."""
        for destination in destinations:
            self.assertIsNone(self.state(destination), destination)
        self.assertEqual(json.loads(self.daemon.ctl("decisions", "--json")), [])
