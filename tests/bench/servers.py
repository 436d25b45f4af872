"""The servers that ./dev bench measures: started on free addresses, asked, and gone afterwards."""
import os
import pathlib
import signal
import socket
import subprocess
import time

# Rows and keys go together: see keys.h.
FILL = """
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {exact})
  INSERT INTO outbound(destination, profile) SELECT printf('d%07d.bench.example', i), 'required' FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {parents})
  INSERT INTO outbound(destination, profile) SELECT printf('.p%07d.bench.example', i), 'required' FROM n;
COMMIT;
"""

CONFIG = """
policy_db = {folder}/policy.db
state_db = {folder}/state.db
image_file = {folder}/policy.image
control_socket = {folder}/control.sock
tlsmap_listen = unix:{folder}/tlsmap.sock, inet:127.0.0.1:{port}
log_level = warning
probe_watch = no
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Client:
    """One socketmap connection, as smtp(8) holds it."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(5)
        self.socket.connect(path)

    def ask(self, key):
        return self.ask_map("policy", key)

    def ask_map(self, name, key):
        payload = f"{name} {key}".encode()
        self.socket.sendall(b"%d:%s," % (len(payload), payload))
        reply = b""
        while not reply.endswith(b","):
            part = self.socket.recv(4096)
            if not part:
                raise ConnectionResetError("the server hung up")
            reply += part
        return reply.partition(b":")[2][:-1].decode()

    def close(self):
        self.socket.close()


def wait_for(path, key, want, since, limit=120.0):
    """Seconds from `since` to the first answer to `key` that begins with `want`. Asks without a pause
    over a fresh connection whenever the last one failed, as Postfix would."""
    client = None
    while time.monotonic() - since < limit:
        try:
            client = client or Client(path)
            if client.ask(key).startswith(want):
                client.close()
                return time.monotonic() - since
            time.sleep(0.001)
        except OSError:
            if client:
                client.close()
            client = None
    log = pathlib.Path(path).with_name("log").read_text(errors="replace")
    raise TimeoutError(f"{key} was not answered with {want} within {limit} s; the log says:\n{log[-2000:]}")


class Server:
    """A process that listens on unix:FOLDER/tlsmap.sock and inet:127.0.0.1:PORT."""

    def __init__(self, folder, pin):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.port = free_port()
        self.path = str(self.folder / "tlsmap.sock")
        self.prefix = ["setpriv", "--pdeathsig", "KILL"] + (["taskset", "-c", "0"] if pin else [])
        self.process = None

    def address(self, transport):
        return f"unix:{self.path}" if transport == "unix" else f"inet:127.0.0.1:{self.port}"

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.prefix + self.command(), stderr=log)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class NullResponder(Server):
    name = "null"

    def __init__(self, folder, build, pin):
        super().__init__(folder, pin)
        self.program = f"{build}/bench/null_responder"

    def command(self):
        return [self.program, self.address("unix"), self.address("tcp")]

    def pid(self):
        return self.process.pid

    def expect(self, _kind):
        return "OK "


class Daemon(Server):
    def __init__(self, folder, build, rows, pin=False):
        super().__init__(folder, pin)
        self.build = build
        self.rows = rows
        self.name = f"{rows:,} rows"
        self.database = self.folder / "policy.db"
        self.config = self.folder / "tlspolicyd.conf"
        self.config.write_text(CONFIG.format(folder=self.folder, port=self.port))

    def command(self):
        return [f"{self.build}/bin/tlspolicyd", "--config", str(self.config)]

    def fill(self):
        subprocess.run([f"{self.build}/bin/tlspolicyctl", "--config", str(self.config), "init"],
                       check=True, stdout=subprocess.DEVNULL)
        parents = self.rows // 10
        subprocess.run(["sqlite3", str(self.database)], check=True, text=True,
                       input=FILL.format(exact=self.rows - parents, parents=parents))

    def first_key(self):
        return "d0000000.bench.example"

    def wait_until_answering(self, since):
        return wait_for(self.path, self.first_key(), "OK", since)

    def pid(self, role="answer"):
        """The process of a role: a direct child whose argv[0] says so."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for child in children.split():
            title = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0].decode()
            if title == f"tlspolicyd: {role}":
                return int(child)
        raise ProcessLookupError(f"no role {role}")

    def kill_answer(self):
        os.kill(self.pid(), signal.SIGKILL)

    def expect(self, kind):
        return "NOTFOUND" if kind == "miss" else "OK "
