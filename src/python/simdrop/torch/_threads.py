"""Who runs a call: PyTorch's own threads, as many as torch.get_num_threads() says."""

from __future__ import annotations

import ctypes as c
import os
import threading
from pathlib import Path

import torch

from .._library import library
from .._structures import Exec, Executor

_MOST_THREADS = 1024  # that a call of simdrop uses


def _torch_executor() -> Executor | None:
    """PyTorch's parallel-for, which its stable C interface has since 2.10, for simdrop."""
    here = Path(library._name).with_name("libsimdrop_torch_threads.so")
    torch_cpu = Path(torch.__file__).with_name("lib") / "libtorch_cpu.so"
    try:
        parallel_for = c.CDLL(str(torch_cpu)).torch_parallel_for
        adapter = c.CDLL(str(here)).simdrop_torch_parallel_for
    except (OSError, AttributeError):
        return None  # then the threads are simdrop's own, as many as PyTorch has
    return Executor(struct_size=c.sizeof(Executor),
                    context=c.cast(parallel_for, c.c_void_p).value,
                    parallel_for=c.cast(adapter, c.c_void_p).value,
                    max_concurrency=min(_MOST_THREADS, max(2, os.cpu_count() or 2)))


_executor = _torch_executor()


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
