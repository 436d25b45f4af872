"""The real tlspolicyd under test: configured, started, edited, its roles killed, stopped."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time

import socketmap

BIN = os.environ.get("TLSPOLICYD_BIN", "")
TCP_ENDPOINT = "inet:127.0.0.1:8460"
# Below a Postfix queue directory, and so inside the chroot of smtp(8).
SOCKET_FOLDER = "tlspolicyd"
FIRST_HELD = 100
LOOK_EVERY = 0.01
# An edit is live after 0.3 s; a loaded machine gets more.
EDIT_LIVE_WITHIN = 20


def sql_text(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


class Daemon:
    """Use as a context: ready on entry, gone after it."""

    def __init__(self, directory, queue_directory=None, **settings):
        self.directory = directory
        os.makedirs(directory)
        self.policy_db = os.path.join(directory, "policy.db")
        self.config = os.path.join(directory, "tlspolicyd.conf")
        self._log_path = os.path.join(directory, "log")
        self._process = None
        listeners = [TCP_ENDPOINT]
        policyd = ["inet:127.0.0.1:8461"]
        self.endpoint = TCP_ENDPOINT
        if queue_directory:
            folder = os.path.join(queue_directory, SOCKET_FOLDER)
            os.makedirs(folder, exist_ok=True)
            self.endpoint = f"unix:{folder}/tlsmap.sock"
            listeners.append(self.endpoint)
            policyd.append(f"unix:{folder}/policyd.sock")
        self._settings = {
            "policy_db": self.policy_db,
            "state_db": os.path.join(directory, "state.db"),
            "image_file": os.path.join(directory, "policy.image"),
            "control_socket": os.path.join(directory, "control.sock"),
            "tlsmap_listen": ", ".join(listeners),
            "policyd_listen": ", ".join(policyd),
            "socket_mode": "0660",
            "socket_group": "postfix",
            "postfix_version": "3.7",
            "probe_watch": "no",
            **settings,
        }
        with open(self.config, "w", encoding="utf-8") as file:
            file.writelines(f"{key} = {value}\n" for key, value in self._settings.items() if value)
        self.ctl("init")

    # The admin's hands.

    def ctl(self, *arguments):
        program = [os.path.join(BIN, "tlspolicyctl"), "--config", self.config]
        done = subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"tlspolicyctl {arguments}: {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    def edit(self, sql):
        """By the sqlite3 shell, as an admin would."""
        done = subprocess.run(["sqlite3", "-bail", self.policy_db], input=sql, text=True,
                              capture_output=True, check=False)
        if done.returncode or done.stderr:
            raise AssertionError(f"sqlite3: {done.stderr}")

    @contextlib.contextmanager
    def hold_transaction(self, sql):
        """A sqlite3 shell that has begun, changed something, and gone to lunch."""
        with subprocess.Popen(["sqlite3", "-bail", self.policy_db], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as shell:
            shell.stdin.write(f"BEGIN IMMEDIATE;\n{sql}SELECT 'changed';\n")
            shell.stdin.flush()
            said = shell.stdout.readline()
            if said != "changed\n":
                raise AssertionError(f"sqlite3 says {said!r}")
            yield
            shell.stdin.write("ROLLBACK;\n")

    @staticmethod
    def row(destination, profile, match=None):
        """The SQL of one row, inserted or changed."""
        values = ", ".join(sql_text(value) for value in (destination, profile, match))
        return (f"INSERT INTO outbound(destination, profile, match) VALUES({values}) ON CONFLICT("
                "destination) DO UPDATE SET profile = excluded.profile, match = excluded.match;\n")

    def ask(self, key, name="policy"):
        return socketmap.ask(self.endpoint, name, key)

    def wait_until_answers(self, key, expected):
        """An edit is noticed without being told; this is when it was."""
        deadline = time.monotonic() + EDIT_LIVE_WITHIN
        while (reply := self.ask(key)) != expected:
            if time.monotonic() > deadline:
                raise AssertionError(f"{key!r} answers {reply!r}, not {expected!r}\n{self.log()}")
            time.sleep(LOOK_EVERY)

    def wait_for_rules(self, count):
        """Until so many rules for incoming mail are in force."""
        deadline = time.monotonic() + EDIT_LIVE_WITHIN
        while not self._answers_by_rules(count):
            if time.monotonic() > deadline:
                raise AssertionError(f"not {count} rules\n{self.log()}")
            time.sleep(LOOK_EVERY)

    def _answers_by_rules(self, count):
        status = json.loads(self.ctl("status", "--json"))
        return status["image"]["inbound_rules"] == count and status["answer"]["digest"] == status["image"]["digest"]

    # Life and death.

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, sockets=()):
        """Returns when it says READY. `sockets`: listeners that somebody else holds, by name."""
        notify_path = os.path.join(self.directory, "notify")
        if os.path.exists(notify_path):
            os.unlink(notify_path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, \
                open(self._log_path, "ab") as log:
            notify.bind(notify_path)
            notify.settimeout(0.1)
            program = [os.path.join(BIN, "tlspolicyd"), "--config", self.config]
            environment = {**os.environ, "NOTIFY_SOCKET": notify_path}
            if sockets:
                program = pass_sockets(program, environment, sockets)
            self._process = subprocess.Popen(
                program, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[held.fileno() for _, held in sockets])
            self._await_ready(notify)

    def _await_ready(self, notify):
        deadline = time.monotonic() + 30
        while True:
            try:
                if b"READY=1" in notify.recv(4096).split(b"\n"):
                    return
            except TimeoutError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"tlspolicyd didn't get ready:\n{self.log()}")

    def stop(self):
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired as late:
                self._process.kill()
                raise AssertionError(f"tlspolicyd doesn't end:\n{self.log()}") from late

    def signal(self, number):
        """To the parent."""
        self._process.send_signal(number)

    def log(self):
        with open(self._log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def role(self, name):
        """The process id of a role: a direct child that calls itself `tlspolicyd: NAME`."""
        deadline = time.monotonic() + 20
        while True:
            for pid in children_of(self._process.pid):
                if command_of(pid) == f"tlspolicyd: {name}":
                    return pid
            if time.monotonic() > deadline:
                raise AssertionError(f"no role {name!r} is running\n{self.log()}")
            time.sleep(LOOK_EVERY)

    def kill_role(self, name):
        """kill -9; returns the process id that is no more."""
        pid = self.role(name)
        os.kill(pid, signal.SIGKILL)
        return pid


def hold_listener(endpoint):
    """A listening socket that outlives daemons, on a descriptor above those they are told of."""
    kind, _, where = endpoint.partition(":")
    if kind == "unix":
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(where)
        os.chmod(where, 0o666)
    else:
        host, _, port = where.rpartition(":")
        listener = socket.create_server((host, int(port)))
    listener.listen(socket.SOMAXCONN)
    descriptor = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, FIRST_HELD)
    listener.close()
    return socket.socket(fileno=descriptor)


def pass_sockets(program, environment, sockets):
    """The command that hands `sockets` to `program` the way systemd does (sd_listen_fds(3))."""
    moves = " ".join(f"{3 + at}<&{held.fileno()} {held.fileno()}<&-"
                     for at, (_, held) in enumerate(sockets))
    environment["LISTEN_FDS"] = str(len(sockets))
    environment["LISTEN_FDNAMES"] = ":".join(name for name, _ in sockets)
    return ["/bin/bash", "-c", f'exec {moves}; LISTEN_PID=$$ exec "$@"', "holder", *program]


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []


def command_of(pid):
    """argv[0], or nothing for a process that is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")[0].decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
