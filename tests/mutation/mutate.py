#!/usr/bin/env python3
"""mutate.py BUILD [--most N] [--seed N] [--jobs N] [FILE...]: how many small slips in src/engine the
tests notice. Compiles each mutant alone, puts it into a copy of the engine as a shared library, and
runs the tests of that file and then all others of the engine until one fails. Prints those that
nobody noticed; exit 1 where one of them is not in survivors.txt, or where fewer than 90 % die."""
import argparse
import concurrent.futures
import os
import pathlib
import random
import re
import shlex
import subprocess
import sys
import tempfile
import time

from mutants import mutants_of

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SURVIVORS = ROOT / "tests/mutation/survivors.txt"
ENGINE = "src/engine"
LEAST_KILLED = 0.9
# A mutant that makes a loop endless is noticed by how much longer a test takes than without it.
PATIENCE_FACTOR, PATIENCE_SECONDS = 10, 5
# Slips are looked for in what decides, not in how fast it is compiled.
SLOW_FLAGS = re.compile(r"^-(W.*|g\d?|O\d|MD|DNDEBUG|D_FORTIFY_SOURCE.*|U_FORTIFY_SOURCE)$")


def known_survivors():
    """name -> reason"""
    known = {}
    for number, line in enumerate(SURVIVORS.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        name, separator, reason = line.rpartition(" | ")
        if not separator or not reason:
            sys.exit(f"survivors.txt:{number}: FILE | CHANGE | LINE | REASON is what stands there")
        known[name] = reason
    return known


class Workshop:
    """The engine's objects, and the tests linked so that the engine can be exchanged below them."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.objects = sorted((build / ENGINE / "CMakeFiles/engine.dir").glob("*.o"))
        self.tests = {}
        self.patience = {}  # test -> seconds
        self.compilers = {}  # unit -> the compiler's command
        self.prepare()

    def last_command(self, target):
        listed = subprocess.run(["ninja", "-C", self.build, "-t", "commands", target],
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        return shlex.split(listed.splitlines()[-1])

    def prepare(self):
        engine = self.folder / "good" / "libengine.so"
        engine.parent.mkdir()
        self.link_engine(engine, self.objects)
        for source in sorted((ROOT / "tests/unit").glob("*_test.cc")):
            included = set(re.findall(r'#include "(src/engine/[\w/]+)\.h"', source.read_text()))
            if included:
                self.add_test(source.stem, included, engine, [])
        stories = sorted(str(path) for path in (ROOT / "tests/scenario").glob("*.txt")
                         if path.name not in ("README.txt", "CMakeLists.txt"))
        self.add_test("scenario_runner", {f"{ENGINE}/advance", f"{ENGINE}/judge"}, engine, stories)

    def link_engine(self, to, objects):
        libraries = [self.build / "src/model/libmodel.a", self.build / "src/base/libbase.a"]
        # Without a name of its own a library is looked for where it stood when the test was linked.
        subprocess.run(["c++", "-shared", "-Wl,-soname,libengine.so", "-o", to, *objects, *libraries,
                        "-lfmt", "-lcrypto", "-lidn2"], check=True)

    def add_test(self, name, included, engine, arguments):
        """Links the test once more, with the shared engine in place of the archive."""
        linked = self.last_command(name)
        linked = linked[linked.index("&&") + 1:] if "&&" in linked else linked
        linked = [word for word in linked if word not in ("&&", ":")]
        linked = [str(engine) if word.endswith("libengine.a") else word for word in linked]
        output = linked.index("-o") + 1
        linked[output] = str(self.folder / name)
        subprocess.run([*linked, "-rdynamic"], cwd=self.build, check=True)
        self.tests[name] = ([str(self.folder / name), *arguments], included)

    def order_for(self, unit):
        """The tests that reach that unit, those that name it first and the long one last."""
        reached = {name: self.reach(included) for name, (_, included) in self.tests.items()}
        return sorted((name for name in self.tests if unit in reached[name]),
                      key=lambda name: (name == "advance_property_test",
                                        unit not in self.tests[name][1], name))

    def reach(self, units):
        """These, and what their own sources include of the engine."""
        reached, open_ones = set(), list(units)
        while open_ones:
            unit = open_ones.pop()
            if unit in reached:
                continue
            reached.add(unit)
            for ending in (".h", ".cc"):
                path = ROOT / (unit + ending)
                text = path.read_text(encoding="utf-8") if path.exists() else ""
                open_ones += re.findall(r'#include "(src/engine/[\w/]+)\.h"', text)
        return reached

    def compile(self, mutant, to):
        source = to.with_suffix(".cc")
        source.write_text(mutant.source, encoding="utf-8")
        if mutant.path not in self.compilers:
            self.compilers[mutant.path] = self.last_command(
                f"{ENGINE}/CMakeFiles/engine.dir/{pathlib.Path(mutant.path).name}.o")
        command = self.compilers[mutant.path]
        if command[0].endswith("ccache"):
            command = command[1:]
        kept, skip = [], False
        for word in command:
            if skip or word in ("-MT", "-MF", "-o"):
                skip = not skip
            elif not SLOW_FLAGS.match(word):
                kept.append(str(source) if word.endswith(mutant.path) else word)
        return subprocess.run([*kept, "-w", "-O0", "-o", to], cwd=self.build, check=False,
                              stderr=subprocess.DEVNULL).returncode == 0

    def runs_clean(self, name, engine):
        environment = dict(os.environ, LD_LIBRARY_PATH=str(engine.parent))
        environment.pop("TLSPOLICYD_LONG", None)
        try:
            return subprocess.run(self.tests[name][0], env=environment, cwd=self.folder,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=self.patience.get(name), check=False).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def failing_already(self):
        """Those that fail without a mutant. How long the others take is how long one is waited for."""
        failing, good = [], self.folder / "good" / "libengine.so"
        for test in self.tests:
            if self.runs_clean(test, self.folder / "none" / "libengine.so"):
                sys.exit(f"{test} runs without the library that mutants are put into")
            begun = time.monotonic()
            if not self.runs_clean(test, good):
                failing.append(test)
            self.patience[test] = PATIENCE_SECONDS + PATIENCE_FACTOR * (time.monotonic() - begun)
        return failing

    def try_mutant(self, mutant):
        """"stillborn", "survived", or the test that noticed it."""
        unit = mutant.path.removesuffix(".cc")
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            place = pathlib.Path(name)
            if not self.compile(mutant, place / "mutant.o"):
                return "stillborn"
            others = [each for each in self.objects if each.name != pathlib.Path(mutant.path).name + ".o"]
            self.link_engine(place / "libengine.so", [place / "mutant.o", *others])
            for test in self.order_for(unit):
                if not self.runs_clean(test, place / "libengine.so"):
                    return test
        return "survived"


def choose(files, most, seed):
    mutants = []
    for path in files:
        mutants += mutants_of(path, (ROOT / path).read_text(encoding="utf-8"))
    if most and len(mutants) > most:
        mutants = sorted(random.Random(seed).sample(mutants, most), key=lambda each: (each.path, each.line))
    return mutants


def report(mutants, fates, known):
    living = [mutant for mutant, fate in zip(mutants, fates) if fate == "survived"]
    alive = sum(fate != "stillborn" for fate in fates)
    killed = alive - len(living)
    new = [mutant for mutant in living if mutant.name() not in known]
    share = killed / alive if alive else 0
    print(f"{alive} mutants, {killed} killed ({share:.1%}), {len(living)} survived, {len(new)} of them "
          f"not in survivors.txt; {len(fates) - alive} did not compile")
    return not new and share >= LEAST_KILLED


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("files", nargs="*", help="of src/engine; all of them where none is named")
    parser.add_argument("--most", type=int, default=0, help="so many, chosen by chance; 0 = all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    asked = parser.parse_intermixed_args()
    files = asked.files or sorted(str(path.relative_to(ROOT)) for path in (ROOT / ENGINE).glob("*.cc"))
    mutants, known = choose(files, asked.most, asked.seed), known_survivors()
    with tempfile.TemporaryDirectory(prefix="tlspolicyd-mutants-") as name:
        shop = Workshop(asked.build.resolve(), pathlib.Path(name))
        failing = shop.failing_already()
        if failing:
            sys.exit(f"these fail without a mutant: {', '.join(failing)}")
        fates = []
        with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
            for mutant, fate in zip(mutants, pool.map(shop.try_mutant, mutants)):
                fates.append(fate)
                if fate == "survived" and mutant.name() not in known:
                    print(f"survived: {mutant.path}:{mutant.line}: {mutant.what}\n"
                          f"    {mutant.before}", flush=True)
                if len(fates) % 50 == 0:
                    print(f"   {len(fates)} of {len(mutants)} tried, "
                          f"{fates.count('survived')} survived", file=sys.stderr, flush=True)
        sys.exit(0 if report(mutants, fates, known) else 1)


if __name__ == "__main__":
    main()
