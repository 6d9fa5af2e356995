"""Masks and dropout as the textbook writes it, of the bits that simdrop's C function gives."""

import ctypes
import math

import numpy
import torch

from simdrop._library import call
from simdrop._structures import Dropout


def mask(shape, p, seed, stream=0, first=0):
    """Which elements are kept, as bool; elements are numbered in logical order."""
    n = math.prod(shape)
    described = Dropout(ctypes.sizeof(Dropout), 1.0 - p, seed, stream, first % 2**64, 0, 10)
    bits = numpy.zeros((n + 7) // 8, numpy.uint8)
    call("bernoulli_mask", ctypes.byref(described), n, bits.ctypes.data, None)
    kept = numpy.unpackbits(bits, bitorder="little")[:n].astype(bool)
    return torch.from_numpy(kept).reshape(shape)


def dropout(x, p, seed, stream=0, first=0):
    kept = mask(x.shape, p, seed, stream, first).to(x.device)
    wide = x.double() if x.dtype == torch.float64 else x.float()
    scale = torch.tensor(1.0, dtype=wide.dtype) / torch.tensor(1.0 - p, dtype=wide.dtype)
    return torch.where(kept, wide * scale, 0.0).to(x.dtype)
