"""The systemd units of postfix-examples/systemd: sound to systemd, and the daemon does what they count on.

Nothing is started by systemd; sockets, readiness, reload and watchdog are handed to the real daemon under
the very names and values that stand in the units.
"""
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from daemon import BAD_CONFIG, BIN, Daemon, insertion
from handover_test import Holder
from processes import read_proc, wait_until
from socketmap import PolicyClient

UNITS = pathlib.Path(__file__).resolve().parents[2] / "postfix-examples" / "systemd"
SERVICE = "tlspolicyd.service"
DROP_IN = "notify-reload.conf"
NOTIFY_RELOAD_SINCE = 253
# systemd-analyze security: ten times the exposure, 0 to 100.
MOST_EXPOSED = 15


def read_unit(name):
    """Section and key to the list of values, in their order."""
    found, section = {}, ""
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=120)
    return done.returncode, done.stdout + done.stderr


def systemd_version():
    return int(re.search(r"\d+", analyze("--version")[1])[0])


class Units(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="units-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in (*SOCKETS, SERVICE):
            text = (UNITS / name).read_text(encoding="utf-8")
            # systemd looks whether the program is there.
            (self.folder / name).write_text(text.replace("/usr/sbin/tlspolicyd ", f"{BIN}/tlspolicyd "))

    def verify(self):
        return analyze("verify", "--man=no", *sorted(self.folder.glob("tlspolicyd*.s*")))

    def test_are_understood_by_systemd_to_the_last_key(self):
        self.assertEqual(self.verify(), (0, ""))

    def test_a_misspelt_key_would_be_seen(self):
        for name, right, wrong in ((SERVICE, "WatchdogSec=", "WatchdogSecs="),
                                   (SERVICE, f"ExecStart={BIN}", "ExecStart=/nowhere"),
                                   (SOCKETS[0], "ListenStream=", "ListenStreams=")):
            with self.subTest(wrong=wrong):
                text = (self.folder / name).read_text()
                (self.folder / name).write_text(text.replace(right, wrong))
                self.assertNotEqual(self.verify()[1], "")
                (self.folder / name).write_text(text)

    def test_the_drop_in_holds_what_newer_versions_know_and_no_more(self):
        self.assertEqual(read_unit(DROP_IN), {"Service.Type": ["notify-reload"], "Service.ExecReload": [""]})
        drop_ins = self.folder / f"{SERVICE}.d"
        drop_ins.mkdir()
        shutil.copy(UNITS / DROP_IN, drop_ins)
        status, said = self.verify()
        if systemd_version() >= NOTIFY_RELOAD_SINCE:
            self.assertEqual((status, said), (0, ""))
        else:
            self.assertIn("notify-reload", said, "an older systemd takes it for the wrong type, and says so")

    def test_leave_the_service_little_to_break(self):
        status, said = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", self.folder / SERVICE)
        self.assertEqual(status, 0, said)


    def test_let_it_write_in_the_chroot_where_tmpfiles_makes_a_folder_for_it_and_postfix(self):
        folders = [line.split()[1:5] for line in (UNITS / "tmpfiles.conf").read_text(encoding="utf-8").splitlines()
                   if line.startswith("d /var/spool/postfix/")]
        # Without Postfix there is none, which must not keep the service from starting.
        writable = [path.removeprefix("-") for path in read_unit(SERVICE)["Service.ReadWritePaths"]]
        self.assertEqual(read_unit(SERVICE)["Service.ReadWritePaths"], [f"-{path}" for path in writable])
        self.assertEqual(folders, [[path, "0750", "tlspolicyd", "postfix"] for path in writable])
        keys = (UNITS.parents[1] / "packaging/man/tlspolicyd.conf.5").read_text(encoding="utf-8")
        self.assertIn(f"tlsrpt_socket = {writable[0]}/", keys)

    def test_keep_running_while_postfix_does_on_debian_12_too(self):
        self.assertEqual(read_unit(SERVICE)["Unit.Before"], ["postfix.service postfix@-.service"])


class TheDaemon(unittest.TestCase):
    """Under the values of the units."""

    def setUp(self):
        self.unit = read_unit(SERVICE)

    def start(self, daemon, names, **environment):
        """With the sockets of the units, passed under `names`."""
        paths = (read_unit(unit)["Socket.ListenStream"][0] for unit in SOCKETS)
        addresses = (f"unix:{daemon.path(pathlib.Path(path).name)}" if "/" in path else daemon.tcp for path in paths)
        holder = self.enterContext(Holder(**dict(zip(names, addresses))))
        daemon.start([*holder.command(), "/usr/bin/env", *(f"{key}={value}" for key, value in environment.items())])

    def make(self):
        other = tempfile.mkdtemp(prefix="units-")
        self.addCleanup(shutil.rmtree, other)
        return self.enterContext(Daemon([("bank.example", "required")], start=False,
                                        tlsmap_listen=f"unix:{other}/configured.sock"))

    def names(self):
        return [read_unit(unit)["Socket.FileDescriptorName"][0] for unit in SOCKETS]

    def test_serves_each_socket_by_the_name_that_its_unit_gives_it(self):
        daemon = self.make()
        self.start(daemon, self.names())
        for address in (daemon.tcp, f"unix:{daemon.path('tlsmap.sock')}"):
            with daemon.client(address) as client:
                self.assertEqual(client.ask("bank.example"), "OK encrypt")
        with PolicyClient(f"unix:{daemon.path('policyd.sock')}") as client:
            client.send(b"request=smtpd_access_policy\nprotocol_state=CONNECT\n\n")
            self.assertEqual(["action=DUNNO"], client.read_action())

    def test_gets_the_sockets_that_the_service_asks_for(self):
        self.assertEqual(sorted(self.unit["Service.Sockets"][0].split()), sorted(SOCKETS))
        for unit in SOCKETS:
            self.assertEqual(read_unit(unit)["Socket.Service"], [SERVICE])

    def test_tells_that_it_is_ready_and_feeds_the_watchdog_as_often_as_the_unit_wants(self):
        self.assertEqual(self.unit["Service.Type"], ["notify"])
        daemon = self.make()
        self.start(daemon, self.names(), WATCHDOG_USEC=int(self.unit["Service.WatchdogSec"][0]) * 1_000_000)
        daemon.notify.wait_for("WATCHDOG=1")

    def test_only_its_main_process_speaks_to_systemd(self):
        self.assertEqual(self.unit["Service.NotifyAccess"], ["main"])
        daemon = self.make()
        self.start(daemon, self.names())
        for role in ("answer", "store"):
            variables = read_proc(daemon.role(role), "environ")
            self.assertIn(b"TLSPOLICYD_TEST", variables, "the environment was read")
            for name in (b"NOTIFY_SOCKET", b"WATCHDOG_USEC", b"LISTEN_FDS"):
                self.assertNotIn(name, variables)

    def test_reloads_by_the_signal_of_the_unit_and_says_from_when_to_when(self):
        self.assertEqual(self.unit["Service.ExecReload"], ["/bin/kill -HUP $MAINPID"])
        daemon = self.make()
        self.start(daemon, self.names())
        seen, before = len(daemon.notify.drain()), time.monotonic_ns() // 1000
        daemon.process.send_signal(signal.SIGHUP)
        began = daemon.notify.wait_for("RELOADING=1", seen)
        daemon.notify.wait_for("READY=1", began)
        since = [line for line in daemon.notify.messages[began] if line.startswith("MONOTONIC_USEC=")]
        self.assertGreaterEqual(int(since[0].partition("=")[2]), before)

    def test_is_not_started_again_with_a_config_that_can_not_be_used(self):
        self.assertEqual(self.unit["Service.RestartPreventExitStatus"], [str(BAD_CONFIG)])

    def test_ends_with_its_roles_by_a_signal_to_the_main_process_alone(self):
        self.assertEqual(self.unit["Service.KillMode"], ["mixed"])
        daemon = self.make()
        daemon.edit(insertion("late.example", "required"))
        self.start(daemon, self.names())
        daemon.process.terminate()
        self.assertEqual(daemon.process.wait(int(self.unit["Service.TimeoutStopSec"][0])), 0)
        wait_until(lambda: not daemon.processes(), "no role is left")


SOCKETS = sorted((path.name for path in UNITS.glob("*.socket")), key=lambda name: ("unix" in name, name))

if __name__ == "__main__":
    unittest.main()
