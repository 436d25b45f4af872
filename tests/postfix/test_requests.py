"""What smtpd(8) asks is what tests/fixtures/policyd holds, for the tests that replay it.

TLSPOLICYD_CAPTURE=yes writes the files instead: `run.py test_requests` those of the host's Postfix,
`trixie_root.py test_requests_trixie` those of Debian 13's.
"""

import os

from policy_requests import MASTER_CF, Sessions, without_what_changes
from run import ROOT
from story import Story

FIXTURES = os.path.join(ROOT, "tests", "fixtures", "policyd")
CAPTURES = os.environ.get("TLSPOLICYD_CAPTURE") == "yes"
# Captured from these; what a version asks is what the newest one not above it asks.
CAPTURED = ((3, 7), (3, 10))


def folder_for(version):
    major, minor = max(known for known in CAPTURED if known <= version)
    return os.path.join(FIXTURES, f"postfix-{major}.{minor}")


class Requests(Story):
    root = "/"  # of its smtpd

    def test_are_those_of_the_fixtures(self):
        os.makedirs(self.directory)
        sessions = Sessions(self.directory)
        postfix = self.make_postfix(sessions.main_cf, MASTER_CF)
        self.assertEqual([], postfix.complaints_about_configuration())
        sessions.prepare_host(self.directory, self.root)
        with postfix:
            recorded = sessions.record(postfix)
        folder = folder_for(postfix.version())
        if CAPTURES:
            os.makedirs(folder, exist_ok=True)
            for kind, octets in recorded.items():
                with open(os.path.join(folder, kind), "wb") as file:
                    file.write(octets)
        self.assertEqual(set(recorded), set(os.listdir(folder)))
        for kind, octets in recorded.items():
            with self.subTest(session=kind), open(os.path.join(folder, kind), "rb") as file:
                self.assertEqual(without_what_changes(file.read()), without_what_changes(octets))
