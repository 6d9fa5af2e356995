"""Who runs a call: PyTorch's own threads, as many as torch.get_num_threads() says."""

from __future__ import annotations

import ctypes as c
import threading

import torch

from .._structures import Exec
from . import _native

_MOST_THREADS = 1024  # that a call of simdrop uses


_executor = _native.executor()  # None: simdrop's own threads, as many as PyTorch has


class _Own(threading.local):
    def __init__(self) -> None:
        self.exec = Exec(struct_size=c.sizeof(Exec), num_threads=1)
        if _executor is not None:
            self.exec.executor = c.addressof(_executor)
        self.at = c.addressof(self.exec)


_own = _Own()


def exec_at() -> int:
    """The address of a simdrop_exec of this thread, for its next call."""
    own = _own
    own.exec.num_threads = min(torch.get_num_threads(), _MOST_THREADS)
    return own.at
