#!/usr/bin/python3
"""`exim_root.py test_probe_exim`: runs tests with Debian's Exim beside the Postfix that is installed.

Its package would put Postfix out, so it is never installed: apt fetches it, with those of its libraries that
are missing, and it is unpacked below build/, once for each Debian. Nothing of it is set up or started. Where
it can't be had that is a failure, and this says what to do.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

import run

PACKAGE = "exim4-daemon-light"
PROGRAM = "usr/sbin/exim4"
# The user that Debian's Exim asks for when it starts.
ACCOUNT = "Debian-exim"
NUMBER = 20099


def passwd_line():
    return f"{ACCOUNT}:x:{NUMBER}:{NUMBER}::/nonexistent:/usr/sbin/nologin"


def group_line():
    return f"{ACCOUNT}:x:{NUMBER}:"


def codename():
    """As "bookworm"."""
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.MULTILINE)
    return found[1] if found else "debian"


def folder():
    return os.path.join(run.ROOT, "build", f"exim-{codename()}")


def apt(*arguments, where):
    """What apt-get says."""
    done = subprocess.run(["apt-get", "-q", *arguments], cwd=where, capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        raise RuntimeError(f"apt-get {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def fetch(place):
    """Makes `place` beside itself, so that half of it is never taken for all."""
    growing = place + ".new"
    shutil.rmtree(growing, ignore_errors=True)
    os.makedirs(growing)
    # What an installation would add: the simulation needs no rights and changes nothing.
    planned = apt("-s", "install", "--no-install-recommends", PACKAGE, where=growing)
    names = re.findall(r"^Inst (\S+)", planned, re.MULTILINE)
    apt("download", *names, where=growing)
    for package in glob.glob(os.path.join(growing, "*.deb")):
        subprocess.run(["dpkg", "-x", package, growing], check=True)
        os.remove(package)
    os.rename(growing, place)


def find_why_not():
    """Why there is no Exim, in words; nothing where there is one."""
    place = folder()
    if os.path.exists(os.path.join(place, PROGRAM)):
        return None
    print(f"fetching {PACKAGE} into {place}; it is not installed", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    try:
        fetch(place)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as trouble:
        return f"{trouble}; after apt-get update it may be found"
    return None


def main():
    if why := find_why_not():
        sys.exit(f"tests/postfix: no Exim to probe: {why}")
    run.run_in_namespaces(run.__file__)


if __name__ == "__main__":
    main()
