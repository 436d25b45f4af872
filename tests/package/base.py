"""What machines begin with: a minimal Debian with systemd, and what apt will want, fetched beforehand.

Made once per suite by debootstrap, kept in build/package-test/SUITE. Nothing in it is ever started on the
host.
"""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / "build" / "package-test"
MIRROR = "http://deb.debian.org"
SOURCES = """\
deb {mirror}/debian {suite} main
deb {mirror}/debian {suite}-updates main
deb {mirror}/debian-security {suite}-security main
"""
RELEASES = {"bookworm": "12", "trixie": "13"}
# A mail host's, beside what the package itself depends on.
ALSO = ("postfix", "sqlite3")


def in_root(root, *command, mounts=()):
    """`command` in a root, in namespaces that end with it. `mounts`: pairs of a folder and where it is bound."""
    script = 'set -e; root=$0; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
    for source, target in mounts:
        script += f'mkdir -p "$root{target}"; mount --bind "{source}" "$root{target}"; '
    script += ('cd /; exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 '
               'DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS" "$@"')
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "bash", "-c",
            script, str(root), *map(str, command)]


def run(command, log):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise AssertionError(f"{command}: {done.returncode}, see {log.name}")


def debootstrap(suite, root, log, include=()):
    """A root at `root`, updated; made beside its place, so that half of one is never taken for it."""
    if root.exists():
        return
    growing = root.with_name(root.name + ".new")
    shutil.rmtree(growing, ignore_errors=True)
    run(["debootstrap", "--variant=minbase", *([f"--include={','.join(include)}"] if include else []), suite, growing,
         f"{MIRROR}/debian"], log)
    (growing / "etc/apt/sources.list").write_text(SOURCES.format(mirror=MIRROR, suite=suite), encoding="ascii")
    shutil.copy("/etc/resolv.conf", growing / "etc/resolv.conf")
    run(in_root(growing, "sh", "-ec", "apt-get update && apt-get dist-upgrade -y"), log)
    growing.rename(root)


def make_base(suite, package):
    """The root that `package`, a .deb, can be installed in without a network."""
    PLACE.mkdir(parents=True, exist_ok=True)
    root = PLACE / suite
    with open(PLACE / f"{suite}.log", "ab") as log:
        debootstrap(suite, root, log, include=("systemd-sysv", "procps", "debconf"))
        shutil.copy(package, root / "root/package.deb")
        run(in_root(root, "sh", "-ec", "apt-get update && apt-get install -y --no-install-recommends --download-only "
                    f"/root/package.deb {' '.join(ALSO)} && rm /root/package.deb"), log)
    return root


def build(suite):
    """The package for that suite, built there from what is committed; its path."""
    given = os.environ.get(f"TLSPOLICYD_PACKAGE_{suite.upper()}")
    if given:
        return pathlib.Path(given)
    PLACE.mkdir(parents=True, exist_ok=True)
    root, cache = PLACE / f"{suite}-build", PLACE / f"{suite}-ccache"
    cache.mkdir(exist_ok=True)
    with open(PLACE / f"{suite}-build.log", "ab") as log:
        debootstrap(suite, root, log, include=("git", "ca-certificates"))
        tree = root / "root/tree"
        shutil.rmtree(tree, ignore_errors=True)
        run(["git", "clone", "--quiet", ROOT, tree], log)
        run(in_root(root, "sh", "-ec", "cd /root/tree && exec ./dev package", mounts=[(cache, "/root/.cache/ccache")]),
            log)
    return find_package(tree / "build/package")


def find_package(folder):
    found = [path for path in pathlib.Path(folder).glob("tlspolicyd_*.deb")]
    if len(found) != 1:
        raise AssertionError(f"one package is wanted in {folder}, not {found}")
    return found[0]


def repack(package, version, folder):
    """The same package under another version: what an older one leaves behind for a newer one."""
    tree, out = folder / f"tree-{version}", folder / f"tlspolicyd_{version}.deb"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN/control"
    lines = control.read_text(encoding="utf-8").splitlines(keepends=True)
    control.write_text("".join(f"Version: {version}\n" if line.startswith("Version:") else line for line in lines),
                       encoding="utf-8")
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, out], check=True, stdout=subprocess.DEVNULL)
    return out
