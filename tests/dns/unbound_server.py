"""A private unbound on a free port of 127.0.0.1, with zones of the test's: signed, unsigned and tampered with.

It asks nobody but itself: the zones are its own files, and every other name is refused.
"""

import os
import select
import shutil
import socket
import subprocess
import tempfile

ALGORITHM = "ECDSAP256SHA256"
CONFIG = """
server:
  interface: 127.0.0.1@{port}
  directory: "{directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  verbosity: 0
  num-threads: 1
  do-ip6: no
  do-not-query-localhost: no
  ede: yes
  root-hints: "/dev/null"
  local-zone: "." refuse
{zones}
remote-control:
  control-enable: no
{files}
"""


def find_what_is_missing():
    needed = {"unbound": "unbound", "ldns-signzone": "ldnsutils", "ldns-keygen": "ldnsutils"}
    packages = sorted({package for tool, package in needed.items() if not shutil.which(tool)})
    return "run: apt-get install --no-install-recommends " + " ".join(packages) if packages else None


class Unbound:
    """`zones`: apex -> (kind, zone file text without SOA and NS); kind is signed, unsigned, tampered or
    expired. In the text of a tampered zone an address 192.0.2.1 becomes 198.51.100.66 after signing."""

    def __init__(self, zones):
        os.environ["PATH"] += ":/usr/sbin:/sbin"
        missing = find_what_is_missing()
        if missing:
            raise AssertionError(missing)
        self._zones = zones
        self._process = None
        self.setting = None

    def __enter__(self):
        self._directory = tempfile.mkdtemp(prefix="unbound-test-")
        try:
            anchors = [self._write_zone(apex, kind, text) for apex, (kind, text) in self._zones.items()]
            self._start([anchor for anchor in anchors if anchor])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stderr.close()
        shutil.rmtree(self._directory)

    def _run(self, *command):
        done = subprocess.run(command, cwd=self._directory, capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def _path(self, name):
        return os.path.join(self._directory, name)

    def _write_zone(self, apex, kind, text):
        """The file of its trust anchor, or nothing."""
        with open(self._path(apex), "w", encoding="ascii") as file:
            file.write(f"$ORIGIN {apex}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n{text}")
        if kind == "unsigned":
            return None
        key = self._run("ldns-keygen", "-a", ALGORITHM, "-k", apex)
        span = ["-i", "20200101000000", "-e", "20200201000000"] if kind == "expired" else []
        self._run("ldns-signzone", *span, "-f", apex + ".signed", apex, key)
        with open(self._path(apex + ".signed"), encoding="ascii") as file:
            signed = file.read()
        if kind == "tampered":
            if "192.0.2.1\n" not in signed:
                raise AssertionError(f"{apex} has nothing to tamper with")
            signed = signed.replace("192.0.2.1\n", "198.51.100.66\n")
        with open(self._path(apex), "w", encoding="ascii") as file:
            file.write(signed)
        return key + ".key"

    def _start(self, anchors):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        zones = [f'  local-zone: "{apex}." transparent' for apex in self._zones]
        zones += [f'  trust-anchor-file: "{anchor}"' for anchor in anchors]
        files = [f'auth-zone:\n  name: "{apex}."\n  zonefile: "{apex}"\n  for-downstream: no' for apex in self._zones]
        with open(self._path("unbound.conf"), "w", encoding="ascii") as file:
            file.write(CONFIG.format(port=port, directory=self._directory, zones="\n".join(zones), files="\n".join(files)))
        self._process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unbound", "-d", "-v", "-c", self._path("unbound.conf")], stderr=subprocess.PIPE)
        self._wait_until_it_serves()
        self.setting = f"127.0.0.1:{port}"

    def _wait_until_it_serves(self):
        # Bytes, not lines: what a buffered reader holds already, select() does not see.
        said = b""
        while b"start of service" not in said:
            ready, _, _ = select.select([self._process.stderr], [], [], 20)
            some = os.read(self._process.stderr.fileno(), 4096) if ready else b""
            if not some:
                raise AssertionError(f"unbound doesn't start: {said.decode()}")
            said += some
