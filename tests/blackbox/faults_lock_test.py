#!/usr/bin/env python3
"""Locks of the admin's and file systems that refuse: answers don't wait for either."""
import contextlib
import ctypes
import os
import signal
import subprocess
import unittest

from daemon import Daemon, insertion
from oracle import NOT_FOUND, Oracle, strict_rows
from processes import check_figure, is_alive, wait_until

ROWS, STRICT = strict_rows(500)
ALLOWED = {**{key: STRICT[key] for key, _ in ROWS[:100]}, "absent.example": {NOT_FOUND}}
CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
SOON = 0.2


class Locks(unittest.TestCase):
    def test_an_admin_who_holds_a_transaction_delays_nobody(self):
        for begin in ("BEGIN IMMEDIATE;", "BEGIN EXCLUSIVE;"):
            with self.subTest(begin=begin), Daemon(ROWS) as daemon, Oracle(daemon, ALLOWED) as oracle:
                shell = daemon.open_shell()
                shell.say(begin + insertion("late.example", "verified"))
                daemon.status()
                oracle.settle(10)
                self.assertEqual(NOT_FOUND, daemon.ask("late.example"))
                check_figure("the slowest answer meanwhile", oracle.slowest, SOON)
                # A restarted store and a restarted daemon aren't kept out either.
                daemon.restart_store()
                self.assertEqual("", daemon.trouble())
                oracle.settle()
                shell.say("COMMIT;")
                daemon.wait_until_answers("late.example", "OK verify")

    def test_a_database_that_is_not_in_wal_mode_is_said_to_be_so_and_locks_nobody_out(self):
        with Daemon(ROWS) as daemon:
            wait_until(lambda: os.path.exists(daemon.image_file), "the image is saved")
            daemon.stop()
            self.assertEqual("delete\n", daemon.edit("PRAGMA journal_mode = DELETE;"))
            daemon.start()
            with Oracle(daemon, ALLOWED) as oracle:
                wait_until(lambda: "the journal mode is not WAL" in daemon.log(), "it is said")
                shell = daemon.open_shell()
                shell.say("BEGIN EXCLUSIVE;" + insertion("late.example", "verified"))
                oracle.settle(10)
                self.assertEqual(1, daemon.log().count("the journal mode is not WAL"))
                daemon.restart_store()
                oracle.settle()
                check_figure("the slowest answer meanwhile", oracle.slowest, SOON)
                shell.say("COMMIT; PRAGMA journal_mode = WAL;")
                daemon.wait_until_answers("late.example", "OK verify")
                wait_until(lambda: daemon.status()["ok"], lambda: f"all is well: {daemon.status()}")

    def hold(self, daemon):
        """An exclusive lock that was there before the daemon."""
        shell = daemon.open_shell()
        shell.say("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;" + insertion("late.example", "verified")
                  + "COMMIT;")
        return shell

    def test_an_exclusive_lock_taken_before_the_start_leaves_the_last_known_good_policy(self):
        with Daemon(ROWS) as daemon:
            wait_until(lambda: os.path.exists(daemon.image_file), "the image is saved")
            daemon.stop()
            shell = self.hold(daemon)
            daemon.start()
            with Oracle(daemon, ALLOWED) as oracle:
                wait_until(lambda: daemon.trouble() == "locked", lambda: f"it is said: {daemon.status()}")
                oracle.settle()
                shell.close()
                daemon.wait_until_answers("late.example", "OK verify")
                self.assertEqual("", daemon.trouble())

    def test_without_an_image_either_every_answer_is_temp_until_the_lock_goes(self):
        with Daemon(ROWS, start=False) as daemon:
            shell = self.hold(daemon)
            daemon.start()
            with Oracle(daemon, {key: {"TEMP", *replies} for key, replies in STRICT.items()}) as oracle:
                self.assertTrue(daemon.ask("d0.strict.example").startswith("TEMP "))
                shell.close()
                daemon.wait_until_answers("d0.strict.example", "OK encrypt")
                oracle.allow(STRICT)
                oracle.settle()


def enter_own_mounts():
    """A mount namespace for this process and what it starts; a user namespace too where it takes one."""
    uid, gid = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS if uid == 0 else CLONE_NEWNS | CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    if uid != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    mount("--make-rprivate", "/")


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True, timeout=20)


