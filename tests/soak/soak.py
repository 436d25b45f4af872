#!/usr/bin/env python3
"""./dev soak [SECONDS] [--seed N] [--rate N]: the real daemon under load, edits and faults, its every answer checked.

Fails where one answer is weaker than the policy in force, or otherwise wrong; where a question is neither answered nor
hung up on within two seconds; and where fewer than 99.999 % of the questions have their right answer. The seed settles
which faults come in which order and what each of them chooses; how they meet the load is left to the machine.
"""
import argparse
import collections
import contextlib
import os
import pathlib
import random
import resource
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "blackbox")]

import database_faults  # noqa: E402
import faults  # noqa: E402
from board import PROFILES, STRICT_PROFILES, Board  # noqa: E402
from clients import Clients  # noqa: E402
from daemon import Daemon, insertion  # noqa: E402
from editor import Editor  # noqa: E402
from evidence import append  # noqa: E402
from faults_lock_test import enter_own_mounts, mount  # noqa: E402
from handover_test import Holder  # noqa: E402
from processes import SLOWNESS, wait_until  # noqa: E402
from schedule import make_schedule  # noqa: E402
from tlsrpt_test import Reported  # noqa: E402

ENLISTING = (faults, database_faults)  # each enlists its faults where it is loaded
CONSTANT, ABSENT, LEARNT = 3000, 200, 50
DESCRIPTORS = 400
PROGRESS_EVERY = 10
LEAST_AVAILABLE = 99.999  # percent
HANDSHAKE = "4.7.5 Cannot start TLS: handshake failure"


def learnt(number):
    return f"l{number}.learnt.example"


def questions():
    """"MAP KEY" to the answers that are right from the beginning."""
    found = Editor.questions()
    for number in range(CONSTANT):
        answer = PROFILES[STRICT_PROFILES[number % len(STRICT_PROFILES)]]
        found[f"policy c{number}.constant.example"] = [answer]
        if number % 10 == 0:
            found[f"strict c{number}.constant.example"] = [answer]
            found[f"transport c{number}.constant.example"] = ["NOTFOUND "]
    found.update({f"policy a{number}.absent.example": ["NOTFOUND "] for number in range(ABSENT)})
    # What has offered TLS once is held to it, whatever becomes of the memory of that.
    found.update({f"policy {learnt(number)}": ["OK encrypt"] for number in range(LEARNT)})
    return found


def rows():
    constant = ((f"c{number}.constant.example", STRICT_PROFILES[number % len(STRICT_PROFILES)])
                for number in range(CONSTANT))
    return "".join(insertion(*row) for row in (*constant, *((learnt(n), "preferred") for n in range(LEARNT)))) \
        + Editor.sql()


def few_descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


class Scene:
    """The daemon and all that the faults lay hands on."""

    def __init__(self, stack):
        self._stack = stack
        self.daemon = Reported(rows=(), uid=os.geteuid(), start=False, stall_timeout=1, probe_watch="yes",
                               resolver="127.0.0.1:1", preexec=few_descriptors)
        self.disk, self.maillog = self.daemon.path("disk"), self.daemon.path("mail.log")
        self.good, self.oldest = self.daemon.path("good.db"), self.daemon.path("oldest.db")
        self.report = self.daemon.report
        self.editor = self.holder = None

    def prepare(self):
        append(self.maillog, "")
        self.daemon.configure(state_db=os.path.join(self.disk, "state.db"), maillog=self.maillog, trust_maillog="yes",
                              image_file=os.path.join(self.disk, "policy.image"))
        self._stack.enter_context(self.daemon)
        os.mkdir(self.disk)
        mount("-t", "tmpfs", "-o", "size=32m", "tmpfs", self.disk)
        self._stack.callback(subprocess.run, ["umount", "-l", self.disk], check=True, timeout=20)
        self.daemon.edit_all(rows())
        self.daemon.edit(f"VACUUM INTO '{self.oldest}';")
        self.holder = self._stack.enter_context(
            Holder(tlsmap=self.daemon.tcp, **{"tlsmap-unix": self.daemon.unix}))
        self.start()
        self._learn()
        faults.wait_until_well(self)

    def start(self):
        self.daemon.start(self.holder.command())

    def _learn(self):
        """Each of them fails once in a way that shows its offer of TLS; returns when that is on disk."""
        with self.daemon.client(self.daemon.unix) as client:
            for number in range(LEARNT):
                client.ask(learnt(number))
                client.ask(HANDSHAKE, "outcome")
        wait_until(lambda: self.daemon.edit("SELECT count(*) FROM destination_state;",
                                            self.daemon.settings["state_db"]).strip() == str(LEARNT),
                   "what was learnt is on disk", 30 * SLOWNESS)


