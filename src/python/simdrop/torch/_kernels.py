"""simdrop's C functions on PyTorch's tensors. No autograd: see _operators.py.

Elements are numbered in the logical order of a tensor, whatever its strides, so that eager and
compiled code, which may lay tensors out in another way, draw the same mask.
"""

from __future__ import annotations

import ctypes as c
import threading
from typing import NamedTuple

import torch
from torch import Tensor

from .._library import call, library
from .._structures import Dropout
from ._threads import exec_at

DTYPES = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}
PRODUCT_DTYPES = (torch.float32, torch.float64)
MOST_ON_ONE_THREAD = 2**15  # elements, which simdrop does not split
ROUNDS = 10
DROPOUT_BYTES = c.sizeof(Dropout)
_RELU = 1  # SIMDROP_ACTIVATION_RELU


class Draw(NamedTuple):
    """Everything that a mask is a function of, beside the number of an element."""

    p: float  # the probability that an element is dropped
    seed: int
    first_row: int  # which row of the whole batch the tensor begins with
    stream: int


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


class _Output:
    """A new tensor with the strides that PyTorch's elementwise functions give their results."""

    def __init__(self, like: Tensor, rows: int, cols: int) -> None:
        self.result = torch.empty_like(like)
        plain = self.result.is_contiguous()
        self.written = self.result if plain else torch.empty(like.shape, dtype=like.dtype)
        self.at, self.ld = self.written.data_ptr(), cols

    def finished(self) -> Tensor:
        if self.written is not self.result:
            self.result.copy_(self.written)
        return self.result


def described(draw: Draw, x: Tensor) -> Dropout:
    """What the C functions take for a mask of x, or of a result that x is like."""
    first = 0
    if draw.first_row:
        width = x.numel() // x.size(0) if x.dim() and x.size(0) else 1
        first = draw.first_row * width % 2**64
    return Dropout(DROPOUT_BYTES, 1.0 - draw.p, draw.seed, draw.stream, first, 0, ROUNDS)


def dropout(x: Tensor, mask: Dropout) -> Tensor:
    source = _rows(x)
    output = _Output(x, source.rows, source.cols)
    call("dropout_forward", c.byref(mask), DTYPES[x.dtype], source.rows, source.cols, source.at,
         source.ld, output.at, output.ld, None, exec_at())
    return output.finished()


def dropout_(x: Tensor, mask: Dropout) -> None:
    """In place. x: contiguous."""
    n = x.numel()
    call("dropout_forward", c.byref(mask), DTYPES[x.dtype], 1, n, x.data_ptr(), n, x.data_ptr(), n,
         None, exec_at())


def _check(fits: bool, **operands: Tensor | None) -> None:
    """What is wrong is said before memory is read."""
    types = {x.dtype for x in operands.values() if x is not None}
    if not fits or len(types) > 1:
        shapes = ", ".join(f"{name} is {x.dtype} of {tuple(x.shape)}"
                           for name, x in operands.items() if x is not None)
        raise ValueError(f"{shapes}; allowed: shapes that fit and one type")


def residual_dropout(x: Tensor, residual: Tensor, draw: Draw) -> Tensor:
    _check(x.shape == residual.shape, x=x, residual=residual)
    source = _rows(x)
    added = _matching(residual, source.rows, source.cols)
    source = _matching(x, added.rows, added.cols)
    output = _Output(x, source.rows, source.cols)
    call("residual_dropout_forward", c.byref(described(draw, x)), DTYPES[x.dtype], source.rows,
         source.cols, source.at, source.ld, added.at, added.ld, output.at, output.ld, None,
         exec_at())
    return output.finished()


