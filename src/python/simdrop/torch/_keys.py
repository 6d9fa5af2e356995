"""Where the seeds of masks come from: PyTorch's generator, or advance()."""

from __future__ import annotations

import ctypes as c
import threading
from typing import Any

import torch
from torch import Tensor, nn


class _Own(threading.local):
    def __init__(self) -> None:
        self.drawn = torch.empty(1, dtype=torch.int64)
        self.value = c.c_int64.from_address(self.drawn.data_ptr())


_own = _Own()


def drawn_seed(generator: torch.Generator | None = None) -> int:
    """A seed of `generator`, or of PyTorch's, which manual_seed() and checkpoints set."""
    own = _own
    if generator is None:
        own.drawn.random_()
    else:
        own.drawn.random_(generator=generator)
    return own.value.value


def drawn_key(generator: torch.Generator | None = None) -> Tensor:
    """The same as a key: int64, a seed and the number of the first row, 0."""
    key = torch.zeros(2, dtype=torch.int64)
    key[:1].random_(generator=generator)
    return key


def advance(model: nn.Module, seed: int | None = None, *, first_row: int = 0,
            generator: torch.Generator | None = None) -> int:
    """Gives the dropout layers of `model` the seed of the next step; call it before each forward.

    All layers then share the seed, and each draws from a stream of its own: layer number i of
    model.modules(), counted from 1, from stream i. Their masks are a function of the seed, of
    first_row, and of nothing else, so they are the same eager, compiled, recomputed by a
    checkpoint, on any number of threads, and however a batch is split. A module that is called
    twice in a step draws the same mask twice: give each place a module of its own.

    Args:
        seed: of this step, any 64-bit integer; consecutive ones are as good as any, so the number
            of the step will do. None: drawn from `generator`, or from PyTorch's own.
        first_row: which row of the whole batch this part of it begins with (rows are the first
            dimension). A rank of a data-parallel run, or one of several accumulated batches, draws
            the rows of the whole batch's masks if it gives the same seed and its own first_row.
            Rows and elements are counted modulo 2**64.

    Returns:
        The seed, which reproduces the step.

    Raises:
        ValueError: for a seed or first_row of more than 64 bits.

    Not thread-safe for one model. The seed is no part of state_dict().
    """
    if seed is None:
        seed = drawn_seed(generator)
    key = _shared_key(model)
    values = [_as_int64("seed", seed), _as_int64("first_row", first_row)]
    with torch.no_grad():
        key.copy_(torch.tensor(values, dtype=torch.int64))
    return seed


def _as_int64(name: str, value: int) -> int:
    if not -(2**63) <= value < 2**64:
        raise ValueError(f"{name} is {value}; allowed: -2**63 to 2**64-1")
    return value - 2**64 if value >= 2**63 else value


def _shared_key(model: nn.Module) -> Tensor:
    """The key of all dropout layers of the model, which are given one where they have none."""
    layers: list[Any] = [m for m in model.modules() if draws(m)]
    key: Tensor | None = layers[0].__dict__.get("_key") if layers else None
    if key is None:
        key = torch.zeros(2, dtype=torch.int64)
    for stream, layer in enumerate(layers, 1):
        if layer.__dict__.get("_key") is not key or layer.__dict__.get("_stream") != stream:
            layer._key, layer._stream = key, stream
    return key


def draws(module: nn.Module) -> bool:
    """Whether the module is one of the layers that advance() counts."""
    return isinstance(module, nn.Dropout) or getattr(module, "simdrop_draws", False)
