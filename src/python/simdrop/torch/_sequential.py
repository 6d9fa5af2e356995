"""nn.Sequential that runs Linear, ReLU, Dropout as one operation."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as torch_module

from . import _functional
from ._modules import Dropout, mask_of

_GLOBAL_HOOKS = ("_global_backward_pre_hooks", "_global_backward_hooks",
                 "_global_forward_hooks", "_global_forward_pre_hooks")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


_FORWARDS: dict[type, Any] = {kind: kind.forward
                              for kind in (nn.Linear, nn.ReLU, nn.Dropout, Dropout)}


def _unhooked(module: nn.Module) -> bool:
    """Whether nobody looks at the module's own calls, so that it need not be called."""
    return ("forward" not in module.__dict__ and not any(getattr(module, h) for h in _HOOKS)
            and type(module).forward is _FORWARDS.get(type(module)))


class Sequential(nn.Sequential):
    """nn.Sequential with the same children and state_dict: Linear, ReLU, Dropout in a row run as
    one operation in training, ReLU, Dropout as another, and Dropout alone as simdrop's.

    Only modules of exactly these types (or simdrop's Dropout) that have no hooks are taken
    together, and only in front of a module of PyTorch's that does not work in place: backward reads
    the result. Everything else is called as nn.Sequential calls it.
    """

    simdrop_runs = True

    def forward(self, input: Any) -> Any:
        modules = list(self)
        hooked = any(getattr(torch_module, hooks) for hooks in _GLOBAL_HOOKS)
        at = 0
        while at < len(modules):
            taken = 0 if hooked else _together(modules[at:at + 4])
            if taken:
                input = _run(modules[at:at + taken], input)
            else:
                input = modules[at](input)
            at += max(taken, 1)
        return input


def _together(modules: list[nn.Module]) -> int:
    """How many of the next modules are one operation; 0: none."""
    kinds = [_kind(m) for m in modules]
    for pattern in (["linear", "relu", "dropout"], ["relu", "dropout"]):
        if kinds[:len(pattern)] == pattern:
            following = modules[len(pattern):]
            return len(pattern) if following and _keeps_its_input(following[0]) else 0
    return 1 if kinds[0] == "dropout" else 0


def _keeps_its_input(module: nn.Module) -> bool:
    return (type(module).__module__.startswith(("torch.nn.", "simdrop."))
            and not isinstance(module, (nn.ModuleList, nn.Sequential))
            and not getattr(module, "inplace", False))


def _kind(module: Any) -> str:
    if not _unhooked(module):
        return ""
    if type(module) is nn.Linear:
        return "linear"
    if type(module) is nn.ReLU:
        return "relu"
    if type(module) in (nn.Dropout, Dropout) and module.training and module.p > 0:
        return "dropout"
    return ""


def _run(modules: list[Any], x: Tensor) -> Tensor:
    dropout = modules[-1]
    mask = mask_of(dropout, x)
    if len(modules) == 3:
        linear = modules[0]
        return _functional.linear_relu_dropout(x, linear.weight, linear.bias, dropout.p, **mask)
    if len(modules) == 2 and not modules[0].inplace:
        return _functional.relu_dropout(x, dropout.p, **mask)
    if len(modules) == 2:
        x = modules[0](x)
    return _functional.dropout(x, dropout.p, inplace=dropout.inplace, **mask)
