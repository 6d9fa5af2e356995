"""Keys under torch.vmap, which says whether examples drop the same elements."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import TransformType, _add_batch_dim, get_interpreter_stack
from torch._functorch.pyfunctorch import (coerce_cinterpreter,
                                          temporarily_clear_interpreter_stack)

_BETWEEN_SEEDS = 0x9E3779B97F4A7C15  # odd, so that 2**64 examples have seeds of their own
_VMAP_MODE = torch._C.DispatchKeySet(torch._C.DispatchKey.FuncTorchVmapMode)


def for_examples(make: Callable[[], Tensor]) -> Tensor:
    """A key of make() for each example of every vmap around the call whose randomness is
    "different", one for all examples of the others; an error for "error"."""
    vmaps: list[Any] = [coerce_cinterpreter(layer) for layer in get_interpreter_stack() or ()
                        if layer.key() == TransformType.Vmap]
    if any(layer.randomness() == "error" for layer in vmaps):
        raise RuntimeError("vmap: dropout draws random numbers; allowed: randomness='same' or "
                           "'different'")
    different = [layer for layer in vmaps if layer.randomness() == "different"]
    sizes = [layer.batch_size() for layer in different]
    with (temporarily_clear_interpreter_stack(),
          torch._C._ExcludeDispatchKeyGuard(_VMAP_MODE)):
        keys = [make() for _ in range(prod(sizes))]
        batch = torch.stack(keys) if keys else torch.empty(0, 2, dtype=torch.int64, device="cpu")
        batch = batch.reshape(*sizes, 2)
    for layer in different:  # from the outermost
        batch = _add_batch_dim(batch, 0, layer.level())
    return batch


def keys_of_examples(key: Tensor) -> Tensor:
    """The same for a key that is there: the first example has it, each other a seed of its own."""
    numbers = count()

    def make() -> Tensor:
        seed, first_row = key.tolist()
        seed = (seed + next(numbers) * _BETWEEN_SEEDS) % 2**64
        return torch.tensor([seed - 2**64 if seed >= 2**63 else seed, first_row], device="cpu")

    return for_examples(make)
