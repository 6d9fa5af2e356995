"""libsimdrop_torch: simdrop on PyTorch's tensors, without Python between.

It takes PyTorch's stable C interface, which has enough for operators and threads since 2.10, for
eager calls since 2.14; with an older one _kernels.py does the same.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from .._library import library
from .._structures import Executor
from ._draw import Draw


def _load() -> tuple[c.PyDLL | None, int]:
    """The library, and how much of it PyTorch serves: simdrop_torch_bind() of native/shim.cpp."""
    here = Path(library._name).with_name("libsimdrop_torch.so")
    torch_cpu = Path(torch.__file__).with_name("lib") / "libtorch_cpu.so"
    try:
        loaded = c.PyDLL(str(here))
        bind = loaded.simdrop_torch_bind
        bind.argtypes = [c.c_void_p]
        return loaded, bind(c.CDLL(str(torch_cpu))._handle)
    except (OSError, AttributeError):
        return None, 0


_library, _level = _load()


def register_operators() -> bool:
    """Whether the operators below autograd are native; their schemas must be there before."""
    return _library is not None and _level > 0 and _library.simdrop_torch_register() == 0


def executor() -> Executor | None:
    """PyTorch's threads."""
    if _library is None or _level == 0:
        return None
    found = _library.simdrop_torch_executor
    found.restype = c.POINTER(Executor)
    result: Executor = found().contents
    return result


def _eager() -> tuple[Callable[..., Any], ...]:
    """dropout, relu_dropout and relu_dropout_backward of _kernels.py, for contiguous and other
    tensors that have memory on the CPU. ValueError if something fails."""
    assert _library is not None
    python = [c.cast(getattr(c.pythonapi, name), c.c_void_p)
              for name in ("PyEval_SaveThread", "PyEval_RestoreThread", "PyErr_SetString")]
    _library.simdrop_torch_bind_python(*python, c.py_object(ValueError), c.py_object(None))
    tensor, draw = c.py_object, c.POINTER(Draw)
    functions = []
    for name, arguments in (("dropout", [tensor, draw]),
                            ("relu_dropout", [tensor, tensor, draw, c.c_int]),
                            ("relu_dropout_backward", [tensor, tensor, c.c_double])):
        function = getattr(_library, "simdrop_torch_" + name)
        function.restype, function.argtypes = tensor, arguments
        functions.append(function)
    return tuple(functions)


eager = _eager() if _level > 1 else None
