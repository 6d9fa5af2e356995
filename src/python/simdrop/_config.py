"""simdrop_mlp_config from and to Python's values."""

from __future__ import annotations

import ctypes as c
from collections.abc import Sequence
from typing import Any

import numpy as np

from ._arguments import choice, flag, real
from ._library import integer
from ._structures import MlpConfig

LOSSES = {"sigmoid_bce": 0, "softmax_ce": 1, "identity_mse": 2}
_INITS = {"he": 0, "xavier": 1}
_UNITS = {"element": 0, "neuron": 1}


def _name(values: dict[str, int], value: int) -> str:
    return next(name for name, number in values.items() if number == value)


def to_structure(*, widths: Sequence[int], keep_prob: float | Sequence[float],
                 input_keep_prob: float, loss: str, init: str, dropout_unit: str,
                 dropout_group: int, lazy_updates: bool, seed: int, max_batch: int,
                 num_threads: int, record: bool, keep_gradients: bool) -> MlpConfig:
    """The structure; it keeps its arrays alive. Ranges are the library's to check."""
    sizes = [integer(f"widths[{i}]", width, 64, signed=True) for i, width in enumerate(widths)]
    if isinstance(keep_prob, (Sequence, np.ndarray)) and not isinstance(keep_prob, str):
        keep = [real(f"keep_prob[{i}]", p) for i, p in enumerate(keep_prob)]
    else:
        keep = [real("keep_prob", keep_prob)] * max(len(sizes) - 2, 0)
    return MlpConfig(
        struct_size=c.sizeof(MlpConfig), widths=(c.c_int64 * len(sizes))(*sizes),
        num_widths=len(sizes), keep_prob=(c.c_double * len(keep))(*keep), num_keep_prob=len(keep),
        input_keep_prob=real("input_keep_prob", input_keep_prob), seed=integer("seed", seed, 64),
        max_batch=integer("max_batch", max_batch, 64, signed=True),
        dropout_group=integer("dropout_group", dropout_group, 64, signed=True),
        dropout_unit=choice("dropout_unit", dropout_unit, _UNITS),
        lazy_updates=flag("lazy_updates", lazy_updates), loss=choice("loss", loss, LOSSES),
        init=choice("init", init, _INITS),
        num_threads=integer("num_threads", num_threads, 32, signed=True),
        record=flag("record", record), keep_gradients=flag("keep_gradients", keep_gradients))


def from_structure(config: MlpConfig) -> dict[str, Any]:
    """The keyword arguments of Mlp()."""
    return {
        "widths": config.widths[:config.num_widths],
        "keep_prob": config.keep_prob[:config.num_keep_prob],
        "input_keep_prob": config.input_keep_prob, "loss": _name(LOSSES, config.loss),
        "init": _name(_INITS, config.init),
        "dropout_unit": _name(_UNITS, config.dropout_unit),
        "dropout_group": config.dropout_group, "lazy_updates": bool(config.lazy_updates),
        "seed": config.seed, "max_batch": config.max_batch, "num_threads": config.num_threads,
        "record": bool(config.record), "keep_gradients": bool(config.keep_gradients)}
