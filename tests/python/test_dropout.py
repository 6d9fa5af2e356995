"""Masks and dropout of NumPy arrays against NumPy and the known answers of the mask contract."""

import threading
from pathlib import Path

import numpy as np
import pytest
from textbook import DTYPES, arithmetic, dropped, dtype_of, kept, random, same

import simdrop

STREAM = dict(seed=7, stream=9, first=1001)
KEEP = dict(keep_prob=0.7, **STREAM)


def known_masks():
    path = Path(__file__).parents[1] / "data" / "masks.txt"
    lines = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 30
    return lines


def test_masks_are_those_of_the_contract():
    for seed, stream, first, n, keep_prob, rule, rounds, mask in known_masks():
        got = simdrop.bernoulli_mask(int(n), keep_prob=float(keep_prob), seed=int(seed),
                                     stream=int(stream), first=int(first), rule=rule,
                                     rounds=int(rounds))
        assert got.tobytes() == bytes.fromhex(mask), (seed, stream, first, keep_prob, rule, rounds)


def test_a_mask_is_written_to_out():
    out = np.full(13, 0xA5, np.uint8)
    assert simdrop.bernoulli_mask(100, **KEEP, out=out) is out
    assert np.array_equal(out, simdrop.bernoulli_mask(100, **KEEP, num_threads=2))
    assert simdrop.bernoulli_mask(0, **KEEP).size == 0


@pytest.mark.parametrize("law", [dict(rule="words"), dict(rounds=7), dict(rule="words", rounds=7)])
def test_rule_and_rounds(law):
    x = random((3, 50), np.float32)
    keep = kept(x.size, **KEEP, **law)
    assert not np.array_equal(keep, kept(x.size, **KEEP))
    same(simdrop.dropout(x, **KEEP, **law), dropped(x, keep, 0.7))
    same(simdrop.dropout_backward(x, **KEEP, **law), dropped(x, keep, 0.7))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keep_prob", [0.0, 0.7, 1.0])
