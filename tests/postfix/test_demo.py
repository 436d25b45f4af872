"""What `./dev demo` shows is what the rows and the partners' servers lead to, and it leaves no trace."""

import os
import re
import shutil
import subprocess
import unittest

import run
from demo import MAILS

# The table's third and fourth column, written down from what each level means.
FACTS = {
    "bank.example": ("bank.example -> secure (mx.good.test)", "in TLS, verified"),
    "notary.example": ("notary.example -> pinned (its SHA-256)", "in TLS, verified"),
    "agency.example": ("agency.example -> dane", "in TLS, verified"),
    "clinic.example": ("clinic.example -> required", "in TLS"),
    "news.example": ("none; main.cf: may", "in TLS"),
    "union.example": ("union.example -> preferred", "in TLS"),
    "union.example again": ("union.example -> preferred", "waits: no STARTTLS offered"),
    "club.example": ("none; main.cf: may", "in clear"),
    "museum.example": ("museum.example -> off", "in clear"),
    "garage.example": ("garage.example -> opportunistic", "in clear, at try N"),
    "insurer.example": ("insurer.example -> required", "waits: no STARTTLS offered"),
    "tax.state.example": (".state.example -> required", "waits: no STARTTLS offered"),
    "press.example": ("press.example -> required", "waits: STARTTLS was refused"),
    "hotel.example": ("hotel.example -> required", "waits: the handshake failed"),
    "lawyer.example": ("lawyer.example -> verified", "waits: certificate not verified"),
    "shop.example": ("shop.example -> verified", "waits: certificate not verified"),
    "travel.example": ("travel.example -> verified", "waits: certificate not verified"),
    "city.example": ("city.example -> dane", "waits: certificate not verified"),
}
# The other table: what one edit changed.
DIFFERENCE = [
    ["club.example", "none; main.cf: may", "in clear",
     "club.example -> required", "waits: no STARTTLS offered"],
    ["lawyer.example", "lawyer.example -> verified", "waits: certificate not verified",
     "lawyer.example -> required", "in TLS, at try N"],
]
NOBODY = "65534"


def rows_of(shown, heading):
    """The table under a heading, as lists of cells; numbers of tries, which vary, are N."""
    section = shown.partition(f"== {heading}\n")[2].partition("\n\n")[0]
    head, line, *rows = section.splitlines()
    starts = [found.start() for found in re.finditer(r"-+", line)]
    ends = [*starts[1:], None]
    assert head.lstrip().startswith("DOMAIN"), section
    return [[re.sub(r"(at try )\d+$", r"\1N", row[start:end].strip())
             for start, end in zip(starts, ends)] for row in rows]


def what_there_is():
    """Mounts and processes of these namespaces, and what lies in the spool."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = file.read()
    processes = {pid for pid in os.listdir("/proc") if pid.isdigit()}
    return mounts, processes, sorted(os.listdir(run.SPOOL))


class TheDemo(unittest.TestCase):
    maxDiff = None

    def test_shows_what_the_rows_lead_to_and_leaves_nothing(self):
        before = what_there_is()
        environment = {name: value for name, value in os.environ.items() if name != run.INSIDE}
        done = subprocess.run(["/usr/bin/python3", "-B", os.path.join(run.HERE, "demo.py")],
                              env=environment, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(what_there_is(), before)
        table = rows_of(done.stdout, "what happened")
        self.assertEqual({domain: (row, mail) for domain, _, row, mail in table}, FACTS)
        self.assertEqual(rows_of(done.stdout, "the difference"), DIFFERENCE)
        self.assertRegex(done.stdout, r"on record: garage\.example from encrypt to may for 3600 s")
        self.assertGreaterEqual(len({mail.site for mail in MAILS if mail.site != "good"}), 10)

    def test_without_root_prints_the_one_command_to_run(self):
        """A copy of what ./dev reads first, where everybody may read."""
        copy = os.path.join(run.SPOOL, "copy")
        os.makedirs(os.path.join(copy, "cmake"))
        self.addCleanup(shutil.rmtree, copy)
        shutil.copy(os.path.join(run.ROOT, "dev"), copy)
        for name in os.listdir(os.path.join(run.ROOT, "cmake")):
            shutil.copy(os.path.join(run.ROOT, "cmake", name), os.path.join(copy, "cmake"))
        done = subprocess.run(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups",
                               "./dev", "demo"], cwd=copy, capture_output=True, text=True,
                              check=False)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("\n   sudo ./dev demo\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
