"""What NumPy says that simdrop should compute: masks from the contract's text, sums in more bits."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "data"))
import make_masks  # noqa: E402: an implementation of the mask contract of its own

WIDE = np.longdouble


def kept(dropout, n):
    """Which of n elements a simdrop_dropout keeps."""
    rule = ("dyadic", "words")[dropout.rule]
    return np.array([
        make_masks.kept(dropout.seed, dropout.stream_id, (dropout.first + i) % 2**64,
                        dropout.keep_prob, rule, dropout.rounds) for i in range(n)
    ], dtype=bool)


def bits(mask):
    return np.packbits(mask, bitorder="little")


def widen(x, bf16):
    """To the type that simdrop computes in."""
    if bf16:
        return (x.astype(np.uint32) << 16).view(np.float32)
    return x.astype(np.float32) if x.dtype == np.float16 else x


def narrow(x, dtype, bf16):
    """Back, rounded to nearest even. x is finite."""
    if bf16:
        u = x.view(np.uint32).astype(np.uint64)
        return ((u + 0x7FFF + (u >> 16 & 1)) >> 16).astype(np.uint16)
    return x.astype(dtype)


def scale_of(keep_prob, dtype):
    return np.dtype(dtype).type(1.0 / keep_prob)


def select(mask, x):
    """x where kept, else +0."""
    return np.where(mask, x, x.dtype.type(0))


def gamma(n, dtype):
    """Bound of the relative error of n roundings (Higham, ASNA, section 3.1)."""
    nu = n * np.finfo(dtype).eps / 2
    return nu / (1 - nu)


def product(a, b, roundings, dtype, *terms):
    """a @ b + terms in more bits, and the bound of what is computed in dtype. As WIDE may be double,
    the bound is twice that of the library's sum."""
    a, b = a.astype(WIDE), b.astype(WIDE)
    value, size = a @ b, np.abs(a) @ np.abs(b)
    for term in terms:
        value, size = value + term, size + np.abs(term)
    return value, 2 * gamma(a.shape[1] + roundings, dtype) * size


def check(got, want, bound, what):
    error = np.abs(got.astype(WIDE) - want)
    assert np.all(error <= bound), f"{what}: off by {error.max()}, {(error / bound).max()} bounds"


def same(got, want, what):
    assert got.dtype == want.dtype and got.shape == want.shape, what
    assert got.tobytes() == want.tobytes(), f"{what}: {np.count_nonzero(got != want)} differ"
