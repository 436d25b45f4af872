"""What happens to policy.db while the soak asks: each fault ends with a good file in its place.

Where the database is damaged a start has nothing but the saved image, so what was edited before is saved by then.
"""
import contextlib
import os
import shutil
import time

from editor import LIVE_WITHIN
from faults import fault, sleep
from processes import SLOWNESS, wait_until

PAGE = 4096
TROUBLE = 1.5  # seconds that a damaged file stays
SAVED_WITHIN = 0.2  # seconds, once it is in force


@contextlib.contextmanager
def alone(scene):
    """Nobody else writes, and all that was committed is in force and stands in the file itself; a good copy is kept."""
    with scene.editor.database_lock:
        if not scene.editor.is_settled.wait(LIVE_WITHIN):
            raise AssertionError("the last edit is not in force")
        sleep(SAVED_WITHIN)
        wait_until(lambda: scene.daemon.edit("PRAGMA wal_checkpoint(TRUNCATE);").startswith("0|"),
                   "the log is empty", 30 * SLOWNESS)
        shutil.copyfile(scene.daemon.policy_db, scene.good)
        yield


def put_back(scene, wait=True):
    """A good copy by `mv`; returns when the daemon has it."""
    new = scene.daemon.path("new.db")
    shutil.copyfile(scene.good, new)
    os.rename(new, scene.daemon.policy_db)
    if wait:
        wait_until(lambda: scene.daemon.trouble() == "", lambda: f"the good file is taken: {scene.daemon.status()}",
                   30 * SLOWNESS)


def damage(scene, choice, change):
    """`change` the live file, make the daemon look at it, and put a good one in its place."""
    with alone(scene):
        change(scene.daemon.policy_db)
        with contextlib.suppress(AssertionError):  # the shell may find the damage first
            scene.daemon.edit("UPDATE outbound SET comment = 'looked at' WHERE destination = 'c1.constant.example';")
        sleep(TROUBLE * choice.random())
        put_back(scene)


@fault("another file by mv", "database")
def move(scene, _):
    """11."""
    with alone(scene):
        put_back(scene, wait=False)


@fault("copied over half-way", "database")
def copy_half(scene, choice):
    """12: an older content, up to a page or into one."""
    def change(path):
        with open(scene.oldest, "rb") as file:
            content = file.read()
        with open(path, "r+b") as file:
            file.write(content[:choice.randrange(1, len(content))])
    damage(scene, choice, change)


@fault("deleted logs", "database")
def delete_logs(scene, choice):
    """13: -wal, or both, with a commit in them."""
    with alone(scene):
        shell = scene.daemon.open_shell()
        shell.say("UPDATE outbound SET comment = 'lost' WHERE destination = 'c1.constant.example';")
        for suffix in choice.choice((("-wal",), ("-wal", "-shm"))):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scene.daemon.policy_db + suffix)
        sleep(TROUBLE * choice.random())
        shell.close()
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scene.daemon.policy_db + suffix)
        put_back(scene)


@fault("truncated shared memory", "database", "store")
def cut_shared_memory(scene, _):
    """14: SIGBUS in `store`."""
    with alone(scene):
        with contextlib.suppress(FileNotFoundError):
            os.truncate(scene.daemon.policy_db + "-shm", 0)
        scene.daemon.status()
        put_back(scene)


@fault("damaged page", "database")
def damage_page(scene, choice):
    """15: zeros, noise or one bit."""
    def change(path):
        with open(path, "r+b") as file:
            file.seek(choice.randrange(os.path.getsize(path) // PAGE) * PAGE)
            page = bytearray(file.read(PAGE))
            at, kind = file.tell() - PAGE, choice.randrange(3)
            page[choice.randrange(PAGE)] ^= 1 << choice.randrange(8)
            file.seek(at)
            file.write((bytes(PAGE), choice.randbytes(PAGE), page)[kind])
    damage(scene, choice, change)


@fault("swapped pages", "database")
def swap_pages(scene, choice):
    """16."""
    def change(path):
        with open(path, "r+b") as file:
            offsets = [number * PAGE for number in choice.sample(range(1, os.path.getsize(path) // PAGE), 2)]
            pages = []
            for offset in offsets:
                file.seek(offset)
                pages.append(file.read(PAGE))
            for offset, page in zip(offsets, reversed(pages)):
                file.seek(offset)
                file.write(page)
    damage(scene, choice, change)


@fault("cut or deleted file", "database")
def cut(scene, choice):
    """17."""
    size = choice.choice((0, 0.5, None))

    def change(path):
        if size is None:
            os.unlink(path)
        else:
            os.truncate(path, int(size * os.path.getsize(path)))
    with alone(scene):
        change(scene.daemon.policy_db)
        sleep(TROUBLE * choice.random())
        put_back(scene)


@fault("foreign schema", "database")
def foreign_schema(scene, choice):
    """18 and 19."""
    spoil = choice.choice(("PRAGMA user_version = 999;", "PRAGMA application_id = 1;",
                           "CREATE VIRTUAL TABLE evil USING fts5(a);", "DROP TABLE change_log;"))
    with alone(scene):
        scene.daemon.edit(f"{spoil} UPDATE outbound SET profile = 'off' WHERE destination = 'c1.constant.example';"
                          if "999" in spoil else spoil)
        sleep(TROUBLE * choice.random())
        put_back(scene)


@fault("mass delete", "database", "store")
def mass_delete(scene, choice):
    """21: it waits to be accepted, and nobody accepts it."""
    with alone(scene):
        scene.daemon.edit("DELETE FROM outbound;")
        wait_until(lambda: scene.daemon.status().get("pending"), "the deletion waits", 30 * SLOWNESS)
        sleep(TROUBLE * choice.random())
        put_back(scene)
        wait_until(lambda: not scene.daemon.status().get("pending"), "nothing waits any more", 30 * SLOWNESS)


@fault("held transaction", "database")
def hold(scene, choice):
    """8: by somebody who then thinks better of it."""
    with alone(scene):
        shell = scene.daemon.open_shell()
        shell.say(f"BEGIN {choice.choice(('IMMEDIATE', 'EXCLUSIVE'))}; DELETE FROM outbound;")
        until = time.monotonic() + 1 + choice.random()
        while time.monotonic() < until:
            scene.daemon.status()
            sleep(0.1)
        shell.say("ROLLBACK;")
        shell.close()
