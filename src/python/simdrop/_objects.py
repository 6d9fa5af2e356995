"""Objects of the library, and their memory, as Python sees them."""

from __future__ import annotations

import ctypes as c
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from ._library import call, library
from ._structures import Tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

P = TypeVar("P", bound="Pointer")


class Pointer(int):
    """Where an object of the library is; it is destroyed with the last reference to this."""

    __slots__ = ()
    _destroy: ClassVar[Callable[[int], None]]

    @classmethod
    def create(cls: type[P], function: str, *arguments: Any) -> P:
        """What simdrop_<function>(arguments..., the pointer, error) makes."""
        made = c.c_void_p()
        call(function, *arguments, c.byref(made))
        return cls(made.value or 0)

    def __del__(self) -> None:
        type(self)._destroy(int(self))

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a pointer is not copied")


class MlpPointer(Pointer):
    __slots__ = ()
    _destroy = library.simdrop_mlp_destroy


class OptimizerPointer(Pointer):
    __slots__ = ()
    _destroy = library.simdrop_optimizer_destroy


class PredictorPointer(Pointer):
    __slots__ = ()
    _destroy = library.simdrop_predictor_destroy


class _Memory:
    """Memory of an object, for NumPy. An array that shows it keeps the object alive."""

    def __init__(self, owner: Pointer, interface: dict[str, Any]) -> None:
        self.owner = owner
        self.__array_interface__ = {"version": 3, **interface}


class Object:
    """What has a pointer, and lets one call at a time use it."""

    def __init__(self, pointer: Pointer) -> None:
        self._pointer = pointer
        # Of objects in a cycle the garbage collector calls __del__ in any order, also while others
        # of them use this one; but it does not look into arrays, and leaves alone what they hold.
        self._keeper = np.asarray(_Memory(pointer, {
            "data": (int(pointer), True), "shape": (0,), "typestr": "|u1"}))
        # A signal handler may call too, in a thread that has the lock: to save a run, say.
        self._lock = threading.RLock()

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(f"a simdrop.{type(self).__name__} is neither copied nor pickled; allowed: "
                        "clone() of an Mlp, simdrop.save()")


def checked(name: str, value: Any, pointer: type[Pointer]) -> Object:
    """An argument that must be an object with such a pointer."""
    if not isinstance(value, Object) or not isinstance(value._pointer, pointer):
        wanted = pointer.__name__.removesuffix("Pointer")
        raise TypeError(f"{name} is a {type(value).__name__}; allowed: a simdrop.{wanted}")
    return value


def tensor_view(mlp: Pointer, kind: int, layer: int) -> NDArray[Any]:
    """A tensor of a network: rows x columns of its own memory."""
    tensor = Tensor(struct_size=c.sizeof(Tensor))
    call("mlp_tensor", mlp, kind, layer, c.byref(tensor))
    dtype = np.dtype({0: np.float32, 4: np.uint8}[tensor.dtype])
    return np.asarray(_Memory(mlp, {
        "data": (tensor.data, False), "shape": (tensor.rows, tensor.cols),
        "strides": (tensor.ld * dtype.itemsize, dtype.itemsize), "typestr": dtype.str}))
