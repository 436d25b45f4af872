"""What happens to processes, signals, disks and connections while the soak asks. Each fault is over when it returns:
what was killed runs again, what was filled is empty. Numbers are those of RELIABILITY section 5."""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from evidence import append, status
from processes import SLOWNESS, stopped, wait_until
from socketmap import Peer, frame, make_socket
from tlsrpt_test import datagram

FAULTS = {}  # name to its function
TOUCHES = {}  # name to what it needs for itself
ROLES = {"answer", "store", "ingest", "net", "parent"}
# Of the two seconds in which every question is answered.
STOPPED_ANSWER = 0.7
EXHAUSTED = 0.8
IDLE = 500  # more than the daemon may have


def fault(name, *touches):
    def enlist(function):
        FAULTS[name], TOUCHES[name] = function, set(touches)
        return function
    return enlist


def sleep(seconds):
    threading.Event().wait(seconds)


def make_kill(role):
    def kill(scene, choice):
        """1 to 3: kill -9, up to three times in a row."""
        for _ in range(choice.choice((1, 1, 3))):
            killed = scene.daemon.kill_role(role)
            scene.daemon.role(role, other_than=killed)
    return kill


for each in ("answer", "store", "ingest", "net"):
    fault(f"kill {each}", each)(make_kill(each))


@fault("kill answer and store", "answer", "store")
def kill_both(scene, choice):
    names = choice.sample(["answer", "store"], 2)
    killed = [scene.daemon.kill_role(name) for name in names]
    for name, pid in zip(names, killed):
        scene.daemon.role(name, other_than=pid)


@fault("kill the daemon", *ROLES)
def kill_parent(scene, _):
    scene.daemon.process.kill()
    scene.daemon.process.wait()
    scene.start()


@fault("restart the daemon", *ROLES)
def restart(scene, _):
    scene.daemon.stop()
    scene.start()


@fault("stop answer", "answer", "processors")
def stop_answer(scene, choice):
    with stopped(scene.daemon.role("answer")):
        sleep(choice.random() * STOPPED_ANSWER)


@fault("stop store", "store")
def stop_store(scene, choice):
    with stopped(scene.daemon.role("store")):
        sleep(1 + 2 * choice.random())


@fault("stop the parent", *ROLES)
def stop_parent(scene, choice):
    """26; and `answer` dies just before it goes on, with what it had told the parent unread."""
    with stopped(scene.daemon.process.pid):
        sleep(0.5 + choice.random())
        killed = scene.daemon.role("answer")
        os.kill(killed, signal.SIGKILL)
    scene.daemon.role("answer", other_than=killed)


@fault("storm of SIGHUP", "parent")
def reload_storm(scene, _):
    for _ in range(500):
        scene.daemon.process.send_signal(signal.SIGHUP)
        sleep(0.001)


@fault("flood of signals", "parent")
def signal_flood(scene, choice):
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGWINCH, signal.SIGURG):
        for _ in range(200):
            with contextlib.suppress(ProcessLookupError):
                os.kill(choice.choice([scene.daemon.process.pid, *scene.daemon.roles().values()]), number)


@fault("broken configuration", "parent")
def break_config(scene, _):
    """40: the old one stays in force."""
    shutil.copyfile(scene.daemon.config, scene.daemon.config + ".good")
    append(scene.daemon.config, "mode = sometimes\n")
    scene.daemon.process.send_signal(signal.SIGHUP)
    sleep(1)
    os.rename(scene.daemon.config + ".good", scene.daemon.config)
    scene.daemon.process.send_signal(signal.SIGHUP)


@fault("full disk", "disk")
def fill_disk(scene, choice):
    """5: of state.db and the image."""
    ballast = os.path.join(scene.disk, "ballast")
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
        while file.write(bytes(65536)):
            pass
    sleep(1 + 2 * choice.random())
    os.unlink(ballast)
    # Until it is saved, what was edited meanwhile is known to the database alone.
    wait_until(lambda: "last known good" not in "".join(scene.daemon.status().get("alarms", ["last known good"])),
               "the image is saved again", 30 * SLOWNESS)


