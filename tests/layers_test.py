#!/usr/bin/env python3
"""Who may include whom (DESIGN, section 7), read from the #include lines themselves."""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent

# folder -> the folders of ours that it may include besides itself
MAY_SEE = {
    "src/base": set(),
    "src/model": {"src/base"},
    "src/wire": {"src/base", "src/model"},
    "src/engine": {"src/base", "src/model"},
    "src/image": {"src/base", "src/model"},
    "src/store": {"src/base", "src/model", "src/image"},
    "src/show": {"src/base", "src/model"},
    "src/net": {"src/base"},
    "tlsmap": {"src/base", "src/model", "src/wire"},
    "policyd": {"src/base", "src/model", "src/wire"},
    "src/jobs": {"src/base", "src/model", "src/wire", "src/engine", "src/image", "src/store",
                 "src/net"},
}
SEES_ALL = {"src/app", "tests"}
# single headers beyond the table: the session interface is what the front ends implement
ALSO = {"tlsmap": {"src/net/session.h"}, "policyd": {"src/net/session.h"}}

# header of somebody else -> the only folders that may know it (tests aside)
ONLY_IN = {
    r"sqlite3\.h": {"src/store"},
    r"event2/.*|event\.h|evutil\.h": {"src/net"},
    r"ares\.h": {"src/net"},
    r"openssl/.*": {"src/net", "src/base"},
    r"CLI/.*": {"src/app"},
    r"seccomp\.h": {"src/app"},
    r"xxhash\.h": {"src/image"},
    r"idn2\.h": {"src/model"},
    r"zlib\.h": {"src/app"},
    r"systemd/.*": {"src/app"},
}

# SQL has a shape that prose and C++ lack: an upper-case verb that opens the text or has its object.
SQL = re.compile(r"^R?\"\w*\(?\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|WITH|COMMIT|ROLLBACK)\b"
                 r"|\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM"
                 r"|CREATE\s+(TEMP\s+)?(TABLE|TRIGGER|INDEX|VIEW)|DROP\s+TABLE|ALTER\s+TABLE"
                 r"|PRAGMA\s+\w+|BEGIN\s+(IMMEDIATE|EXCLUSIVE))\b", re.S)
STRING = re.compile(r'"(?:[^"\\]|\\.)*"|R"(\w*)\((?:.|\n)*?\)\1"')
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def folder_of(path):
    """The folder of the table that a file of ours, named from the root, belongs to."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "src" else parts[0]


def sources(root):
    for top in ("src", "tlsmap", "policyd", "tests"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def is_third_party_allowed(name, folder):
    return all(folder in folders or not re.fullmatch(pattern, name)
               for pattern, folders in ONLY_IN.items())


def complaints_about(name, text):
    folder = folder_of(name)
    if folder not in MAY_SEE and folder not in SEES_ALL:
        return [f"{name}: folder {folder} has no place in the table of layers"]
    found = []
    for bracket, included in INCLUDE.findall(text):
        if folder != "tests" and not is_third_party_allowed(included, folder):
            found.append(f"{name}: <{included}> is not for {folder}")
        if bracket == "<":
            continue
        other = folder_of(included)
        if other not in MAY_SEE and other not in SEES_ALL:
            if folder != "tests":
                found.append(f'{name}: "{included}" is not written from the root')
        elif folder in MAY_SEE and other != folder and other not in MAY_SEE[folder] \
                and included not in ALSO.get(folder, ()):
            found.append(f"{name}: {folder} must not see {included}")
    if folder not in ("src/store", "tests"):
        found += [f"{name}: SQL outside src/store: {match.group(0)[:60]}"
                  for match in STRING.finditer(text) if SQL.search(match.group(0))]
    return found


class Layers(unittest.TestCase):
    def test_the_tree_keeps_to_the_table(self):
        checked = list(sources(ROOT))
        self.assertGreater(len(checked), 20, "the sources were not found")
        self.assertEqual([], [line for name, text in checked
                              for line in complaints_about(name, text)])

    def test_each_kind_of_breach_is_seen(self):
        for name, text in (
                ("src/base/a.cc", '#include "src/model/level.h"'),
                ("src/engine/a.cc", '#include "src/store/policy_db.h"'),
                ("src/net/a.cc", '#include "src/model/level.h"'),
                ("tlsmap/a.h", '#include "src/net/loop.h"'),
                ("policyd/a.h", '#include "src/engine/judge.h"'),
                ("src/jobs/a.cc", '#include "tlsmap/session.h"'),
                ("src/jobs/a.cc", "#include <sqlite3.h>"),
                ("src/app/a.cc", "#include <event2/event.h>"),
                ("src/jobs/a.cc", "#include <ares.h>"),
                ("src/app/a.cc", '#include "config.h"'),
                ("src/app/a.cc", 'run("DELETE FROM outbound");'),
                ("src/app/a.cc", 'run(R"(\n  SELECT a\n  FROM b)");'),
                ("src/app/a.cc", 'run("SELECT a "\n    "FROM b");'),
                ("lib/a.cc", "")):
            with self.subTest(name=name, text=text):
                self.assertEqual(1, len(complaints_about(name, text)))

    def test_what_the_table_allows_is_left_alone(self):
        for name, text in (
                ("tlsmap/a.h", '#include "src/net/session.h"\n#include "src/wire/netstring.h"'),
                ("src/store/a.cc", '#include <sqlite3.h>\nrun("SELECT a FROM b");'),
                ("src/net/a.cc", "#include <event2/event.h>\n#include <sys/socket.h>"),
                ("src/app/a.cc", '#include "tlsmap/session.h"\nsay("select one from the list");'),
                ("tests/unit/a.cc", '#include <sqlite3.h>\nrun("SELECT a FROM b");')):
            with self.subTest(name=name, text=text):
                self.assertEqual([], complaints_about(name, text))


if __name__ == "__main__":
    unittest.main()
