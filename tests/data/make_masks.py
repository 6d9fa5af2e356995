#!/usr/bin/env python3
"""Writes masks.txt: known answers of the mask contract in simdrop/mask.hpp.

An implementation of its own, in exact integers, from the text of that header and of Salmon et
al. (SC 2011). Usage: make_masks.py > masks.txt
"""

from fractions import Fraction

M32, M64 = 2**32 - 1, 2**64 - 1


def philox(block, stream, seed, rounds):
    c = [block & M32, block >> 32, stream & M32, stream >> 32]
    k = [seed & M32, seed >> 32]
    for _ in range(rounds):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & M32, (a >> 32) ^ c[3] ^ k[1], a & M32]
        k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
    return c


def kept(seed, stream, i, keep_prob, rule, rounds):
    t = round(Fraction(keep_prob) * 2**32)  # Fraction rounds ties to even
    if t in (0, 2**32):
        return t != 0

    def word(w):
        return philox(w // 4, stream, seed, rounds)[w % 4]

    if rule == "words":
        return word(i) < t
    digits = format(t, "032b").rstrip("0")
    d = min(8, len(digits))
    b, e = divmod(i, 256)
    drawn = "".join(
        str(1 - (word(8 * (d * b + j) + e // 32) >> (e % 32) & 1)) for j in range(d)
    )
    if drawn != digits[:d]:
        return drawn < digits[:d]  # equal lengths: string order is numeric order
    if len(digits) <= 8:
        return False
    u = philox(2**63 + i // 4, stream, seed, rounds)[i % 4]
    return (u >> 8) < t % 2**24


def mask_hex(seed, stream, first, n, keep_prob, rule, rounds):
    bits = bytearray((n + 7) // 8)
    for i in range(n):
        if kept(seed, stream, (first + i) & M64, keep_prob, rule, rounds):
            bits[i // 8] |= 1 << (i % 8)
    return bits.hex()


SEEDS = [(0, 0), (1, 0), (0, 1), (0x0123456789ABCDEF, 0xFEDCBA9876543210), (M64, M64)]
FIRSTS = [0, 1, 7, 37, 255, 256, 1000, 2**32 - 100, 2**40 + 3, 2**63 - 100, 2**64 - 300]
KEEP_PROBS = [
    0.5, 0.25, 0.75, 0.125, 0.9, 0.8, 0.3, 0.1, 0.01, 0.999, 1e-6, 0.0, 1.0,
    0.5 + 2.0**-12, 129 / 256, 0.5 + 2.0**-9, 2.0**-32, 2.0**-33, 3 * 2.0**-33,
    1 - 2.0**-32, 1 - 2.0**-33, 1 - 2.0**-34, 255 / 256, 1 / 256, 1 / 512,
]


def main():
    print("# Known answers of simdrop/mask.hpp, written by make_masks.py. Columns:")
    print("# seed stream first n keep_prob rule rounds mask (bytes in hexadecimal, in order)")
    case = 0
    for rule in ("digits", "words"):
        for rounds in (10, 7):
            for keep_prob in KEEP_PROBS:
                seed, stream = SEEDS[case % len(SEEDS)]
                first = FIRSTS[case % len(FIRSTS)]
                n = (600, 513, 301)[case % 3]
                case += 1
                args = (seed, stream, first, n, keep_prob, rule, rounds)
                print(*args[:4], repr(keep_prob), rule, rounds, mask_hex(*args))


if __name__ == "__main__":
    main()