class ReadOnlyFileSystems(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        enter_own_mounts()

    @contextlib.contextmanager
    def disk(self, daemon):
        """A small file system of its own, below the daemon's directory."""
        path = daemon.path("disk")
        os.makedirs(path)
        mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", path)
        try:
            yield path
        finally:
            subprocess.run(["umount", "-l", path], check=True, timeout=20)

    def test_an_image_that_cannot_be_saved_is_an_alarm_and_saved_once_it_can(self):
        with Daemon(start=False) as daemon, self.disk(daemon) as disk:
            daemon.configure(image_file=os.path.join(disk, "policy.image"))
            daemon.edit_all("".join(insertion(*row) for row in ROWS))
            daemon.start()
            with Oracle(daemon, ALLOWED) as oracle:
                wait_until(lambda: os.path.exists(daemon.settings["image_file"]), "the image is saved")
                before = os.stat(daemon.settings["image_file"]).st_ino
                mount("-o", "remount,ro", disk)
                daemon.edit(insertion("late.example", "verified"))
                daemon.wait_until_answers("late.example", "OK verify")
                wait_until(lambda: daemon.status()["alarms"], "the alarm is raised")
                self.assertIn("last known good", daemon.status()["alarms"][0])
                oracle.settle()
                mount("-o", "remount,rw", disk)
                wait_until(lambda: not daemon.status()["alarms"], "the alarm is over without a further edit")
                self.assertNotEqual(before, os.stat(daemon.settings["image_file"]).st_ino)
                oracle.settle()

    def test_a_full_disk_for_the_image_is_an_alarm_and_answers_go_on(self):
        with Daemon(start=False) as daemon, self.disk(daemon) as disk:
            daemon.configure(image_file=os.path.join(disk, "policy.image"))
            daemon.edit_all("".join(insertion(*row) for row in ROWS))
            with open(os.path.join(disk, "ballast"), "wb") as ballast:
                ballast.write(bytes(16 * 1024 * 1024 - 8192))
            daemon.start()
            with Oracle(daemon, ALLOWED) as oracle:
                wait_until(lambda: daemon.status()["alarms"], "the alarm is raised")
                oracle.settle()
                os.unlink(os.path.join(disk, "ballast"))
                wait_until(lambda: not daemon.status()["alarms"], "the alarm is over")
                image = os.path.basename(daemon.settings["image_file"])
                self.assertIn(image, os.listdir(disk))
                self.assertLessEqual(set(os.listdir(disk)), {image, f"{image}.mark"})

    def test_everything_on_a_read_only_file_system_answers_as_before(self):
        with Daemon(init=False, start=False) as daemon, self.disk(daemon) as disk:
            daemon.policy_db = os.path.join(disk, "policy.db")
            daemon.configure(policy_db=daemon.policy_db, image_file=os.path.join(disk, "policy.image"))
            daemon.ctl("init")
            daemon.edit_all("".join(insertion(*row) for row in ROWS))
            daemon.start()
            wait_until(lambda: os.path.exists(daemon.settings["image_file"]), "the image is saved")
            with Oracle(daemon, ALLOWED) as oracle:
                # While `store` has the log open for writing the kernel refuses to remount: it must be away.
                daemon.process.send_signal(signal.SIGSTOP)
                killed = daemon.kill_role("store")
                # Its name goes before its files do: only a zombie has closed them.
                wait_until(lambda: not is_alive(killed), "the store is gone")
                mount("-o", "remount,ro", disk)
                daemon.process.send_signal(signal.SIGCONT)
                daemon.role("store", other_than=killed)
                oracle.settle(3)
                killed = daemon.kill_role("answer")
                daemon.role("answer", other_than=killed)
                oracle.settle()
                daemon.restart_store()
                oracle.settle()
                mount("-o", "remount,rw", disk)
                daemon.edit(insertion("late.example", "verified"))
                daemon.wait_until_answers("late.example", "OK verify")
                wait_until(lambda: daemon.status()["ok"], lambda: f"all is well: {daemon.status()}")


if __name__ == "__main__":
    unittest.main()
