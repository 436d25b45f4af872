"""As test_probe_compare, with the Postfix and the Exim of Debian 13."""

import os

import exim_root
import test_probe_compare
import trixie_root
from exim import Exim
from exim_trixie_root import INSIDE
from trixie import TrixiePostfix, enter


class TrixieExim(Exim):
    """Its program and libraries, by chroot(1); our directories."""

    def name_account(self):
        enter()  # the root knows it already

    def command(self, *arguments):
        root = trixie_root.ROOT
        libraries = [path.removeprefix(root) for path in self.library_folders(root + INSIDE)]
        return ["chroot", root, "env", "LD_LIBRARY_PATH=" + ":".join(libraries),
                os.path.join(INSIDE, exim_root.PROGRAM), "-C", self.configuration, *arguments]


class RealMailHosts(test_probe_compare.RealMailHosts):
    def make_postfix(self, main_cf, master_cf=""):
        return TrixiePostfix(os.path.join(self.directory, "trixie"), self.internet, main_cf, master_cf)

    def make_exim(self, *arguments, **options):
        return TrixieExim(*arguments, **options)

    def test_are_those_of_debian_13(self):
        certificate = self.certificate("good")
        self.assertGreaterEqual(self.make_postfix("").version(), (3, 10))
        self.assertGreaterEqual(self.make_exim(os.path.join(self.directory, "e"), certificate, 2799).version(), "4.98")


del test_probe_compare  # its tests are for Debian 12
