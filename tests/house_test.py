#!/usr/bin/env python3
"""Rules of the house that a machine can check: length, names, comments, no marks of unfinished work."""
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent

SUFFIXES = {".h", ".cc", ".py", ".sh", ".cmake"}
BY_NAME = {"CMakeLists.txt", "dev", "run"}
SKIP = {"build", "var", ".git", "__pycache__", "corpus"}
LONGEST = 400
WIDEST = 130  # scripts; clang-format sees to C++ and can't break a raw string

BANNED_NAMES = re.compile(r"(^|[_.-])(utils?|common|helpers?|managers?|misc)($|[_.-])", re.I)
# systemd's own word for what starts us: sd_notify(3), "service manager".
ALLOWED_NAMES = {"service_manager", "ServiceManager"}
BANNED_TYPES = re.compile(r"\b(class|struct|namespace)\s+\w*([Uu]til|[Hh]elper|[Mm]anager|[Cc]ommon)\w*")
# The words are put together here so that this file doesn't find itself.
MARKS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
# (pattern, what the rule says), for C++ alone
CODE_RULES = (
    (re.compile(r"^\s*using namespace\b"), "names are written in full"),
    (re.compile(r"^\s*#\s*ifndef \w+_H_?\b"), "headers open with #pragma once"),
    (re.compile(r"\bstd::(cout|cerr|endl)\b"), "output goes through base/log or fmt"),
)


def files():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in SKIP)
        for name in sorted(names):
            path = pathlib.Path(folder, name)
            if path.suffix in SUFFIXES or name in BY_NAME:
                yield path.relative_to(ROOT).as_posix(), path


def complaints_about(name, text):
    lines = text.splitlines()
    found = []
    if len(lines) > LONGEST:
        found.append(f"{name}: {len(lines)} lines; is there a second idea in them?")
    for part in pathlib.PurePosixPath(name).parts:
        stem = pathlib.PurePosixPath(part).stem
        if BANNED_NAMES.search(stem) and stem not in ALLOWED_NAMES:
            found.append(f"{name}: '{part}' says nothing about what is inside")
    is_code = name.endswith((".h", ".cc"))
    if name.endswith(".h") and not name.startswith("tests/") and lines:
        if not lines[0].startswith("//"):
            found.append(f"{name}: a header opens with what it is for")
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        if MARKS.search(line):
            found.append(f"{where}: a mark of unfinished work")
        if len(line) > WIDEST and not is_code:
            found.append(f"{where}: {len(line)} columns")
        if line != line.rstrip() or "\t" in line:
            found.append(f"{where}: a blank at the end, or a tab")
        banned = BANNED_TYPES.search(line) if is_code else None
        if banned and banned.group(0).split()[-1] not in ALLOWED_NAMES:
            found.append(f"{where}: a name that says nothing")
        if is_code and not name.startswith("tests/"):
            found += [f"{where}: {rule}" for pattern, rule in CODE_RULES if pattern.search(line)]
    return found


class House(unittest.TestCase):
    def test_every_file_keeps_to_the_rules(self):
        checked = list(files())
        self.assertGreater(len(checked), 30, "the tree was not found")
        self.assertEqual([], [line for name, path in checked
                              for line in complaints_about(name, path.read_text(encoding="utf-8"))])

    def test_every_fuzz_target_has_seeds(self):
        targets = sorted(path.name[:-len("_fuzz.cc")] for path in (ROOT / "tests/fuzz").glob("*_fuzz.cc"))
        self.assertEqual([], [name for name in targets
                              if not any((ROOT / "tests/fuzz/corpus" / name).glob("*"))])

    def test_each_breach_is_seen(self):
        for name, text in (
                ("src/base/a.cc", "int a;\n" * (LONGEST + 1)),
                ("src/base/text_util.cc", ""),
                ("src/common/a.cc", ""),
                ("src/base/a.h", "#pragma once\n"),
                ("src/base/a.cc", "class SocketManager {"),
                ("src/base/a.cc", "// " + "TO" + "DO: later"),
                ("src/base/a.cc", "int a; "),
                ("src/base/a.cc", "using namespace std;"),
                ("tests/a.py", "x" * (WIDEST + 1))):
            with self.subTest(name=name, text=text[:40]):
                self.assertEqual(1, len(complaints_about(name, text)))

    def test_ordinary_code_is_left_alone(self):
        self.assertEqual([], complaints_about("src/base/a.h", "// For a.\n#pragma once\nint a = default_of();\n"))


if __name__ == "__main__":
    unittest.main()
