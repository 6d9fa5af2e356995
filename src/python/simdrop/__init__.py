"""Dropout for NumPy and PyTorch on the CPU, at the speed of memory.

simdrop.dropout() and its neighbours work on NumPy arrays; simdrop.Mlp is a small network that
trains with dropout; simdrop.torch, imported by itself, has PyTorch's modules.
"""

from ._library import active_isa, supported_isas, version

__version__ = version()
__all__ = ["active_isa", "supported_isas", "version"]
