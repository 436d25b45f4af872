"""What probes cost: look-ups beside two hundred destinations in hand, and the prober's own rate."""
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

from servers import Daemon

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / folder) for folder in ("blackbox", "dns", "postfix")]
import mail_peers  # noqa: E402  pylint: disable=wrong-import-position
from certificates import Authority  # noqa: E402  pylint: disable=wrong-import-position
import dns_server as dns  # noqa: E402  pylint: disable=wrong-import-position

PORT = 20026
MORE_CONFIG = "probe_watch = yes\nprobe_allow = 127.0.0.0/8\nresolver = {resolver}\n"
DESTINATIONS = 3000
IN_HAND = 200
ASKED = 300        # in each repetition: the queue stays full while look-ups are measured
AT_A_TIME = 60     # names in a request to the control socket
PAUSE = 0.15       # seconds before each answer of a slow mail host
PATIENCE = 180
TICKS = os.sysconf("SC_CLK_TCK")
median = statistics.median


class Names(dns.DnsServer):
    """Knows every pN.bench.example, each with a mail host on an address of its own."""

    def __init__(self):
        super().__init__({})

    def find(self, query):
        label = query.name.split(".")[0]
        number = int(label.lstrip("pm")) if label.lstrip("pm").isdigit() else -1
        if number < 0 or query.kind not in ("MX", "A", "AAAA"):
            return query.reply(dns.NXDOMAIN, [], dns.AD)
        text = {"MX": f"10 m{number}.bench.example", "A": f"127.77.{number // 200}.{number % 200 + 1}"}.get(query.kind)
        records = [dns.encode_record(query.name, query.kind, dns.encode_data(query.kind, text))] if text else []
        return query.reply(dns.NOERROR, records, dns.AD)


class Probing(Daemon):
    """A daemon that watches, with 1,000 rows beside those of the destinations."""

    def __init__(self, folder, build, pin, resolver):
        super().__init__(folder, build, 1000, pin)
        text = self.config.read_text().replace("probe_watch = no\n", MORE_CONFIG.format(resolver=resolver))
        self.config.write_text(text)

    def fill(self):
        super().fill()
        subprocess.run(["sqlite3", str(self.database)], check=True, text=True, input="BEGIN;" + "".join(
            f"INSERT INTO outbound(destination, profile) VALUES('{key(number)}', 'required');"
            for number in range(DESTINATIONS)) + "COMMIT;")

    def control(self, **request):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.folder / "control.sock"))
            connection.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(connection.makefile("rb").readline())
        if answer.get("error"):
            raise OSError(answer["error"])
        return answer

    def net(self):
        return self.control(verb="status")["net"] or {}

    def wait_for_net(self, is_so):
        deadline = time.monotonic() + PATIENCE
        while not (found := self.net()) or not is_so(found):
            if time.monotonic() > deadline:
                raise TimeoutError(f"role net does not come to it: {found}")
            time.sleep(0.02)
        return found

    def check(self, numbers):
        numbers = list(numbers)
        for at in range(0, len(numbers), AT_A_TIME):
            self.control(verb="watch-now", destinations=[key(number) for number in numbers[at:at + AT_A_TIME]])


def key(number):
    return f"p{number}.bench.example:{PORT}"


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Probes:
    def __init__(self, bench, folder, progress, table):
        self.bench, self.folder, self.progress, self.table = bench, folder / "probes", progress, table
        self.pause = PAUSE
        self.asked = 0

    def manner(self, talk):
        """Any good mail host, which takes its time."""
        say = talk.say

        def say_late(*lines):
            time.sleep(self.pause)
            say(*lines)
        talk.say = say_late
        mail_peers.good(talk)

    def next(self, count):
        self.asked += count
        return range(self.asked - count, self.asked)

    def beside(self, daemon):
        """Pairs of a calm run and one with the queue full."""
        pairs = []
        for _ in range(self.bench.options.repetitions):
            calm = self.bench.load(daemon, 8, "unix", "hit", 2000)
            before = daemon.net()["checks"]
            daemon.check(self.next(ASKED))
            daemon.wait_for_net(lambda found: found["waiting"] >= IN_HAND)
            busy = self.bench.load(daemon, 8, "unix", "hit", 2000)
            pairs.append((calm, busy, daemon.net()))
            daemon.wait_for_net(lambda found, goal=before + ASKED: found["checks"] >= goal)
        return pairs

    def rate(self, daemon, count=1000):
        """Checks a second where nobody pauses, and the processor time of `net` for each."""
        self.pause = 0
        pid, before = daemon.net()["pid"], daemon.net()["checks"]
        used, begun = cpu_seconds(pid), time.monotonic()
        daemon.check(self.next(count))
        daemon.wait_for_net(lambda found: found["checks"] >= before + count)
        return count / (time.monotonic() - begun), (cpu_seconds(pid) - used) / count

    def run(self):
        self.folder.mkdir()
        authority = Authority(str(self.folder), "bench-CA")
        certificate = authority.issue("bench", ["*.bench.example"])
        peer = mail_peers.Peer("0.0.0.0", PORT, self.manner, certificate)
        with Names() as names:
            daemon = Probing(self.folder / "daemon", self.bench.options.build, self.bench.options.pin, names.setting)
            try:
                daemon.fill()
                daemon.start()
                daemon.wait_until_answering(time.monotonic())
                daemon.wait_for_net(lambda found: found["watched"] >= DESTINATIONS)
                self.progress(f"look-ups beside {IN_HAND} destinations in hand")
                pairs = self.beside(daemon)
                self.progress("probes a second")
                rate, cpu = self.rate(daemon)
                self.show(pairs, rate, cpu)
            finally:
                daemon.stop()
                peer.close()

    def show(self, pairs, rate, cpu):
        print(f"## Look-ups beside probes (8 connections, unix, hits; {IN_HAND} destinations in hand)\n")
        self.table(["", "calm", "probing", "ratio", "goal"],
                   [[label, *(form.format(median(pair[i][field] for pair in pairs)) for i in (0, 1)),
                     f"{median(busy[field] / calm[field] for calm, busy, _ in pairs):.2f}", goal]
                    for label, field, form, goal in (("lookups/s", "rate", "{:,.0f}", "at least 0.90"),
                                                     ("p50 µs", "p50_us", "{:.1f}", ""),
                                                     ("p99 µs", "p99_us", "{:.1f}", ""))])
        open_now = median(found["open"] for _, _, found in pairs)
        print(f"Connections open meanwhile: {open_now:.0f}. Mail hosts and DNS run on the same processors.\n")
        self.table(["probes/s, 20 at once, against mail hosts in Python", "CPU of `net`, ms a probe"],
                   [[f"{rate:.0f}", f"{1000 * cpu:.2f}"]])
