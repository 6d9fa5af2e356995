"""Attention with dropout on the CPU, in the way of PyTorch's own (its "math" kernel): for these
tensors it has no other. Scores, softmax, simdrop's dropout, product.
"""

from __future__ import annotations

import ctypes as c
import itertools
import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from .._library import call
from .._structures import Dropout
from . import _functional, _kernels
from ._draw import Draw
from ._kernels import DTYPES
from ._keys import drawn_seed
from ._threads import exec_at


class Attention(NamedTuple):
    """What is not differentiated. mask: added to the scores, broadcastable to them, or None."""

    mask: Tensor | None
    scale: float
    p: float


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, p: float,
              is_causal: bool, scale: float | None, enable_gqa: bool) -> Tensor:
    """scaled_dot_product_attention() of arguments that are checked, with 0 < p <= 1.

    float16 and bfloat16 are computed in float32, as PyTorch does. Where there are many scores, the
    arguments and the probabilities before dropout are saved, and backward draws the mask again.
    """
    if torch.is_autocast_enabled("cpu"):
        query, key, value = (_autocast(x) for x in (query, key, value))
        mask = None if mask is None else _autocast(mask)
    if enable_gqa:
        key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
        value = value.repeat_interleave(query.size(-3) // value.size(-3), -3)
    if is_causal:
        mask = torch.ones(query.size(-2), key.size(-2), dtype=torch.bool).tril()
    if mask is not None and mask.dtype is torch.bool:
        mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, -math.inf)
    how = Attention(mask, 1 / math.sqrt(query.size(-1)) if scale is None else scale, p)
    with _no_autocast():
        if _is_simple(query, key, value, mask):
            result: Tensor = _Attention.apply(query, key, value, how, drawn_seed())
            return result
        return _composed(query, key, value, how, None)


def _autocast(x: Tensor) -> Tensor:
    """x as autocast gives it to attention."""
    eligible = x.dtype.is_floating_point and x.dtype is not torch.float64
    return x.to(torch.get_autocast_dtype("cpu")) if eligible else x


def _no_autocast() -> AbstractContextManager[Any]:
    if torch.is_autocast_enabled("cpu"):
        return torch.autocast("cpu", enabled=False)
    return nullcontext()


def _unwatched() -> bool:
    """Whether no compiler, transform or mode looks at what is done, but autograd alone."""
    return (not torch.compiler.is_compiling() and not torch._C._are_functorch_transforms_active()
            and not torch._C._len_torch_dispatch_stack() and torch._C._get_tracing_state() is None)


_FEWEST_SCORES = 2**15  # for which _Attention's calls of Python pay


