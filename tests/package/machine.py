"""A Debian of its own in namespaces, booted by its own systemd: nothing of it is seen or left outside.

    with Machine(base) as machine:
        machine.run("systemctl", "status")

Its root is `base` with a tmpfs over it, so each machine begins clean and `base` stays as it is. It has no
network but loopback. It ends with this process, however that ends.
"""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import tempfile
import time

PR_SET_PDEATHSIG = 1
BOOTED = {"running", "degraded"}  # degraded: what a container has no device for
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# In namespaces of its own: $1 the base, $2 a folder to mount things in.
BOOT = """
set -e
mount -t tmpfs -o mode=755 tmpfs "$2"; mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root"
cd "$2/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs sys/fs/cgroup 2>/dev/null && umount sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run; mount -t tmpfs -o mode=1777 tmpfs tmp; mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts; ln -s pts/ptmx dev/ptmx
ip link set lo up
exec env -i container=systemd-nspawn PATH="$3" chroot . /lib/systemd/systemd --system --log-target=journal \
  --unit=multi-user.target
"""


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def unified_cgroup():
    """Where the host has its cgroup2: systemd needs one of its own below it."""
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="ascii").splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(where)
    raise AssertionError("this kernel offers no cgroup2")


class Machine:
    def __init__(self, base):
        self.base = base
        self.pid = None
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._boot(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def _boot(self, stack):
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="machine-"))
        group = unified_cgroup() / f"machine-{os.getpid()}-{os.path.basename(place)}"
        group.mkdir()
        stack.callback(remove_cgroups, group)

        def enter_group():
            die_with_parent()
            (group / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

        log = stack.enter_context(open(os.path.join(place, "console"), "w+b"))
        namespaces = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--kill-child",
             "--propagation", "private", "bash", "-c", BOOT, "boot", str(self.base), place, PATH],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=enter_group)
        stack.callback(namespaces.wait)
        stack.callback(namespaces.kill)
        deadline = time.monotonic() + 120
        while (state := self._state(namespaces)) not in BOOTED:
            if namespaces.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise AssertionError(f"the machine does not boot: {state}\n{log.read().decode(errors='replace')}")
            time.sleep(0.1)

    def _state(self, namespaces):
        children = pathlib.Path(f"/proc/{namespaces.pid}/task/{namespaces.pid}/children").read_text(encoding="ascii")
        if not children:
            return ""
        self.pid = int(children.split()[0])
        if not os.readlink(f"/proc/{self.pid}/exe").endswith("/systemd"):
            return "setting up"
        return self.try_run("systemctl", "is-system-running").stdout.strip()

    def command(self, *arguments):
        """What runs `arguments` in the machine."""
        return ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup",
                "--root", "--wd", "env", "-i", f"PATH={PATH}", "HOME=/root", "LC_ALL=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive", *map(str, arguments)]

    def try_run(self, *arguments, stdin=""):
        return subprocess.run(self.command(*arguments), input=stdin, capture_output=True, text=True, check=False,
                              timeout=600)

    def run(self, *arguments, stdin="", expect=0):
        """What it printed; fails with all that it said where it ends otherwise than expected."""
        done = self.try_run(*arguments, stdin=stdin)
        if done.returncode != expect:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def shell(self, script, expect=0):
        return self.run("sh", "-c", script, expect=expect)

    def on_its_network(self, *arguments):
        """What runs a program of the host on the machine's loopback."""
        return ["nsenter", "--target", str(self.pid), "--net", *map(str, arguments)]

    def path(self, name):
        """A file of the machine as the host sees it."""
        return pathlib.Path(f"/proc/{self.pid}/root{name}")

    def processes_of(self, unit):
        """As the host numbers them."""
        group = self.run("systemctl", "show", "--value", "--property", "ControlGroup", unit).strip()
        inside = self.path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text(encoding="ascii")
        return [int(pid) for pid in inside.split()] if group else []


def remove_cgroups(top):
    """Its processes are dead, but for a moment the kernel may still count them."""
    for folder, _, _ in os.walk(top, topdown=False):
        deadline = time.monotonic() + 20
        while True:
            try:
                os.rmdir(folder)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
