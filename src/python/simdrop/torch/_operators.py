"""What the operators do, for each of PyTorch's dispatch keys."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import ProxyTorchDispatchMode, track_tensor_tree
from torch.utils.checkpoint import CheckpointPolicy

from . import _autograd, _kernels
from ._autograd import differentiated
from ._keys import draw_of, drawn_key
from ._schemas import library, operators
from ._vmap import for_examples


def _dropout(x: Tensor, key: Tensor, p: float, stream: int) -> Tensor:
    return _kernels.dropout(x, _kernels.described(draw_of(p, None, key, stream), x))


def _residual_dropout(x: Tensor, residual: Tensor, key: Tensor, p: float, stream: int) -> Tensor:
    return _kernels.residual_dropout(x, residual, draw_of(p, None, key, stream))


def _relu_dropout(x: Tensor, bias: Tensor | None, key: Tensor, p: float, stream: int) -> Tensor:
    return _kernels.relu_dropout(x, bias, draw_of(p, None, key, stream))


def _like_first(x: Tensor, *_: Any) -> Tensor:
    return torch.empty_like(x)


def _kernel_of(function: type[torch.autograd.Function], operator: Any) -> Callable[..., Any]:
    """What the operator does where a derivative may be asked for."""

    def kernel(*args: Any) -> Any:
        if differentiated(*(x for x in args if isinstance(x, Tensor))):
            return function.apply(*args)
        return _autograd.below_autograd(operator, *args)

    return kernel


def _implement(name: str, kernel: Callable[..., Any], fake: Callable[..., Any],
               function: type[torch.autograd.Function]) -> None:
    packet = getattr(operators, name)
    library.impl(name, kernel, "CPU")
    library.impl(name, _kernel_of(function, packet.default), "Autograd")
    torch.library.register_fake("simdrop::" + name, fake, lib=library)
    example_by_example = _autograd.example_by_example(partial(_autograd.run, packet))
    torch.library.register_vmap("simdrop::" + name, example_by_example, lib=library)


_implement("dropout", _dropout, _like_first, _autograd.DropoutFunction)
_implement("residual_dropout", _residual_dropout, _like_first, _autograd.ResidualDropoutFunction)
_implement("relu_dropout", _relu_dropout, _like_first, _autograd.ReluDropoutFunction)
_implement("relu_dropout_backward", _kernels.relu_dropout_backward, _like_first,
           _autograd.ReluDropoutBackwardFunction)


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


library.impl("draw_key", _draw_key, "CompositeExplicitAutograd")
library.impl("draw_key", _draw_key_batched, "FuncTorchVmapMode")
torch.library.register_fake("simdrop::draw_key",
                            lambda *_, **__: torch.empty(2, dtype=torch.int64, device="cpu"),
                            lib=library)
torch.library.register_torch_dispatch("simdrop::draw_key", ProxyTorchDispatchMode,
                                      _draw_key_traced, lib=library)
