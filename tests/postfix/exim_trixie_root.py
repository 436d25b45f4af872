#!/usr/bin/python3
"""`exim_trixie_root.py test_probe_trixie`: as trixie_root.py, with Debian 13's Exim unpacked in that root, beside
the Postfix that is installed there. Without the root nothing can be tried (77); in it, Exim must be had.
"""

import os
import subprocess
import sys

import exim_root
import run
import trixie_root

INSIDE = "/opt/exim"
FETCH = f"""
export LC_ALL=C
rm -rf {INSIDE}.new && mkdir -p {INSIDE}.new && cd {INSIDE}.new
apt-get -q update
apt-get -q download $(apt-get -s install --no-install-recommends {exim_root.PACKAGE} | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p')
for package in *.deb; do dpkg -x "$package" . && rm "$package"; done
grep -q '^{exim_root.ACCOUNT}:' /etc/passwd || echo '{exim_root.passwd_line()}' >> /etc/passwd
grep -q '^{exim_root.ACCOUNT}:' /etc/group || echo '{exim_root.group_line()}' >> /etc/group
mv {INSIDE}.new {INSIDE}
"""


def main():
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
    if why := trixie_root.find_why_not():
        print(f"tests/postfix: SKIPPED, nothing was tried: no Debian 13 to run Exim in: {why}", file=sys.stderr)
        sys.exit(trixie_root.SKIPPED)
    if not os.path.exists(trixie_root.ROOT + INSIDE):
        done = subprocess.run(trixie_root.in_root(trixie_root.ROOT, "sh", "-e", "-c", FETCH), capture_output=True,
                              text=True, check=False)
        if done.returncode:
            sys.exit(f"tests/postfix: no Exim of Debian 13 to probe: {done.stderr[-2000:]}")
    run.run_in_namespaces(run.__file__)


if __name__ == "__main__":
    main()
