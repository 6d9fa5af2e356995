"""Loads libsimdrop and declares its C interface (include/simdrop/c)."""

from __future__ import annotations

import ctypes as c
import os
import threading
from typing import Any

from ._structures import Dropout, Error, Exec, IsaInfo, function_arguments

_ABI_VERSION = 2  # SIMDROP_ABI_VERSION of the headers that these declarations follow

INVALID_ARGUMENT, OUT_OF_MEMORY, FILE_ERROR = 1, 2, 3


def _load() -> c.CDLL:
    # SIMDROP_LIBRARY names another libsimdrop, as the tests of the source tree do.
    ours = os.path.join(os.path.dirname(__file__), "libsimdrop.so")
    path = os.environ.get("SIMDROP_LIBRARY") or ours
    loaded = c.CDLL(path)  # which releases the GIL during calls
    if loaded.simdrop_abi_version() < _ABI_VERSION:
        raise ImportError(f"{path} has version {loaded.simdrop_abi_version()} of simdrop's C "
                          f"interface; needed: {_ABI_VERSION} or later")
    for name, (result, arguments) in function_arguments().items():
        function = getattr(loaded, "simdrop_" + name)
        function.restype, function.argtypes = result, arguments
    return loaded


library = _load()


class _ThreadsOwn(threading.local):
    """Structures that calls are given: one of each for a thread."""

    def __init__(self) -> None:
        self.error = Error(struct_size=c.sizeof(Error))
        self.error_at = c.addressof(self.error)
        self.dropout = Dropout(struct_size=c.sizeof(Dropout), rounds=10)
        self.dropout_at = c.addressof(self.dropout)
        self.exec = Exec(struct_size=c.sizeof(Exec), num_threads=1)
        self.exec_at = c.addressof(self.exec)


own = _ThreadsOwn()


def raise_error(status: int) -> None:
    """Raises what a call that did not return 0 says, in the library's words."""
    message = own.error.message.decode(errors="replace") or (
        library.simdrop_status_message(status).decode())
    if status == INVALID_ARGUMENT:
        raise ValueError(message)
    if status == OUT_OF_MEMORY:
        raise MemoryError(message)
    if status == FILE_ERROR:
        raise OSError(message)
    raise RuntimeError(message)


def call(name: str, *arguments: Any) -> None:
    """simdrop_<name>(arguments..., error), whose errors are exceptions."""
    status = getattr(library, "simdrop_" + name)(*arguments, own.error_at)
    if status:
        raise_error(status)


def initialised(structure: type[c.Structure], name: str) -> Any:
    """A structure with the defaults of simdrop_<name>_init()."""
    value = structure()
    call(name + "_init", c.byref(value), c.sizeof(structure))
    return value


def exec_of(num_threads: int) -> int:
    """The address of a simdrop_exec of this thread, for its next call."""
    own.exec.num_threads = integer("num_threads", num_threads, 32, signed=True)
    return own.exec_at


def whole_number(name: str, value: Any) -> int:
    """NumPy's too; truth values are none."""
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise TypeError(f"{name} is {value!r}; allowed: a whole number")
    return int(value.__index__())


def integer(name: str, value: Any, bits: int, signed: bool = False) -> int:
    """A whole number that a C integer holds: ctypes would cut off what it does not."""
    number = whole_number(name, value)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if not low <= number < high:
        raise ValueError(f"{name} is {number}; allowed: {low} to {high - 1}")
    return number


def version() -> str:
    """The version of the library, as "0.2.0"."""
    text: bytes = library.simdrop_version_string()
    return text.decode()


def active_isa() -> str:
    """The instruction set whose kernels run: "scalar", "neon", "avx2" or "avx512"."""
    name = c.c_char_p()
    call("active_isa", c.byref(name))
    return (name.value or b"").decode()


def cpu_name() -> str:
    """The CPU's own name for itself, or "unknown"."""
    length = c.c_int64()
    call("cpu_name", None, 0, c.byref(length))
    name = c.create_string_buffer(length.value + 1)
    call("cpu_name", name, len(name), None)
    return name.value.decode(errors="replace")


def supported_isas() -> list[str]:
    """The instruction sets that this build and this CPU have, slowest first."""
    names = []
    for index in range(library.simdrop_isa_count()):
        info = IsaInfo(struct_size=c.sizeof(IsaInfo))
        call("isa_get", index, c.byref(info))
        if info.compiled and info.supported:
            names.append(info.name.decode())
    return names
