"""What dropout costs in a model: steps without, with PyTorch's, with simdrop's."""

from __future__ import annotations

import copy
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils._pytree import tree_map_only

from .. import active_isa, cpu_name, version
from ._keys import draws
from ._patched import is_open, patched
from ._replace import replace_
from ._sequential import Sequential

_NAMES = ("without dropout", "PyTorch's dropout", "simdrop's dropout")
_WARM_UP = 3  # steps of each before the first that counts
_FEWEST_PAIRS = 5


@dataclass(frozen=True)
class Overhead:
    """Medians of overhead(). Milliseconds of a step; percent that dropout adds to it, which are
    medians over rounds of one step each. str() is a table, json() the fields."""

    without_ms: float
    pytorch_ms: float
    simdrop_ms: float
    pytorch_adds_percent: float
    simdrop_adds_percent: float
    pairs: int
    threads: int
    cpu: str
    instruction_set: str
    torch: str
    simdrop: str

    def __str__(self) -> str:
        rows = [f"{'a step':<20}{'ms':>10}{'adds':>10}",
                f"{_NAMES[0]:<20}{self.without_ms:>10.3f}"]
        for name, ms, adds in ((_NAMES[1], self.pytorch_ms, self.pytorch_adds_percent),
                               (_NAMES[2], self.simdrop_ms, self.simdrop_adds_percent)):
            rows.append(f"{name:<20}{ms:>10.3f}{adds:>+8.1f} %")
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        rows.append(f"medians of {self.pairs} rounds, {threads}, {self.cpu} "
                    f"({self.instruction_set}), PyTorch {self.torch}, simdrop {self.simdrop}")
        return "\n".join(rows)

    def json(self) -> str:
        return json.dumps(asdict(self))


def overhead(model: nn.Module, batch: Tensor | tuple[Any, ...] | Mapping[str, Any], *,
             loss: Callable[[Any], Tensor] | None = None,
             optimizer: Callable[[list[nn.Parameter]], torch.optim.Optimizer] | None = None,
             seconds: float = 10.0) -> Overhead:
    """What dropout adds to a training step of `model` on the CPU: forward, loss, backward, update.

    Three deep copies take turns, each first as often as the others: one without dropout, one with
    PyTorch's, and one with simdrop's (replace_(), run under patched()). `model` itself, its
    gradients, its modules' training flags and PyTorch's generator stay as they are. Dropout that
    patched() does not cover (dropout1d() and the like) stays in all three. The machine should have
    nothing else to do. ::

        print(simdrop.torch.overhead(model, torch.randn(128, 784)))

    Args:
        batch: what the model is called with: a tensor, a tuple of arguments, or a mapping of
            arguments by name.
        loss: a number to differentiate, from what the model returns; default: the mean of the
            squares of a tensor. It may know targets.
        optimizer: from parameters; default: SGD with momentum, which has learning rate 0 so that
            long runs stay where they are. It costs what another rate costs.
        seconds: how long to measure, at least 5 rounds, after 3 steps each.

    Raises:
        ValueError: no dropout in training mode is called; the model has layers of simdrop's;
            seconds is not above 0.
        RuntimeError: a block of patched() is open.
        TypeError: the model does not return a tensor, and there is no loss.

    Not to be used while other threads of the process train: see patched().
    """
    if not seconds > 0:
        raise ValueError(f"seconds is {seconds}; allowed: above 0")
    if is_open():
        raise RuntimeError("overhead() measures PyTorch's dropout too; needed: a call outside of "
                           "patched()")
    _check_is_pytorchs(model)
    state = torch.get_rng_state()
    batch = tree_map_only(Tensor, _own_leaf, batch)
    try:
        make = optimizer or _sgd
        steps = [_Step(changed, within, batch, loss or _mean_of_squares, make)
                 for changed, within in ((_without_dropout, _no_dropout), (_as_it_is, nullcontext),
                                         (replace_, patched))
                 for changed in [changed(copy.deepcopy(model))]]
        _check_drops(steps[1])
        times = _in_turn(steps, seconds)
    finally:
        torch.set_rng_state(state)
    return _summary(times)


def _own_leaf(x: Tensor) -> Tensor:
    """The same values, whose gradient is nobody else's."""
    return x.detach().requires_grad_(x.requires_grad)


def _sgd(parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.0, momentum=0.9)


