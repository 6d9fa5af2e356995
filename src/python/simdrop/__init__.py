"""Dropout for NumPy and PyTorch on the CPU, at the speed of memory.

simdrop.dropout() and its neighbours work on NumPy arrays; simdrop.Mlp is a small network that
trains with dropout; simdrop.torch, imported by itself, has PyTorch's modules.
"""

from ._checkpoint import load, save
from ._dropout import (bernoulli_mask, bias_relu_dropout, dropout, dropout_backward,
                       relu_dropout_backward, residual_dropout)
from ._library import active_isa, cpu_name, supported_isas, version
from ._mlp import Mlp
from ._optimizer import Optimizer
from ._predictor import Predictor

__version__ = version()
__all__ = ["Mlp", "Optimizer", "Predictor", "active_isa", "bernoulli_mask", "bias_relu_dropout",
           "cpu_name", "dropout", "dropout_backward", "load", "relu_dropout_backward",
           "residual_dropout", "save", "supported_isas", "version"]
