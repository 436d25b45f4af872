"""The maps that ./dev bench --alternatives compares: each is built with the same rows, asked by its
Postfix name, edited as an admin would, and gone afterwards."""
import json
import pathlib
import socket
import sqlite3
import subprocess
import sys
import time
import types

from servers import Daemon, Server

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "postfix"))
from instance import Postfix  # pylint: disable=wrong-import-position

SQLITE_ROWS = """
CREATE TABLE policy(destination TEXT PRIMARY KEY, policy TEXT NOT NULL) WITHOUT ROWID;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {exact})
  INSERT INTO policy SELECT printf('d%07d.bench.example', i), 'encrypt' FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {parents})
  INSERT INTO policy SELECT printf('.p%07d.bench.example', i), 'encrypt' FROM n;
COMMIT;
"""
RESOLVER_CONFIG = """
host: 127.0.0.1
port: {port}
cache_grace: 86400
cache:
  type: sqlite
  options:
    filename: {folder}/cache.db
default_zone:
  strict_testing: false
  timeout: 1
"""
# What it makes last in a new cache.
LAST_INDEX = "sts_policy_domain_ts"


class Way:
    """A map as main.cf names it. What isn't said here is as for a file map."""

    share = 1       # one key in so many is asked
    misses = True   # whether misses can be measured
    brings_rows = True  # or shares those of another
    built = 0.0     # seconds from nothing to the first answer
    no_edit = ""    # why nothing can be edited

    def __init__(self, name, table):
        self.name = name
        self.map = table

    def build(self, client):
        """Brings the rows in; the map may answer a little later."""

    def pids(self):
        """The processes that serve it, beside the asking one."""
        return []

    def edits(self):
        """{what is done: how}; each puts in one row."""
        return {}

    def stop(self):
        """Ends what build() has started."""


class Ours(Way):
    def __init__(self, folder, options, transport, daemon=None):
        super().__init__(f"tlspolicyd, {transport}", "")
        self._options = options
        self._daemon = daemon or Daemon(folder, options.build, options.rows)
        self.brings_rows = daemon is None
        self.map = f"socketmap:{self._daemon.address(transport).replace('tcp', 'inet')}:policy"

    def over(self, transport):
        """The same daemon by another socket."""
        return Ours(None, self._options, transport, self._daemon)

    def build(self, _client):
        if self.brings_rows:
            self._daemon.fill()
            self._daemon.start()
            self._daemon.wait_until_answering(time.monotonic())

    def pids(self):
        return [self._daemon.pid()]

    def edits(self):
        return {"one INSERT": self._insert}

    def _insert(self, key):
        with sqlite3.connect(self._daemon.database, timeout=10) as database:
            database.execute("INSERT INTO outbound(destination, profile) VALUES(?, 'required')", (key,))

    def stop(self):
        if self.brings_rows:
            self._daemon.stop()


class Sqlite(Way):
    def __init__(self, folder, rows):
        folder.mkdir()
        self._rows = rows
        self._database = folder / "policy.db"
        self._source = folder / "policy.cf"
        super().__init__("`sqlite:`", f"sqlite:{self._source}")

    def build(self, _client):
        self._source.write_text(f"dbpath = {self._database}\n"
                                "query = SELECT policy FROM policy WHERE destination = '%s'\n", encoding="ascii")
        parents = self._rows // 10
        subprocess.run(["sqlite3", str(self._database)], check=True, text=True,
                       input=SQLITE_ROWS.format(exact=self._rows - parents, parents=parents))

    def edits(self):
        return {"one INSERT": self._insert}

    def _insert(self, key):
        with sqlite3.connect(self._database, timeout=10) as database:
            database.execute("INSERT INTO policy VALUES(?, 'encrypt')", (key,))


class Proxied(Way):
    """The map of another way, by proxymap(8) of a private Postfix. Needs the namespaces of run.py."""

    brings_rows = False

    def __init__(self, way, spool):
        super().__init__("`proxy:sqlite:`", f"proxy:{way.map}")
        self._way = way
        self._postfix = Postfix(f"{spool}/bench", types.SimpleNamespace(ca_file=""),
                                f"proxy_read_maps = {self.map}\n")
        self._is_running = False
        self.config = self._postfix.config

    def build(self, _client):
        self._postfix.__enter__()
        self._is_running = True

    def pids(self):
        """This process namespace has no other proxymap(8)."""
        names = {path.parent.name: path for path in pathlib.Path("/proc").glob("[0-9]*/comm")}
        return [pid for pid, path in names.items() if path.read_text(encoding="ascii") == "proxymap\n"]

    def edits(self):
        return self._way.edits()

    def stop(self):
        if self._is_running:
            self._postfix.__exit__(None, None, None)