def relu_dropout(x: Tensor, bias: Tensor | None, draw: Draw) -> Tensor:
    """bias: of the last dimension."""
    _check(bias is None or bias.shape == x.shape[-1:], x=x, bias=bias)
    source = _rows(x)
    if bias is not None and source.rows == 1:
        width = x.size(-1)
        source = source._replace(rows=x.numel() // max(width, 1), cols=width, ld=width)
    bias = None if bias is None else bias.contiguous()
    output = _Output(x, source.rows, source.cols)
    call("bias_relu_dropout_forward", c.byref(described(draw, x)), DTYPES[x.dtype], source.rows,
         source.cols, source.at, source.ld, None if bias is None else bias.data_ptr(), output.at,
         output.ld, None, exec_at())
    return output.finished()


def relu_dropout_backward(y: Tensor, dy: Tensor, p: float) -> Tensor:
    _check(y.shape == dy.shape, y=y, dy=dy)
    stored = _rows(y)
    gradient = _matching(dy, stored.rows, stored.cols)
    stored = _matching(y, gradient.rows, gradient.cols)
    output = _Output(y, stored.rows, stored.cols)
    call("relu_dropout_backward", 1.0 - p, DTYPES[y.dtype], stored.rows, stored.cols, stored.at,
         stored.ld, gradient.at, gradient.ld, output.at, output.ld, exec_at())
    return output.finished()


class _Workspace:
    """What products pack their operands into."""

    def __init__(self) -> None:
        made = c.c_void_p()
        call("linear_workspace_create", c.byref(made))
        self.at = made.value

    def __del__(self) -> None:
        library.simdrop_linear_workspace_destroy(self.at)


class _Own(threading.local):
    def __init__(self) -> None:
        self.workspace = _Workspace()


_own = _Own()


def _matrix(x: Tensor) -> _Rows:
    """x as a matrix of the last dimension."""
    width = x.size(-1)
    if x.dim() == 2 and x.stride(1) == 1 and x.stride(0) >= width:
        return _Rows(x, x.data_ptr(), x.size(0), width, x.stride(0))
    flat = x.contiguous()
    return _Rows(flat, flat.data_ptr(), x.numel() // max(width, 1), width, width)


def linear_relu_dropout(x: Tensor, weight: Tensor, bias: Tensor | None, draw: Draw) -> Tensor:
    """relu(x weight^T + bias), then dropout; x: any leading dimensions."""
    _check(x.dim() > 0 and weight.dim() == 2 and x.size(-1) == weight.size(1)
           and (bias is None or bias.shape == weight.shape[:1]), x=x, weight=weight, bias=bias)
    inputs, weights = _matrix(x), _matrix(weight)
    bias = None if bias is None else bias.contiguous()
    out = weight.size(0)
    y = torch.empty((*x.shape[:-1], out), dtype=x.dtype)
    call("linear_forward", DTYPES[x.dtype], inputs.rows, inputs.cols, out, inputs.at, inputs.ld,
         weights.at, weights.ld, None if bias is None else bias.data_ptr(), _RELU,
         c.byref(described(draw, y)), y.data_ptr(), out, None, _own.workspace.at, exec_at())
    return y


def linear_backward_input(dz: Tensor, weight: Tensor) -> Tensor:
    _check(dz.dim() > 0 and weight.dim() == 2 and dz.size(-1) == weight.size(0), dz=dz,
           weight=weight)
    gradient, weights = _matrix(dz), _matrix(weight)
    dx = torch.empty((*dz.shape[:-1], weights.cols), dtype=dz.dtype)
    call("linear_backward_input", DTYPES[dz.dtype], gradient.rows, weights.cols, weights.rows,
         gradient.at, gradient.ld, weights.at, weights.ld, None, 0, 1.0, dx.data_ptr(),
         weights.cols, _own.workspace.at, exec_at())
    return dx


def linear_backward_weights(dz: Tensor, x: Tensor, with_bias: bool) -> tuple[Tensor, Tensor]:
    """dw, and db, which is empty without a bias."""
    _check(dz.dim() > 0 and dz.shape[:-1] == x.shape[:-1], dz=dz, x=x)
    gradient, inputs = _matrix(dz), _matrix(x)
    dw = torch.empty((gradient.cols, inputs.cols), dtype=dz.dtype)
    db = torch.empty(gradient.cols if with_bias else 0, dtype=dz.dtype)
    call("linear_backward_weights", DTYPES[dz.dtype], gradient.rows, inputs.cols, gradient.cols,
         gradient.at, gradient.ld, inputs.at, inputs.ld, 1.0, 0, dw.data_ptr(), inputs.cols,
         db.data_ptr() if with_bias else None, _own.workspace.at, exec_at())
    return dw, db
