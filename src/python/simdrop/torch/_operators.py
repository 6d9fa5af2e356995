"""What the operators do, for each of PyTorch's dispatch keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import ProxyTorchDispatchMode, track_tensor_tree
from torch.utils.checkpoint import CheckpointPolicy

from . import _autograd as autograd
from . import _fusion, _kernels, _native
from ._keys import draw_of, drawn_key
from ._schemas import library, operators
from ._vmap import for_examples


def _dropout(x: Tensor, key: Tensor, p: float, stream: int) -> Tensor:
    return _kernels.dropout(x, draw_of(p, None, key, stream))


def _residual_dropout(x: Tensor, residual: Tensor, key: Tensor, p: float, stream: int) -> Tensor:
    return _kernels.residual_dropout(x, residual, draw_of(p, None, key, stream))


def _relu_dropout(x: Tensor, bias: Tensor | None, key: Tensor, p: float, stream: int) -> Tensor:
    return _kernels.relu_dropout(x, bias, draw_of(p, None, key, stream))


_KERNELS = {"dropout": _dropout, "residual_dropout": _residual_dropout,
            "relu_dropout": _relu_dropout,
            "relu_dropout_backward": _kernels.relu_dropout_backward}


def _like_first(x: Tensor, *others: Any) -> Tensor:
    _fusion.register()  # a graph may be in the making
    for other in others:
        if isinstance(other, Tensor) and other.device != x.device:
            raise ValueError(f"an argument lies on {other.device}; allowed: x's device, {x.device}")
    return torch.empty_like(x)


def _differentiable(function: type[autograd.Pure]) -> Callable[..., Any]:
    """What the operator does where a derivative may be asked for."""
    kernel = autograd.below_autograd(function.operator)

    def choose(*args: Any) -> Any:
        if autograd.differentiated(*(x for x in args if isinstance(x, Tensor))):
            return function.apply(*args)
        return kernel(*args)

    return choose


def _implement(function: type[autograd.Pure], native: bool) -> None:
    packet = function.operator
    name, below = packet.__name__, "_" + packet.__name__
    library.impl(name, _differentiable(function), "Autograd")
    library.impl(name, autograd.below_autograd(packet), "CompositeExplicitAutograd")
    library.impl(below, torch.library.fallthrough_kernel, "Autograd")
    if not native:
        library.impl(below, _KERNELS[name], "CPU")
    for each in (name, below):
        torch.library.register_fake("simdrop::" + each, _like_first, lib=library)
    example_by_example = autograd.example_by_example(partial(autograd.run, packet))
    torch.library.register_vmap("simdrop::" + name, example_by_example, lib=library)


_native_operators = _native.register_operators()
for _function in autograd.functions.values():
    _implement(_function, _native_operators)


def _draw_key(site: int = 0, device: torch.device | None = None) -> Tensor:
    return drawn_key()


def _draw_key_batched(site: int = 0, device: torch.device | None = None) -> Tensor:
    return for_examples(drawn_key)


def _draw_key_traced(mode: ProxyTorchDispatchMode, operator: Any, *_: Any) -> Any:
    """In a graph: two draws are two, and what is drawn is saved, never drawn again."""
    site = sum(node.target is operator for node in mode.tracer.graph.nodes)
    proxy = mode.tracer.create_proxy("call_function", operator, (site,),
                                     {"device": torch.device("cpu")})
    proxy.node.meta["recompute"] = CheckpointPolicy.MUST_SAVE
    return track_tensor_tree(operator(site), proxy, constant=None, tracer=mode.tracer)


if not _native_operators:
    library.impl("draw_key", _draw_key, "CompositeExplicitAutograd")
library.impl("draw_key", _draw_key_batched, "FuncTorchVmapMode")
torch.library.register_fake("simdrop::draw_key",
                            lambda *_, **__: torch.empty(2, dtype=torch.int64, device="cpu"),
                            lib=library)
torch.library.register_torch_dispatch("simdrop::draw_key", ProxyTorchDispatchMode,
                                      _draw_key_traced, lib=library)
