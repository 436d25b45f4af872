"""`cmake --install`, into a prefix of its own and under a DESTDIR."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from daemon import BIN

BUILD = pathlib.Path(BIN).parent
ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = sorted(path.name for path in (ROOT / "postfix-examples/systemd").iterdir()
               if path.suffix in (".service", ".socket"))


class Installation(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="install-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def install(self, prefix, **environment):
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], capture_output=True, text=True,
                              check=False, env={**os.environ, **environment}, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def files(self, root):
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}

    def test_puts_everything_below_the_prefix(self):
        prefix = self.folder / "opt"
        self.install(prefix)
        self.assertLessEqual({
            "sbin/tlspolicyd", "sbin/tlspolicyctl", "etc/tlspolicyd/tlspolicyd.conf",
            *(f"lib/systemd/system/{unit}" for unit in UNITS), "lib/sysusers.d/tlspolicyd.conf",
            "lib/tmpfiles.d/tlspolicyd.conf", "share/man/man8/tlspolicyd.8", "share/man/man8/tlspolicyctl.8",
            "share/man/man5/tlspolicyd.conf.5", "share/man/man5/tlspolicyd-schema.5",
            "share/bash-completion/completions/tlspolicyctl", "share/doc/tlspolicyd/README.md",
            *(f"share/doc/tlspolicyd/docs/{page.name}" for page in (ROOT / "docs").iterdir()),
            "share/doc/tlspolicyd/examples/unix-chroot.cf"}, self.files(prefix))
        self.assertEqual(set(os.listdir(self.folder)), {"opt"})

    def test_the_programs_run_and_take_the_configuration_that_is_installed(self):
        prefix = self.folder / "opt"
        self.install(prefix)
        done = subprocess.run([prefix / "sbin/tlspolicyd", "--config", prefix / "etc/tlspolicyd/tlspolicyd.conf",
                               "--check-config"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        subprocess.run([prefix / "sbin/tlspolicyctl", "--version"], check=True, stdout=subprocess.DEVNULL, timeout=60)

    def test_a_configuration_that_is_there_stays(self):
        prefix = self.folder / "opt"
        config = prefix / "etc/tlspolicyd/tlspolicyd.conf"
        config.parent.mkdir(parents=True)
        config.write_text("mode = observe\n", encoding="utf-8")
        self.install(prefix)
        self.assertEqual(config.read_text(encoding="utf-8"), "mode = observe\n")

    def test_for_the_system_the_configuration_goes_to_etc_below_destdir(self):
        self.install("/usr", DESTDIR=str(self.folder))
        self.assertLessEqual({"usr/sbin/tlspolicyd", "etc/tlspolicyd/tlspolicyd.conf",
                              "usr/lib/systemd/system/tlspolicyd.service"}, self.files(self.folder))

    def test_units_name_the_program_where_it_was_configured_to_be(self):
        self.install(self.folder)
        cache = (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")
        prefix = re.search(r"^CMAKE_INSTALL_PREFIX:\w+=(.*)$", cache, re.M)[1]
        service = (self.folder / "lib/systemd/system/tlspolicyd.service").read_text(encoding="utf-8")
        self.assertIn(f"\nExecStart={prefix}/sbin/tlspolicyd --config ", service)
        self.assertNotIn("# /etc/systemd/system", service)


if __name__ == "__main__":
    unittest.main()
