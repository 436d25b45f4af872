"""The commands of README.md, and how a test runs them: every line of its ```sh blocks, in order.

What stands for a whole host is put below a scratch folder: /etc, /usr and /var are mapped into it, systemctl
is carried out by hand. A command that isn't known here is an error, never skipped.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNITS = ROOT / "postfix-examples" / "systemd"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
# What needs a Postfix to run.
OF_POSTFIX = re.compile(r"(postconf|postmap|postfix) |tlspolicyctl (doctor|held)\b")
# Run as they are, in a shell, once their paths are mapped.
PLAIN = re.compile(r"(install|sed|sqlite3) |build/release/bin/tlspolicyctl |tlspolicyctl "
                   r"(accept|can-receive-tls|check-forwards|decisions|explain|export|import|inbound|init|learn|list|"
                   r"panic|probe|query|remove|report|set|state|status|submission|trace|upgrade|watch)\b")
OF_THIS_TREE = re.compile(r"\./dev ")


def read():
    return (ROOT / "README.md").read_text(encoding="utf-8")


def sections():
    """Title to the blocks of that section: (language, text)."""
    parts = re.split(r"^## (.*)\n", read(), flags=re.M)
    return {title: FENCE.findall(body) for title, body in zip(parts[1::2], parts[2::2])}


def commands(*titles):
    """Every command of the sections so called, or of all."""
    found = sections()
    return [line for title in titles or found for language, text in found[title] if language == "sh"
            for line in text.splitlines() if line]


def config():
    """The lines of the configuration that the README has the reader write."""
    return [line for blocks in sections().values() for language, text in blocks if language == "ini"
            for line in text.splitlines()]


class Host:
    """A host to run commands on: `root` holds what belongs to /, `service` starts, stops and reloads the daemon.

    `postfix`: the configuration directory of a private Postfix, or nothing where there is none.
    """

    def __init__(self, root, bin_folder, service, postfix=None, settings=()):
        self.root, self.service, self.postfix = pathlib.Path(root), service, postfix
        self.bin = bin_folder
        self.ran, self.left = [], []
        self.change = None  # as the last explain named it
        # First words of a command to the exit status it must have; else 0. Nobody answers the prober's questions here.
        self.statuses = {"tlspolicyctl probe": 3}
        settings = [*settings, "resolver = 127.0.0.1:9"]
        self.config = self.root / "etc/tlspolicyd/tlspolicyd.conf"
        for folder in ("etc/postfix", "etc/tlspolicyd", "etc/systemd/system", "usr/sbin", "var/lib/tlspolicyd",
                       "var/backups", "var/log", "var/spool/postfix/tlspolicyd", "shims"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "etc/aliases").write_text("ann: ann@bank.example\n")
        shim = self.root / "shims/tlspolicyctl"
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(bin_folder)}/tlspolicyctl --config {self.config} "$@"\n')
        shim.chmod(0o755)
        # `user` stands in the packaged file already, and a key that stands twice is an error; here there is no account.
        self.config.write_text("\n".join([*map(self.map, config()), *settings, ""]))

    def map(self, line):
        """The same with its paths below the scratch folder."""
        line = re.sub(r"(?<![\w.}])/(etc|usr|var)/", rf"{self.root}/\1/", line)
        line = line.replace("build/release/bin/", f"{self.bin}/").replace(" postfix-examples/", f" {ROOT}/postfix-examples/")
        return line.replace("--for 10s", "--for 1s")

    def sh(self, line):
        return self.execute(self.map(line), line)

    def execute(self, mapped, line):
        environment = {**os.environ, "PATH": f"{self.root}/shims:{os.environ['PATH']}:/usr/sbin:/sbin"}
        done = subprocess.run(["/bin/sh", "-c", mapped], env=environment, capture_output=True, text=True,
                              check=False, timeout=120, cwd=self.root)
        expected = next((status for words, status in self.statuses.items() if line.startswith(words)), 0)
        if done.returncode != expected:
            raise AssertionError(f"{line}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def run(self, line):
        """Runs it, or notes in `left` that it needs a Postfix; what it printed."""
        if OF_POSTFIX.match(line) and not self.postfix:
            self.left.append(line)
            return ""
        self.ran.append(line)
        if line.startswith("systemctl "):
            return self.control(line)
        if line.startswith("apt install ./build/package/tlspolicyd_"):
            return self.install_package()
        if line.startswith("tlspolicyctl undo "):
            # Which number the reader sees depends on what he imported.
            return self.sh(f"tlspolicyctl undo {self.change}")
        if OF_POSTFIX.match(line):
            return self.execute(self.for_postfix(self.map(line)), line)
        if OF_THIS_TREE.match(line):
            return self.check_dev(line)
        if not PLAIN.match(line):
            raise AssertionError(f"README.md has a command that no test knows how to run: {line}")
        said = self.sh(line)
        if line.startswith("tlspolicyctl explain "):
            self.change = next(iter(re.findall(r", change (\d+) \(", said)), None)
        return said

    def for_postfix(self, line):
        if line.startswith("tlspolicyctl "):
            words = line.split("#", maxsplit=1)[0].rstrip()
            return f"{words} --postfix-config {self.postfix}"
        program, rest = line.split(" ", 1)
        return f"{program} -c {self.postfix} {rest}"

    def install_package(self):
        """What its scripts do; tests/package installs the real one, in a Debian of its own."""
        for unit in UNITS.iterdir():
            shutil.copy(unit, self.root / "etc/systemd/system")
        (self.root / "etc/sysusers.d").mkdir()
        shutil.copy(UNITS / "sysusers.conf", self.root / "etc/sysusers.d/tlspolicyd.conf")
        self.execute(f"systemd-sysusers --root={self.root}", "systemd-sysusers")
        self.sh("tlspolicyctl init")
        self.service.start()
        return ""

    def control(self, line):
        _, verb, *units = line.split("#")[0].split()
        now = "--now" in units
        for unit in (unit for unit in units if unit != "--now"):
            name = unit if "." in unit else f"{unit}.service"
            if not (UNITS / name).exists() or not (self.root / "etc/systemd/system" / name).exists():
                raise AssertionError(f"{line}: there is no unit {name}")
        if verb == "reload":
            self.service.reload()
        elif verb == "restart":
            self.service.stop()
            self.service.start()
        elif verb == "start" or (verb == "enable" and now):
            self.service.start()
        elif verb == "stop" or (verb == "disable" and now):
            self.service.stop()
        elif verb != "daemon-reload":
            raise AssertionError(f"README.md has a systemctl verb that no test knows: {line}")
        return ""

    @staticmethod
    def check_dev(line):
        """./dev builds and tests everything, this test included: that it knows the command has to do."""
        usage = subprocess.run([ROOT / "dev"], capture_output=True, text=True, check=True).stdout
        if not re.search(rf"^{re.escape(line.split('#')[0].rstrip())}\b", usage, re.M):
            raise AssertionError(f"./dev doesn't list {line}")
        return usage
