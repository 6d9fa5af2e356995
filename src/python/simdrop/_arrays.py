"""NumPy arrays as the C interface takes them: rows, columns, leading dimension and dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# NumPy has no bfloat16: it is known by the name that packages such as ml_dtypes give it.
_CODES_BY_NAME = {"float32": 0, "float64": 1, "bfloat16": 2, "float16": 3}
_codes: dict[Any, int] = {}  # of the dtypes that were met


# How an array, in its logical order, is the rows of a matrix: address, rows, columns, and leading
# dimension, which does not matter with one row.
Rows = tuple[int, int, int, int]

# Kernels are slower on shorter rows than on a copy that is contiguous (measured on float32).
_SHORTEST_ROW = 16


def dtype_code(name: str, dtype: np.dtype[Any]) -> int:
    """The simdrop_dtype."""
    code = _codes.get(dtype)
    if code is None:
        code = _CODES_BY_NAME.get(dtype.name) if dtype.isnative else None
        if code is None:
            raise TypeError(f"{name} has dtype {dtype.str if not dtype.isnative else dtype}; "
                            "allowed: float32, float64, float16 and bfloat16, of native byte order")
        _codes[dtype] = code
    return code


def address(array: NDArray[Any]) -> int:
    at: int = array.__array_interface__["data"][0]
    return at


def rows_of(array: NDArray[Any]) -> Rows | None:
    """How an array lies in memory, with the longest rows; None if it is not rows of a matrix."""
    at, itemsize = address(array), array.itemsize
    if at % itemsize:
        return None  # not aligned
    if array.flags.c_contiguous:
        return at, 1, array.size, array.size
    axes = [axis for axis in zip(array.shape, array.strides) if axis[0] != 1]
    cols = 1
    while axes[-1][1] == cols * itemsize:
        cols *= axes.pop()[0]
    rows, step = axes.pop()
    for length, stride in reversed(axes):
        if stride != step * rows:
            return None
        rows *= length
    ld, rest = divmod(step, itemsize)
    return None if rest or ld < cols else (at, rows, cols, ld)


class Operands:
    """Arrays of one shape as matrices of the same rows and columns.

    `pairs` are the address and the leading dimension of each input, then those of `out`. An input
    that is no such matrix is copied; such an `out` is an error. The object keeps them alive.
    """

    __slots__ = ("rows", "cols", "pairs", "_arrays")

    def __init__(self, out: NDArray[Any], inputs: Sequence[NDArray[Any]],
                 cols: int | None = None) -> None:
        self._arrays = [*inputs, out]
        layouts = [rows_of(array) for array in self._arrays]
        self.cols = cols = _common_cols(layouts, out.size) if cols is None else cols
        self.rows = out.size // cols if cols else 0
        self.pairs: list[int] = []
        for index, layout in enumerate(layouts):
            if layout is None or (layout[1] != 1 and layout[2] != cols):
                layout = self._copied(index)
            self.pairs += (layout[0], cols if layout[1] == 1 else layout[3])

    def _copied(self, index: int) -> Rows:
        array = self._arrays[index]
        if index == len(self._arrays) - 1:
            raise ValueError(f"out has shape {array.shape} and strides {array.strides} in bytes; "
                             "allowed: aligned rows of a matrix, with contiguous elements")
        array = self._arrays[index] = array.copy()
        return address(array), 1, array.size, array.size


def _common_cols(layouts: Sequence[Rows | None], size: int) -> int:
    """The columns of the output, which is last, or else of an input, if they leave no choice."""
    if layouts[-1] is not None and layouts[-1][1] != 1:
        return layouts[-1][2]
    for layout in layouts:
        if layout is not None and layout[1] != 1 and layout[2] >= _SHORTEST_ROW:
            return layout[2]
    return size


def floats(name: str, value: ArrayLike) -> NDArray[Any]:
    """An array of a type that the library computes with."""
    array = np.asarray(value)
    dtype_code(name, array.dtype)
    return array


def same_kind(name: str, value: ArrayLike, like_name: str, like: NDArray[Any]) -> NDArray[Any]:
    """An array of the same shape and dtype as another."""
    array = np.asarray(value)
    if array.dtype != like.dtype:
        raise TypeError(f"{name} has dtype {array.dtype}; allowed: {like.dtype}, as {like_name}")
    if array.shape != like.shape:
        raise ValueError(f"{name} has shape {array.shape}; allowed: {like.shape}, as {like_name}")
    return array


def output(name: str, value: NDArray[Any] | None, shape: tuple[int, ...],
           dtype: np.dtype[Any]) -> NDArray[Any]:
    """The array that a result is written to: the caller's, or a new one."""
    if value is None:
        return np.empty(shape, dtype)
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name} is a {type(value).__name__}; allowed: a NumPy array")
    if value.dtype != dtype:
        raise TypeError(f"{name} has dtype {value.dtype}; allowed: {dtype}")
    if value.shape != shape:
        raise ValueError(f"{name} has shape {value.shape}; allowed: {shape}")
    if not value.flags.writeable:
        raise ValueError(f"{name} is read-only; allowed: an array that can be written to")
    return value


