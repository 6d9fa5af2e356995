"""Dropout for PyTorch on the CPU: see simdrop's README for Python."""

from ._functional import dropout, linear_relu_dropout, relu_dropout, residual_dropout
from ._keys import advance
from ._modules import Dropout, LinearReLUDropout, ReLUDropout, ResidualDropout
from ._replace import replace_
from ._sequential import Sequential
from . import _operators  # noqa: F401  (registers them)

__all__ = ["Dropout", "LinearReLUDropout", "ReLUDropout", "ResidualDropout", "Sequential",
           "advance", "dropout", "linear_relu_dropout", "relu_dropout", "replace_",
           "residual_dropout"]
