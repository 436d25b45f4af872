"""What the roles gave up, as the kernel tells it: files by Landlock, rights, cores."""
import ctypes
import os
import re
import shutil
import tempfile
import unittest

from daemon import Daemon, insertion
from processes import plain_build_only, read_proc, status_of, wait_until
from sandbox_test import watched

ROWS = [("bank.example", "required")]
ALL_ROLES = {"probe_watch": "yes", "resolver": "127.0.0.1:1"}
OF_FILES = 0b1111  # CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
CREATE_RULESET, ASK_VERSION = 444, 1
HAS_LANDLOCK = ctypes.CDLL(None).syscall(CREATE_RULESET, 0, 0, ASK_VERSION) >= 1


def capabilities_of(pid):
    found = re.findall(rb"^Cap(\w+):\t(\w+)$", read_proc(pid, "status"), re.M)
    return {name.decode(): int(value, 16) for name, value in found}


def wait_until_serving(daemon):
    """The sandbox is closed: the filter is the last of it."""
    for name, pid in daemon.roles().items():
        wait_until(lambda pid=pid: status_of(pid, "Seccomp"), f"{name} is filtered")


class Files(unittest.TestCase):
    def setUp(self):
        self.elsewhere = tempfile.mkdtemp(prefix="elsewhere-")
        self.addCleanup(shutil.rmtree, self.elsewhere, True)

    @plain_build_only
    def test_each_role_closes_its_fence_or_says_that_the_kernel_has_none(self):
        with Daemon(ROWS, maillog="/nowhere/mail.log", **ALL_ROLES) as daemon:
            self.assertEqual({"answer", "store", "ingest", "net"}, set(daemon.roles()))
            if not HAS_LANDLOCK:
                self.assertEqual(4, daemon.log().count("no Landlock in this kernel"))
                return
            log = daemon.path("calls")
            with watched(daemon.process.pid, log, extra=("landlock_restrict_self",)):
                for name in ("answer", "store", "ingest", "net"):
                    killed = daemon.kill_role(name)
                    wait_until(lambda pid=daemon.role(name, other_than=killed): status_of(pid, "Seccomp"),
                               f"the new {name} is filtered")
            with open(log, encoding="utf-8", errors="replace") as file:
                self.assertEqual(4, len(re.findall(r"landlock_restrict_self\(.*\) += 0$", file.read(), re.M)))

    @plain_build_only
    def test_store_opens_no_database_elsewhere_and_hands_over_to_one_that_may(self):
        with Daemon(ROWS) as daemon:
            wait_until_serving(daemon)
            other = os.path.join(self.elsewhere, "policy.db")
            daemon.edit(f"VACUUM INTO '{other}';")
            daemon.edit("DELETE FROM outbound;" + insertion("bank.example", "verified"), database=other)
            store, log = daemon.role("store"), daemon.path("calls")
            with watched(store, log):
                os.symlink(other, daemon.path("link"))
                os.rename(daemon.path("link"), daemon.policy_db)
                daemon.wait_until_answers("bank.example", "OK verify")
            self.assertNotEqual(store, daemon.role("store"))
            if HAS_LANDLOCK:
                with open(log, encoding="utf-8", errors="replace") as file:
                    opened = [line for line in file if "openat(" in line and self.elsewhere in line]
                self.assertEqual([], [line for line in opened if "O_PATH" not in line and "EACCES" not in line])

    def test_a_folder_that_is_replaced_is_served_from(self):
        folder = os.path.join(self.elsewhere, "sub")
        with Daemon(init=False, start=False, policy_db=os.path.join(folder, "policy.db")) as daemon:
            daemon.policy_db = daemon.settings["policy_db"]
            daemon.ctl("init")
            daemon.edit_all(insertion(*ROWS[0]))
            daemon.start()
            new = os.path.join(self.elsewhere, "new")
            shutil.copytree(folder, new)
            daemon.edit("UPDATE outbound SET profile = 'verified'", database=os.path.join(new, "policy.db"))
            os.rename(folder, os.path.join(self.elsewhere, "old"))
            os.rename(new, folder)
            daemon.wait_until_answers("bank.example", "OK verify")

    def test_a_reload_that_names_another_folder_is_served_from_there(self):
        with Daemon(ROWS) as daemon:
            other = os.path.join(self.elsewhere, "policy.db")
            daemon.edit(f"VACUUM INTO '{other}';")
            daemon.edit("UPDATE outbound SET profile = 'verified'", database=other)
            daemon.configure(policy_db=other)
            daemon.process.send_signal(1)
            daemon.wait_until_answers("bank.example", "OK verify")
            daemon.edit("UPDATE outbound SET profile = 'secure'", database=other)
            daemon.wait_until_answers("bank.example", "OK secure")


class Rights(unittest.TestCase):
    @plain_build_only
    def test_a_role_keeps_none_but_those_over_files_where_root_runs_it(self):
        with Daemon(ROWS, maillog="/nowhere/mail.log", **ALL_ROLES) as daemon:
            wait_until_serving(daemon)
            for name, pid in daemon.roles().items():
                kept = OF_FILES if name in ("store", "ingest") else 0
                found = capabilities_of(pid)
                self.assertEqual({"Inh", "Prm", "Eff", "Bnd", "Amb"}, set(found))
                if os.geteuid():
                    del found["Bnd"]  # none but root may lower it; without a right it lets nothing through
                self.assertEqual({}, {kind: value for kind, value in found.items() if value & ~kept}, name)
                self.assertEqual(1, status_of(pid, "NoNewPrivs"))

    def test_no_process_leaves_a_core(self):
        with Daemon(ROWS, **ALL_ROLES) as daemon:
            for pid in (daemon.process.pid, *daemon.roles().values()):
                self.assertRegex(read_proc(pid, "limits").decode(), r"Max core file size +0 +0 ")


if __name__ == "__main__":
    unittest.main()
