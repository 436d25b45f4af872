"""Decisions about incoming mail: tlspolicyd with few and many rules beside a null policy responder."""
import json
import statistics
import subprocess
import time

from servers import Daemon, NullResponder

CONNECTIONS = (1, 8, 64)
# Half of the rules are networks, half sender domains; all of them are satisfied by what is asked. The
# networks cover the clients that ask, few and large or many and small, so that a rule judges each.
NETWORKS = {10: "printf('10.%d.0.0/14', 4 * i)", 10_000: "printf('10.%d.%d.0/24', i / 256, i % 256)"}
RULES = """
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {half})
  INSERT INTO inbound(client, require, min_protocol) SELECT {network}, 'encrypt', 'TLSv1.2' FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {half})
  INSERT INTO inbound(sender, require) SELECT printf('d%07d.bench.example', i), 'encrypt' FROM n;
COMMIT;
"""
median = statistics.median


class NullPolicy(NullResponder):
    def command(self):
        return [self.program, "--policy", self.address("unix"), self.address("tcp")]


class RuleDaemon(Daemon):
    def __init__(self, folder, build, rules, pin):
        super().__init__(folder, build, 10, pin)
        self.rules = rules
        self.name = f"{rules:,} rules"
        self.socket = str(self.folder / "policyd.sock")
        with self.config.open("a") as file:
            file.write(f"policyd_listen = unix:{self.socket}\n")

    def fill(self):
        super().fill()
        subprocess.run(["sqlite3", str(self.database)], check=True, text=True,
                       input=RULES.format(half=self.rules // 2, network=NETWORKS[self.rules]))


class Inbound:
    def __init__(self, bench, folder, progress, table):
        self.options, self.progress, self.table = bench.options, progress, table
        build, pin = self.options.build, self.options.pin
        self.null = NullPolicy(folder / "null-policy", build, pin)
        self.few = RuleDaemon(folder / "few", build, 10, pin)
        self.many = RuleDaemon(folder / "many", build, 10_000, pin)

    def load(self, server, connections):
        address = f"unix:{server.socket}" if isinstance(server, RuleDaemon) else server.address("unix")
        command = ["taskset", "-c", "1"] if self.options.pin else []
        command += [f"{self.options.build}/bench/load", "--address", address, "--connections", connections,
                    "--kind", "policy", "--rows", 5000, "--expect", "action=DUNNO", "--pid", server.pid(),
                    "--milliseconds", self.options.milliseconds, "--idle", "spin"]
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)["rate"]

    def run(self):
        servers = (self.null, self.few, self.many)
        try:
            self.null.start()
            for daemon in (self.few, self.many):
                daemon.fill()
                daemon.start()
                daemon.wait_until_answering(time.monotonic())
            rows = []
            for connections in CONNECTIONS:
                self.progress(f"decisions, {connections} connections")
                taken = [[self.load(server, connections) for server in servers]
                         for _ in range(self.options.repetitions)]
                rows.append([connections, " / ".join(f"{median(run[i] for run in taken):,.0f}" for i in range(3)),
                             f"{median(run[1] / run[0] for run in taken):.2f}",
                             f"{median(run[2] / run[0] for run in taken):.2f}",
                             f"{median(run[2] / run[1] for run in taken):.2f}"])
        finally:
            for server in servers:
                server.stop()
        print("## Decisions about incoming mail (unix socket)\n\nnull / 10 rules / 10,000 rules, of them 5,000 networks; "
              "goals: 0.85 of null, many at least 0.90 of few.\n")
        self.table(["connections", "decisions/s", "10 ÷ null", "10,000 ÷ null", "10,000 ÷ 10"], rows)
