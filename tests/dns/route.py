"""Runs resolver_probe, in a few words."""

import json
import os
import subprocess

BIN = os.environ["TLSPOLICYD_BIN"]


def routes(resolver, *next_hops, timeout=1000, tries=2, deadline=20000):
    """One route for each next-hop, as a dict."""
    done = subprocess.run(
        [os.path.join(BIN, "resolver_probe"), resolver, str(timeout), str(tries), str(deadline), *next_hops],
        capture_output=True, text=True, check=False, timeout=120)
    if done.returncode or done.stderr:
        raise AssertionError(f"resolver_probe: {done.returncode} {done.stderr}")
    return json.loads(done.stdout)


def route(resolver, next_hop, **limits):
    return routes(resolver, next_hop, **limits)[0]


def summary(found):
    """"mx 10 mx.example 192.0.2.1 2001:db8::1", or the fault."""
    if found["fault"]:
        return found["fault"]
    hosts = [" ".join([str(host["preference"]), host["host"], *(host["addresses"] or [host["fault"]])])
             for host in found["hosts"]]
    return " ".join([found["kind"], ", ".join(hosts)])
