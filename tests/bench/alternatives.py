#!/usr/bin/env python3
"""tlspolicyd beside what Postfix brings itself, with the same rows: one Markdown table on stdout.

One client for all: `postmap -q -`, which looks up as smtp(8) does, one key after the other over one
connection or file handle. The maps take turns; every ratio is the median over turns. As root it runs in
namespaces of its own (tests/postfix/run.py), with a private Postfix for proxymap(8), and no network.
Nothing here passes or fails; a wrong number of answers alone ends the run.
"""
import argparse
import os
import pathlib
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from alternative_maps import Indexed, Ours, Proxied, Resolver, Sqlite

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "postfix"))
import run  # pylint: disable=wrong-import-position

FOLDER = "TLSPOLICYD_BENCH_FOLDER"
median = statistics.median
NOTES = """
- A lookup through a file map happens inside the asking process. Ours and the resolver's cross a socket, and so
  does `proxy:`; that is the price of one process that knows how deliveries end. smtp(8) asks once a delivery.
- Latency is the mean, time ÷ keys, with the start of postmap taken off: postmap writes its answers when it is
  done, so percentiles can't be seen through it. `./dev bench` has ours.
- CPU is the client's and the server's together; the server's part is counted in ticks of 10 ms.
- Edits are asked for by a new postmap each time; its start, {start} ms, is in the figure. A running smtp(8) opens
  a rebuilt `hash:` file only when it starts anew, between deliveries, which this can't show.
- `postmap -i` adds a row to the file alone; the next `postmap` of the whole table drops what the text lacks."""


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def ticks_of(pids):
    """CPU seconds of processes so far, all threads."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


class Client:
    """postmap(1), and what it took."""

    def __init__(self, config, folder):
        self._config = config
        self._answers = folder / "answers"

    def command(self, *words):
        return ["postmap", "-c", str(self._config), *(str(word) for word in words)]

    def ask(self, way, keys, expected):
        """(seconds, CPU seconds of both sides) for a file of keys."""
        pids = way.pids()
        served = ticks_of(pids)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(keys, "rb") as source, open(self._answers, "wb") as answers:
            begun = time.monotonic()
            done = subprocess.run(self.command("-q", "-", way.map), stdin=source, stdout=answers,
                                  stderr=subprocess.PIPE, check=False)
            took = time.monotonic() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(self._answers, "rb") as answers:
            found = sum(1 for _ in answers)
        if done.stderr or found != expected:
            raise ValueError(f"{way.map} gave {found} answers, not {expected}\n{done.stderr.decode()[-500:]}")
        cpu = after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime
        return took, cpu + ticks_of(pids) - served

    def wait_for(self, way, key, begun, limit=120):
        """Seconds from `begun` to the first answer to `key`, asked by a new postmap each time."""
        while time.monotonic() - begun < limit:
            done = subprocess.run(self.command("-q", key, way.map), capture_output=True, check=False)
            if done.stdout:
                return time.monotonic() - begun
        raise TimeoutError(f"{way.map} does not know {key} after {limit} s\n{done.stderr.decode()[-500:]}")


class Bench:
    def __init__(self, options, folder, config, ways):
        self.options = options
        self.folder = folder
        self.client = Client(config, folder)
        self.ways = ways
        self.starts = []
        self.taken = {way: {"hit": [], "miss": [], "cpu": []} for way in ways}
        self.edits = {way: {label: [] for label in way.edits()} for way in ways}
        self._numbers = iter(range(1, 1_000_000))

    def write_keys(self):
        """Both kinds of keys, in the amounts that the ways ask for; and one alone, for the start."""
        exact = self.options.rows - self.options.rows // 10
        numbers = random.Random(20211121).choices(range(exact), k=self.options.keys)
        for kind, letter in (("hit", "d"), ("miss", "x")):
            for share in {1} | {way.share for way in self.ways}:
                keys = [f"{letter}{number:07d}.bench.example\n" for number in numbers]
                self.keys(kind, share).write_text("".join(keys[:len(keys) // share]), encoding="ascii")
        (self.folder / "one").write_text("d0000000.bench.example\n", encoding="ascii")

    def keys(self, kind, share):
        return self.folder / f"{kind}.{share}"

    def measure(self, way):
        start, start_cpu = self.client.ask(way, self.folder / "one", 1)
        self.starts.append(start)
        count = self.options.keys // way.share
        taken = self.taken[way]
        for kind in ("hit", "miss") if way.misses else ("hit",):
            took, cpu = self.client.ask(way, self.keys(kind, way.share), count if kind == "hit" else 0)
            taken[kind].append(count / max(took - start, 1e-6))
            if kind == "hit":
                taken["cpu"].append(max(cpu - start_cpu, 0) / count)

    def edit(self, way):
        for label, change in way.edits().items():
            key = f"edit{next(self._numbers)}.bench.example"
            begun = time.monotonic()
            change(key)
            self.edits[way][label].append(self.client.wait_for(way, key, begun))

    def take(self):
        order = list(self.ways)
        for turn in range(self.options.repetitions):
            for way in order:
                progress(f"turn {turn + 1} of {self.options.repetitions}: {way.name}")
                self.measure(way)
                self.edit(way)
            order.append(order.pop(0))

    # ------------------------------------------------------------------ the table
    def ratio(self, way, kind):
        ours = self.taken[self.ways[0]][kind]
        return f"{median(a / b for a, b in zip(self.taken[way][kind], ours)):.2f}"

    def edit_cell(self, way):
        return "; ".join(f"{label}: {1000 * median(took):,.0f} (worst {1000 * max(took):,.0f})"
                         for label, took in self.edits[way].items()) or way.no_edit

    def row(self, way):
        taken = self.taken[way]
        hit = median(taken["hit"])
        missed = [f"{median(taken['miss']):,.0f}", self.ratio(way, "miss")] if taken["miss"] else ["-", "-"]
        return [way.name, f"{hit:,.0f}", self.ratio(way, "hit"), f"{1e6 / hit:.1f}", *missed,
                f"{1e6 * median(taken['cpu']):.1f}", f"{way.built:.1f}" if way.brings_rows else "-", self.edit_cell(way)]

    def show(self, unmeasured):
        head = ["map", "hits/s", "÷ ours", "µs a hit", "misses/s", "÷ ours", "CPU µs a hit", "rows to first answer, s",
                "edit to first answer, ms"]
        print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
        for way in self.ways:
            print("| " + " | ".join(self.row(way)) + " |")
        print(NOTES.format(start=f"{1000 * median(self.starts):.0f}"))
        print("\nNot measured:\n" + "\n".join(f"- {line}" for line in unmeasured))


def describe(options):
    version = subprocess.run(["postconf", "-d", "-h", "mail_version"], capture_output=True, text=True,
                             check=True).stdout.strip()
    print(f"# tlspolicyd beside Postfix {version}'s own maps and postfix-mta-sts-resolver\n\n"
          f"{options.rows:,} rows in each; {options.keys:,} keys a run (a tenth of it for the resolver), "
          f"{options.repetitions} turns, {os.cpu_count()} CPUs, load average before {os.getloadavg()[0]:.1f}.\n", flush=True)


def measure(options, folder):
    is_root = os.geteuid() == 0
    describe(options)
    ours = Ours(folder / "ours", options, "unix")
    sqlite = Sqlite(folder / "sqlite", options.rows)
    ways = [ours, ours.over("tcp"), sqlite, *(Indexed(kind, folder / kind, options.rows) for kind in ("lmdb", "hash"))]
    unmeasured = []
    if is_root:
        ways.insert(3, Proxied(sqlite, run.SPOOL))
        config = ways[3].config
    else:
        config = folder / "etc"
        config.mkdir()
        (config / "main.cf").write_text("compatibility_level = 3.6\n", encoding="ascii")
        unmeasured.append("`proxy:sqlite:`: proxymap(8) needs a running Postfix, and that needs root.")
    resolver = Resolver(folder / "resolver", options.rows)
    ways.append(resolver)
    unmeasured += resolver.unmeasured
    bench = Bench(options, folder, config, ways)
    try:
        for way in ways:
            progress(f"building {options.rows:,} rows: {way.name}")
            begun = time.monotonic()
            way.build(bench.client)
            bench.client.wait_for(way, "d0000000.bench.example", begun)
            way.built = time.monotonic() - begun
        bench.write_keys()
        bench.take()
        bench.show(unmeasured)
    finally:
        for way in ways:
            way.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alternatives", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--build", required=True, help="folder with bin/")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keys", type=int, default=100_000, help="lookups of one run")
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    options.pin = False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of what cleans up below
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.environ.get(run.INSIDE):
        run.make_private()
        measure(options, pathlib.Path(os.environ[FOLDER]))
        return
    # Made and removed out here: what runs in the namespaces may be killed at any time.
    with tempfile.TemporaryDirectory(prefix="tlspolicyd-bench.") as folder:
        os.chmod(folder, 0o755)  # proxymap(8) reads in it as user postfix
        os.environ[FOLDER] = folder
        if os.geteuid() == 0:
            run.run_in_namespaces(__file__)
        measure(options, pathlib.Path(folder))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (AssertionError, OSError, ValueError, subprocess.CalledProcessError) as trouble:
        sys.exit(f"bench: {trouble}")
