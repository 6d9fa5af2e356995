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
_KINDS: dict[type[nn.Module], str] = {nn.Linear: "linear", nn.ReLU: "relu",
                                      nn.Dropout: "dropout", Dropout: "dropout"}
_FORWARDS: dict[type, Any] = {kind: kind.forward for kind in _KINDS}


class Sequential(nn.Sequential):
    """nn.Sequential with the same children and state_dict: Linear, ReLU, Dropout in a row run as
    one operation in training, ReLU, Dropout as another, and Dropout alone as simdrop's.

    Only modules of exactly these types (or simdrop's Dropout) that have no hooks are taken
    together, and only in front of another such Linear: backward reads the result, which a module
    that hands it on could let somebody change. Everything else is called as nn.Sequential calls it.
    """

    simdrop_runs = True

    def forward(self, input: Any) -> Any:
        modules = list(self._modules.values())
        watched = _watched()
        kinds = ["" if watched else _kind(module) for module in modules]
        at = 0
        while at < len(modules):
            taken = _together(kinds, at)
            if taken:
                input = _run(modules[at:at + taken], input)
            else:
                input = modules[at](input)
            at += max(taken, 1)
        return input


def _watched() -> bool:
    """Whether somebody looks at the calls of all modules."""
    return any(getattr(torch_module, hooks) for hooks in _GLOBAL_HOOKS)


def _kind(module: Any) -> str:
    """Of a module that need not be called, as nobody looks at its own calls; else ""."""
    kind = _KINDS.get(type(module), "")
    if not kind:
        return ""
    own = module.__dict__
    if ("forward" in own or any(own[hooks] for hooks in _HOOKS)
            or type(module).forward is not _FORWARDS[type(module)]):
        return ""
    return "" if kind == "dropout" and not (own["training"] and own["p"] > 0) else kind


def _together(kinds: list[str], at: int) -> int:
    """How many modules, from number `at` on, are one operation; 0: none."""
    for pattern in (["linear", "relu", "dropout"], ["relu", "dropout"]):
        end = at + len(pattern)
        if kinds[at:end] == pattern:
            return len(pattern) if kinds[end:end + 1] == ["linear"] else 0
    return 1 if kinds[at] == "dropout" else 0


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
