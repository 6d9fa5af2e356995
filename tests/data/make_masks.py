#!/usr/bin/env python3
"""Writes masks.txt: known answers of version 1 of the mask contract in simdrop/mask.hpp.

An implementation of its own, one element at a time, from the text of that header and of Salmon et
al. (SC 2011). Python's floats are IEEE 754 doubles, and it never contracts.
Usage: make_masks.py > masks.txt
"""

from fractions import Fraction
from functools import lru_cache

M32, M64 = 2**32 - 1, 2**64 - 1


@lru_cache(maxsize=None)
def block(c, stream, seed, rounds):
    """The 128 bits of a Philox block, the first word lowest."""
    x = [c & M32, c >> 32, stream & M32, stream >> 32]
    k = [seed & M32, seed >> 32]
    for _ in range(rounds):
        a, b = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(b >> 32) ^ x[1] ^ k[0], b & M32, (a >> 32) ^ x[3] ^ k[1], a & M32]
        k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
    return x[0] | x[1] << 32 | x[2] << 64 | x[3] << 96


@lru_cache(maxsize=None)
def choose_base(t):
    """Step 1: (cost, d, n, delta, M, D) of the cheapest base mask."""
    choices = []
    for d in range(9):
        step = 2 ** (32 - d)
        for n in sorted({t // step, -(-t // step)}):
            base = n * step
            delta = abs(t - base)
            m = base if t <= base else 2**32 - base
            q = delta * 2**32 // m if delta else 0
            choices.append((d * 2**27 + q, d, n, delta, m, base))
    return min(choices)


@lru_cache(maxsize=None)
def hit_law(delta, m):
    """Step 3: the sequence c_k."""
    a = m - delta
    r, z = a / m, delta / (a + m)
    y = z * z
    h = 1 / 17
    for odd in range(15, 0, -2):
        h = h * y + 1 / odd
    mean = 512 * z * h
    p = r
    for _ in range(8):
        p = p * p
    s = p
    c = [min(int(s * 2**64), M64)]
    while True:
        p = p * (mean / len(c))
        if s + p == s:
            return c
        s = s + p
        c.append(min(int(s * 2**64), M64))


@lru_cache(maxsize=None)
def struck(b, stream, seed, rounds, delta, m):
    """Steps 3 and 4: the elements of block b that are hit."""
    u = block(2**63 + b, stream, seed, rounds) & M64
    hits = sum(u > c for c in hit_law(delta, m))
    places = set()
    for k in range(hits):
        piece = block(2**63 + (k + 8) // 16 * 2**56 + b, stream, seed, rounds)
        places.add(piece >> 8 * ((k + 8) % 16) & 255)
    return places


def kept(seed, stream, i, keep_prob, rule, rounds):
    t = round(Fraction(keep_prob) * 2**32)  # Fraction rounds ties to even
    if t in (0, 2**32):
        return t != 0
    if rule == "words":
        return (block(i // 4, stream, seed, rounds) >> 32 * (i % 4) & M32) < t
    _, d, n, delta, m, base = choose_base(t)
    b, e = divmod(i, 256)
    if delta and e in struck(b, stream, seed, rounds, delta, m):
        return t > base
    if d == 0:
        return n == 1
    bit = 0
    for j in range(d - 1, -1, -1):
        drawn = block((2 * j + e // 128) * 2**56 + b, stream, seed, rounds) >> (e % 128) & 1
        bit = bit | drawn if n >> (d - 1 - j) & 1 else bit & drawn
    return bit == 1


def mask_hex(seed, stream, first, n, keep_prob, rule, rounds):
    bits = bytearray((n + 7) // 8)
    for i in range(n):
        if kept(seed, stream, (first + i) & M64, keep_prob, rule, rounds):
            bits[i // 8] |= 1 << (i % 8)
    return bits.hex()


SEEDS = [(0, 0), (1, 0), (0, 1), (0x0123456789ABCDEF, 0xFEDCBA9876543210), (M64, M64)]
FIRSTS = [0, 1, 7, 37, 255, 256, 1000, 2**32 - 100, 2**40 + 3, 2**63 - 100, 2**64 - 300]
KEEP_PROBS = [
    0.5, 0.25, 0.75, 0.125, 0.9, 0.8, 0.7, 0.6, 0.3, 0.1, 0.05, 0.95, 0.01, 0.999, 1e-6, 0.0, 1.0,
    0.5 + 2.0**-12, 129 / 256, 0.5 + 2.0**-9, 2.0**-32, 2.0**-33, 3 * 2.0**-33,
    1 - 2.0**-32, 1 - 2.0**-33, 1 - 2.0**-34, 255 / 256, 1 / 256, 1 / 512, 0.5 + 2.0**-6, 0.3125,
]


def crowded_block(keep_prob, rounds):
    """The first block of seed 1, stream 0 with more hits than all but 2^-15 of the blocks have."""
    _, _, _, delta, m, _ = choose_base(round(keep_prob * 2**32))
    least = max(c for c in hit_law(delta, m) if c < M64 * (1 - 2.0**-15))
    return next(b for b in range(10**6) if block(2**63 + b, 0, 1, rounds) & M64 > least)


def cases():
    case = 0
    for rule in ("dyadic", "words"):
        for rounds in (10, 7):
            for keep_prob in KEEP_PROBS:
                seed, stream = SEEDS[case % len(SEEDS)]
                first, n = FIRSTS[case % len(FIRSTS)], (600, 513, 301)[case % 3]
                case += 1
                yield seed, stream, first, n, keep_prob, rule, rounds
    for keep_prob in (0.9, 0.8, 0.7, 0.1, 0.999):  # more hits than vector kernels have slots for
        yield 1, 0, 256 * crowded_block(keep_prob, 10), 256, keep_prob, "dyadic", 10
    for keep_prob in (0.9, 0.7, 0.5):  # long enough for every path of a vector kernel
        yield 2026, 3, 131, 20000, keep_prob, "dyadic", 10


def main():
    print("# Known answers of the mask contract of simdrop/mask.hpp, version 1, written by")
    print("# make_masks.py. These lines never change. Columns:")
    print("# seed stream first n keep_prob rule rounds mask (bytes in hexadecimal, in order)")
    for args in cases():
        print(*args[:4], repr(args[4]), *args[5:], mask_hex(*args))


if __name__ == "__main__":
    main()
