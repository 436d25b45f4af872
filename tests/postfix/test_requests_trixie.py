"""As test_requests.py, for Debian 13's Postfix."""

import os

import test_requests
import trixie_root
from trixie import TrixiePostfix


class TrixieRequests(test_requests.Requests):
    root = trixie_root.ROOT

    def make_postfix(self, main_cf, master_cf=""):
        return TrixiePostfix(os.path.join(self.directory, "trixie"), self.internet, main_cf, master_cf)
