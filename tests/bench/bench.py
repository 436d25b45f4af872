#!/usr/bin/env python3
"""Figures of tlspolicyd beside those of the null responder, as Markdown on stdout.

Every ratio is the median over pairs that were taken one right after the other, so that what else the
machine does falls on both. Nothing here passes or fails; a wrong answer alone ends the run.
"""
import argparse
import json
import os
import pathlib
import platform
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from feedback import Feedback
from inbound import Inbound
from probes import Probes
from servers import Daemon, NullResponder, wait_for

CONNECTIONS = (1, 8, 64, 256)
TRANSPORTS = ("unix", "tcp")
KINDS = ("hit", "miss", "parent")
median = statistics.median


def progress(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
    print()


def millis(seconds):
    return f"{1000 * seconds:.1f}"


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.null = NullResponder(folder / "null", options.build, options.pin)
        self.small = Daemon(folder / "small", options.build, 1000, options.pin)
        self.middle = Daemon(folder / "middle", options.build, 10_000, options.pin)
        self.large = Daemon(folder / "large", options.build, options.rows, options.pin)
        self.servers = (self.null, self.small, self.middle, self.large)
        self.edits = 0
        self.folder = folder

    def start(self):
        self.null.start()
        for daemon in (self.small, self.middle, self.large):
            progress(f"making a database of {daemon.name}")
            daemon.fill()
            daemon.start()
            took = daemon.wait_until_answering(time.monotonic())
            progress(f"first answer after {took:.2f} s, without an image to start from")

    def stop(self):
        for server in self.servers:
            server.stop()

    def load(self, server, connections, transport, kind, milliseconds=None, idle="sleep"):
        rows = self.options.rows if server is self.null else server.rows
        command = ["taskset", "-c", "1"] if self.options.pin else []
        command += [f"{self.options.build}/bench/load", "--address", server.address(transport),
                    "--connections", connections, "--kind", kind, "--rows", rows,
                    "--expect", server.expect(kind), "--pid", server.pid(),
                    "--milliseconds", milliseconds or self.options.milliseconds, "--idle", idle]
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    # ------------------------------------------------------------------ lookups
    def measure_cell(self, connections, transport, kind):
        """Figures of null, small and large by name: a list with one entry for each repetition."""
        order = [self.null, self.small, self.large]
        taken = {server.name: [] for server in order}
        for _ in range(self.options.repetitions):
            for server in order:
                # A generator that sleeps has to be woken by the server, and a faster server seldom lets
                # it sleep: the ratio would tell more of that than of the servers.
                taken[server.name].append(self.load(server, connections, transport, kind, idle="spin"))
            order.append(order.pop(0))
        return taken

    def lookups(self):
        cells = {}
        for connections in CONNECTIONS:
            for transport in TRANSPORTS:
                for kind in KINDS:
                    progress(f"{connections} connections, {transport}, {kind}")
                    cells[connections, transport, kind] = self.measure_cell(connections, transport, kind)
        small, large = self.small.name, self.large.name

        def ratio(cell, field, above, below):
            return median(a[field] / b[field] for a, b in zip(cell[above], cell[below]))

        def figures(cell, field, form):
            return " / ".join(form.format(median(run[field] for run in cell[name]))
                              for name in ("null", small, large))

        print(f"## Lookups\n\nWhere three figures stand: null / {small} / {large}.\n")
        table(["connections", "socket", "key", "lookups/s", f"{small} ÷ null", f"{large} ÷ null",
               f"{large} ÷ {small}", "p50 µs", "p99 µs", "p99: large ÷ null", "p99.9 µs", "CPU µs a lookup"],
              [[*where, figures(cell, "rate", "{:,.0f}"), f"{ratio(cell, 'rate', small, 'null'):.2f}",
                f"{ratio(cell, 'rate', large, 'null'):.2f}", f"{ratio(cell, 'rate', large, small):.2f}",
                figures(cell, "p50_us", "{:.1f}"), figures(cell, "p99_us", "{:.1f}"),
                f"{ratio(cell, 'p99_us', large, 'null'):.2f}", figures(cell, "p999_us", "{:.0f}"),
                figures(cell, "cpu_us", "{:.2f}")] for where, cell in cells.items()])
        busy = [cell for (connections, _, _), cell in cells.items() if connections >= 8]
        self.goals = [
            ("lookups/s ÷ null, 8 connections and more", "at least 0.85",
             [ratio(cell, "rate", name, "null") for cell in busy for name in (small, large)], min),
            ("p99 ÷ null, 8 connections and more", "at most 1.5",
             [ratio(cell, "p99_us", name, "null") for cell in busy for name in (small, large)], max),
            (f"lookups/s: {large} ÷ {small}", "more than 0.90",
             [ratio(cell, "rate", large, small) for cell in cells.values()], min)]
        table(["goal", "", "median of the cells", "worst cell"],
              [[what, goal, f"{median(got):.2f}", f"{worst(got):.2f}"]
               for what, goal, got, worst in self.goals])

    # ------------------------------------------------------------------ memory
    def memory(self):
        rows = []
        for server in (self.null, self.small, self.middle, self.large):
            status = dict(line.split(":", 1) for line in
                          pathlib.Path(f"/proc/{server.pid()}/status").read_text().splitlines())
            mib = {field: int(status[field].split()[0]) / 1024
                   for field in ("VmRSS", "RssAnon", "RssFile", "RssShmem")}
            goal = "" if server is self.null else f"{40 + 80 * server.rows / 2 ** 20:.0f}"
            rows.append([server.name, *(f"{mib[field]:.1f}" for field in mib), goal])
        print("## Memory of `answer`, MiB\n\n`answer` holds a copy of the policy image, in huge pages: it counts as RssAnon.\n")
        table(["server", "VmRSS", "RssAnon", "RssFile", "RssShmem", "goal: 40 MB + 80 B a row"], rows)

    # ------------------------------------------------------------------ starts
    def start_again(self, daemon):
        """From exec to the first answer, with a database that nobody touched."""
        daemon.stop()
        begun = time.monotonic()
        daemon.start()
        return daemon.wait_until_answering(begun)

    def cold_start(self, daemon):
        """From exec to the first answer, with the image alone: the database is out of the way."""
        daemon.stop()
        aside = daemon.database.with_suffix(".aside")
        daemon.database.rename(aside)
        try:
            begun = time.monotonic()
            daemon.start()
            return daemon.wait_until_answering(begun)
        finally:
            daemon.stop()
            aside.rename(daemon.database)

    def kill(self, daemon):
        begun = time.monotonic()
        daemon.kill_answer()
        return daemon.wait_until_answering(begun)

    def starts(self):
        rows = []
        for daemon in (self.small, self.large):
            progress(f"kill -9 and cold start, {daemon.name}")
            killed = [self.kill(daemon) for _ in range(self.options.repetitions)]
            again = [self.start_again(daemon) for _ in range(self.options.repetitions)]
            cold = [self.cold_start(daemon) for _ in range(self.options.repetitions)]
            daemon.start()
            daemon.wait_until_answering(time.monotonic())
            rows.append([daemon.name, millis(median(cold)), millis(max(cold)), "100",
                         millis(median(again)), millis(max(again)), "100",
                         millis(median(killed)), millis(max(killed)), "500"])
        print("## Starts, ms to the first answer\n")
        table(["table", "cold start without policy.db: median", "worst", "goal",
               "with it, untouched: median", "worst", "goal",
               "kill -9 of answer: median", "worst", "goal"], rows)

    # ------------------------------------------------------------------ edits
    def edit(self, daemon):
        """One committed row to its first answer, in seconds."""
        self.edits += 1
        key = f"edit{self.edits}.bench.example"
        database = sqlite3.connect(daemon.database, timeout=10)
        with database:
            database.execute("INSERT INTO outbound(destination, profile) VALUES(?, 'required')", (key,))
        committed = time.monotonic()
        database.close()
        return wait_for(daemon.path, key, "OK", committed)

    def edit_to_live(self):
        rows = []
        for daemon, goal in ((self.middle, "300"), (self.large, "1000")):
            progress(f"edits, {daemon.name}")
            took = [self.edit(daemon) for _ in range(3 * self.options.repetitions)]
            rows.append([daemon.name, len(took), millis(median(took)), millis(max(took)), goal])
        print("## An edit: ms from the commit to the first answer (a whole publication)\n")
        table(["table", "edits", "median", "worst", "goal"], rows)

    def publication(self):
        """p99 while one publication follows the other without a pause, against calm just before."""
        progress("publication under load")
        pairs, took = [], []
        for _ in range(self.options.repetitions):
            calm = self.load(self.large, 8, "unix", "hit", 2000)
            over = threading.Event()

            def keep_publishing():
                while not over.is_set():
                    took.append(self.edit(self.large))

            thread = threading.Thread(target=keep_publishing)
            thread.start()
            busy = self.load(self.large, 8, "unix", "hit", 2000)
            over.set()
            thread.join()
            pairs.append((calm, busy))
        print(f"## Publishing {self.options.rows:,} rows under load (8 connections, unix, hits)\n")
        table(["", "calm", "publishing", "ratio", "goal"],
              [[label, *(form.format(median(pair[i][field] for pair in pairs)) for i in (0, 1)),
                f"{median(busy[field] / calm[field] for calm, busy in pairs):.2f}", goal]
               for label, field, form, goal in (("p50 µs", "p50_us", "{:.1f}", ""),
                                                ("p99 µs", "p99_us", "{:.1f}", "2"),
                                                ("p99.9 µs", "p999_us", "{:.0f}", ""),
                                                ("longest µs", "max_us", "{:.0f}", ""),
                                                ("lookups/s", "rate", "{:,.0f}", ""))])
        print(f"Commit to live meanwhile: median {millis(median(took))} ms, worst {millis(max(took))} ms "
              f"of {len(took)} publications (goal: 1000 ms).\n")

    def feedback(self):
        Feedback(self, self.folder, progress, table).run()

    def inbound(self):
        Inbound(self, self.folder, progress, table).run()

    def probes(self):
        Probes(self, self.folder, progress, table).run()

    def schedule(self):
        progress("schedule of a hundred thousand destinations")
        done = subprocess.run([f"{self.options.build}/bench/schedule_cost"], stdout=subprocess.PIPE, check=True)
        figures = json.loads(done.stdout)
        print("## The schedule of probes\n")
        table(["watched", "bytes each", "µs a step with nothing due", "checks a day", "µs a check"],
              [[f"{figures['watched']:,}", figures["bytes_each"], f"{figures['idle_step_us']:.3f}",
                f"{figures['checks_a_day']:,}", f"{figures['check_us']:.1f}"]])


def describe_machine(options):
    cpus = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    print("# tlspolicyd beside a null responder\n")
    print(f"{os.cpu_count()} x {cpus[0] if cpus else platform.machine()}, "
          f"{release.get('PRETTY_NAME', '?').strip(chr(34))}, kernel {platform.release()}, "
          f"load average before {os.getloadavg()[0]:.1f}.")
    print(f"{options.repetitions} repetitions of {options.milliseconds} ms a cell, servers in turn; medians; "
          f"{'server on CPU 0, generator on CPU 1' if options.pin else 'nothing pinned'}. "
          f"Repeat with `./dev bench{' --pin' if options.pin else ''}`.\n")


SECTIONS = {"lookups": Bench.lookups, "memory": Bench.memory, "starts": Bench.starts,
            "edits": Bench.edit_to_live, "publication": Bench.publication, "feedback": Bench.feedback,
            "inbound": Bench.inbound, "probes": Bench.probes, "schedule": Bench.schedule}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="folder with bin/ and bench/")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large table")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--milliseconds", type=int, default=500, help="measured time of one run of the load")
    parser.add_argument("--pin", action="store_true", help="servers on CPU 0, generator on CPU 1")
    parser.add_argument("--only", choices=SECTIONS, action="append", help="these sections alone")
    options = parser.parse_args()
    options.build = os.path.abspath(options.build)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the finally below
    with tempfile.TemporaryDirectory(prefix="tlspolicyd-bench.") as folder:
        bench = Bench(options, pathlib.Path(folder))
        try:
            bench.start()
            describe_machine(options)
            for name in options.only or SECTIONS:
                SECTIONS[name](bench)
        finally:
            bench.stop()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except (TimeoutError, ProcessLookupError, OSError, subprocess.CalledProcessError) as trouble:
        sys.exit(f"bench: {trouble}")
