#!/usr/bin/python3
"""`trixie_root.py test_trixie`: runs tests with Debian 13's Postfix, in a root of its own made here.

The root is made once, by debootstrap and apt, and kept: in $TLSPOLICYD_TRIXIE_ROOT where that is set, else
in build/trixie-postfix. Nothing of it ever runs on the host: no service is started while it is made, and
the tests run its Postfix by chroot(1) in the namespaces that run.py makes. Where it can't be made, this says
so and exits 77, which ctest shows as "Skipped".
"""

import os
import shutil
import subprocess
import sys

import run

SKIPPED = 77
SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
ROOT = os.path.abspath(os.environ.get("TLSPOLICYD_TRIXIE_ROOT") or os.path.join(run.ROOT, "build", "trixie-postfix"))
# Ends with an error where a package can't be had or set up.
INSTALL = """
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
apt-get update -q && apt-get install -q -y --no-install-recommends postfix && apt-get clean
"""


def is_made():
    return os.path.exists(os.path.join(ROOT, "usr/lib/postfix/sbin/smtp"))


def in_root(root, *command):
    """`command` in the root, in namespaces that end with it: with /proc, and without our services."""
    script = ('set -e; mount -t proc proc "$0/proc"; cd /; '
              'exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"')
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", script, root, *command]


def make(log):
    """Makes it beside its place, so that half a root is never taken for one."""
    growing = ROOT + ".new"
    shutil.rmtree(growing, ignore_errors=True)
    os.makedirs(os.path.dirname(ROOT), exist_ok=True)
    subprocess.run(["debootstrap", "--variant=minbase", SUITE, growing, MIRROR], check=True, stdout=log, stderr=log)
    refusal = os.path.join(growing, "usr/sbin/policy-rc.d")
    with open(refusal, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\nexit 101\n")
    os.chmod(refusal, 0o755)
    shutil.copy("/etc/resolv.conf", os.path.join(growing, "etc/resolv.conf"))
    subprocess.run(in_root(growing, "sh", "-e", "-c", INSTALL), check=True, stdout=log, stderr=log)
    os.rename(growing, ROOT)


def find_why_not():
    """Why there is no root, in words; nothing where there is one."""
    if os.geteuid() != 0:
        return "root is needed"
    if is_made():
        return None
    if os.path.exists(ROOT) and os.listdir(ROOT):
        return f"{ROOT} is there and holds no Postfix; remove it, or let TLSPOLICYD_TRIXIE_ROOT name another place"
    if not shutil.which("debootstrap"):
        return "run: apt-get install --no-install-recommends debootstrap"
    path = ROOT + ".log"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    print(f"making {ROOT} ({SUITE} from {MIRROR}); it takes minutes, {path} tells how far it is", flush=True)
    try:
        with open(path, "w", encoding="utf-8") as log:
            make(log)
    except (OSError, subprocess.CalledProcessError) as trouble:
        with open(path, encoding="utf-8", errors="replace") as log:
            last = "".join(log.readlines()[-5:])
        return f"{trouble}\n{last}"
    return None


def main():
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    if why := find_why_not():
        print(f"tests/postfix: SKIPPED, nothing was tried: no Debian 13 to run Postfix in: {why}", file=sys.stderr)
        sys.exit(SKIPPED)
    run.run_in_namespaces(run.__file__)


if __name__ == "__main__":
    main()