class Indexed(Way):
    """A text file that postmap compiles: lmdb or hash."""

    def __init__(self, kind, folder, rows):
        folder.mkdir()
        self._rows = rows
        self._text = folder / "policy"
        self._client = None
        super().__init__(f"`{kind}:`", f"{kind}:{self._text}")

    def build(self, client):
        self._client = client
        parents = self._rows // 10
        with open(self._text, "w", encoding="ascii") as text:
            text.writelines(f"d{number:07d}.bench.example encrypt\n" for number in range(self._rows - parents))
            text.writelines(f".p{number:07d}.bench.example encrypt\n" for number in range(parents))
        self._compile()

    def _compile(self):
        subprocess.run(self._client.command(self.map), check=True)

    def edits(self):
        return {"postmap of it all": self._append, "postmap -i": self._add}

    def _append(self, key):
        with open(self._text, "a", encoding="ascii") as text:
            text.write(f"{key} encrypt\n")
        self._compile()

    def _add(self, key):
        subprocess.run(self._client.command("-i", self.map), input=f"{key} encrypt\n", text=True, check=True)


class ResolverServer(Server):
    def __init__(self, folder):
        super().__init__(folder, pin=False)
        self.config = self.folder / "mta-sts-daemon.yml"
        self.config.write_text(RESOLVER_CONFIG.format(port=self.port, folder=self.folder), encoding="ascii")

    def command(self):
        # Its HTTPS library looks for .netrc at home.
        return ["env", f"HOME={self.folder}", "mta-sts-daemon", "-v", "error", "-c", str(self.config)]


class Resolver(Way):
    """postfix-mta-sts-resolver, with the policies of as many domains in the cache that it keeps in SQLite."""

    share = 10
    misses = False
    no_edit = "no rows to edit: the domains write the policies"
    unmeasured = (
        "postfix-mta-sts-resolver, misses: each is a DNS query, and there is no DNS here.",
        "postfix-mta-sts-resolver, its memory cache: it is filled by DNS and HTTPS alone, and holds 10,000 domains. "
        "Measured is its SQLite cache, filled by us, fresh for a day (`cache_grace`), so that no hit asks DNS.",
        "postfix-mta-sts-resolver, a changed policy: it is the domain's, found by DNS and HTTPS.",
    )

    def __init__(self, folder, rows):
        self._server = ResolverServer(folder)
        self._rows = rows
        super().__init__("postfix-mta-sts-resolver", f"socketmap:inet:127.0.0.1:{self._server.port}:postfix")

    def build(self, _client):
        """The first start makes the tables, the second finds them full."""
        cache = self._server.folder / "cache.db"
        self._server.start()
        self._wait_until(self._has_tables, "made no cache")
        self._server.stop()
        policy = json.dumps({"version": "STSv1", "mode": "enforce", "max_age": 31557600, "mx": ["mx.bench.example"]})
        now = int(time.time())
        with sqlite3.connect(cache) as database:
            database.executemany("INSERT INTO sts_policy_cache(domain, ts, pol_id, pol_body) VALUES(?, ?, '1', ?)",
                                 ((f"d{number:07d}.bench.example", now, policy) for number in range(self._rows)))
        self._server.start()
        self._wait_until(self._is_listening, "does not listen")

    def _wait_until(self, done, what):
        deadline = time.monotonic() + 30
        while not done():
            if time.monotonic() > deadline or self._server.process.poll() is not None:
                log = (self._server.folder / "log").read_text(errors="replace")
                raise TimeoutError(f"mta-sts-daemon {what}; it says:\n{log[-1000:]}")
            time.sleep(0.05)

    def _has_tables(self):
        cache = self._server.folder / "cache.db"
        if not cache.exists():
            return False
        with sqlite3.connect(cache, timeout=10) as database:
            return database.execute(f"SELECT 1 FROM sqlite_master WHERE name = '{LAST_INDEX}'").fetchone()

    def _is_listening(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._server.port)) == 0

    def pids(self):
        return [self._server.process.pid]

    def stop(self):
        self._server.stop()
