"""Runs tests of this folder with a real Postfix, shut off from the host: `run.py test_matrix ...`.

The tests run in network, mount and process namespaces of their own. Nothing they send leaves them,
nothing they start outlives them (the kernel ends all of it with the first process, however that
ends), and their files lie on a tmpfs that only they see, mounted over /var/spool/postfix: a directory
that every host with Postfix has, and under /var, where Postfix allows its log file to be.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
INSIDE = "TLSPOLICYD_POSTFIX_TESTS_INSIDE"
POSTFIX_DAEMONS = "/usr/lib/postfix/sbin"
SPOOL = "/var/spool/postfix"
# The three networks of RFC 5737, all of them at home on the namespace's loopback interface.
NETWORKS = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")
PR_SET_PDEATHSIG = 1


def find_what_is_missing():
    """What to do before these tests can run, or nothing."""
    if os.geteuid() != 0:
        return "root is needed, to set up namespaces and run a Postfix in them"
    needed = {
        "unshare": "util-linux", "mount": "util-linux", "ip": "iproute2", "openssl": "openssl",
        "sqlite3": "sqlite3", "postfix": "postfix", "postconf": "postfix", "postqueue": "postfix",
        f"{POSTFIX_DAEMONS}/master": "postfix",
    }
    packages = sorted({package for tool, package in needed.items() if not shutil.which(tool)})
    if packages:
        return "run: apt-get install --no-install-recommends " + " ".join(packages)
    return None


def make_private():
    """In the namespaces: sets up what is private to them."""
    for command in (
        ["ip", "link", "set", "lo", "up"],
        *(["ip", "address", "add", network, "dev", "lo"] for network in NETWORKS),
        ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", SPOOL],
    ):
        subprocess.run(command, check=True)
    if os.path.exists("/etc/resolv.conf"):
        resolv_conf = os.path.join(SPOOL, "resolv.conf")
        with open(resolv_conf, "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1\n")
        subprocess.run(["mount", "--bind", resolv_conf, "/etc/resolv.conf"], check=True)


def run_tests():
    sys.path.insert(0, HERE)
    unittest.main(module=None, argv=["run.py", "-v", *sys.argv[1:]])


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run_in_namespaces(program):
    """Runs a Python program with our arguments in namespaces of its own, and exits as it does."""
    # Where Debian keeps postfix and ip from everybody but root.
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    missing = find_what_is_missing()
    if missing:
        sys.exit(f"tests/postfix: {missing}")
    environment = {**os.environ, INSIDE: "yes", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("TLSPOLICYD_BIN", os.path.join(ROOT, "build", "release", "bin"))
    inside = subprocess.Popen(  # pylint: disable=consider-using-with
        ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
         "/usr/bin/python3", os.path.abspath(program), *sys.argv[1:]],
        env=environment, preexec_fn=die_with_parent)
    # unshare itself shrugs off SIGINT and SIGTERM; with it dies all that is inside.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: inside.kill())
    sys.exit(inside.wait() and 1)


if __name__ == "__main__":
    if os.environ.get(INSIDE):
        make_private()
        run_tests()
    else:
        run_in_namespaces(__file__)
