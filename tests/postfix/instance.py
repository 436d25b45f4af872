"""A private Postfix: its own configuration, queue, data and log below one directory.

smtp(8) is chrooted into the queue directory, as Debian has it. Retries come after seconds instead of
minutes; everything else that a test doesn't set is Postfix's own default.
"""

import dataclasses
import functools
import json
import os
import re
import signal
import smtplib
import subprocess
import time

DAEMONS = "/usr/lib/postfix/sbin"
SUBMISSION_PORT = 2525
# How often a file that Postfix writes is looked at.
LOOK_EVERY = 0.05

# Service, type, private, unprivileged, chroot, wakeup, limit, command: Debian's, without the rest.
# smtp(8) goes on in clear for mail that is minimal_backoff_time old, to the microsecond; the queue
# manager retries after as many seconds by the full second. One second less for smtp(8), and the
# second try always is old enough.
MASTER_CF = f"""
127.0.0.1:{SUBMISSION_PORT} inet n - y - - smtpd
pickup     unix       n - y 60    1 pickup
cleanup    unix       n - y -     0 cleanup
qmgr       unix       n - n 300   1 qmgr
tlsmgr     unix       - - y 1000? 1 tlsmgr
rewrite    unix       - - y -     - trivial-rewrite
bounce     unix       - - y -     0 bounce
defer      unix       - - y -     0 bounce
trace      unix       - - y -     0 bounce
flush      unix       n - y 1000? 0 flush
proxymap   unix       - - n -     - proxymap
proxywrite unix       - - n -     1 proxymap
smtp       unix       - - y -     - smtp -o minimal_backoff_time=4s
relay      unix       - - y -     - smtp -o minimal_backoff_time=4s
showq      unix       n - y -     - showq
error      unix       - - y -     - error
retry      unix       - - y -     - error
discard    unix       - - y -     - discard
anvil      unix       - - y -     1 anvil
scache     unix       - - y -     1 scache
postlog    unix-dgram n - n -     1 postlogd
"""

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = {log}
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.sender.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
in_flow_delay = 0
minimal_backoff_time = 5s
maximal_backoff_time = 10s
queue_run_delay = 5s
smtp_starttls_timeout = 8s
smtp_tls_CAfile = {ca_file}
smtp_tls_loglevel = 1
"""

STATUS = re.compile(
    r"postfix(?:/[\w-]+)*/(?P<service>[\w-]+)\[(?P<pid>\d+)\]: (?P<queue_id>[0-9A-F]+): "
    r"to=<(?P<recipient>[^>]*)>.*?, relay=(?P<relay>[^,]*), .*?dsn=(?P<dsn>[\d.]+), "
    r"status=(?P<status>\w+) \((?P<text>.*)\)$")


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One line with status= of the log."""

    service: str
    pid: int
    queue_id: str
    recipient: str
    relay: str
    dsn: str
    status: str  # sent | deferred | bounced
    text: str

    @property
    def was_tried(self):
        """False where the queue manager put the mail off without asking anybody."""
        return not self.text.startswith("delivery temporarily suspended")


@functools.cache
def full_version():
    """As "3.7.11"."""
    shown = subprocess.run(["postconf", "-d", "-h", "mail_version"], capture_output=True, text=True,
                           check=False).stdout
    return shown.strip()


def version():
    """As (3, 7)."""
    major, minor = full_version().split(".")[:2]
    return int(major), int(minor)


