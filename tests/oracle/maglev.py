#!/usr/bin/python3
"""The ring's twin: Maglev as its paper tells it, in the plainest form, sharing no code with the
product.

Every round each member, in the order of names, adds its weight to its sum; when the sum has reached
the greatest weight, the greatest weight is taken off and the member takes the first free slot of
its own order. The twin draws scenarios at random, asks the product's ring_printer for the same
rings, and compares them slot by slot.

usage: maglev.py RING_PRINTER [SEED]
"""

import random
import subprocess
import sys

WORD = (1 << 64) - 1


def rotate(word, count):
    return ((word << count) | (word >> (64 - count))) & WORD


def sip_rounds(v, count):
    for _ in range(count):
        v[0] = (v[0] + v[1]) & WORD
        v[2] = (v[2] + v[3]) & WORD
        v[1] = rotate(v[1], 13) ^ v[0]
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = rotate(v[0], 32)
        v[2] = (v[2] + v[1]) & WORD
        v[0] = (v[0] + v[3]) & WORD
        v[1] = rotate(v[1], 17) ^ v[2]
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = rotate(v[2], 32)


def siphash(key, message):
    """SipHash-2-4 of bytes under a key of two words."""
    v = [
        key[0] ^ 0x736F6D6570736575,
        key[1] ^ 0x646F72616E646F6D,
        key[0] ^ 0x6C7967656E657261,
        key[1] ^ 0x7465646279746573,
    ]
    padded = message + bytes(-(len(message) + 1) % 8) + bytes([len(message) & 0xFF])
    for start in range(0, len(padded), 8):
        block = int.from_bytes(padded[start : start + 8], "little")
        v[3] ^= block
        sip_rounds(v, 2)
        v[0] ^= block
    v[2] ^= 0xFF
    sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def ring_key(seed):
    """The key for rings that every director with this seed derives."""
    first = siphash((0, 0), seed.encode())
    second = siphash((1, 0), seed.encode())
    return siphash((first, second), b"ring"), siphash((second, first), b"ring")


def own_order(name, size, key):
    """All slots, in the order in which the member of this name wants them."""
    draw = siphash(key, name.encode())
    offset = (draw & 0xFFFFFFFF) * size >> 32
    skip = 1 + ((draw >> 32) * (size - 1) >> 32)
    for n in range(size):
        yield (offset + n * skip) % size


def ring(members, size, key):
    """Members are (name, weight, index). The slots' indexes; empty when nobody has weight."""
    members = sorted(member for member in members if member[1] > 0)
    if not members:
        return []
    greatest = max(weight for _, weight, _ in members)
    orders = [own_order(name, size, key) for name, _, _ in members]
    sums = [0] * len(members)
    slots = [None] * size
    free = size
    while True:
        for number, (_, weight, index) in enumerate(members):
            sums[number] += weight
            if sums[number] < greatest:
                continue
            sums[number] -= greatest
            slots[next(slot for slot in orders[number] if slots[slot] is None)] = index
            free -= 1
            if free == 0:
                return slots


def scenario(draw):
    size = draw.choice([2, 3, 7, 13, 101, 251, 1009, 4093])
    count = draw.randint(0, min(size, 40))
    greatest = draw.choice([1, 1, 3, 100, 1000])
    kinds = ("web", "db", "a-rather-long-name-")
    names = draw.sample([f"{kind}{n}" for kind in kinds for n in range(40)], count)
    indexes = draw.sample(range(65535), count)
    return size, f"seed-{draw.randint(0, 9)}", [
        (name, draw.randint(0, greatest), index) for name, index in zip(names, indexes)
    ]


def scenarios(seed):
    draw = random.Random(seed)
    for _ in range(300):
        yield scenario(draw)
    equal = [(f"web{n}", 1, n) for n in range(10)]
    yield 65537, "fulcrum", equal
    yield 65537, "fulcrum", [(f"web{n}", 100 - n % 7, 999 - n) for n in range(100)]
    yield 65537, "fulcrum", [("heavy", 1000, 0)] + equal[1:]


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    seed = int(sys.argv[2]) if len(sys.argv) == 3 else random.randrange(1 << 32)
    print(f"seed {seed}")
    wanted = list(scenarios(seed))
    lines = []
    for size, ring_seed, members in wanted:
        lines.append(f"{size} {ring_seed} {len(members)}")
        lines += [f"{name} {weight} {index}" for name, weight, index in members]
    answer = subprocess.run(
        [sys.argv[1]],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    printed = answer.stdout.splitlines()
    if len(printed) != len(wanted):
        sys.exit(f"{len(wanted)} rings were asked for, {len(printed)} printed")
    for number, ((size, ring_seed, members), line) in enumerate(zip(wanted, printed)):
        theirs = [int(word) for word in line.split()]
        ours = ring(members, size, ring_key(ring_seed))
        if theirs != ours:
            sys.exit(f"ring {number} differs (size {size}, seed {ring_seed}): {members}")
    print(f"{len(wanted)} rings agree")


if __name__ == "__main__":
    main()
