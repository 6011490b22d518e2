#!/usr/bin/python3
"""The schedulers' twin: IPVS's rules as its documentation and sources state them, in the plainest
form, sharing no code with the product.

Scripts of sessions that open, close and go, and of weights that change, are drawn at random and
played both here and by the product's schedule_printer; every choice has to be the same.

usage: schedulers.py SCHEDULE_PRINTER [SEED]
"""

import random
import subprocess
import sys
from fractions import Fraction
from math import gcd

WORD = (1 << 64) - 1
DAY = 24 * 3600
NAMES = "rr wrr lc wlc sed nq dh sh lblc lblcr fo ovf twos".split()


class Real:
    def __init__(self, weight, lasting, upper, lower):
        self.weight, self.lasting, self.upper, self.lower = weight, lasting, upper, lower
        self.active = self.total = 0
        self.is_overloaded = False

    @property
    def load(self):
        return 256 * self.active + self.total

    def bind(self):
        """As IPVS does when a connection is bound: at the upper threshold it is overloaded."""
        self.active += 1
        self.total += 1
        if self.upper and self.total >= self.upper:
            self.is_overloaded = True

    def unbind(self):
        self.total -= 1
        if self.lower:
            self.is_overloaded &= self.total >= self.lower
        else:
            self.is_overloaded &= self.total * 4 >= self.upper * 3

    def may(self):
        return self.weight > 0 and not self.is_overloaded


