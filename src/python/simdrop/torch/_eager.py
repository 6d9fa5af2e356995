"""Dropout of plain tensors outside of compilers and transforms.

The same function as the operator simdrop::dropout, without PyTorch's dispatcher: for small tensors
that costs more than all the rest.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch._C._functorch import peek_interpreter_stack
from torch.autograd import forward_ad

from . import _kernels
from ._autograd import DropoutFunction, run
from ._kernels import Draw

_PLAIN = (Tensor, nn.Parameter)


def is_plain(x: Tensor) -> bool:
    """Whether nothing but autograd looks at what is done with x."""
    return (not torch.compiler.is_compiling() and type(x) in _PLAIN and x.is_cpu
            and x.layout is torch.strided and peek_interpreter_stack() is None
            and not torch._C._len_torch_dispatch_stack() and not x.is_neg()
            and not torch._C._get_tracing_state())


class _Dropout(torch.autograd.Function):
    """Saves nothing but what the mask is a function of."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, draw: Draw) -> Tensor:
        ctx.draw = draw
        return _kernels.dropout(x, draw)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, None]:
        return dropout_by(dy, ctx.draw), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: Any) -> Tensor:
        return dropout_by(tangent, ctx.draw)


def dropout(x: Tensor, draw: Draw) -> Tensor:
    """x: plain."""
    if (x.requires_grad and torch.is_grad_enabled()) or forward_ad._current_level >= 0:
        result: Tensor = _Dropout.apply(x, draw)
        return result
    return _kernels.dropout(x, draw)


def dropout_by(x: Tensor, draw: Draw) -> Tensor:
    """x: any tensor, as gradients of gradients may be."""
    if is_plain(x):
        return dropout(x, draw)
    key = torch.tensor([draw.seed, draw.first_row], dtype=torch.int64)
    result: Tensor = run(DropoutFunction, x, key, draw.p, draw.stream)
    return result
