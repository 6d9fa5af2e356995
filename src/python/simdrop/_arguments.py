"""Checks of arguments that are no arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

Value = TypeVar("Value")


def real(name: str, value: Any) -> float:
    """A number as a double; texts and truth values are none."""
    number = hasattr(type(value), "__float__") or hasattr(type(value), "__index__")
    if not number or isinstance(value, (bool, np.bool_, str)):  # NumPy's texts have __float__
        raise TypeError(f"{name} is {value!r}; allowed: a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is {value!r}; allowed: a number that a double holds") from None


def flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; allowed: True or False")
    return value


def choice(name: str, value: Any, choices: Mapping[Any, Value]) -> Value:
    """What stands for `value` in the C interface."""
    try:
        return choices[value]
    except (KeyError, TypeError):
        allowed = " or ".join(map(repr, choices))
        raise ValueError(f"{name} is {value!r}; allowed: {allowed}") from None