class Twin:
    def __init__(self, name, fallback, port, seed, reals):
        self.name, self.fallback, self.port, self.random = name, fallback, port, seed
        self.reals = reals
        self.last, self.level = -1, None
        self.cache = {}

    def choose(self, source, destination, port, now):
        self.flow = source, destination, port, now
        return getattr(self, self.name)()

    def those(self):
        return [real for real in self.reals if real.may()]

    def first_least(self, cost, reals=None):
        """min() keeps the first of equals."""
        return min(self.those() if reals is None else reals, key=cost, default=None)

    def rr(self):
        order = self.reals[self.last + 1 :] + self.reals[: self.last + 1]
        chosen = next((real for real in order if real.may()), None)
        if chosen is not None:
            self.last = self.reals.index(chosen)
        return chosen

    def wrr(self):
        """The interleaved rule step by step, as the man page of ipvsadm has it in pseudo-code."""
        weights = [real.weight for real in self.reals if real.weight > 0]
        if not weights:
            self.level = None
            return None
        step, top = gcd(*weights), max(weights)
        if self.level is None or self.level > top:
            self.level = top
        self.level = -(-self.level // step) * step
        if not self.those():
            return None
        while True:
            self.last += 1
            if self.last >= len(self.reals):
                self.last = 0
                self.level -= step
                if self.level <= 0:
                    self.level = top
            real = self.reals[self.last]
            if real.may() and real.weight >= self.level:
                return real

    def lc(self):
        return self.first_least(lambda real: real.load)

    def wlc(self):
        return self.first_least(lambda real: Fraction(real.load, real.weight))

    def sed(self):
        return self.first_least(lambda real: Fraction(real.active + 1, real.weight))

    def nq(self):
        idle = [real for real in self.those() if real.active == 0]
        return idle[0] if idle else self.sed()

    def fo(self):
        return self.first_least(lambda real: -real.weight)

    def ovf(self):
        with_room = [real for real in self.those() if real.active <= real.weight]
        return self.first_least(lambda real: -real.weight, with_room)

    def below(self, bound):
        self.random = (self.random + 0x9E3779B97F4A7C15) & WORD
        z = self.random
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & WORD
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & WORD
        return (z ^ (z >> 31)) * bound >> 64

    def twos(self):
        urn = [real for real in self.those() for _ in range(real.weight)]
        if not urn:
            return None
        one, other = urn[self.below(len(urn))], urn[self.below(len(urn))]
        return self.first_least(lambda real: Fraction(real.load, real.weight), [one, other])

    @staticmethod
    def eight_bits(number):
        return (number * 0x61C88647 & 0xFFFFFFFF) >> 24

    def dh(self):
        chosen = self.reals[self.eight_bits(self.flow[1]) % len(self.reals)]
        return chosen if chosen.may() else None

    def sh(self):
        cycle = [real for real in self.reals for _ in range(max(1, real.lasting))]
        buckets = [cycle[bucket % len(cycle)] for bucket in range(256)]
        start = self.eight_bits((self.flow[0] + (self.flow[2] if self.port else 0)) & 0xFFFFFFFF)
        tries = [start] + [(2 * start + k) % 256 for k in range(256) if self.fallback]
        return next((buckets[bucket] for bucket in tries if buckets[bucket].may()), None)

    def has_too_much(self, real):
        return real.active > real.weight and any(
            other.active * 2 < other.weight for other in self.reals)

    def lblc(self):
        _, destination, _, now = self.flow
        cached, used = self.cache.get(destination, (None, now))
        if now - used > DAY:
            cached = None
        chosen = cached
        if cached is None or not cached.may() or self.has_too_much(cached):
            chosen = self.wlc()
        self.cache[destination] = chosen or cached, now
        return chosen

    def lblcr(self):
        _, destination, _, now = self.flow
        entry = self.cache.setdefault(destination, {"set": [], "used": now, "changed": 0})
        if now - entry["used"] > DAY:
            entry["set"] = []
        entry["used"] = now
        alive = [real for real in entry["set"] if real.may()]
        weighed = lambda real: Fraction(real.load, real.weight)
        least = min(alive, key=weighed, default=None)
        if len(entry["set"]) > 1 and alive and now - entry["changed"] > DAY:
            entry["set"].remove(max(alive, key=weighed))
            entry["changed"] = now
        if least is not None and not self.has_too_much(least):
            return least
        chosen = self.wlc()
        if chosen is not None and chosen not in entry["set"]:
            entry["set"].append(chosen)
            entry["changed"] = now
        return chosen


def scenario(draw, name):
    """A script as the printer reads it, and the twin's choices."""
    weights = draw.choice([[1], [0, 1, 2, 3], list(range(1, 40)), [1, 5, 100, 100000]])
    if name == "twos":
        weights = [weight for weight in weights if weight < 1000]
    reals, lines = [], []
    for _ in range(draw.randint(1, 9)):
        weight = draw.choice(weights)
        upper = draw.choice([0, 0, 1, 5, 10])
        lower = draw.randint(0, upper)
        reals.append(Real(weight, weight or draw.choice(weights), upper, lower))
        lines.append(f"{weight} {reals[-1].lasting} {upper} {lower}")
    fallback, port, seed = draw.randint(0, 1), draw.randint(0, 1), draw.getrandbits(64)
    twin = Twin(name, fallback, port, seed, reals)
    lines.insert(0, f"scenario {name} {fallback} {port} {seed} {len(reals)}")
    choices, now = [], 1000
    for _ in range(300):
        deed = draw.random()
        if deed < 0.6:
            flow = draw.getrandbits(32), draw.choice([7, 8, 9]), draw.randint(1, 65535)
            now += draw.choice([0, 0, 1, 50000])
            lines.append(f"open {flow[0]} {flow[1]} {flow[2]} {now}")
            chosen = twin.choose(*flow, now)
            choices.append(-1 if chosen is None else reals.index(chosen))
            if chosen is not None:
                chosen.bind()
        elif deed < 0.95:
            position = draw.randrange(len(reals))
            real = reals[position]
            if real.active and (draw.random() < 0.5 or real.active == real.total):
                real.active -= 1
                lines.append(f"close {position}")
            elif real.total > real.active:
                real.unbind()
                lines.append(f"gone {position}")
        else:
            position = draw.randrange(len(reals))
            real = reals[position]
            real.weight = draw.choice(weights)
            real.lasting = real.weight or real.lasting
            lines.append(f"weigh {position} {real.weight}")
    return lines + ["end"], choices


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    seed = int(sys.argv[2]) if len(sys.argv) == 3 else random.randrange(1 << 32)
    print(f"seed {seed}")
    draw = random.Random(seed)
    wanted = [(name, *scenario(draw, name)) for name in NAMES for _ in range(40)]
    answer = subprocess.run(
        [sys.argv[1]],
        input="\n".join(line for _, lines, _ in wanted for line in lines) + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    printed = [int(line) for line in answer.stdout.split()]
    at = 0
    for number, (name, lines, choices) in enumerate(wanted):
        theirs = printed[at : at + len(choices)]
        at += len(choices)
        if theirs != choices:
            first = next(i for i, (a, b) in enumerate(zip(theirs, choices)) if a != b)
            sys.exit(f"{name}, script {number}: choice {first + 1} is {theirs[first]}, "
                     f"the twin's {choices[first]}\n" + "\n".join(lines))
    if at != len(printed) or sum(len(choices) for _, _, choices in wanted) < 10000:
        sys.exit(f"{len(printed)} choices were printed, {at} expected")
    print(f"{at} choices of {len(NAMES)} schedulers agree")


if __name__ == "__main__":
    main()
