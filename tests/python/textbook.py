"""What NumPy alone says that the package should compute. The tests of arrays share it."""

import importlib.util

import numpy as np
import pytest

import simdrop

NO_BFLOAT16 = importlib.util.find_spec("ml_dtypes") is None
DTYPES = ["float32", "float64", "float16",
          pytest.param("bfloat16", marks=pytest.mark.skipif(NO_BFLOAT16, reason="no ml_dtypes"))]


def dtype_of(name):
    if name != "bfloat16":
        return np.dtype(name)
    import ml_dtypes
    return np.dtype(ml_dtypes.bfloat16)


def arithmetic(dtype):
    """The type that arithmetic is in."""
    return np.float64 if dtype == np.float64 else np.float32


def random(shape, dtype, seed=0):
    """Numbers in [-2, 2), with those that arithmetic treats in a way of its own."""
    x = np.random.default_rng(seed).uniform(-2, 2, shape).astype(dtype)
    special = [0.0, -0.0, np.nan, np.inf, -np.inf]
    x.reshape(-1)[:len(special)] = np.array(special, dtype)[:x.size]
    return x


def kept(n, **stream):
    """Which elements of a stream are kept, by bernoulli_mask(), which masks.txt checks."""
    bits = simdrop.bernoulli_mask(n, **stream)
    return np.unpackbits(bits, count=n, bitorder="little").astype(bool)


def dropped(x, keep, keep_prob):
    """Inverted dropout, in the type of the arithmetic."""
    wide = arithmetic(x.dtype)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = min(wide(np.divide(1.0, keep_prob)), np.finfo(wide).max)
        return np.where(keep.reshape(x.shape), x.astype(wide) * scale, wide(0))


def same(got, want):
    """The same bits, but for those of a NaN."""
    assert got.dtype == want.dtype and got.shape == want.shape
    wide = arithmetic(got.dtype)
    nan = np.isnan(want.astype(wide))
    assert np.array_equal(np.isnan(got.astype(wide)), nan)
    bits = f"u{got.itemsize}"
    assert np.array_equal(np.ascontiguousarray(got).view(bits)[~nan],
                          np.ascontiguousarray(want).view(bits)[~nan])


def gamma(n):
    """Bound of the relative error of n roundings to float (Higham, ASNA, section 3.1)."""
    nu = n * 2.0**-24
    return nu / (1 - nu)


def product(a, b, roundings=0, plus=0.0):
    """a @ b + plus in double, and a bound of the error of the same in float: a chain of a.shape[1]
    roundings and so many more. Twice it, for double's own roundings."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    value, size = a @ b + plus, np.abs(a) @ np.abs(b) + np.abs(plus)
    return value, 2 * gamma(a.shape[1] + 1 + roundings) * size


def passed(mlp, x, masks=None):
    """z of the last layer in double, with these masks or without dropout, and a bound of float's
    errors as they add up from layer to layer."""
    config = mlp.config
    keep_probs = [config["input_keep_prob"], *config["keep_prob"]]
    a, error = x.astype(np.float64), np.zeros(x.shape)
    for layer, p in enumerate(keep_probs):
        if masks is not None:
            a, error = (np.where(masks[layer], v / p, 0) for v in (a, error + gamma(2) * np.abs(a)))
        w, bias = (v.astype(np.float64) for v in (mlp.weights(layer + 1).T, mlp.bias(layer + 1)))
        size = (np.abs(a) + error) @ np.abs(w) + np.abs(bias)
        a, error = a @ w + bias, error @ np.abs(w) + 2 * gamma(w.shape[0] + 1) * size
        if layer < len(keep_probs) - 1:
            a = np.maximum(a, 0)
    return a, error


def close(got, want, bound):
    error = np.abs(got - want)
    assert np.all(error <= bound), f"off by {np.max(error)}, {np.max(error / bound)} bounds"