class Soak:
    def __init__(self, options):
        self._options = options
        chosen = {name: faults.TOUCHES[name] for name in options.fault or faults.TOUCHES}
        self._schedule = make_schedule(options.seed, options.seconds, chosen)
        self._counts = collections.Counter()
        self._errors = []
        self._began = self._took = 0.0

    def run(self):
        """Whether it was passed."""
        options = self._options
        with contextlib.ExitStack() as stack:
            scene = Scene(stack)
            scene.prepare()
            board = Board(scene.daemon.path("board"), questions())
            editor = scene.editor = Editor(scene.daemon, board, random.Random(options.seed))
            clients = Clients(board, (scene.daemon.tcp, scene.daemon.unix), options.rate, options.seed, 2000 * SLOWNESS)
            print(f"soak: seed {options.seed}, {options.seconds} s, {len(self._schedule)} times a fault, "
                  f"{len(board)} questions", flush=True)
            self._began = time.monotonic()
            with clients, editor, self._progress(clients):
                self._go_through(scene, clients)
            self._took = self._elapsed()
            self._look_after(scene, editor)
            print(self._summary(clients, editor), flush=True)
            passed = self._is_passed(clients)
            if not passed:
                print(f"{scene.daemon.log()[-6000:]}\nagain: {self._command()}")
        return passed

    def _command(self):
        options = self._options
        chosen = "".join(f" --fault '{name}'" for name in options.fault or ())
        return f"./dev soak {options.seconds} --seed {options.seed} --rate {options.rate}{chosen}"

    def _elapsed(self):
        return time.monotonic() - self._began

    def _go_through(self, scene, clients):
        for event in self._schedule:
            threading.Event().wait(max(0.0, event.at - self._elapsed()))
            if self._options.verbose:
                print(f"   {self._elapsed():7.1f} s   {event}", flush=True)
            self._meet(scene, event)
            if self._errors or scene.editor.failure or not clients.is_well():
                return
        threading.Event().wait(max(0.0, self._options.seconds - self._elapsed()))

    def _meet(self, scene, event):
        choice = random.Random(event.seed)
        threads = [threading.Thread(target=self._try, args=(name, scene, random.Random(choice.getrandbits(32))))
                   for name in event.faults]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _try(self, name, scene, choice):
        try:
            faults.FAULTS[name](scene, choice)
        except Exception as error:  # whatever it is, the run has failed
            self._errors.append(f"{name}: {error!r}")
        self._counts[name] += 1

    @contextlib.contextmanager
    def _progress(self, clients):
        """Shown every ten seconds."""
        over = threading.Event()

        def show():
            while not over.wait(PROGRESS_EVERY):
                said = clients.tally
                print(f"   {self._elapsed():6.0f} s   {said['lookups']:>12,} lookups   {sum(self._counts.values()):>5} faults"
                      f"   slowest {said['slowest_ms']:.0f} ms   wrong {said['weaker'] + said['wrong']}", flush=True)

        thread = threading.Thread(target=show, daemon=True)
        thread.start()
        yield
        over.set()
        thread.join()

    def _look_after(self, scene, editor):
        """What must be true when all faults are over."""
        if editor.failure:
            self._errors.append(f"edit: {editor.failure!r}")
        try:
            faults.wait_until_well(scene)
            scene.daemon.ctl("decisions", "--verify")
            sound = scene.daemon.edit("PRAGMA integrity_check;", scene.daemon.settings["state_db"])
            if sound != "ok\n":
                self._errors.append(f"state.db: {sound}")
        except AssertionError as error:
            self._errors.append(f"afterwards: {error}")

    def _is_passed(self, clients):
        return not self._errors and clients.is_well() and clients.availability() >= LEAST_AVAILABLE

    def _summary(self, clients, editor):
        said = clients.tally
        lines = [f"   {error}" for error in self._errors]
        lines += [f"   {each['complaint']}: {each['question']} -> {each['reply']} (allowed: {each['allowed']})"
                  for each in clients.complaints[:20]]
        for name, value in (
                ("lookups", f"{said['lookups']:,} ({said['lookups'] / self._took:,.0f} a second)"),
                ("weaker than the policy", said["weaker"]), ("wrong in another way", said["wrong"]),
                ("late (over 2 s)", said["late"]), ("deferred", said["deferred"]),
                ("asked again", f"{said['retried']:,} (their connection had ended)"),
                ("availability", f"{clients.availability():.5f} %"),
                ("answer times", f"median {said['p50_ms']:.2f} ms, 99.9 % {said['p999_ms']:.1f} ms, "
                                 f"slowest {said['slowest_ms']:.0f} ms"),
                ("edits", f"{editor.edits}, the slowest in force after {editor.slowest:.2f} s"),
                ("faults", sum(self._counts.values()))):
            lines.append(f"{name:24}{value}")
        lines += [f"   {name:28}{count}" for name, count in sorted(self._counts.items())]
        return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(prog="./dev soak", description="The daemon under load, edits and random faults.")
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    parser.add_argument("--seed", type=int, default=None, help="of a run that is to be repeated")
    parser.add_argument("--rate", type=int, default=40_000, help="questions a second, at most")
    parser.add_argument("--fault", action="append", choices=sorted(faults.FAULTS), metavar="NAME",
                        help="this one alone, or each of several: " + ", ".join(sorted(faults.FAULTS)))
    parser.add_argument("--verbose", action="store_true", help="show each fault as it comes")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    return options


def main():
    options = parse()
    enter_own_mounts()
    return 0 if Soak(options).run() else 1


if __name__ == "__main__":
    sys.exit(main())
