"""Dropout for PyTorch on the CPU: see simdrop's README for Python."""

from ._functional import dropout, linear_relu_dropout, relu_dropout, residual_dropout
from ._keys import advance
from ._modules import Dropout, LinearReLUDropout, ReLUDropout, ResidualDropout
from ._overhead import Overhead, overhead
from ._patched import patched
from ._replace import replace_
from ._sequential import Sequential
from . import _operators  # noqa: F401  (registers them)

__all__ = ["Dropout", "LinearReLUDropout", "Overhead", "ReLUDropout", "ResidualDropout",
           "Sequential", "advance", "dropout", "linear_relu_dropout", "overhead", "patched",
           "relu_dropout", "replace_", "residual_dropout"]
