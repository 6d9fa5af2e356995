"""Dropout of plain tensors outside of compilers and transforms.

The same functions as the operators, without PyTorch's dispatcher. For small tensors every call of
Python counts, so what runs for each tensor is written out here.
"""

from __future__ import annotations

import ctypes as c
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.compiler import is_compiling

from .._library import library
from .._structures import Dropout
from . import _kernels
from ._autograd import run, sum_of_rows
from ._kernels import DTYPES, MOST_ON_ONE_THREAD, Draw
from ._keys import draw_of, drawn_key, new_key
from ._schemas import operators
from ._threads import exec_at

_transforms = torch._C._are_functorch_transforms_active
_dispatch_modes = torch._C._len_torch_dispatch_stack
_tracing = torch._C._get_tracing_state
_grad_enabled = torch.is_grad_enabled
_empty_like = torch.empty_like
_byref = c.byref
_dropout_forward = library.simdrop_dropout_forward
_strided = torch.strided


def is_plain(x: Tensor) -> bool:
    """Whether nothing but autograd looks at what is done with x, and simdrop can."""
    kind = type(x)
    return (not is_compiling() and (kind is Tensor or kind is nn.Parameter) and x.is_cpu
            and x.layout is _strided and x.dtype in DTYPES and not x.is_neg()
            and not _transforms() and not _dispatch_modes() and _tracing() is None)


def _kernel(x: Tensor, mask: Dropout) -> Tensor:
    if not x.is_contiguous():
        return _kernels.dropout(x, mask)
    y, n = _empty_like(x), x.numel()
    if _dropout_forward(_byref(mask), DTYPES[x.dtype], 1, n, x.data_ptr(), n, y.data_ptr(), n,
                        None, exec_at() if n > MOST_ON_ONE_THREAD else None, None):
        return _kernels.dropout(x, mask)  # which says what is wrong
    return y


class _Dropout(torch.autograd.Function):
    """Saves nothing but what the mask is a function of."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, draw: tuple[Dropout, Draw]) -> Tensor:
        ctx.draw = draw
        return _kernel(x, draw[0])

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        if is_plain(dy) and not _grad_enabled():
            try:
                return _kernel(dy, ctx.draw[0]), None
            except RuntimeError:  # a batch of gradients (is_grads_batched) has no memory
                pass
        return _dropout_of_any(dy, ctx.draw[1]), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        return _dropout_of_any(tangent, ctx.draw[1])


_apply = _Dropout.apply


def dropout(x: Tensor, p: float, generator: torch.Generator | None, key: Tensor | None,
            stream: int) -> Tensor:
    """x: plain."""
    draw = draw_of(p, generator, key, stream)
    mask = _kernels.described(draw, x)
    if (x.requires_grad and _grad_enabled()) or forward_ad._current_level >= 0:
        result: Tensor = _apply(x, (mask, draw))
        return result
    return _kernel(x, mask)


class _ReluDropout(torch.autograd.Function):
    """Saves its result, which says what was kept and what ReLU passed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor | None, draw: Draw, in_place: bool) -> Tensor:
        y = _kernels.relu_dropout(x, bias, draw, in_place)
        if in_place:
            ctx.mark_dirty(x)
        ctx.save_for_backward(y)
        ctx.p = draw.p
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (y,) = ctx.saved_tensors
        dx = None
        if is_plain(dy) and not _grad_enabled():
            try:
                dx = _kernels.relu_dropout_backward(y, dy, ctx.p)
            except RuntimeError:  # as above
                pass
        if dx is None:
            dx = run(operators.relu_dropout_backward, y, dy, ctx.p)
        db = sum_of_rows(dx) if ctx.needs_input_grad[1] else None
        return dx if ctx.needs_input_grad[0] else None, db, None, None


def relu_dropout(x: Tensor, bias: Tensor | None, p: float, generator: torch.Generator | None,
                 key: Tensor | None, stream: int, in_place: bool = False) -> Tensor:
    """x: plain. in_place: nobody else has x, and backward does not read it."""
    if forward_ad._current_level >= 0:
        key = drawn_key(generator) if key is None else key
        result: Tensor = run(operators.relu_dropout, x, bias, key, p, stream)
        return result
    draw = draw_of(p, generator, key, stream)
    differentiated = x.requires_grad or (bias is not None and bias.requires_grad)
    if differentiated and _grad_enabled():
        result = _ReluDropout.apply(x, bias, draw, in_place and x.is_contiguous())
        return result
    return _kernels.relu_dropout(x, bias, draw, in_place and x.is_contiguous())


def _dropout_of_any(x: Tensor, draw: Draw) -> Tensor:
    """x: any tensor, as gradients of gradients may be."""
    key = new_key((draw.seed, draw.first_row))
    result: Tensor = run(operators.dropout, x, key, draw.p, draw.stream)
    return result
