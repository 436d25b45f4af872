"""A private Postfix of Debian 13: as instance.py's, but run by chroot(1) in the root of trixie_root.py."""

import functools
import subprocess

import trixie_root
from instance import Postfix
from run import SPOOL


@functools.cache
def enter():
    """Once in the tests' mount namespace: what the two sides share."""
    root = trixie_root.ROOT
    subprocess.run(["mount", "-t", "proc", "proc", f"{root}/proc"], check=True)
    subprocess.run(["mount", "--rbind", "/dev", f"{root}/dev"], check=True)
    # Our files, under the same name inside.
    subprocess.run(["mount", "--bind", SPOOL, root + SPOOL], check=True)
    subprocess.run(["mount", "--bind", "/etc/resolv.conf", f"{root}/etc/resolv.conf"], check=True)


def postfix_uid():
    """Of user postfix in there, which is another's number here."""
    with open(f"{trixie_root.ROOT}/etc/passwd", encoding="utf-8") as file:
        uids = [line.split(":")[2] for line in file if line.startswith("postfix:")]
    return uids[0]


class TrixiePostfix(Postfix):
    """Its programs, its libraries, its accounts; our directories."""

    def __init__(self, directory, internet, main_cf="", master_cf=""):
        enter()
        super().__init__(directory, internet, main_cf, master_cf)

    def command(self, *arguments):
        return ["chroot", trixie_root.ROOT, *arguments]

    def version(self):
        shown = subprocess.run(self.command("postconf", "-d", "-h", "mail_version"), capture_output=True,
                               text=True, check=True).stdout
        return tuple(int(part) for part in shown.strip().split(".")[:2])
