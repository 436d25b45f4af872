"""Figures of the feedback loop: what evidence is taken without loss, how soon it shows, what it costs."""
import json
import pathlib
import socket
import subprocess
import threading
import time

from servers import Client, Daemon

MORE_CONFIG = """
maillog = {folder}/mail.log
trust_maillog = yes
tlsrpt_socket = {folder}/tlsrpt.sock
evidence_uid = root
"""
STATUS = ("{stamp} mail postfix/smtp[{pid}]: {serial:X}A: to=<u@{domain}>, relay=mx1.{domain}[192.0.2.10]:25, "
          "delay=0.4, delays=0.1/0.01/0.29/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9Z)\n")
ENCRYPTED = ("{stamp} mail postfix/smtp[{pid}]: Trusted TLS connection established to mx1.{domain}[192.0.2.10]:25: "
             "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\n")
# What the other programs write of each delivery.
BESIDE = "".join("{stamp} mail postfix/" + text + "\n" for text in (
    "smtpd[77]: {serial:X}A: client=localhost[127.0.0.1]",
    "cleanup[78]: {serial:X}A: message-id=<20260101.{serial}@sender.example>",
    "qmgr[79]: {serial:X}A: from=<bounce@sender.example>, size=4711, nrcpt=1 (queue active)",
    "qmgr[79]: {serial:X}A: removed"))
NOT_OFFERED = "4.7.4 TLS is required, but was not offered by host mx1.{domain}[192.0.2.10]"
LINES = 500_000
BURST = 2 ** 30
DATAGRAMS = 100_000
SAMPLES = 50
EVENTS_A_SECOND = 10_000
PATIENCE = 120


def report(domain):
    """A success, as libtlsrpt sends it."""
    return json.dumps({"dpv": "1", "d": domain, "pr": f"v=TLSRPTv1; rua=mailto:r@{domain}", "policies": [
        {"policy-type": 9, "policy-domain": domain, "t": 0, "f": 0}]}).encode()


def exact(number):
    return f"d{number % 900:07d}.bench.example"