def mask_bytes(name: str, value: Any) -> NDArray[np.uint8]:
    """The bytes of a mask, contiguous: one bit for each element, the lowest of a byte first."""
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8:
        what = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise TypeError(f"{name} is of {what}; allowed: an array of uint8, bits as of "
                        "np.packbits(kept, bitorder='little')")
    return np.ascontiguousarray(value)


def mask_of(name: str, value: Any, elements: int) -> NDArray[np.uint8]:
    """A mask of so many elements. What is contiguous stays where it is."""
    array = mask_bytes(name, value)
    shape = ((elements + 7) // 8,)
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}; allowed: {shape}, a bit for each of "
                         f"{elements} elements")
    return array


def mask_output(name: str, value: Any, elements: int) -> NDArray[np.uint8]:
    """A mask of so many elements, to be written to."""
    array = mask_of(name, value, elements)
    if not value.flags.c_contiguous or not value.flags.writeable:
        raise ValueError(f"{name} is read-only or has strides {value.strides}; allowed: contiguous "
                         "bytes that can be written to")
    return array


def float32_matrix(name: str, value: ArrayLike, rows: int | None, cols: int
                   ) -> tuple[NDArray[np.float32], int, int]:
    """A matrix, with its address and leading dimension; a copy if it is not contiguous rows."""
    array = np.asarray(value)
    if array.dtype != np.float32:
        raise TypeError(f"{name} has dtype {array.dtype}; allowed: float32")
    wanted = array.shape[0] if rows is None and array.ndim == 2 else rows
    if array.shape != (wanted, cols):
        raise ValueError(f"{name} has shape {array.shape}; allowed: "
                         f"({'rows' if rows is None else rows}, {cols})")
    layout = rows_of(array)
    if layout is not None and layout[1] == 1:
        return array, layout[0], cols
    if layout is not None and layout[2] == cols:
        return array, layout[0], layout[3]
    array = array.copy()
    return array, address(array), cols


def class_labels(name: str, value: ArrayLike, rows: int, classes: int) -> NDArray[np.uint8]:
    """One class for each row, as bytes."""
    array = np.asarray(value)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name} has dtype {array.dtype}; allowed: integers, the classes")
    if array.shape != (rows,):
        raise ValueError(f"{name} has shape {array.shape}; allowed: ({rows},), one for each row")
    wrong = np.flatnonzero((array < 0) | (array >= classes))
    if wrong.size:
        raise ValueError(f"{name}[{wrong[0]}] is {array[wrong[0]]}; allowed: 0 to {classes - 1}, "
                         f"as the network has {classes} outputs")
    return np.require(array, np.uint8, ["C"])
