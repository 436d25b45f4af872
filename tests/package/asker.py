"""`asker.py ADDRESS KEY REPLY`: asks as Postfix would, without a pause, until its standard input ends.

A connection that ends is made anew, as smtp(8) does it once. One that can't be had is a delivery that smtp(8)
defers: it is counted, and tried again. Prints as JSON how many answers came, the wrong ones, how often there
was no connection to be had, and the longest time, in seconds, from one answer to the next.
"""

import json
import os
import select
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "blackbox"))

from socketmap import Client  # noqa: E402


def main(address, key, right):
    answers, wrong, refused, longest, client = 0, {}, 0, 0.0, None
    last = time.monotonic()
    print("asking", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            client = client or Client(address, patience=20)
        except OSError:
            refused += 1
            time.sleep(0.001)
            continue
        try:
            reply = client.ask(key)
        except (OSError, EOFError):
            client = None
            time.sleep(0.001)
            continue
        now = time.monotonic()
        answers, longest, last = answers + 1, max(longest, now - last), now
        if reply != right:
            wrong[reply] = wrong.get(reply, 0) + 1
        time.sleep(0.001)
    longest = max(longest, time.monotonic() - last)
    print(json.dumps({"answers": answers, "wrong": wrong, "refused": refused, "longest": longest}))


if __name__ == "__main__":
    main(*sys.argv[1:])
