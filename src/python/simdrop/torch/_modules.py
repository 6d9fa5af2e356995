"""Dropout and its fusions as modules."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from . import _eager, _functional
from ._draw import Draw
from ._keys import draw_of
from ._vmap import keys_of_examples


def mask_of(layer: nn.Module, x: Tensor) -> dict[str, Any]:
    """What advance() gave the layer, if it did; not for what PyTorch's own dropout gets."""
    key = layer.__dict__.get("_key")
    if key is None or not _functional.is_ours(x):
        return {}
    if not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active():
        key = keys_of_examples(key)
    return {"key": key, "stream": layer.__dict__["_stream"]}


class Dropout(nn.Dropout):
    """nn.Dropout, whose CPU forward and backward are simdrop's: one pass each, and no mask kept.

    The same constructor, training and eval(), any shape, dtype and strides; other devices and types
    fall through to PyTorch. See simdrop.torch.dropout().

    Each call draws a seed from PyTorch's generator; after simdrop.torch.advance(model) the mask is
    that of the step's seed.
    """

    simdrop_runs = True

    def forward(self, input: Tensor) -> Tensor:
        p = self.p
        if self.training and not self.inplace and 0.0 < p <= 1.0 and _eager.is_plain(input):
            key = self.__dict__.get("_key")
            draw = Draw(p) if key is None else draw_of(p, None, key, self.__dict__["_stream"])
            return _eager.dropout(input, draw)  # as most calls are
        return _functional.dropout(input, self.p, self.training, self.inplace,
                                   **mask_of(self, input))


class ReLUDropout(Dropout):
    """ReLU, then Dropout, in one pass. Its backward reads the result, which therefore must not be
    changed in place (as nn.ReLU's must not)."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def forward(self, input: Tensor) -> Tensor:
        return _functional.relu_dropout(input, self.p, self.training, **mask_of(self, input))


class ResidualDropout(Dropout):
    """residual + Dropout(input) in one pass."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)

    def forward(self, input: Tensor, residual: Tensor) -> Tensor:  # type: ignore[override]
        return _functional.residual_dropout(input, residual, self.p, self.training,
                                            **mask_of(self, input))


class LinearReLUDropout(nn.Linear):
    """Linear, ReLU and Dropout as one product with an epilogue; parameters are those of nn.Linear.

    Saves for its backward what Linear saves, and its result, which therefore must not be changed in
    place: no mask, nothing before ReLU.
    """

    simdrop_draws = simdrop_runs = True
    def __init__(self, in_features: int, out_features: int, bias: bool = True, p: float = 0.5,
                 device: Any = None, dtype: Any = None) -> None:
        super().__init__(in_features, out_features, bias, device, dtype)
        self.p = nn.Dropout(p).p  # checked

    def forward(self, input: Tensor) -> Tensor:
        return _functional.linear_relu_dropout(input, self.weight, self.bias, self.p,
                                               self.training, **mask_of(self, input))

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"