def test_dropout(dtype, keep_prob):
    x = random((5, 3, 41), dtype_of(dtype))
    mask = np.full(77, 0xA5, np.uint8)
    y = simdrop.dropout(x, keep_prob=keep_prob, **STREAM, mask_out=mask)
    keep = kept(x.size, keep_prob=keep_prob, **STREAM)
    same(y, dropped(x, keep, keep_prob).astype(x.dtype))
    assert np.array_equal(mask, np.packbits(keep, bitorder="little"))
    same(simdrop.dropout(x, keep_prob=keep_prob, mask=mask), y)
    same(simdrop.dropout_backward(x, keep_prob=keep_prob, **STREAM), y)
    same(simdrop.dropout_backward(x, keep_prob=keep_prob, mask=mask), y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_residual_dropout(dtype):
    x, residual = (random((7, 33), dtype_of(dtype), seed) for seed in (1, 2))
    keep = kept(x.size, **KEEP)
    wide = arithmetic(x.dtype)
    with np.errstate(invalid="ignore"):
        want = (dropped(x, keep, 0.7) + residual.astype(wide)).astype(x.dtype)
    mask = np.empty(29, np.uint8)
    same(simdrop.residual_dropout(x, residual, **KEEP, mask_out=mask), want)
    assert np.array_equal(mask, np.packbits(keep, bitorder="little"))
    in_x, in_residual = x.copy(), residual.copy()
    assert simdrop.residual_dropout(in_x, residual, keep_prob=0.7, mask=mask, out=in_x) is in_x
    same(in_x, want)
    simdrop.residual_dropout(x, in_residual, **KEEP, out=in_residual)
    same(in_residual, want)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("with_bias", [True, False])
def test_relu_dropout_and_its_gradient(dtype, with_bias):
    x, dy = (random((2, 4, 33), dtype_of(dtype), seed) for seed in (1, 2))
    bias = random(33, x.dtype, 3)[::-1] if with_bias else None  # a bias that is no contiguous row
    wide = arithmetic(x.dtype)
    z = x.astype(wide) + bias.astype(wide) if with_bias else x.astype(wide)
    keep = kept(x.size, **KEEP)
    # The sum is rounded to the type of the arithmetic alone; ReLU passes NaN.
    y = dropped(np.where(z <= 0, wide(0), z), keep, 0.7).astype(x.dtype)
    mask = np.empty(33, np.uint8)
    got = simdrop.bias_relu_dropout(x, bias, **KEEP, mask_out=mask)
    same(got, y)
    assert np.array_equal(mask, np.packbits(keep, bitorder="little"))
    same(simdrop.bias_relu_dropout(x, bias, keep_prob=0.7, mask=mask), y)
    dx = dropped(dy, y.astype(wide) > 0, 0.7).astype(x.dtype)
    same(simdrop.relu_dropout_backward(got, dy, keep_prob=0.7), dx)
    in_dy = dy.copy()
    assert simdrop.relu_dropout_backward(got, in_dy, keep_prob=0.7, out=in_dy) is in_dy
    same(in_dy, dx)
    same(simdrop.relu_dropout_backward(got, dy, keep_prob=0.7, out=got), dx)


def test_in_place():
    x = random((6, 40), np.float32)
    want = simdrop.dropout(x, **KEEP)
    assert simdrop.dropout(x, **KEEP, out=x) is x
    same(x, want)


@pytest.mark.parametrize("cut", [1, 8, 37, 256, 300])
def test_parts_are_the_whole(cut):
    x = random(601, np.float32)
    want = simdrop.dropout(x, keep_prob=0.7, seed=7, first=2**64 - 50)
    parts = [simdrop.dropout(part, keep_prob=0.7, seed=7, first=(2**64 - 50 + begin) % 2**64)
             for begin, part in ((0, x[:cut]), (cut, x[cut:]))]
    same(np.concatenate(parts), want)


def test_any_number_of_threads_gives_the_same_bits():
    x = random((700, 1001), np.float32)
    want = simdrop.dropout(x, **KEEP)
    for num_threads in (2, 3, 0):
        same(simdrop.dropout(x, **KEEP, num_threads=num_threads), want)


def test_many_threads_at_once():
    """Each with a stream of its own: what a call is told does not mix with another's."""
    x = random(3000, np.float32)
    want = [simdrop.dropout(x, keep_prob=0.1 * (i + 1), seed=i) for i in range(8)]
    wrong = []

    def calls(i):
        for repeat in range(100):
            got = simdrop.dropout(x, keep_prob=0.1 * (i + 1), seed=i, num_threads=1 + repeat % 2)
            if got.tobytes() != want[i].tobytes():
                wrong.append(i)
            try:
                simdrop.dropout(x, keep_prob=2.0 + i, seed=i)
                wrong.append(i)
            except ValueError as error:
                if f"keep_prob is {2 + i}" not in str(error):
                    wrong.append(str(error))

    threads = [threading.Thread(target=calls, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


BAD = [
    (dict(keep_prob=1.5), ValueError, ["keep_prob is 1.5"]),
    (dict(keep_prob=float("nan")), ValueError, ["keep_prob is nan"]),
    (dict(keep_prob="0.5"), TypeError, ["keep_prob is '0.5'", "a number"]),
    (dict(keep_prob=10**400), ValueError, ["keep_prob is 1000"]),
    (dict(keep_prob=True), TypeError, ["keep_prob is True"]),
    (dict(keep_prob=np.str_("1")), TypeError, ["keep_prob is ", "a number"]),
    (dict(seed=-1), ValueError, ["seed is -1", "0 to 18446744073709551615"]),
    (dict(seed=2**64), ValueError, ["seed is 18446744073709551616"]),
    (dict(seed=0.5), TypeError, ["seed is 0.5", "whole number"]),
    (dict(seed=None), TypeError, ["seed is None"]),
    (dict(stream=2**64), ValueError, ["stream is 18446744073709551616"]),
    (dict(first=-1), ValueError, ["first is -1"]),
    (dict(rule="fair"), ValueError, ["rule is 'fair'", "'dyadic' or 'words'"]),
    (dict(rounds=8), ValueError, ["rounds is 8", "10 or 7"]),
    (dict(num_threads=-1), ValueError, ["num_threads is -1"]),
    (dict(mask=np.zeros(1, np.uint8)), TypeError, ["seed and mask"]),
    (dict(mask=np.zeros(1, np.uint8), seed=None), ValueError, ["mask has shape (1,)", "(2,)"]),
    (dict(mask=np.zeros(12, bool), seed=None), TypeError, ["mask is of bool", "uint8"]),
    (dict(mask=np.zeros(2, np.uint8), seed=None, mask_out=np.zeros(2, np.uint8)), TypeError,
     ["mask_out and mask"]),
    (dict(mask_out=np.zeros(3, np.uint8)), ValueError, ["mask_out has shape (3,)", "(2,)"]),
    (dict(mask_out=np.zeros(4, np.uint8)[::2]), ValueError, ["mask_out", "strides (2,)"]),
    (dict(mask_out=np.zeros(2, np.int8)), TypeError, ["mask_out is of int8"]),
]


@pytest.mark.parametrize("arguments, error, words", BAD, ids=lambda value: str(value)[:40])
def test_errors_leave_out_alone(arguments, error, words):
    x, bias, out = (random(shape, np.float32) for shape in ((3, 4), 4, (3, 4)))
    before = out.tobytes()
    arguments = dict(dict(keep_prob=0.5, seed=1, out=out), **arguments)
    calls = [lambda: simdrop.dropout(x, **arguments),
             lambda: simdrop.residual_dropout(x, x, **arguments),
             lambda: simdrop.bias_relu_dropout(x, bias, **arguments)]
    if "mask_out" not in arguments:
        calls.append(lambda: simdrop.dropout_backward(x, **arguments))
    for call in calls:
        with pytest.raises(error) as caught:
            call()
        assert all(word in str(caught.value) for word in words), str(caught.value)
        assert out.tobytes() == before


def test_errors_of_masks_and_of_the_other_arrays():
    x = np.ones((3, 4), np.float32)
    for call, error, words in [
        (lambda: simdrop.bernoulli_mask(-1, keep_prob=0.5, seed=1), ValueError, "n is -1"),
        (lambda: simdrop.bernoulli_mask(9, keep_prob=0.5, seed=1, out=np.zeros(1, np.uint8)),
         ValueError, "out has shape (1,)"),
        (lambda: simdrop.residual_dropout(x, x[:2], **KEEP), ValueError, "residual has shape"),
        (lambda: simdrop.residual_dropout(x, x.astype("f8"), **KEEP), TypeError, "residual has"),
        (lambda: simdrop.bias_relu_dropout(x, x[0, :3], **KEEP), ValueError, "bias has shape (3,)"),
        (lambda: simdrop.bias_relu_dropout(x[0, 0], x[0], **KEEP), ValueError, "bias has shape"),
        (lambda: simdrop.bias_relu_dropout(x, np.ones(4), **KEEP), TypeError, "bias has dtype"),
        (lambda: simdrop.relu_dropout_backward(x, x[0], keep_prob=0.5), ValueError, "dy has shape"),
        (lambda: simdrop.relu_dropout_backward(x, x, keep_prob=-1), ValueError, "keep_prob is -1"),
    ]:
        with pytest.raises(error) as caught:
            call()
        assert words in str(caught.value)
