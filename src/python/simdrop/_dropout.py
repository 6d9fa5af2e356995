"""Masks and dropout of NumPy arrays. dropout()'s text says what holds for all functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._arguments import choice, real
from ._arrays import Operands, address, dtype_code, floats, mask_of, mask_output, output, same_kind
from ._library import call, exec_of, integer, own

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_RULES = {"dyadic": 0, "words": 1}
_ROUNDS = {10: 10, 7: 7}


def _stream(keep_prob: float, seed: int | None, stream: int, first: int, rule: str,
            rounds: int) -> int:
    """The address of this thread's simdrop_dropout, for its next call."""
    if seed is None:
        raise TypeError(f"seed is None; allowed: a whole number, from 0 to {2**64 - 1}")
    values = (real("keep_prob", keep_prob), integer("seed", seed, 64),
              integer("stream", stream, 64), integer("first", first, 64),
              choice("rule", rule, _RULES), choice("rounds", rounds, _ROUNDS))
    d = own.dropout
    d.keep_prob, d.seed, d.stream_id, d.first, d.rule, d.rounds = values
    return own.dropout_at


class _Drop:
    """What drops: a stream, or the caller's mask."""

    def __init__(self, elements: int, keep_prob: float, seed: int | None, stream: int, first: int,
                 rule: str, rounds: int, mask: NDArray[np.uint8] | None,
                 mask_out: NDArray[np.uint8] | None) -> None:
        self.given = mask is not None
        self._bits: NDArray[np.uint8] | None = None
        if mask is None:
            if mask_out is not None:
                self._bits = mask_output("mask_out", mask_out, elements)
            self._source: tuple[Any, ...] = (_stream(keep_prob, seed, stream, first, rule, rounds),)
            return
        if seed is not None or mask_out is not None:
            name = "mask_out" if seed is None else "seed"
            raise TypeError(f"{name} and mask are given; allowed: one of them")
        self._bits = mask_of("mask", mask, elements)
        self._source = (real("keep_prob", keep_prob), address(self._bits))

    def run(self, name: str, *arguments: Any) -> None:
        """simdrop_<name>() or its variant for a given mask. The last argument is simdrop_exec."""
        if self.given:
            call(name + "_from_mask", *self._source, *arguments)
        else:
            received = None if self._bits is None else address(self._bits)
            call(name, *self._source, *arguments[:-1], received, arguments[-1])


