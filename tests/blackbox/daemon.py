"""The real daemon in a directory of its own: configured, started, edited, its roles killed, stopped.

    with Daemon(rows=[("bank.example", "required")]) as daemon:
        daemon.ask("bank.example")

Whatever happens in between, nothing of it runs afterwards; a daemon that doesn't end well fails the test.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from notify import NotifySocket
from processes import SLOWNESS, all_with, children_of, is_alive, name_of, wait_until
from shell import Shell
from socketmap import Client

BIN = os.environ.get("TLSPOLICYD_BIN", "")
BAD_CONFIG = 78  # EX_CONFIG
serials = itertools.count()


def quoted(value):
    return "NULL" if value is None else str(value) if isinstance(value, int) else \
        "'" + value.replace("'", "''") + "'"


def insertion(*row):
    """The SQL of a row: destination, profile, match, mode, expires_at as far as given."""
    columns = ("destination", "profile", "match", "mode", "expires_at")[:len(row)]
    values = ", ".join(quoted(value) for value in row)
    return f"INSERT INTO outbound({', '.join(columns)}) VALUES({values});\n"


def loopback_address():
    """An address and port that no other process on this machine uses: all of 127/8 is ours to share."""
    pid = os.getpid()
    return f"127.{1 + (pid >> 16) % 254}.{(pid >> 8) & 255}.{pid & 255}:{20000 + next(serials)}"


class Daemon:
    """Ready on entry. `settings` are those of the configuration; None leaves a key out."""

    def __init__(self, rows=(), init=True, start=True, policyd=False, environment=None, preexec=None, **settings):
        self.directory = tempfile.mkdtemp(prefix="tlspolicyd-")
        self.policy_db = self.path("policy.db")
        self.image_file = self.path("policy.image")
        self.config = self.path("tlspolicyd.conf")
        self.tcp = f"inet:{loopback_address()}"
        self.unix = f"unix:{self.path('tlsmap.sock')}"
        self.policyd = f"unix:{self.path('policyd.sock')}"
        self.notify = None
        self.process = None
        self._rows, self._init, self._start = rows, init, start
        self._mark = f"TLSPOLICYD_TEST={self.directory}"
        self._environment = {**os.environ, **(environment or {}), "TLSPOLICYD_TEST": self.directory}
        self._preexec = preexec
        self._shells = contextlib.ExitStack()
        self.settings = {
            "policy_db": self.policy_db, "state_db": self.path("state.db"), "image_file": self.image_file,
            "control_socket": self.path("control.sock"), "tlsmap_listen": f"{self.tcp}, {self.unix}",
            "policyd_listen": self.policyd if policyd else None, "probe_watch": "no", **settings}
        self.configure()

    def path(self, name):
        return os.path.join(self.directory, name)

    def configure(self, text="", **settings):
        """Writes the configuration anew, `settings` changed and `text` behind it."""
        self.settings.update(settings)
        lines = [f"{key} = {value}\n" for key, value in self.settings.items() if value is not None]
        with open(self.config, "w", encoding="utf-8") as file:
            file.writelines([*lines, text])

    # The admin's hands.

    def run_ctl(self, *arguments):
        return subprocess.run([os.path.join(BIN, "tlspolicyctl"), "--config", self.config, *arguments],
                              capture_output=True, text=True, check=False, timeout=120)

    def ctl(self, *arguments, expect=0):
        done = self.run_ctl(*arguments)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"tlspolicyctl {arguments}: {done.returncode} {done.stdout}{done.stderr}")
        return done.stdout

    def status(self):
        """What the daemon says of itself; {} while its store is away."""
        try:
            return json.loads(self.ctl("status", "--json", expect=None))
        except json.JSONDecodeError:
            return {}

    def trouble(self):
        """The code of what is wrong with policy.db, empty where nothing is."""
        return self.status().get("policy_db", {}).get("code")

    def edit(self, sql, database=None):
        """By the sqlite3 shell, as an admin would."""
        done = subprocess.run(["sqlite3", "-bail", "-cmd", ".timeout 10000", database or self.policy_db],
                              input=sql, text=True, errors="backslashreplace", capture_output=True, check=False,
                              timeout=300)
        if done.returncode or done.stderr:
            raise AssertionError(f"sqlite3: {done.stderr}")
        return done.stdout

    def edit_all(self, sql):
        """In one transaction, its lines then put into the database file itself."""
        self.edit(f"BEGIN IMMEDIATE;\n{sql}\nCOMMIT;\n")
        self.edit("PRAGMA wal_checkpoint(TRUNCATE);")

    def open_shell(self, command=()):
        """A sqlite3 shell that stays: send it lines with say(). `command` stands before it."""
        return self._shells.enter_context(Shell(self.policy_db, command))

    # Postfix's side.

    def client(self, address=None, patience=30):
        return Client(address or self.tcp, patience)

    def ask(self, key, table="policy"):
        with self.client() as client:
            return client.ask(key, table)

    def wait_until_answers(self, key, expected, within=20.0):
        """`expected`: the whole reply or, for TEMP, its first word."""
        said = []

        def answers():
            said[:] = [self.ask(key)]
            return said[0] == expected or said[0].split(" ")[0] == expected

        wait_until(answers, lambda: f"{key} answers {expected}, not {said}\n{self.log()}", within * SLOWNESS)

    # Life and death.

    def __enter__(self):
        try:
            if self._init:
                self.ctl("init")
                if self._rows:
                    self.edit_all("".join(insertion(*row) for row in self._rows))
            if self._start:
                self.start()
        except BaseException:
            self._leave_nothing()
            raise
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
            elif self.process:
                print(self.log(), file=sys.stderr)
        finally:
            self._leave_nothing()

    def _leave_nothing(self):
        self._shells.close()
        self.kill()
        if self.notify:
            self.notify.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self, command=None, ready=True):
        """Returns when the service manager is told READY. `command` stands before the program."""
        if self.notify:
            self.notify.close()
        self.notify = NotifySocket(self.path("notify"))
        environment = {**self._environment, "NOTIFY_SOCKET": self.notify.path}
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(
                [*(command or ()), os.path.join(BIN, "tlspolicyd"), "--config", self.config],
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                close_fds=command is None, preexec_fn=self._preexec)
        if ready:
            try:
                self.notify.wait_for("READY=1", within=60, is_hopeless=lambda: self.process.poll() is not None)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.log()}") from None

    def stop(self):
        """By SIGTERM; it must end with 0, leave no process, and nothing that a sanitizer found."""
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        log = self.log()
        self.process = None
        if status != 0:
            raise AssertionError(f"tlspolicyd ended with {status}\n{log}")
        wait_until(lambda: not self.processes(), lambda: f"no process is left of {self.processes()}", 20 * SLOWNESS)
        if "Sanitizer" in log or "runtime error:" in log:
            raise AssertionError(log)

    def kill(self):
        """It and its roles, at once."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):  # its parent's end was its own
                os.kill(pid, signal.SIGKILL)
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self):
        self.stop()
        self.start()

    def processes(self):
        return all_with(self._mark)

    def log(self):
        with contextlib.suppress(FileNotFoundError), \
                open(self.path("log"), encoding="utf-8", errors="replace") as file:
            return file.read()
        return ""

    def roles(self):
        """Name to process id: direct children of the parent that call themselves `tlspolicyd: NAME`."""
        named = ((name_of(pid), pid) for pid in children_of(self.process.pid) if is_alive(pid))
        return {name.removeprefix("tlspolicyd: "): pid for name, pid in named if name.startswith("tlspolicyd: ")}

    def role(self, name, other_than=None):
        """The process id of a role, waited for; `other_than`: the one that is no more."""
        def there():
            pid = self.roles().get(name)
            return pid if pid != other_than else None
        return wait_until(there, lambda: f"a role {name} other than {other_than} runs\n{self.log()}", 60)

    def kill_role(self, name):
        """kill -9; returns the process id that is no more."""
        pid = self.role(name)
        os.kill(pid, signal.SIGKILL)
        return pid

    def restart_store(self):
        """By kill -9; returns when the next one reports."""
        killed = self.kill_role("store")
        self.wait_for_store(killed)

    def wait_for_store(self, other_than):
        """Until the next one reports: a start that is killed before that came to nothing, and pauses follow it."""
        self.role("store", other_than=other_than)
        wait_until(self.status, "the new store reports", 20 * SLOWNESS)
