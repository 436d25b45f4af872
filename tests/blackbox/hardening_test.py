"""What the linker and the compiler put into the shipped programs against those who find a hole in them."""
import os
import subprocess
import unittest

from daemon import BIN
from processes import plain_build_only

PROGRAMS = ("tlspolicyd", "tlspolicyctl")


def readelf(program, *options):
    return subprocess.run(["readelf", "--wide", *options, os.path.join(BIN, program)], capture_output=True, text=True,
                          check=True).stdout


class EachProgram(unittest.TestCase):
    def each(self):
        for program in PROGRAMS:
            with self.subTest(program=program):
                yield program

    def test_is_position_independent(self):
        for program in self.each():
            self.assertRegex(readelf(program, "--file-header"), r"Type: +DYN ")
            self.assertRegex(readelf(program, "--dynamic"), r"FLAGS_1.*\bPIE\b")

    def test_has_all_its_relocations_done_and_read_only_before_it_starts(self):
        for program in self.each():
            self.assertIn("GNU_RELRO", readelf(program, "--program-headers"))
            self.assertRegex(readelf(program, "--dynamic"), r"\(FLAGS(_1)?\).*\b(BIND_NOW|NOW)\b")
            self.assertNotIn("TEXTREL", readelf(program, "--dynamic"))

    def test_has_no_stack_that_can_be_executed_and_no_part_both_written_and_executed(self):
        for program in self.each():
            for line in readelf(program, "--program-headers").splitlines():
                if "GNU_STACK" in line or "LOAD" in line:
                    self.assertNotRegex(line, r" RWE |GNU_STACK.* R?W?E ")
            self.assertIn("GNU_STACK", readelf(program, "--program-headers"))

    def test_checks_its_stack(self):
        for program in self.each():
            self.assertIn("__stack_chk_fail", readelf(program, "--dyn-syms"))

    @plain_build_only
    def test_calls_the_checked_kind_of_the_c_library(self):
        for program in self.each():
            self.assertRegex(readelf(program, "--dyn-syms"), r"__(memcpy|read|recv|snprintf|realpath|memmove)_chk@")

    def test_finds_its_libraries_where_the_system_has_them(self):
        for program in self.each():
            self.assertNotRegex(readelf(program, "--dynamic"), r"RPATH|RUNPATH")


if __name__ == "__main__":
    unittest.main()