class Postfix:
    """Use as a context: started on entry, gone after it."""

    def __init__(self, directory, internet, main_cf="", master_cf=""):
        self.directory = directory
        self.config = os.path.join(directory, "etc")
        self.queue = os.path.join(directory, "queue")
        self._log_path = os.path.join(directory, "mail.log")
        self._log = ""
        self._unfinished = ""  # a line that isn't all there yet
        self._log_file = None
        self._attempts = []
        self._script = None
        for path in (self.config, os.path.join(self.queue, "etc")):
            os.makedirs(path)
        with open(os.path.join(self.queue, "etc", "resolv.conf"), "w", encoding="ascii") as file:
            file.write("nameserver 127.0.0.1\noptions trust-ad\n")
        with open(os.path.join(self.config, "main.cf"), "w", encoding="utf-8") as file:
            file.write(MAIN_CF.format(queue=self.queue, data=os.path.join(directory, "data"),
                                      log=self._log_path, ca_file=internet.ca_file))
        self.configure(main_cf)
        with open(os.path.join(self.config, "master.cf"), "w", encoding="utf-8") as file:
            file.write(MASTER_CF + master_cf)

    def command(self, *arguments):
        """How a program of Postfix's is run."""
        return list(arguments)

    def version(self):
        """As (3, 7)."""
        return version()

    def configure(self, main_cf):
        """Appends to main.cf; of a parameter given twice, the last one counts."""
        with open(os.path.join(self.config, "main.cf"), "a", encoding="utf-8") as file:
            file.write(main_cf + "\n")

    def complaints_about_configuration(self):
        shown = subprocess.run(self.command("postconf", "-c", self.config, "-n"), capture_output=True,
                               text=True, check=False)
        shown.stderr += subprocess.run(self.command("postconf", "-c", self.config, "-M"),
                                       capture_output=True, text=True, check=False).stderr
        # Said of every parameter that the fragment overrides.
        return [line for line in shown.stderr.splitlines() if "overriding earlier entry" not in line]

    def __enter__(self):
        data = os.path.join(self.directory, "data")
        os.mkdir(data)
        subprocess.run(self.command("chown", "postfix:postfix", data), check=True)
        open(self._log_path, "a", encoding="utf-8").close()
        self._log_file = open(self._log_path, encoding="utf-8", errors="replace")
        self._output = open(os.path.join(self.directory, "output"), "wb")
        self._script = subprocess.Popen(self.command("postfix", "-c", self.config, "start-fg"),
                                        stdin=subprocess.DEVNULL, stdout=self._output,
                                        stderr=self._output, start_new_session=True)
        self.wait_for_log(r"daemon started", 30)
        return self

    def __exit__(self, *_):
        if self._script.poll() is None:
            # What was started is a script that waits for master; master takes its children with it.
            with open(os.path.join(self.queue, "pid", "master.pid"), encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGTERM)
            self._script.wait(30)
        self._log_file.close()
        self._output.close()

    def reload(self):
        before = len(self.read_log())
        subprocess.run(self.command("postfix", "-c", self.config, "reload"), check=True, capture_output=True)
        self._wait(lambda: "reload -- version" in self.read_log()[before:], 30, "no reload")

    # Mail in.

    def send(self, *recipients, sender="", header=""):
        """One message for each recipient, by SMTP to smtpd(8)."""
        with smtplib.SMTP("127.0.0.1", SUBMISSION_PORT, timeout=60) as smtpd:
            for recipient in recipients:
                smtpd.sendmail(sender, [recipient], f"{header}Subject: test\r\n\r\nhello\r\n")

    def flush(self):
        subprocess.run(self.command("postqueue", "-c", self.config, "-f"), check=True)

    def queued(self):
        """The queue as postqueue tells it: one dict a message."""
        shown = subprocess.run(self.command("postqueue", "-c", self.config, "-j"), check=True, text=True,
                               capture_output=True).stdout
        return [json.loads(line) for line in shown.splitlines()]

    # What became of it.

    def read_log(self):
        """The whole log up to now; attempts() is kept in step."""
        *lines, self._unfinished = (self._unfinished + self._log_file.read()).split("\n")
        for line in lines:
            self._log += line + "\n"
            if found := STATUS.search(line):
                fields = found.groupdict()
                self._attempts.append(Attempt(**{**fields, "pid": int(fields["pid"])}))
        return self._log

    def attempts(self, recipient=None):
        self.read_log()
        return [attempt for attempt in self._attempts if recipient in (None, attempt.recipient)]

    def wait_for_log(self, pattern, seconds):
        self._wait(lambda: re.search(pattern, self.read_log()), seconds, f"{pattern!r} not logged")

    def wait_for_attempt(self, recipient, seconds=60, nth=1):
        """The nth attempt at a recipient that was really made."""
        def made():
            return [attempt for attempt in self.attempts(recipient) if attempt.was_tried]
        self._wait(lambda: len(made()) >= nth, seconds, f"no attempt {nth} at {recipient}")
        return made()[nth - 1]

    def wait_until(self, done, seconds, what):
        """Until done() is true: asked whenever the log may have grown."""
        self._wait(done, seconds, what)

    def _wait(self, done, seconds, what):
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} within {seconds} s; the log ends:\n{self.log_tail()}")
            if self._script.poll() is not None:
                with open(self._output.name, encoding="utf-8", errors="replace") as output:
                    raise AssertionError(f"Postfix ended: {output.read()}\n{self.log_tail()}")
            time.sleep(LOOK_EVERY)

    def log_tail(self, lines=40):
        return "\n".join(self.read_log().splitlines()[-lines:])
