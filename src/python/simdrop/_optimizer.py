"""Optimisers of the network."""

from __future__ import annotations

import ctypes as c
from typing import TYPE_CHECKING, Any

from ._arguments import choice, flag, real
from ._library import call, library
from ._objects import MlpPointer, Object, OptimizerPointer, Pointer, checked
from ._structures import OptimizerConfig

if TYPE_CHECKING:
    from ._mlp import Mlp

_KINDS = {"sgd": 0, "adam": 1, "adamw": 2}


class Optimizer(Object):
    """SGD, Adam or AdamW as PyTorch defines them, for the parameters of a network.

    It holds momentum or moments, and the number of steps, which chooses the masks of the next step.
    It is for this network, or any other of the same widths; it does not keep the network alive.
    Calls that use one optimizer wait for each other.

    mlp: gives the shapes; nothing else of it is used.
    kind: "sgd", "adam" or "adamw".
    learning_rate: >= 0.
    momentum: of SGD, in [0, 1); with nesterov it looks ahead.
    weight_decay: >= 0; for "adamw" apart from the gradient.
    beta1, beta2: of Adam and AdamW, in [0, 1). epsilon: of theirs, > 0.
    max_norm: the most that the norm of a row of weights may be; 0: no limit.

    ValueError, or TypeError for a wrong type, says which argument is not allowed.
    """

    def __init__(self, mlp: Mlp, *, kind: str = "sgd", learning_rate: float = 0.01,
                 momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0,
                 beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
                 max_norm: float = 0.0) -> None:
        config = OptimizerConfig(
            struct_size=c.sizeof(OptimizerConfig), kind=choice("kind", kind, _KINDS),
            learning_rate=real("learning_rate", learning_rate),
            momentum=real("momentum", momentum), nesterov=flag("nesterov", nesterov),
            weight_decay=real("weight_decay", weight_decay), beta1=real("beta1", beta1),
            beta2=real("beta2", beta2), epsilon=real("epsilon", epsilon),
            max_norm=real("max_norm", max_norm))
        super().__init__(OptimizerPointer.create("optimizer_create", c.byref(config),
                                                 checked("mlp", mlp, MlpPointer)._pointer))

    @classmethod
    def _from(cls, pointer: Pointer) -> Optimizer:
        made = cls.__new__(cls)
        Object.__init__(made, pointer)
        return made

    def _config(self) -> OptimizerConfig:
        config = OptimizerConfig(struct_size=c.sizeof(OptimizerConfig))
        with self._lock:
            call("optimizer_get_config", self._pointer, c.byref(config))
        return config

    @property
    def step_count(self) -> int:
        """Steps begun so far, and the number of the next one, for its masks."""
        with self._lock:
            count: int = library.simdrop_optimizer_step_count(self._pointer)
        return count

    @property
    def learning_rate(self) -> float:
        """May be set: from the next step on."""
        rate: float = self._config().learning_rate
        return rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        with self._lock:
            call("optimizer_set_learning_rate", self._pointer, real("learning_rate", value))

    @property
    def config(self) -> dict[str, Any]:
        """The keyword arguments that make such an optimizer, with the learning rate of now."""
        config = self._config()
        names = [field[0] for field in OptimizerConfig._fields_[1:]]  # behind struct_size
        values = {name: getattr(config, name) for name in names}
        kind = next(name for name, number in _KINDS.items() if number == values["kind"])
        return {**values, "kind": kind, "nesterov": bool(values["nesterov"])}
