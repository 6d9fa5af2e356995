"""Where the seeds of masks come from: PyTorch's generator, or advance()."""

from __future__ import annotations

import ctypes as c
import threading
from typing import Any

import torch
from torch import Tensor, nn

from .._library import whole_number
from ._draw import Draw


def new_key(values: tuple[int, int] | None = None) -> Tensor:
    """On the CPU and ordinary, whatever device and mode are set around the call."""
    with torch.inference_mode(False):
        return torch.tensor(values or (0, 0), dtype=torch.int64, device="cpu")


def parts(key: Tensor) -> tuple[int, int]:
    """The seed and the first row of a key."""
    if key.dtype != torch.int64 or key.shape != (2,):
        raise ValueError(f"key is {key.dtype} of {tuple(key.shape)}; allowed: int64 of (2,)")
    seed, first_row = key.tolist()
    return seed, first_row


class _Own(threading.local):
    def __init__(self) -> None:
        self.drawn = new_key()[:1]
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
    key = torch.zeros(2, dtype=torch.int64, device="cpu")
    key[:1].random_(generator=generator)
    return key


def draw_of(p: float, generator: torch.Generator | None, key: Tensor | None,
            stream: int) -> Draw:
    """What a call draws: of its key, of a seed of `generator`, or of one that its kernel draws."""
    if stream:
        stream = as_int64("stream", stream)
    if key is not None:
        return Draw(p, *parts(key), stream, True)
    if generator is not None:
        return Draw(p, drawn_seed(generator), 0, stream, True)
    return Draw(p, 0, 0, stream, False)


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
        ValueError: for a seed or first_row of more than 64 bits, and for a model with nn.Dropout in
            it that simdrop does not run: see replace_().
        TypeError: for a seed or first_row that is no whole number.

    Not thread-safe for one model. The seed is no part of state_dict().
    """
    if seed is None:
        seed = drawn_seed(generator)
    values = (as_int64("seed", seed), as_int64("first_row", first_row))
    key = _key_of(model)
    with torch.no_grad():
        key.copy_(new_key(values))
    return seed


def as_int64(name: str, value: Any) -> int:
    number = whole_number(name, value)
    if not -(2**63) <= number < 2**64:
        raise ValueError(f"{name} is {number}; allowed: -2**63 to 2**64-1")
    return number - 2**64 if number >= 2**63 else number


def _key_of(model: nn.Module) -> Tensor:
    """The model's key, to which its dropout layers now belong."""
    layers: list[Any] = [m for m in model.modules() if draws(m)]
    if layers and not any(hasattr(m, "simdrop_runs") for m in model.modules()):
        raise ValueError("model has nn.Dropout that PyTorch runs; allowed: layers of "
                         "simdrop.torch, which replace_(model) makes of them")
    key: Tensor | None = model.__dict__.get("_simdrop_key")
    if key is None:
        model.__dict__["_simdrop_key"] = key = new_key()
    for stream, layer in enumerate(layers, 1):
        if layer.__dict__.get("_key") is not key or layer.__dict__.get("_stream") != stream:
            layer._key, layer._stream = key, stream
    return key


def draws(module: nn.Module) -> bool:
    """Whether the module is one of the layers that advance() counts."""
    return isinstance(module, nn.Dropout) or hasattr(module, "simdrop_draws")
