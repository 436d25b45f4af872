"""The admin of the soak: changes rows with the sqlite3 shell all the time, and waits to see each change in force."""
import collections
import contextlib
import subprocess
import threading
import time

from board import PROFILES

EDITED = 300
PAUSE = 0.1
# No question waits longer than this; a row that changed again meanwhile would have an answer nobody allows.
REST = 4.0
LIVE_WITHIN = 30.0


def destination_of(number):
    """A third of the rows holds for all below a name."""
    return f".p{number}.edit.example" if number % 3 == 0 else f"e{number}.edit.example"


def question_of(number):
    return f"policy mail{destination_of(number)}" if number % 3 == 0 else f"policy {destination_of(number)}"


def first_profile(number):
    return list(PROFILES)[number % len(PROFILES)]


def sql_of(number, profile):
    destination = destination_of(number)
    if profile is None:
        return f"DELETE FROM outbound WHERE destination = '{destination}';\n"
    return (f"INSERT INTO outbound(destination, profile) VALUES('{destination}', '{profile}') "
            f"ON CONFLICT(destination) DO UPDATE SET profile = excluded.profile;\n")


class Editor:
    """`database_lock` is held by whoever needs policy.db to himself."""

    def __init__(self, daemon, board, choice):
        self._daemon, self._board, self._choice = daemon, board, choice
        self.database_lock = threading.Lock()
        self.is_settled = threading.Event()  # what was committed is in force
        self._stop = threading.Event()
        self._profiles = [first_profile(number) for number in range(EDITED)]
        self._resting = collections.deque()  # (until, number)
        self._client = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.edits = 0
        self.slowest = 0.0
        self.failure = None
        self.is_settled.set()

    @staticmethod
    def questions():
        return {question_of(number): [PROFILES[first_profile(number)]] for number in range(EDITED)}

    @staticmethod
    def sql():
        return "".join(sql_of(number, first_profile(number)) for number in range(EDITED))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(LIVE_WITHIN + 30)
        if self._client:
            self._client.close()

    def _run(self):
        try:
            while not self._stop.wait(PAUSE * 2 * self._choice.random()):
                self._edit()
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            self.failure = error

    def _choose(self):
        """Some rows that nobody asks about in their old state any more, each with another profile."""
        while self._resting and self._resting[0][0] < time.monotonic():
            self._resting.popleft()
        resting = {number for _, number in self._resting}
        free = [number for number in range(EDITED) if number not in resting]
        changes = {}
        for number in self._choice.sample(free, min(self._choice.choice((1, 1, 1, 5, 20)), len(free))):
            others = [profile for profile in PROFILES if profile != self._profiles[number]]
            changes[number] = self._choice.choice(others)
        return changes

    def _edit(self):
        changes = self._choose()
        if not changes:
            return
        with self.database_lock:
            self.is_settled.clear()
            for number, profile in changes.items():
                self._board.allow(question_of(number), PROFILES[self._profiles[number]], PROFILES[profile])
            self._commit("".join(sql_of(number, profile) for number, profile in changes.items()))
            began = time.monotonic()
        for number, profile in changes.items():
            self._wait_until_live(question_of(number), PROFILES[profile], began)
            self._board.allow(question_of(number), PROFILES[profile])
            self._profiles[number] = profile
            self._resting.append((time.monotonic() + REST, number))
        self.is_settled.set()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.edits += 1

    def _commit(self, sql):
        self._daemon.edit(f"BEGIN IMMEDIATE;\n{sql}COMMIT;\n")

    def _wait_until_live(self, question, answer, began):
        """Asked on a connection of its own. It is Postfix's to see no earlier answer from here on."""
        table, _, key = question.partition(" ")
        said = None
        while said != answer:
            if time.monotonic() - began > LIVE_WITHIN:
                raise AssertionError(f"{question} answers {said} and not {answer} {LIVE_WITHIN} s after its edit")
            try:
                self._client = self._client or self._daemon.client(patience=5)
                said = self._client.ask(key, table)
            except (OSError, EOFError):
                with contextlib.suppress(AttributeError):
                    self._client.close()
                self._client = None
            if said != answer:
                time.sleep(0.005)
