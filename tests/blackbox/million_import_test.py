#!/usr/bin/env python3
"""A million lines imported, imported again, and exported. ctest runs this alone and not in sanitizer builds.

The figures are printed; what fails here is a wrong result, or a time in which something hangs.
"""
import subprocess
import sys
import time
import unittest

from ctl_desk import CTL, Desk

COUNT = 1_000_000
POLICIES = ("encrypt", "may", "secure match=nexthop:.a.example", "encrypt protocols=>=TLSv1.2 ciphers=high")
GOAL = 30.0
# So many times its goal is no longer a busy machine.
HANGS = 10


class AMillionLines(Desk):
    def run_long(self, what, *arguments):
        began = time.monotonic()
        done = subprocess.run([CTL, "--config", self.config, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False, timeout=HANGS * GOAL)
        print(f"{what}: {time.monotonic() - began:.1f} s for {COUNT} lines (the goal: {GOAL:.0f} s)", file=sys.stderr)
        self.assertEqual(0, done.returncode, done.stderr)
        return done

    def test_come_in_with_progress_stay_as_they_are_and_go_out_again(self):
        self.init()
        table = self.folder / "million"
        with open(table, "w", encoding="utf-8") as file:
            # 7919 is prime: every number once, in no order.
            file.writelines(f"d{number * 7919 % COUNT}.example\t{POLICIES[number % 4]}\n" for number in range(COUNT))
        done = self.run_long("imported", "import", table, "--progress")
        self.assertIn(f"{COUNT} added, 0 changed, 0 removed, 0 unchanged", done.stdout)
        self.assertEqual(10, done.stderr.count("rows written"))
        self.assertEqual(str(COUNT), self.sql("SELECT count(*) FROM outbound"))
        done = self.run_long("imported again", "import", table, "--sync")
        self.assertIn(f"0 added, 0 changed, 0 removed, {COUNT} unchanged", done.stdout)
        exported = self.run_long("exported", "export").stdout
        self.assertEqual(COUNT, sum(not line.startswith("#") for line in exported.splitlines()))


if __name__ == "__main__":
    unittest.main()