def _is_simple(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> bool:
    """Whether _Attention is to take them: many scores, no broadcasting, and no derivative asked
    for but of these."""
    scores = query.numel() // max(query.size(-1), 1) * key.size(-2)
    return (_unwatched() and scores >= _FEWEST_SCORES
            and forward_ad._current_level < 0
            and (mask is None or not mask.requires_grad)
            and query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
            and 0 not in (*query.shape, *key.shape, *value.shape))


def _composed(query: Tensor, key: Tensor, value: Tensor, how: Attention,
              seed: int | None) -> Tensor:
    """The same of any tensors, as functions that PyTorch differentiates. seed: None draws one."""
    dtype = query.dtype
    query, key, value = (_wide(x) for x in (query, key, value))
    scores = torch.matmul(query * how.scale, key.transpose(-2, -1))
    if how.mask is not None:
        scores = scores + how.mask
    drawn = None if seed is None else torch.tensor([seed, 0], dtype=torch.int64)
    kept = _functional.dropout(torch.ops.aten._safe_softmax(scores, -1), how.p, key=drawn)
    return torch.matmul(kept, value).to(dtype)


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


_MOST_AT_ONCE = 2**17  # scores: what is done with them next finds them in the cache
_FEWEST_AT_ONCE = 2**16  # fewer, and calls cost more than the copies that more at once takes


class _Parts:
    """The matrices of some heads at a time, and room for what is computed of them.

    One example's heads are strided matrices, whatever their order in memory; those of several
    examples may be none, and are copied, which pays where they are small.
    """

    def __init__(self, query: Tensor, key: Tensor) -> None:
        self.rows, self.cols = query.size(-2), key.size(-2)
        self.joined = query.dim() < 4 or (
            query.size(-3) * self.rows * self.cols < _FEWEST_AT_ONCE)
        self.batch, self.heads = self.matrices(query).shape[:2]
        self.at_once = min(self.heads, max(1, _MOST_AT_ONCE // (self.rows * self.cols)))
        self.dtype = _wide(query.new_empty(0)).dtype

    def matrices(self, x: Tensor) -> Tensor:
        """x as examples, heads, rows, columns."""
        return x.reshape(1, -1, *x.shape[-2:]) if self.joined else x.reshape(-1, *x.shape[-3:])

    def new_like(self, x: Tensor, width: int) -> Tensor:
        """A new tensor like x, with rows of `width`, of which matrices() is a view. x's order in
        memory, where it can be kept, spares later code a copy."""
        if self.joined or x.dim() > 4 or x.size(-1) != width:
            return x.new_empty((*x.shape[:-1], width))
        return torch.empty_like(x)

    def of(self, x: Tensor) -> list[Tensor]:
        """x in parts: (heads, rows, columns) each, in the order in which elements are numbered."""
        return [part for example in self.matrices(x).unbind(0)
                for part in torch.split(example, self.at_once)]

    def rooms(self) -> list[Tensor]:
        """For each part, the same room."""
        room = torch.empty((self.at_once, self.rows, self.cols), dtype=self.dtype)
        last = room[:self.heads % self.at_once or self.at_once]
        return ([room] * (-(-self.heads // self.at_once) - 1) + [last]) * self.batch


def _drop(x: Tensor, mask: Dropout, first: int, out: Tensor) -> Tensor:
    """Contiguous ones; out may be x. first: the number of x's first element."""
    n = x.numel()
    mask.first = first
    call("dropout_forward", c.byref(mask), DTYPES[x.dtype], 1, n, x.data_ptr(), n, out.data_ptr(),
         n, None, exec_at())
    return out


def _scaled_product(a: Tensor, b: Tensor, scale: float, out: Tensor | None = None) -> Tensor:
    """scale a b, without a pass for the scale."""
    if out is None:
        out = torch.empty((a.size(0), a.size(1), b.size(2)), dtype=a.dtype)
    return torch.baddbmm(out, a, b, beta=0, alpha=scale, out=out)


def _safe_softmax(x: Tensor, dim: int, out: Tensor) -> Tensor:
    return out.copy_(torch.ops.aten._safe_softmax(x, dim))


def _attend(parts: _Parts, query: Tensor, key: Tensor, value: Tensor, how: Attention, seed: int,
            softmax: Callable[..., Tensor], probabilities: Tensor) -> Tensor:
    """The result; also writes the probabilities before dropout."""
    result = parts.new_like(query, value.size(-1))
    masks: Iterable[Tensor | None] = itertools.repeat(None)
    if how.mask is not None:
        masks = parts.of(how.mask.expand(probabilities.shape))
    drawn, first = _kernels.described(Draw(how.p, seed, 0, 0, True), query), 0
    for q, k, v, mask, p, y, room in zip(*map(parts.of, (query, key.transpose(-2, -1), value)),
                                         masks, *map(parts.of, (probabilities, result)),
                                         parts.rooms()):
        scores = _scaled_product(_wide(q), _wide(k), how.scale, room)
        if mask is not None:
            scores.add_(mask)
        softmax(scores, -1, out=p)
        y.copy_(torch.bmm(_drop(p, drawn, first, room), _wide(v)))
        first += p.numel()
    return result


class _Attention(torch.autograd.Function):
    """One mask for all matrices, numbered as in probabilities of shape (..., L, S)."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, how: Attention,
                seed: int) -> Tensor:
        parts = _Parts(query, key)
        probabilities = torch.empty((*query.shape[:-1], key.size(-2)), dtype=parts.dtype)
        y = _attend(parts, query, key, value, how, seed, torch.softmax, probabilities)
        if probabilities.select(-1, 0).isnan().any():  # as rows are where each score is -inf
            y = _attend(parts, query, key, value, how, seed, _safe_softmax, probabilities)
        ctx.how, ctx.seed = how, seed
        ctx.save_for_backward(query, key, value, probabilities)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, probabilities = ctx.saved_tensors
        with _no_autocast():
            if torch.is_grad_enabled() or not _unwatched():
                return *_differentiable(ctx, query, key, value, dy), None, None
            return *_gradients(ctx, query, key, value, probabilities, dy), None, None


def _gradients(ctx: Any, query: Tensor, key: Tensor, value: Tensor, probabilities: Tensor,
               dy: Tensor) -> list[Tensor]:
    parts = _Parts(query, key)
    results = [parts.new_like(x, x.size(-1)) for x in (query, key, value)]
    drawn, first = _kernels.described(Draw(ctx.how.p, ctx.seed, 0, 0, True), query), 0
    for q, k, v, p, g, dq, dk, dv, room, other in zip(
            *map(parts.of, (query, key, value.transpose(-2, -1), probabilities, dy, *results)),
            parts.rooms(), parts.rooms()):
        g = _wide(g)
        dv.copy_(torch.bmm(_drop(p, drawn, first, room).transpose(1, 2), g))
        g = _drop(torch.bmm(g, _wide(v), out=room), drawn, first, room)
        g = torch.ops.aten._softmax_backward_data.out(g, p, -1, p.dtype, grad_input=other)
        dq.copy_(_scaled_product(g, _wide(k), ctx.how.scale))
        dk.copy_(_scaled_product(g.transpose(1, 2), _wide(q), ctx.how.scale))
        first += p.numel()
    return results


def _differentiable(ctx: Any, query: Tensor, key: Tensor, value: Tensor,
                    dy: Tensor) -> tuple[Tensor | None, ...]:
    """The gradients, with gradients of their own where those are asked for."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        result = _composed(query, key, value, ctx.how, ctx.seed)
        inputs = [x for x in (query, key, value) if x.requires_grad]
        found = iter(torch.autograd.grad(result, inputs, dy, create_graph=again))
    return tuple(next(found) if x.requires_grad else None for x in (query, key, value))
