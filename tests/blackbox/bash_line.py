"""A real, interactive bash on a terminal of its own: what its line editor makes of a line.

    with BashLine(source=SCRIPT, path=[FOLDER], cwd=FOLDER) as bash:
        bash.complete("tlspolicyctl pro")     # every completion, put into the line by M-*
        bash.press_tab("tlspolicyctl prof")   # what one Tab makes of it
"""
import os
import pty
import re
import select
import signal
import subprocess
import time

PATIENCE = 60
SHOW = "\x18p"  # C-x p, bound below
INSERT_ALL = "\x1b*"
KILL_LINE = "\x05\x15"  # to its end, then all before
SETUP = r"""bind 'set bell-style none' 'set enable-bracketed-paste off'
bind -x '"\C-xp": printf "\nLINE<%s>END\n" "$READLINE_LINE"'
PS1= PS2=
"""


class BashLine:
    def __init__(self, source, path, cwd):
        self.printed = ""  # all that stood on the terminal while lines were completed
        self._leader, follower = pty.openpty()
        environment = {**os.environ, "PATH": os.pathsep.join([*map(str, path), os.environ["PATH"]]),
                       "TERM": "dumb", "HOME": str(cwd), "HISTFILE": "/dev/null", "LC_ALL": "C.UTF-8"}
        self._bash = subprocess.Popen(["bash", "--noprofile", "--norc", "-i"], stdin=follower, stdout=follower,
                                      stderr=follower, cwd=cwd, env=environment, start_new_session=True)
        os.close(follower)
        self._type(f"{SETUP}set -u; . '{source}'; stty -echo columns 2000; echo 'READY'-NOW\n")
        self._read_until(r"READY-NOW\r?\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        os.close(self._leader)

    def complete(self, line):
        """The completions of the last word, each as it would stand in the line."""
        after = self._after(line + INSERT_ALL)
        return after[len(line) - len(line.rsplit(" ", 1)[-1]):].split()

    def press_tab(self, line):
        return self._after(line + "\t")

    def _after(self, keys):
        self._type(KILL_LINE + keys + SHOW)
        said = self._read_until(r"LINE<(.*?)>END\r?\n")
        self.printed += said.string
        return said.group(1)

    def _type(self, keys):
        os.write(self._leader, keys.encode())

    def _read_until(self, pattern):
        said, deadline = "", time.monotonic() + PATIENCE
        while not (found := re.search(pattern, said)):
            ready, _, _ = select.select([self._leader], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"bash never said {pattern}, but {said!r}")
            said += os.read(self._leader, 65536).decode(errors="replace")
        return found
