"""What a mask is drawn from."""

from __future__ import annotations

import ctypes as c


class Draw(c.Structure):
    """Everything that a mask is a function of, beside the number of an element; struct Draw of
    native/kernels.h."""

    _fields_ = [
        ("p", c.c_double),  # the probability that an element is dropped
        ("seed", c.c_int64),
        ("first_row", c.c_int64),  # which row of the whole batch the tensor begins with
        ("stream", c.c_int64),
        ("is_drawn", c.c_int64),  # 0: the kernel draws the seed, from PyTorch's generator
    ]

    p: float
    seed: int
    first_row: int
    stream: int
    is_drawn: int
