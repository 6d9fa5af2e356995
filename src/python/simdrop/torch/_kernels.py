"""simdrop's C functions on PyTorch's tensors. No autograd: see _operators.py.

native/kernels.cpp has the same for versions of PyTorch that can take it.

Elements are numbered in the logical order of a tensor, whatever its strides, so that eager and
compiled code, which may lay tensors out in another way, draw the same mask.
"""

from __future__ import annotations

import ctypes as c
from typing import NamedTuple

import torch
from torch import Tensor

from .._library import call
from .._structures import Dropout
from ._draw import Draw
from ._keys import drawn_seed
from ._threads import exec_at

DTYPES = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}
_ROUNDS = 10
_DROPOUT_BYTES = c.sizeof(Dropout)


class _Rows(NamedTuple):
    data: Tensor  # keeps alive what lies at `at`
    at: int
    rows: int
    cols: int
    ld: int


def _rows(x: Tensor) -> _Rows:
    """x as rows with a leading dimension; one that cannot be seen so is copied."""
    if x.is_contiguous():
        n = x.numel()
        return _Rows(x, x.data_ptr(), 1, n, n)
    if x.dim() == 2 and x.stride(1) == 1 and x.stride(0) >= x.size(1):
        return _Rows(x, x.data_ptr(), x.size(0), x.size(1), x.stride(0))
    return _rows(x.contiguous())


def _matching(x: Tensor, rows: int, cols: int) -> _Rows:
    """x in the rows that another operand has."""
    seen = _rows(x)
    if seen.rows == rows:
        return seen
    if seen.rows == 1:
        return seen._replace(rows=rows, cols=cols, ld=cols)
    return _matching(x.contiguous(), rows, cols)


def _both(x: Tensor, other: Tensor) -> tuple[_Rows, _Rows]:
    """Two tensors of one shape in the same rows."""
    first = _rows(x)
    second = _matching(other, first.rows, first.cols)
    return _matching(x, second.rows, second.cols), second


class _Output:
    """A new tensor with the strides that PyTorch's elementwise functions give their results."""

    def __init__(self, like: Tensor, rows: int, cols: int) -> None:
        self.result = torch.empty_like(like)
        self.written = self.result
        if not self.result.is_contiguous():
            self.written = torch.empty(like.shape, dtype=like.dtype, device="cpu")
        self.at, self.ld = self.written.data_ptr(), cols

    def finished(self) -> Tensor:
        if self.written is not self.result:
            self.result.copy_(self.written)
        return self.result


def described(draw: Draw, x: Tensor) -> Dropout:
    """What the C functions take for a mask of x, or of a result that x is like. Draws the seed, if
    that is still to be done."""
    if not draw.is_drawn:
        draw.seed, draw.is_drawn = drawn_seed(), True
    first = 0
    if draw.first_row:
        width = x.numel() // x.size(0) if x.dim() and x.size(0) else 1
        first = draw.first_row * width % 2**64
    return Dropout(_DROPOUT_BYTES, 1.0 - draw.p, draw.seed, draw.stream, first, 0, _ROUNDS)


def dropout(x: Tensor, draw: Draw) -> Tensor:
    mask = described(draw, x)
    source = _rows(x)
    output = _Output(x, source.rows, source.cols)
    call("dropout_forward", c.byref(mask), DTYPES[x.dtype], source.rows, source.cols, source.at,
         source.ld, output.at, output.ld, None, exec_at())
    return output.finished()


def dropout_(x: Tensor, draw: Draw) -> None:
    """In place. x: contiguous."""
    n = x.numel()
    call("dropout_forward", c.byref(described(draw, x)), DTYPES[x.dtype], 1, n, x.data_ptr(), n,
         x.data_ptr(), n, None, exec_at())


def _check(fits: bool, **operands: Tensor | None) -> None:
    """What is wrong is said before memory is read."""
    types = {(x.dtype, x.device.type) for x in operands.values() if x is not None}
    if not fits or len(types) > 1:
        shapes = ", ".join(f"{name} is {x.dtype} of {tuple(x.shape)}"
                           for name, x in operands.items() if x is not None)
        raise ValueError(f"{shapes}; allowed: shapes that fit and one type")


def residual_dropout(x: Tensor, residual: Tensor, draw: Draw) -> Tensor:
    _check(x.shape == residual.shape, x=x, residual=residual)
    source, added = _both(x, residual)
    output = _Output(x, source.rows, source.cols)
    call("residual_dropout_forward", c.byref(described(draw, x)), DTYPES[x.dtype], source.rows,
         source.cols, source.at, source.ld, added.at, added.ld, output.at, output.ld, None,
         exec_at())
    return output.finished()


def relu_dropout(x: Tensor, bias: Tensor | None, draw: Draw, in_place: bool = False) -> Tensor:
    """bias: of the last dimension. in_place: the result is x, which is contiguous."""
    _check(bias is None or bias.shape == x.shape[-1:], x=x, bias=bias)
    source = _rows(x)
    if bias is not None and source.rows == 1:
        width = x.size(-1)
        source = source._replace(rows=x.numel() // max(width, 1), cols=width, ld=width)
    bias = None if bias is None else bias.contiguous()
    output = None if in_place else _Output(x, source.rows, source.cols)
    at, ld = (source.at, source.ld) if output is None else (output.at, output.ld)
    call("bias_relu_dropout_forward", c.byref(described(draw, x)), DTYPES[x.dtype], source.rows,
         source.cols, source.at, source.ld, None if bias is None else bias.data_ptr(), at, ld, None,
         exec_at())
    return x if output is None else output.finished()


def relu_dropout_backward(y: Tensor, dy: Tensor, p: float) -> Tensor:
    _check(y.shape == dy.shape, y=y, dy=dy)
    stored, gradient = _both(y, dy)
    output = _Output(y, stored.rows, stored.cols)
    call("relu_dropout_backward", 1.0 - p, DTYPES[y.dtype], stored.rows, stored.cols, stored.at,
         stored.ld, gradient.at, gradient.ld, output.at, output.ld, exec_at())
    return output.finished()
