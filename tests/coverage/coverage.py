#!/usr/bin/env python3
"""coverage.py BUILD [--missing FOLDER_OR_FILE...] [--json]: what the tests reached of the product, from
the counters that a build with TLSPOLICYD_COVERAGE left in BUILD/profiles. A line a folder, goals
beside it; exit 1 where one is missed. --missing names the lines and branches that nothing reached.

Branches are those of the source: one in a template counts once, however often it is made, and is taken
where one of its makings took it. A switch of ours names every enumerator (-Wswitch-enum, and no
`default:`), so that none of them matches is no branch; each of its labels is one."""
import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# least share of lines and of branches; a branch is a condition's being true, or its being false.
GOAL = (0.95, 0.90)
GOALS = {"src/engine": (0.95, 1.0), "src/image": (0.95, 1.0), "src/wire/netstring": (0.95, 1.0)}
KEPT = ("src", "tlsmap", "policyd")
# What stands before the value that a switch looks at.
SWITCH = re.compile(r"\bswitch \((?:.*; )?$")


def tool(*arguments):
    return subprocess.run(arguments, stdout=subprocess.PIPE, check=True).stdout


def exported(build, names):
    """llvm-cov's data of the files asked for, all of the product where none is."""
    profiles = sorted((build / "profiles").glob("*.profraw"))
    if not profiles:
        sys.exit(f"coverage: no counters in {build}/profiles: run the tests of that build first")
    merged = build / "profiles.profdata"
    tool("llvm-profdata", "merge", "-sparse", "-o", merged, *profiles)
    programs = sorted(path for path in (build / "bin").iterdir() if path.is_file())
    others = [word for path in programs[1:] for word in ("-object", path)]
    options = ["-skip-expansions", "-skip-functions"]
    sources = [ROOT / name for name in names or KEPT]
    return json.loads(tool("llvm-cov", "export", "-format=text", *options, f"-instr-profile={merged}",
                           programs[0], *others, *sources))["data"][0]["files"]


def room_of(path):
    """The folder a file is counted in; the netstring codec is a room of its own."""
    return "src/wire/netstring" if path.startswith("src/wire/netstring.") else str(pathlib.Path(path).parent)


def text_of(file):
    return pathlib.Path(file["filename"]).read_text(encoding="utf-8").splitlines()


def branches_of(file):
    """(line, column) -> how often it was true, and how often false."""
    text, found = text_of(file), {}
    for line, column, end_line, end_column, true, false, *_ in file["branches"]:
        if line > len(text):
            sys.exit(f"coverage: {file['filename']} was edited since: build and run the tests again")
        if SWITCH.search(text[line - 1][:column - 1]):
            continue
        counts = found.setdefault((line, column, end_line, end_column), [0, 0])
        counts[0] += true
        counts[1] += false
    return found


def sums(files):
    """folder -> [lines, covered, branches, covered]"""
    rooms = {}
    for file in files:
        room = rooms.setdefault(room_of(str(pathlib.Path(file["filename"]).relative_to(ROOT))), [0] * 4)
        room[0] += file["summary"]["lines"]["count"]
        room[1] += file["summary"]["lines"]["covered"]
        for counts in branches_of(file).values():
            room[2] += len(counts)
            room[3] += sum(count > 0 for count in counts)
    return dict(sorted(rooms.items()))


def share(covered, count):
    return covered / count if count else 1.0


def judged(rooms):
    total = [sum(column) for column in zip(*rooms.values())]
    rows = []
    for room, (lines, lines_hit, branches, branches_hit) in [*rooms.items(), ("all", total)]:
        goal = GOALS.get(room, GOAL if room == "all" else None)
        found = (share(lines_hit, lines), share(branches_hit, branches))
        rows.append({"folder": room, "lines": lines, "lines_reached": found[0], "branches": branches,
                     "branches_reached": found[1], "goal": goal,
                     "met": goal is None or all(is_so >= least for is_so, least in zip(found, goal))})
    return rows


def show(rows):
    print(f"{'':20} {'lines':>7} {'reached':>8} {'branches':>9} {'reached':>8}")
    for row in rows:
        goal = f"  goal {row['goal'][0]:.0%} and {row['goal'][1]:.0%}" if row["goal"] else ""
        print(f"{row['folder']:20} {row['lines']:7} {row['lines_reached']:8.1%} {row['branches']:9} "
              f"{row['branches_reached']:8.1%}{goal}{'' if row['met'] else ', MISSED'}")


def show_missing(files):
    for file in files:
        path = pathlib.Path(file["filename"]).relative_to(ROOT)
        text, missed = text_of(file), {}
        for (line, column, *_), counts in branches_of(file).items():
            what = [word for count, word in zip(counts, ("never true", "never false")) if count == 0]
            if what:
                missed.setdefault(line, []).append(f"{column}: {', '.join(what)}")
        for line, _, count, has_count, is_entry, *_ in file["segments"]:
            if has_count and is_entry and count == 0:
                missed.setdefault(line, []).append("never reached")
        for line, what in sorted(missed.items()):
            print(f"{path}:{line}: {'; '.join(dict.fromkeys(what))}\n    {text[line - 1].strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--missing", nargs="+", default=[])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    files = exported(asked.build.resolve(), asked.missing)
    if asked.missing:
        show_missing(files)
        return
    rows = judged(sums(files))
    if asked.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows)
    sys.exit(0 if all(row["met"] for row in rows) else 1)


if __name__ == "__main__":
    main()
