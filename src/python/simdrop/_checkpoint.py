"""Networks in safetensors files, named and shaped as PyTorch saves them."""

from __future__ import annotations

import ctypes as c
import os
from collections.abc import Sequence

import numpy as np

from ._arguments import choice, flag
from ._config import to_structure
from ._library import call
from ._mlp import Mlp
from ._objects import MlpPointer, OptimizerPointer, checked
from ._optimizer import Optimizer
from ._structures import MlpLoadArgs, MlpSaveArgs

_ACTIVATIONS = {None: 0, "relu": 1}
_LOSSES = {None: 0, "sigmoid_bce": 101, "softmax_ce": 102, "identity_mse": 103}


def _path(path: str | os.PathLike[str]) -> bytes:
    name = os.fsencode(path)
    if b"\0" in name:
        raise ValueError(f"path is {path!r}; allowed: a text without a zero byte")
    return name


def save(path: str | os.PathLike[str], mlp: Mlp, optimizer: Optimizer | None = None, *,
         sync: bool = True) -> None:
    """Writes a network, and where its training stands if there is an optimizer.

    Without an optimizer the file holds weights alone, which load_state_dict(strict=True) of
    PyTorch's Sequential takes. Whatever happens, the path is the old file or the new one.

    sync: wait until the file is on the disk. Without, a loss of power soon after the call may leave
        an empty or broken file; a process that is killed still does not.

    OSError says what is wrong with the file; ValueError, that the optimizer is for another network.
    """
    network = checked("mlp", mlp, MlpPointer)
    args = MlpSaveArgs(struct_size=c.sizeof(MlpSaveArgs), no_sync=not flag("sync", sync))
    if optimizer is None:
        with network._lock:
            call("mlp_save_run", _path(path), network._pointer, c.byref(args))
        return
    state = checked("optimizer", optimizer, OptimizerPointer)
    args.optimizer = state._pointer
    with network._lock, state._lock:
        call("mlp_save_run", _path(path), network._pointer, c.byref(args))


def load(path: str | os.PathLike[str], *, activation: str | None = None, loss: str | None = None,
         keep_prob: Sequence[float] = (), input_keep_prob: float = 1.0,
         dropout_unit: str = "element", dropout_group: int = 0, lazy_updates: bool = False,
         seed: int = 0, max_batch: int = 256, num_threads: int = 1, record: bool = False,
         keep_gradients: bool = False) -> tuple[Mlp, Optimizer | None]:
    """The network of a file of save(), or of a PyTorch Sequential of Linear layers.

    activation, loss: what a file of PyTorch's does not tell: "relu" if it has several layers, and
        the loss, as of Mlp(). They may not contradict a file of save().
    max_batch, num_threads, record, keep_gradients: as of Mlp(). A file of save() tells the others;
        for one of PyTorch's they are as of Mlp() too, keep_prob one number for each hidden layer.

    Returns the network, and the optimizer if the file was saved with one: training goes on with it
    bit for bit. Nothing in the file is trusted. OSError says what is wrong with it.
    """
    if np.ndim(keep_prob) == 0:
        raise TypeError(f"keep_prob is {keep_prob!r}; allowed: a number for each hidden layer")
    defaults = to_structure(
        widths=(), keep_prob=keep_prob, input_keep_prob=input_keep_prob, loss="softmax_ce",
        init="he", dropout_unit=dropout_unit, dropout_group=dropout_group,
        lazy_updates=lazy_updates, seed=seed, max_batch=max_batch, num_threads=num_threads,
        record=record, keep_gradients=keep_gradients)
    args = MlpLoadArgs(
        struct_size=c.sizeof(MlpLoadArgs), defaults=c.addressof(defaults),
        activation=choice("activation", activation, _ACTIVATIONS),
        loss=choice("loss", loss, _LOSSES))
    network, state = c.c_void_p(), c.c_void_p()
    call("mlp_load_run", _path(path), c.byref(args), c.byref(network), c.byref(state))
    mlp = Mlp._from(MlpPointer(network.value or 0))
    return mlp, Optimizer._from(OptimizerPointer(state.value)) if state.value else None
