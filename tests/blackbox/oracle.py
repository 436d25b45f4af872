"""Asks all the time, as Postfix does, and knows which answers are allowed.

    with Oracle(daemon, {"bank.example": {"OK encrypt"}, "absent.example": {"NOTFOUND "}}) as oracle:
        ... faults ...

A stricter row answered "not found", or weaker, is what must never be; any answer that isn't in the set
of its key fails the run, and so does a reply that takes longer than two seconds, not counting those in
which the machine itself stood still, a refused connection, or a second end of the stream in a row:
Postfix asks twice on two connections, then defers the mail.
"""

import random
import threading
import time

from processes import HANGS, SLOWNESS, wait_until
from socketmap import Client

SLOWEST = 2.0 * SLOWNESS
PAUSE = 0.0005
STRICT = {"required": "OK encrypt", "verified": "OK verify", "secure": "OK secure", "dane-only": "OK dane-only"}
NOT_FOUND = "NOTFOUND "


def strict_rows(count, suffix="strict.example"):
    """Rows of stricter levels, and what they answer."""
    profiles = list(STRICT)
    rows = [(f"d{number}.{suffix}", profiles[number % len(profiles)]) for number in range(count)]
    return rows, {destination: {STRICT[profile]} for destination, profile in rows}


def fold(reply):
    """TEMP and PERM carry a text that may change."""
    word = reply.split(" ")[0]
    return word if word in ("TEMP", "PERM") else reply


class Stillness:
    """How long the machine itself stood still: a thread that wants to run every ten milliseconds."""

    WAKES_EVERY = 0.01
    NOISE = 0.1

    def __init__(self):
        self._pauses = []
        threading.Thread(target=self._run, daemon=True).start()

    def since(self, began):
        """Of the seconds since then, those of pauses that are no noise."""
        time.sleep(5 * self.WAKES_EVERY)  # who asks may run a moment sooner after a pause
        return sum(end - max(start, began) for start, end in list(self._pauses) if end > began)

    def _run(self):
        before = time.monotonic()
        while True:
            time.sleep(self.WAKES_EVERY)
            now = time.monotonic()
            if now - before > self.NOISE:
                self._pauses.append((before, now))
            before = now


STILLNESS = Stillness()


class Oracle:
    def __init__(self, daemon, allowed, connections=4, seed=1, table="policy"):
        self._daemon = daemon
        self._allowed = {key: frozenset(replies) for key, replies in allowed.items()}
        self._table = table
        self._stop = threading.Event()
        self._rounds = [0] * connections
        self._threads = [threading.Thread(target=self._run, args=(at, random.Random(seed + at)), daemon=True)
                         for at in range(connections)]
        self.failures = []
        self.slowest = 0.0
        self.lookups = 0
        self.reconnects = 0

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.settle()
        return self

    def __exit__(self, kind, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        if kind is None:
            self.check()

    def allow(self, allowed):
        """Further or other answers for some keys. What was on its way keeps the earlier ones."""
        self._allowed = {**self._allowed, **{key: frozenset(replies) for key, replies in allowed.items()}}

    def check(self):
        if self.failures:
            raise AssertionError(f"{len(self.failures)} wrong, at first: {self.failures[:5]}\n"
                                 f"{self._daemon.log()[-4000:]}")
        if not self.lookups:
            raise AssertionError("nothing was asked")

    def settle(self, rounds=1):
        """Waits until each connection has asked all keys again so many times."""
        goal = [done + rounds + 1 for done in self._rounds]
        wait_until(lambda: self.failures or all(done >= wanted for done, wanted in zip(self._rounds, goal)),
                   "every key was asked", 60 * SLOWNESS)
        self.check()

    def _run(self, at, choice):
        address = (self._daemon.tcp, self._daemon.unix)[at % 2]
        client = None
        while not self._stop.is_set() and len(self.failures) < 100:
            keys = list(self._allowed)
            choice.shuffle(keys)
            for key in keys:
                if self._stop.is_set():
                    break
                client = self._ask(address, client, key)
                time.sleep(PAUSE)
            self._rounds[at] += 1
        if client:
            client.close()

    def _ask(self, address, client, key):
        before = self._allowed[key]
        began = time.monotonic()
        reply = "no answer"
        for _ in range(2):
            try:
                client = client or Client(address, HANGS * SLOWEST)
                reply = fold(client.ask(key, self._table))
                break
            except (EOFError, ConnectionResetError, BrokenPipeError) as error:
                reply = f"no answer: {error!r}"
                self.reconnects += 1
            except (OSError, AssertionError) as error:
                reply = f"no answer: {error!r}"
                if client:
                    client.close()
                client = None
                break
            if client:
                client.close()
            client = None
        took = time.monotonic() - began
        if took > Stillness.NOISE:
            took -= STILLNESS.since(began)
        self.slowest = max(self.slowest, took)
        self.lookups += 1
        if reply not in before | self._allowed[key]:
            self.failures.append(f"{key}: {reply}")
        if took > SLOWEST:
            self.failures.append(f"{key}: answered only after {took:.2f} s")
        return client
