"""simdrop's dropout in code that calls PyTorch's functions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch._subclasses.functional_tensor import FunctionalTensor
from torch.nn import functional

from . import _functional
from ._attention import attention

# Classes of others' making may have dropout of their own. The last two are a compiler's.
_PLAIN = (Tensor, nn.Parameter, FakeTensor, FunctionalTensor)

_lock = threading.Lock()
_open = 0  # how many blocks are
_originals: dict[str, Callable[..., Any]] = {}  # what the last first block found


@contextmanager
def patched() -> Iterator[None]:
    """In its block, PyTorch's dropout on the CPU is simdrop's, for code that is there already::

        with patched():
            loss = model(x).sum()
            loss.backward()

    torch.nn.functional.dropout() and scaled_dot_product_attention() with dropout_p > 0 are
    replaced, and so are nn.Dropout, nn.MultiheadAttention, nn.Transformer and its layers, and what
    calls torch.nn.functional.dropout() by that name, as Hugging Face's models do. Other devices,
    types and classes of tensors, and calls outside of training, go to PyTorch's functions.
    Attention has the arguments, values and errors of PyTorch's, with a mask of one seed a call.

    While a block is open, the functions are replaced in the whole process, for every thread. Blocks
    may be nested, and open in several threads; when the last one closes, also by an exception, the
    functions are again what the first one found. Thread-safe.

    Backward belongs inside the block where a checkpoint recomputes: what it computes again must
    call the functions that it called before. Elsewhere it may follow later.

    A compiled model belongs to one side: a graph may keep the dropout that it was compiled with,
    inside a block or outside. Its first call compiles it.

    Not replaced: dropout1d(), 2d, 3d, alpha_dropout(), feature_alpha_dropout(), the dropout between
    the layers of nn.RNN, LSTM and GRU, torch.dropout(), and functions that were imported by name
    (`from torch.nn.functional import dropout`) before the block.
    """
    _enter()
    try:
        yield
    finally:
        _exit()


def _enter() -> None:
    global _open
    with _lock:
        if _open == 0:
            for name, replacement in _REPLACEMENTS.items():
                _originals[name] = getattr(functional, name)
                setattr(functional, name, replacement)
        _open += 1


def _exit() -> None:
    global _open
    with _lock:
        _open -= 1
        if _open == 0:
            for name in _REPLACEMENTS:
                setattr(functional, name, _originals[name])


def is_open() -> bool:
    """Whether a block of patched() is open in any thread."""
    return _open > 0


def _is_ours(x: Any) -> bool:
    return type(x) in _PLAIN and not x.is_nested and _functional.is_ours(x)


def _dropout(input: Tensor, p: float = 0.5, training: bool = True,
             inplace: bool = False) -> Tensor:
    if not training or p == 0.0 or not _is_ours(input):
        result: Tensor = _originals["dropout"](input, p, training, inplace)
        return result
    return _functional.dropout(input, p, training, inplace)


def _scaled_dot_product_attention(query: Tensor, key: Tensor, value: Tensor,
                                  attn_mask: Tensor | None = None, dropout_p: float = 0.0,
                                  is_causal: bool = False, *, scale: float | None = None,
                                  enable_gqa: bool = False) -> Tensor:
    if 0.0 < dropout_p <= 1.0 and _takes(query, key, value, attn_mask, is_causal, enable_gqa):
        return attention(query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa)
    result: Tensor = _originals["scaled_dot_product_attention"](
        query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
    return result


def _takes(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool,
           enable_gqa: bool) -> bool:
    """Whether attention() has what these ask for; if not, PyTorch has it, or says what is wrong."""
    operands = (query, key, value)
    if not all(_is_ours(x) and x.dim() >= 2 for x in operands):
        return False
    dtypes = {x.dtype for x in operands}
    if len(dtypes) > 1 and (not torch.is_autocast_enabled("cpu") or torch.float64 in dtypes):
        return False
    if mask is not None:
        if is_causal or type(mask) not in _PLAIN or mask.device.type != "cpu" or (
                mask.dtype not in (torch.bool, torch.float32, query.dtype)):
            return False
    if not enable_gqa:
        return True
    return all(x.dim() >= 3 and query.dim() >= 3 and x.size(-3) and
               query.size(-3) % x.size(-3) == 0 for x in (key, value))


_REPLACEMENTS: dict[str, Callable[..., Any]] = {
    "dropout": _dropout,
    "scaled_dot_product_attention": _scaled_dot_product_attention,
}