class Learning(Daemon):
    """A daemon of 1,000 rows with every source of evidence, and rows that answer by what it learns."""

    def __init__(self, folder, build, pin):
        super().__init__(folder, build, 1000, pin)
        self.log = self.folder / "mail.log"
        self.log.touch()
        self.reports = str(self.folder / "tlsrpt.sock")
        with self.config.open("a") as config:
            config.write(MORE_CONFIG.format(folder=self.folder))

    def fill(self):
        super().fill()
        profiles = (("in-band", "unless"), ("log", "opportunistic"), ("tlsrpt", "opportunistic"))
        subprocess.run(["sqlite3", str(self.database)], check=True, text=True, input="".join(
            ["INSERT INTO profile(name, level, fallback) VALUES('unless', 'may', 'unless-offered');\n"] +
            [f"INSERT INTO outbound(destination, profile) VALUES('{source}{n}.example', '{profile}');\n"
             for source, profile in profiles for n in range(SAMPLES)]))

    def ingest(self):
        done = subprocess.run([f"{self.build}/bin/tlspolicyctl", "--config", str(self.config), "status", "--json"],
                              stdout=subprocess.PIPE, check=False)
        return json.loads(done.stdout)["feedback"].get("ingest") or {}

    def wait_for(self, field, number):
        """The status, when `field` has reached `number`."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            status = self.ingest()
            if status.get(field, 0) >= number:
                return status
            time.sleep(0.02)
        raise TimeoutError(f"{field} did not reach {number} within {PATIENCE} s: {self.ingest()}")


class Feedback:
    def __init__(self, bench, folder, progress, table):
        self.bench, self.progress, self.table = bench, progress, table
        self.daemon = Learning(pathlib.Path(folder) / "learning", bench.options.build, bench.options.pin)
        self.pid = 0

    def run(self):
        self.daemon.fill()
        self.daemon.start()
        try:
            self.daemon.wait_until_answering(time.monotonic())
            self.daemon.wait_for("pid", 1)
            self.throughput()
            self.latency()
            self.cost()
        finally:
            self.daemon.stop()
        self.size()

    # ------------------------------------------------------------------ how much
    def deliveries(self, domains, beside=""):
        self.pid += 1
        form = {"stamp": time.strftime("%b %e %H:%M:%S"), "pid": 1000 + self.pid % 30_000}
        return "".join((beside + ENCRYPTED + STATUS).format(
            domain=domain, serial=0x100000 + self.pid * 1000 + at, **form) for at, domain in enumerate(domains))

    def append(self, text):
        with self.daemon.log.open("a") as log:
            log.write(text)

    def measure(self, field, number, feed):
        before = self.daemon.ingest()
        begun = time.monotonic()
        feed()
        fed = time.monotonic()
        after = self.daemon.wait_for(field, before[field] + number)
        end = time.monotonic()
        return [f"{number:,}", f"{number / (end - begun):,.0f}", f"{end - fed:.1f}", after["dropped"] - before["dropped"]]

    def burst(self):
        """1 GiB of a whole mail log at once."""
        block = "".join(self.deliveries([exact(at) for at in range(start, start + 250)], BESIDE)
                        for start in range(0, 9_000, 250)).encode()
        times = BURST // len(block)

        def write():
            with self.daemon.log.open("ab") as log:
                for _ in range(times):
                    log.write(block)

        taken = self.measure("lines", times * block.count(b"\n"), write)
        self.daemon.log.write_bytes(b"")
        return taken

    def throughput(self):
        self.progress("evidence: log lines")
        text = "".join(self.deliveries([exact(at) for at in range(start, start + 250)])
                       for start in range(0, LINES // 2, 250))
        lines = self.measure("lines", LINES, lambda: self.append(text))
        self.progress("evidence: 1 GiB of log")
        burst = self.burst()
        self.progress("evidence: datagrams")
        packets = [report(exact(at)) for at in range(900)]

        def send():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.connect(self.daemon.reports)
                for at in range(DATAGRAMS):
                    sender.send(packets[at % len(packets)])

        datagrams = self.measure("datagrams", DATAGRAMS, send)
        print("## Evidence taken, as fast as it is offered\n")
        self.table(["source", "offered at once", "taken a second", "s behind the writer", "evidence dropped"],
                   [["mail log, lines of deliveries alone", *lines], ["mail log, 1 GiB of all programs' lines", *burst],
                    ["TLSRPT, datagrams", *datagrams]])

    # ------------------------------------------------------------------ how soon
    def time_change(self, client, domain, give, before, after):
        """Milliseconds from the evidence to the first answer that shows it."""
        if not client.ask(domain).startswith(before):
            raise TimeoutError(f"{domain} is not answered {before} before there is evidence")
        begun = time.monotonic()
        give(domain)
        while not client.ask(domain).startswith(after):
            if time.monotonic() - begun > PATIENCE:
                raise TimeoutError(f"{domain}: evidence changed nothing")
        return 1000 * (time.monotonic() - begun)

    def latency(self):
        self.progress("evidence: until it shows in an answer")
        client = Client(self.daemon.path)
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.connect(self.daemon.reports)
        ways = (("in-band", "map outcome", "OK encrypt", "OK may",
                 lambda domain: client.ask_map("outcome", NOT_OFFERED.format(domain=domain))),
                ("log", "mail log", "OK may", "OK encrypt",
                 lambda domain: self.append(self.deliveries([domain]))),
                ("tlsrpt", "TLSRPT", "OK may", "OK encrypt", lambda domain: sender.send(report(domain))))
        rows = []
        for name, shown, before, after, give in ways:
            took = sorted(self.time_change(client, f"{name}{n}.example", give, before, after)
                          for n in range(SAMPLES))
            rows.append([shown, SAMPLES, f"{took[SAMPLES // 2]:.1f}", f"{took[-1]:.1f}"])
        sender.close()
        client.close()
        print("## From the evidence to the answer, ms\n")
        self.table(["source", "samples", "median", "worst"], rows)

    # ------------------------------------------------------------------ what it costs
    def feed(self, over, fed):
        """Until `over`; then `fed` has how many, and in how many seconds."""
        packets = [report(exact(at)) for at in range(900)]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(self.daemon.reports)
            begun, sent = time.monotonic(), 0
            while not over.is_set():
                while sent < (time.monotonic() - begun) * EVENTS_A_SECOND:
                    sender.send(packets[sent % len(packets)])
                    sent += 1
                time.sleep(0.002)
            fed.extend((sent, time.monotonic() - begun))

    def cost(self):
        self.progress("lookups while evidence arrives")
        pairs, rates, dropped = [], [], 0
        for _ in range(self.bench.options.repetitions):
            quiet = self.bench.load(self.daemon, 8, "unix", "hit", 1000)
            over = threading.Event()
            fed = []
            feeder = threading.Thread(target=self.feed, args=(over, fed))
            before = self.daemon.ingest()
            feeder.start()
            busy = self.bench.load(self.daemon, 8, "unix", "hit", 1000)
            over.set()
            feeder.join()
            sent, took = fed
            after = self.daemon.wait_for("datagrams", before["datagrams"] + sent)
            pairs.append((quiet, busy))
            rates.append(sent / took)
            dropped += after["dropped"] - before["dropped"]
        pairs.sort(key=lambda pair: pair[1]["rate"] / pair[0]["rate"])
        quiet, busy = pairs[len(pairs) // 2]
        print("## Lookups while evidence arrives (8 connections, unix, hits)\n")
        self.table(["evidence a second", "dropped", "lookups/s quiet", "lookups/s then", "ratio", "goal", "p99 µs quiet",
                    "p99 µs then"],
                   [[f"{sorted(rates)[len(rates) // 2]:,.0f}", dropped, f"{quiet['rate']:,.0f}", f"{busy['rate']:,.0f}",
                     f"{busy['rate'] / quiet['rate']:.2f}", "0.90", f"{quiet['p99_us']:.1f}", f"{busy['p99_us']:.1f}"]])

    def size(self):
        self.progress("state of a million destinations")
        done = subprocess.run([f"{self.bench.options.build}/bench/state_size"], stdout=subprocess.PIPE, check=True)
        figures = json.loads(done.stdout)
        print("## State of destinations in `answer`\n")
        self.table(["destinations", "bytes each", "goal"],
                   [[f"{figures['destinations']:,}", f"{figures['bytes_each']:.0f}", "200"]])