def _mean_of_squares(output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        raise TypeError(f"the model returns {type(output).__name__}; allowed without loss=: a "
                        "tensor")
    return output.float().square().mean()


def _check_is_pytorchs(model: nn.Module) -> None:
    for name, module in model.named_modules():
        if type(module) is Sequential or (draws(module) and type(module) is not nn.Dropout
                                          and type(module).__module__.startswith(__package__)):
            raise ValueError(f"model has a layer of simdrop's: {name or 'itself'} is "
                             f"{type(module).__name__}; allowed: the model before replace_()")


def _as_it_is(model: nn.Module) -> nn.Module:
    return model


def _without_dropout(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return model


@contextmanager
def _replaced(dropout: Callable[..., Any], attention: Callable[..., Any]) -> Iterator[None]:
    """PyTorch's two functions, replaced by the caller's."""
    names = ("dropout", "scaled_dot_product_attention")
    originals = [getattr(functional, name) for name in names]
    for name, function in zip(names, (dropout, attention)):
        setattr(functional, name, function)
    try:
        yield
    finally:
        for name, function in zip(names, originals):
            setattr(functional, name, function)


def _no_dropout() -> AbstractContextManager[None]:
    attend = functional.scaled_dot_product_attention

    def attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
                  dropout_p: float = 0.0, is_causal: bool = False, **others: Any) -> Tensor:
        return attend(query, key, value, attn_mask, 0.0, is_causal, **others)

    return _replaced(lambda input, *_, **__: input, attention)


class _Step:
    """A training step of one of the copies."""

    def __init__(self, model: nn.Module, within: Callable[[], AbstractContextManager[Any]],
                 batch: Any, loss: Callable[[Any], Tensor], optimizer: Callable[..., Any]) -> None:
        self.model, self.within, self.batch, self.loss = model, within, batch, loss
        self.optimizer = optimizer(list(model.parameters()))

    def forward(self) -> Any:
        if isinstance(self.batch, Mapping):
            return self.model(**self.batch)
        return self.model(*(self.batch if isinstance(self.batch, tuple) else (self.batch,)))

    def run(self) -> None:
        self.optimizer.zero_grad()
        self.loss(self.forward()).backward()
        self.optimizer.step()

    def seconds(self) -> float:
        with self.within():
            start = time.perf_counter()
            self.run()
            return time.perf_counter() - start


def _check_drops(step: _Step) -> None:
    """That the model as it is calls dropout: nothing else could be measured."""
    calls = 0
    drop, attend = functional.dropout, functional.scaled_dot_product_attention

    def dropout(input: Tensor, p: float = 0.5, training: bool = True, *others: Any,
                **named: Any) -> Tensor:
        nonlocal calls
        calls += bool(training and p > 0)
        return drop(input, p, training, *others, **named)

    def attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None,
                  dropout_p: float = 0.0, *others: Any, **named: Any) -> Tensor:
        nonlocal calls
        calls += dropout_p > 0
        return attend(query, key, value, attn_mask, dropout_p, *others, **named)

    with _replaced(dropout, attention), torch.no_grad():
        step.forward()
    if not calls:
        raise ValueError("model calls no dropout; needed: nn.Dropout, functional.dropout() or "
                         "attention with dropout, with p above 0 and in training mode (train())")


def _in_turn(steps: list[_Step], seconds: float) -> list[list[float]]:
    """Seconds of each step, a row for each round."""
    for step in steps * _WARM_UP:
        step.seconds()
    rounds: list[list[float]] = []
    end = time.perf_counter() + seconds
    while len(rounds) < _FEWEST_PAIRS or time.perf_counter() < end:
        row = [0.0] * len(steps)
        for turn in range(len(steps)):
            which = (turn + len(rounds)) % len(steps)
            row[which] = steps[which].seconds()
        rounds.append(row)
    return rounds


def _summary(times: list[list[float]]) -> Overhead:
    without, pytorch, simdrop = (statistics.median(column) * 1e3 for column in zip(*times))
    pytorch_adds, simdrop_adds = (
        statistics.median(row[i] / row[0] - 1 for row in times) * 100 for i in (1, 2))
    return Overhead(without, pytorch, simdrop, pytorch_adds, simdrop_adds, len(times),
                    threads=torch.get_num_threads(), cpu=cpu_name(), instruction_set=active_isa(),
                    torch=torch.__version__, simdrop=version())
