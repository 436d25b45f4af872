"""A desk to work at: a temporary folder with a configuration, the real tlspolicyctl and the real sqlite3."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

BIN = pathlib.Path(os.environ.get("TLSPOLICYD_BIN", "build/release/bin"))
CTL = BIN / "tlspolicyctl"
PATIENCE = 60

DONE, NOT_WELL, USAGE, FAILED = 0, 1, 2, 3


class Desk(unittest.TestCase):
    """Each test has its own folder; nothing in it outlives the test."""

    settings = {}

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ctl-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.db = self.folder / "lib" / "policy.db"
        self.config = self.folder / "tlspolicyd.conf"
        self.control = self.folder / "control.sock"
        self.configure()

    def configure(self, **settings):
        values = {"policy_db": self.db, "state_db": self.folder / "state.db",
                  "image_file": self.folder / "policy.image", "control_socket": self.control,
                  "tlsmap_listen": f"unix:{self.folder}/map.sock", **self.settings, **settings}
        self.config.write_text("".join(f"{key} = {value}\n" for key, value in values.items()))

    def ctl(self, *arguments, stdin=subprocess.DEVNULL, **options):
        return subprocess.run([CTL, "--config", self.config, *map(str, arguments)], stdin=stdin,
                              capture_output=True, text=True, timeout=PATIENCE, check=False, **options)

    def expect(self, status, *arguments, **options):
        done = self.ctl(*arguments, **options)
        self.assertEqual(status, done.returncode, f"{arguments}: {done.stdout}{done.stderr}")
        if status in (USAGE, FAILED):
            self.assertEqual("", done.stdout, "a verb that came to nothing has nothing to show")
            self.assertRegex(done.stderr, r"\Atlspolicyctl: \S")
            self.assertNotIn("constraint failed", done.stderr)
        return done

    def done(self, *arguments, **options):
        return self.expect(DONE, *arguments, **options).stdout

    def refused(self, status, *arguments):
        return self.expect(status, *arguments).stderr

    def data(self, *arguments, status=DONE):
        return json.loads(self.expect(status, *arguments, "--json").stdout)

    def init(self):
        return self.done("init")

    def sql(self, statement, status=0):
        done = subprocess.run(["sqlite3", "-batch", self.db, statement], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(status, done.returncode, done.stderr)
        return done.stdout.strip()


class Answering:
    """Serves one connection after the other on a socket: reads until `is_complete`, sends `reply`."""

    def __init__(self, listener, is_complete, reply):
        self.heard = []
        self.listener = listener
        self.is_complete = is_complete
        self.reply = reply
        self.thread = threading.Thread(target=self.serve, daemon=True)

    @classmethod
    def on_unix(cls, path, is_complete, reply):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        return cls(listener, is_complete, reply)

    @classmethod
    def on_tcp(cls, is_complete, reply, family=socket.AF_INET, host="127.0.0.1"):
        listener = socket.socket(family)
        listener.bind((host, 0))
        listener.listen()
        return cls(listener, is_complete, reply)

    @property
    def port(self):
        return self.listener.getsockname()[1]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE)
        self.listener.close()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                heard = b""
                while not self.is_complete(heard):
                    more = peer.recv(65536)
                    if not more:
                        break
                    heard += more
                self.heard.append(heard)
                if self.reply is None:
                    peer.recv(1)  # silent until the client has had enough
                else:
                    peer.sendall(self.reply)