def bernoulli_mask(n: int, *, keep_prob: float, seed: int, stream: int = 0, first: int = 0,
                   rule: str = "dyadic", rounds: int = 10, out: NDArray[np.uint8] | None = None,
                   num_threads: int = 1) -> NDArray[np.uint8]:
    """The mask of elements first ... first + n - 1 of a stream, one bit each, set = kept.

    Returns (n + 7) // 8 bytes, the lowest bit of a byte first, or writes them to out:
    np.unpackbits(mask, count=n, bitorder="little") has the elements. Unused bits are 0. The rest
    is as in dropout().
    """
    n = integer("n", n, 63)
    if out is None:
        out = np.empty((n + 7) // 8, np.uint8)
    bits = mask_output("out", out, n)
    call("bernoulli_mask", _stream(keep_prob, seed, stream, first, rule, rounds), n, address(bits),
         exec_of(num_threads))
    return out


def dropout(x: ArrayLike, *, keep_prob: float, seed: int | None = None, stream: int = 0,
            first: int = 0, rule: str = "dyadic", rounds: int = 10,
            mask: NDArray[np.uint8] | None = None, mask_out: NDArray[np.uint8] | None = None,
            out: NDArray[Any] | None = None, num_threads: int = 1) -> NDArray[Any]:
    """x / keep_prob where an element is kept, with probability keep_prob, else 0.

    What is dropped becomes exactly +0, NaN and infinities too; a kept NaN stays NaN. Element i of x
    in its logical order (that of x.ravel(), whatever its strides) is element first + i of the
    stream (seed, stream), counted modulo 2**64. Which elements are kept follows from seed, stream,
    first, keep_prob, rule and rounds alone: not from the dtype, nor from num_threads.

    x: of dtype float32, float64, float16 or bfloat16 (ml_dtypes), of native byte order; any shape.
        Arithmetic is in double for float64, else in float; the other two are rounded once more.
        Rows of a matrix, as x[:, 8:40], are read where they are. Other layouts, as those of
        transposed and unaligned arrays or of very short rows, are copied first.
    keep_prob: from 0 to 1. seed, stream, first: whole numbers of 64 bits.
    rule, rounds: "dyadic" or "words", and 10 or 7: how a bit follows from the stream, as
        include/simdrop/mask.hpp specifies it.
    mask: bits to use, as bernoulli_mask() returns them for x.size elements, in place of a stream:
        seed must not be given then, and stream, first, rule and rounds do not matter.
    mask_out: receives the bits that were drawn; (x.size + 7) // 8 contiguous bytes, uint8.
    out: the array to write to and to return, of x's shape and dtype, aligned rows of a matrix. It
        may be x itself; any other overlap with an array that is read in place is an error.
        None: a new array.
    num_threads: most threads that work on the call; 0: as many as this process may use.

    Any number of threads may call at once; the GIL is released. Raises ValueError, or TypeError for
    a wrong type, that names the argument, its value and what is allowed; nothing was written then.
    """
    x = floats("x", x)
    out = output("out", out, x.shape, x.dtype)
    a = Operands(out, [x])
    drop = _Drop(x.size, keep_prob, seed, stream, first, rule, rounds, mask, mask_out)
    # With a given mask, both directions are one function.
    drop.run("dropout_backward" if drop.given else "dropout_forward", dtype_code("x", x.dtype),
             a.rows, a.cols, *a.pairs, exec_of(num_threads))
    return out


def dropout_backward(dy: ArrayLike, *, keep_prob: float, seed: int | None = None, stream: int = 0,
                     first: int = 0, rule: str = "dyadic", rounds: int = 10,
                     mask: NDArray[np.uint8] | None = None, out: NDArray[Any] | None = None,
                     num_threads: int = 1) -> NDArray[Any]:
    """The gradient of dropout()'s x from dy, that of its result: dy / keep_prob where kept, else 0.

    The mask is drawn again, so that nothing is stored between the passes, or it is given. Arguments
    and errors are as in dropout(); out may be dy.
    """
    dy = floats("dy", dy)
    return dropout(dy, keep_prob=keep_prob, seed=seed, stream=stream, first=first, rule=rule,
                   rounds=rounds, mask=mask, out=out, num_threads=num_threads)


def residual_dropout(x: ArrayLike, residual: ArrayLike, *, keep_prob: float,
                     seed: int | None = None, stream: int = 0, first: int = 0,
                     rule: str = "dyadic", rounds: int = 10,
                     mask: NDArray[np.uint8] | None = None,
                     mask_out: NDArray[np.uint8] | None = None, out: NDArray[Any] | None = None,
                     num_threads: int = 1) -> NDArray[Any]:
    """residual + dropout(x) in one pass, rounded after the product and after the sum.

    residual: of x's shape and dtype; nothing is broadcast. out may be x or residual. The rest is as
    in dropout(). The gradient of residual is dy, that of x dropout_backward(dy).
    """
    x = floats("x", x)
    residual = same_kind("residual", residual, "x", x)
    out = output("out", out, x.shape, x.dtype)
    a = Operands(out, [x, residual])
    drop = _Drop(x.size, keep_prob, seed, stream, first, rule, rounds, mask, mask_out)
    drop.run("residual_dropout_forward", dtype_code("x", x.dtype), a.rows, a.cols, *a.pairs,
             exec_of(num_threads))
    return out


def _bias(bias: ArrayLike, x: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(bias)
    if array.dtype != x.dtype:
        raise TypeError(f"bias has dtype {array.dtype}; allowed: {x.dtype}, as x")
    if array.shape != x.shape[-1:] or not x.shape:
        raise ValueError(f"bias has shape {array.shape}, and x {x.shape}; allowed: a value for "
                         "each element of x's last axis")
    return np.require(array, requirements=["C", "ALIGNED"])


def bias_relu_dropout(x: ArrayLike, bias: ArrayLike | None = None, *, keep_prob: float,
                      seed: int | None = None, stream: int = 0, first: int = 0,
                      rule: str = "dyadic", rounds: int = 10,
                      mask: NDArray[np.uint8] | None = None,
                      mask_out: NDArray[np.uint8] | None = None, out: NDArray[Any] | None = None,
                      num_threads: int = 1) -> NDArray[Any]:
    """dropout(relu(x + bias)) in one pass: what follows the product of a layer.

    bias: of x's dtype and of shape x.shape[-1:], added along the last axis; None: none. The rest is
    as in dropout(); out may be x. For the gradient, relu_dropout_backward() needs the result alone.
    """
    x = floats("x", x)
    b = None if bias is None else _bias(bias, x)
    out = output("out", out, x.shape, x.dtype)
    a = Operands(out, [x], None if b is None else b.size)
    drop = _Drop(x.size, keep_prob, seed, stream, first, rule, rounds, mask, mask_out)
    drop.run("bias_relu_dropout_forward", dtype_code("x", x.dtype), a.rows, a.cols, *a.pairs[:2],
             None if b is None else address(b), *a.pairs[2:], exec_of(num_threads))
    return out


def relu_dropout_backward(y: ArrayLike, dy: ArrayLike, *, keep_prob: float,
                          out: NDArray[Any] | None = None, num_threads: int = 1) -> NDArray[Any]:
    """The gradient of bias_relu_dropout()'s x: dy / keep_prob where y > 0, else 0.

    y: what that function returned. y > 0 says that an element was kept and that ReLU passed it, so
    no mask is needed. dy: its gradient, of its shape and dtype. With keep_prob 0 all is 0. out may
    be y or dy. The rest is as in dropout().
    """
    y = floats("y", y)
    dy = same_kind("dy", dy, "y", y)
    out = output("out", out, y.shape, y.dtype)
    a = Operands(out, [y, dy])
    call("relu_dropout_backward", real("keep_prob", keep_prob), dtype_code("y", y.dtype), a.rows,
         a.cols, *a.pairs, exec_of(num_threads))
    return out
