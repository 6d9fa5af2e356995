"""Which arrays are used where they are, which are copied, and which are refused."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from textbook import DTYPES, dtype_of, random, same

import simdrop
from simdrop._arrays import rows_of

KEEP = dict(keep_prob=0.6, seed=3, stream=4, first=5)


def base(shape=(4, 6, 50)):
    return random(shape, np.float32)


def unaligned():
    x = np.zeros(401, np.uint8)[1:].view(np.float32)
    x[:] = base().ravel()[:100]
    return x[:24].reshape(4, 6)


# By what is seen of it: the array, and (rows, columns, leading dimension) or None for a copy.
LAYOUTS = {
    "contiguous": (lambda: base(), (1, 1200, 1200)),
    "no axis": (lambda: np.array(3.5, np.float32), (1, 1, 1)),
    "empty": (lambda: base()[:, :0], (1, 0, 0)),
    "columns": (lambda: base()[0, :, 3:33], (6, 30, 50)),
    "columns of all rows": (lambda: base()[:, :, 3:33], (24, 30, 50)),
    "rows of some": (lambda: base()[:, 1:4], (4, 150, 300)),
    "each second row": (lambda: base()[0, ::2], (3, 50, 100)),
    "one column": (lambda: base()[0, :, 7], (6, 1, 50)),
    "axes of one": (lambda: base()[:1, None, :, 3:33, None], (6, 30, 50)),
    "each second element": (lambda: base()[0, :, ::2], (150, 1, 2)),
    "rows and columns of some": (lambda: base()[:, 1:4, 3:33], None),
    "transposed": (lambda: base()[0].T, None),
    "Fortran's order": (lambda: np.asfortranarray(base()), None),
    "backwards": (lambda: base()[0, ::-1], None),
    "one row repeated": (lambda: np.broadcast_to(base()[0, 0], (6, 50)), None),
    "overlapping rows": (lambda: as_strided(base(), (5, 8), (12, 4)), None),
    "unaligned": (unaligned, None),
    "a field of records": (
        lambda: np.ones(9, np.dtype([("a", "f4"), ("b", "i2"), ("c", "i4")]))["a"], None),
}


@pytest.mark.parametrize("make, rows", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(make, rows):
    """The same elements as those of a contiguous copy, whatever the strides."""
    x = make()
    layout = rows_of(x)
    assert (layout and layout[1:]) == rows
    want = simdrop.dropout(x.copy(), **KEEP)
    same(simdrop.dropout(x, **KEEP), want)
    same(simdrop.residual_dropout(x, want, **KEEP),
         simdrop.residual_dropout(x.copy(), want, **KEEP))
    if x.ndim:
        bias = random(x.shape[-1], np.float32, 8)
        same(simdrop.bias_relu_dropout(x, bias, **KEEP),
             simdrop.bias_relu_dropout(x.copy(), bias, **KEEP))


@pytest.mark.parametrize("make, rows", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_of_out(make, rows):
    """Rows of a matrix are written in place, and nothing beside them; others are refused."""
    out = make()
    x = random(out.shape, np.float32, 2)
    if rows is None:
        before = out.tobytes()
        with pytest.raises(ValueError, match="^out "):
            simdrop.dropout(x, **KEEP, out=out)
        assert out.tobytes() == before
        return
    assert simdrop.dropout(x, **KEEP, out=out) is out
    same(out, simdrop.dropout(x, **KEEP))
    same(simdrop.dropout(out, **KEEP, out=out), simdrop.dropout(simdrop.dropout(x, **KEEP), **KEEP))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_lies_between_rows_is_left_alone(dtype):
    whole = random((9, 40), dtype_of(dtype))
    before = whole.copy()
    simdrop.dropout(whole[:, 4:37], **KEEP, out=whole[:, 4:37])
    same(whole[:, 4:37], simdrop.dropout(before[:, 4:37], **KEEP))
    before[:, 4:37] = whole[:, 4:37]
    same(whole, before)


@pytest.mark.parametrize("x_cols", [slice(0, 30), slice(5, 35)])
@pytest.mark.parametrize("out_axes", [(6, 8, 5), (6, 40), (48, 5)])
def test_arrays_of_unlike_layouts(x_cols, out_axes):
    """Out decides about rows; an input that does not suit it is copied."""
    shape = (6, 6, 5) if len(out_axes) == 3 else (6, 30) if out_axes[1] == 40 else (36, 5)
    x = random((6, 40), np.float32)[:, x_cols].reshape(shape)
    residual = random((48, 5), np.float32, 1)[4:40].reshape(shape)
    out = np.zeros(out_axes, np.float32)[tuple(slice(0, n) for n in shape)]
    want = simdrop.residual_dropout(x.copy(), residual.copy(), **KEEP)
    same(simdrop.residual_dropout(x, residual, **KEEP, out=out), want)
    same(simdrop.residual_dropout(residual.T, x.T, **KEEP),
         simdrop.residual_dropout(residual.T.copy(), x.T.copy(), **KEEP))


def test_an_epilogue_writes_rows_of_the_last_axis():
    x, bias = base((3, 4, 20)), random(10, np.float32, 1)
    want = simdrop.bias_relu_dropout(x[..., 5:15].copy(), bias, **KEEP)
    out = np.zeros((3, 4, 16), np.float32)
    same(simdrop.bias_relu_dropout(x[..., 5:15], bias, **KEEP, out=out[..., 2:12]), want)
    assert not out[..., :2].any() and not out[..., 12:].any()
    with pytest.raises(ValueError, match="^out has shape"):  # its rows are longer than a bias
        simdrop.bias_relu_dropout(x[..., :10], bias, **KEEP,
                                  out=np.zeros((3, 8, 10), np.float32)[:, :4])


def test_read_only_arrays_are_read():
    x = base()
    want = simdrop.dropout(x, **KEEP)
    x.flags.writeable = False
    same(simdrop.dropout(x, **KEEP), want)
    with pytest.raises(ValueError, match="out is read-only"):
        simdrop.dropout(x, **KEEP, out=x)


def test_what_is_no_array():
    numbers = [1.5, 2.5, 3.5]
    same(simdrop.dropout(numbers, **KEEP), simdrop.dropout(np.array(numbers), **KEEP))
    assert simdrop.dropout(np.float32(2), keep_prob=1, seed=0).shape == ()


def test_import_brings_numpy_alone():
    code = "import sys, simdrop; print({'ml_dtypes', 'torch'} & sys.modules.keys())"
    got = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert got.stdout == "set()\n"


def test_overlaps_are_errors():
    x = base((100,))
    before = x.copy()
    with pytest.raises(ValueError, match="overlaps"):
        simdrop.dropout(x[:-1], **KEEP, out=x[1:])
    with pytest.raises(ValueError, match="overlaps"):
        simdrop.dropout(x, **KEEP, mask_out=x.view(np.uint8)[:13])
    same(x, before)


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64", "longdouble", ">f4", ">f8",
                                   "object", "U3", "V2"])
def test_other_dtypes_are_refused(dtype):
    x = np.zeros(5, dtype)
    with pytest.raises(TypeError) as caught:
        simdrop.dropout(x, **KEEP)
    for word in ("x has dtype", "float32, float64, float16 and bfloat16"):
        assert word in str(caught.value)


@pytest.mark.parametrize("out, error, words", [
    (np.zeros((4, 5)), TypeError, "out has dtype float64; allowed: float32"),
    (np.zeros((4, 5), ">f4"), TypeError, "out has dtype >f4"),
    (np.zeros((5, 4), np.float32), ValueError, "out has shape (5, 4); allowed: (4, 5)"),
    (np.zeros((1, 4, 5), np.float32), ValueError, "out has shape (1, 4, 5)"),
    ([0.0] * 20, TypeError, "out is a list"),
])
def test_out_that_does_not_suit(out, error, words):
    with pytest.raises(error) as caught:
        simdrop.dropout(np.ones((4, 5), np.float32), **KEEP, out=out)
    assert words in str(caught.value)
