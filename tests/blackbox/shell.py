"""A sqlite3 shell that keeps its connection, and so its locks."""

import subprocess


class Shell:
    def __init__(self, database, command=()):
        self._process = subprocess.Popen([*command, "sqlite3", "-bail", database], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def say(self, sql):
        """Returns what it printed once all of `sql` is done."""
        self._process.stdin.write(f"{sql}\n.print -done-\n")
        self._process.stdin.flush()
        lines = []
        while (line := self._process.stdout.readline()) != "-done-\n":
            if not line:
                raise AssertionError(f"sqlite3 gave up: {lines}")
            lines.append(line.rstrip("\n"))
        return lines

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    close = __exit__
