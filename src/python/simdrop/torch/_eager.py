"""Dropout of plain tensors outside of compilers and transforms.

The same functions as the operators, without PyTorch's dispatcher. For small tensors every call of
Python counts, so what runs for each tensor is written out here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.compiler import is_compiling

from . import _kernels, _native
from ._autograd import run, sum_of_rows
from ._draw import Draw
from ._kernels import DTYPES
from ._keys import draw_of, drawn_key, new_key
from ._schemas import operators

_transforms = torch._C._are_functorch_transforms_active
_dispatch_modes = torch._C._len_torch_dispatch_stack
_tracing = torch._C._get_tracing_state
_grad_enabled = torch.is_grad_enabled
_keys = torch._C._dispatch_keys
_dropout, _relu_dropout, _relu_dropout_backward = _native.eager or (
    _kernels.dropout, _kernels.relu_dropout, _kernels.relu_dropout_backward)


def _keys_of_plain_tensors() -> set[int]:
    kinds = set()
    for inference in (False, True):
        with torch.inference_mode(inference):
            kinds.add(_keys(torch.empty(0, device="cpu")).raw_repr())
    return kinds


_PLAIN = _keys_of_plain_tensors()


def is_plain(x: Tensor) -> bool:
    """Whether nothing but autograd looks at what is done with x, and x has memory that simdrop can
    read: it is no nested, sparse, batched, negated, quantised or other special tensor."""
    kind = type(x)
    return (not is_compiling() and (kind is Tensor or kind is nn.Parameter)
            and _keys(x).raw_repr() in _PLAIN and x.dtype in DTYPES
            and not _transforms() and not _dispatch_modes() and _tracing() is None)


def _first_order(dy: Tensor) -> bool:
    """Whether a gradient is plain, and nothing is differentiated again."""
    return is_plain(dy) and not _grad_enabled() and forward_ad._current_level < 0


class _Dropout(torch.autograd.Function):
    """Saves nothing but what the mask is a function of."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, draw: Draw) -> Tensor:
        ctx.draw = draw
        return _dropped(x, draw)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        if _first_order(dy):
            return _dropped(dy, ctx.draw), None
        return _dropout_of_any(dy, ctx.draw), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        return _dropout_of_any(tangent, ctx.draw)


def _dropped(x: Tensor, draw: Draw) -> Tensor:
    try:
        y: Tensor = _dropout(x, draw)
        return y
    except ValueError:
        return _kernels.dropout(x, draw)  # which says why


# What torch.autograd.Function.apply() calls where no transform is active.
_apply = super(torch.autograd.Function, _Dropout).apply


def dropout(x: Tensor, draw: Draw) -> Tensor:
    """x: plain."""
    if (x.requires_grad and _grad_enabled()) or forward_ad._current_level >= 0:
        result: Tensor = _apply(x, draw)
        return result
    return _dropped(x, draw)


class _ReluDropout(torch.autograd.Function):
    """Saves its result, which says what was kept and what ReLU passed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor | None, draw: Draw, in_place: bool) -> Tensor:
        y = _relu_dropped(x, bias, draw, in_place)
        if in_place:
            ctx.mark_dirty(x)
        ctx.save_for_backward(y)
        ctx.p = draw.p
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (y,) = ctx.saved_tensors
        if _first_order(dy):
            try:
                dx = _relu_dropout_backward(y, dy, ctx.p)
            except ValueError:
                dx = _kernels.relu_dropout_backward(y, dy, ctx.p)  # which says why
        else:
            dx = run(operators.relu_dropout_backward, y, dy, ctx.p)
        db = sum_of_rows(dx) if ctx.needs_input_grad[1] else None
        return dx if ctx.needs_input_grad[0] else None, db, None, None


def _relu_dropped(x: Tensor, bias: Tensor | None, draw: Draw, in_place: bool) -> Tensor:
    try:
        y: Tensor = _relu_dropout(x, bias, draw, in_place)
        return y
    except ValueError:
        return _kernels.relu_dropout(x, bias, draw, in_place)  # which says why


_apply_relu = super(torch.autograd.Function, _ReluDropout).apply


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
        result = _apply_relu(x, bias, draw, in_place and x.is_contiguous())
        return result
    return _relu_dropped(x, bias, draw, in_place and x.is_contiguous())


def _dropout_of_any(x: Tensor, draw: Draw) -> Tensor:
    """x: any tensor, as gradients of gradients may be."""
    key = new_key((draw.seed, draw.first_row))
    result: Tensor = run(operators.dropout, x, key, draw.p, draw.stream)
    return result
