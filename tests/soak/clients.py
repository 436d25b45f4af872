"""The process of clients: started, listened to, ended."""
import json
import os
import subprocess
import threading

PROGRAM = os.path.join(os.environ.get("TLSPOLICYD_BIN", ""), "..", "soak", "soak_clients")
NOTHING = {"lookups": 0, "right": 0, "weaker": 0, "wrong": 0, "deferred": 0, "late": 0, "retried": 0, "p50_ms": 0.0,
           "p99_ms": 0.0, "p999_ms": 0.0, "slowest_ms": 0.0}


class Clients:
    """Ask from entry to exit."""

    def __init__(self, board, addresses, rate, seed, patience_ms=2000):
        self._command = [PROGRAM, board.folder, *map(str, (rate, seed, patience_ms)), *addresses]
        self.tally = dict(NOTHING)
        self.complaints = []
        self._process = self._reader = None

    def __enter__(self):
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            status = self._process.wait(30)
        finally:
            self._process.kill()
        self._reader.join(10)
        self._process.stdout.close()
        if status != 0 or not self.tally.get("is_last"):
            raise AssertionError(f"the clients ended with {status}")

    def _read(self):
        for line in self._process.stdout:
            said = json.loads(line)
            if "complaint" in said:
                self.complaints.append(said)
            else:
                self.tally = said

    def is_well(self):
        """Whether nothing was answered wrong or late so far."""
        return not any(self.tally[kind] for kind in ("weaker", "wrong", "late"))

    def availability(self):
        """Percent of the questions that had their right answer."""
        return 100.0 * self.tally["right"] / max(self.tally["lookups"], 1)