@fault("failing disk", "store", "disk")
def fail_disk(scene, choice):
    """7: system calls of `store` return EIO."""
    calls = choice.choice(("fsync,fdatasync", "pwrite64", "pread64"))
    strace = subprocess.Popen(["strace", "-f", "-p", str(scene.daemon.role("store")), "-o", "/dev/null",
                               "-e", f"trace={calls}", "-e", f"inject={calls}:error=EIO"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sleep(0.5 + choice.random())
    strace.send_signal(signal.SIGINT)
    strace.wait(20)


@fault("starved processors", "processors")
def starve(_, choice):
    """45: eight busy loops beside the daemon."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(8)]
    sleep(1 + choice.random())
    for each in busy:
        each.kill()
        each.wait()


@fault("idle connections", "answer", "connections")
def exhaust(scene, choice):
    """33: more than the daemon has descriptors for."""
    with contextlib.ExitStack() as stack:
        for at in range(IDLE):
            one, where = make_socket((scene.daemon.tcp, scene.daemon.unix)[at % 2])
            stack.enter_context(one)
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(where)
        sleep(EXHAUSTED * choice.random())


@fault("malformed frames")
def malformed(scene, choice):
    """36."""
    bad = (b"99999:x", b"-1:,", b"023:policy required.example,", b"5368709120:policy a,", b"x" * 20_000, b"\0\n",
           b"7:policy a,", b"GET / HTTP/1.1\r\n\r\n", frame("policy a.example") * 3 + b"oops")
    for _ in range(100):
        with contextlib.suppress(OSError), Peer(choice.choice((scene.daemon.tcp, scene.daemon.unix)), 5) as peer:
            peer.send(choice.choice(bad))
            peer.read_rest()


@fault("slow loris")
def slow_loris(scene, _):
    """34: a byte each, never a whole request, until they are hung up on."""
    with contextlib.ExitStack() as stack:
        peers = []
        for at in range(40):
            with contextlib.suppress(OSError):
                peers.append(stack.enter_context(Peer((scene.daemon.tcp, scene.daemon.unix)[at % 2], 5)))
        for octet in frame("policy ".ljust(5000, "x"))[:30]:
            for peer in peers:
                with contextlib.suppress(OSError):
                    peer.send(bytes([octet]))
            sleep(0.05)


@fault("peers that never read")
def never_read(scene, choice):
    """35: they ask and ask, and are dropped."""
    with contextlib.suppress(OSError), Peer(choice.choice((scene.daemon.tcp, scene.daemon.unix)), 5) as peer:
        peer.socket.setblocking(False)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            try:
                peer.socket.send(frame("policy c1.constant.example") * 500)
            except BlockingIOError:
                sleep(0.005)


@fault("rotated mail log", "maillog")
def rotate(scene, _):
    """41: a burst, a new file, and a block of NULs."""
    append(scene.maillog, status("peer.test") * 20_000)
    os.rename(scene.maillog, scene.maillog + ".1")
    append(scene.maillog, status("peer.test") * 100)
    sleep(0.5)
    os.truncate(scene.maillog, 0)
    append(scene.maillog, "\0" * 10_000 + "\n" + status("peer.test"))


@fault("flood of TLSRPT", "tlsrpt")
def tlsrpt_flood(scene, choice):
    """42: good, forged and broken ones."""
    kinds = (datagram("peer.test"), datagram("peer.test", code=205), b"{" * 1000, b"\xff" * 60_000)
    with contextlib.suppress(OSError):
        for _ in range(50):
            scene.report(*[choice.choice(kinds)] * 100)


def wait_until_well(scene):
    wait_until(lambda: scene.daemon.status().get("ok"), lambda: f"all is well: {scene.daemon.status()}", 30 * SLOWNESS)
