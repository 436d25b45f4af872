"""Which fault comes when: all of it follows from the seed."""
import random

EVERY = 2.0
# So many of a hundred come as two at once.
PAIRS = 35


class Event:
    def __init__(self, at, faults, seed):
        self.at = at  # seconds from the beginning
        self.faults = faults  # names, one or two
        self.seed = seed  # of what the faults choose

    def __repr__(self):
        return f"{self.at:.2f} {' + '.join(self.faults)}"


def make_schedule(seed, seconds, faults):
    """`faults`: name to the set of what it touches; two at once touch different things. Each turn of all the faults
    has every one of them, in another order."""
    choice = random.Random(seed)
    events, waiting, at = [], [], EVERY * 0.5
    while at < seconds - EVERY:
        if not waiting:
            waiting = sorted(faults)
            choice.shuffle(waiting)
        chosen = [waiting.pop()]
        others = [name for name in sorted(faults) if not faults[name] & faults[chosen[0]]]
        if others and choice.randrange(100) < PAIRS:
            chosen.append(choice.choice(others))
        events.append(Event(at, chosen, choice.getrandbits(32)))
        at += EVERY * (0.5 + choice.random())
    return events
