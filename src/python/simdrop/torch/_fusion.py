"""ReLU, then dropout, in a compiled graph: one operator each way, and no mask is saved.

PyTorch's compiler saves a byte an element for ReLU's backward, in a loop that costs more than the
dropout. The fused operators need their result alone, which the next layer saves anyway.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch.fx import Node

from ._schemas import operators

_registered = False


def register() -> None:
    """Adds the rule to PyTorch's compiler, if it is loaded. It changes graphs of simdrop alone."""
    global _registered
    if _registered or "torch._inductor.fx_passes.joint_graph" not in sys.modules:
        return
    _registered = True
    from torch._inductor.fx_passes.joint_graph import patterns
    from torch._inductor.pattern_matcher import (CallFunction, KeywordArg, Match,
                                                 register_graph_pattern)

    pattern = CallFunction(operators._dropout.default, KeywordArg("x"), KeywordArg("key"),
                           KeywordArg("p"), KeywordArg("stream"))

    def fits(match: Match) -> bool:
        return _relu_of(match.output_node()) is not None

    @register_graph_pattern(pattern, fits, pass_dict=patterns)
    def fuse(match: Match, **_: Any) -> None:
        _fuse(match.output_node())


def _is(node: Any, target: Any) -> bool:
    return isinstance(node, Node) and node.target is target and not node.kwargs


def _inputs(node: Node) -> tuple[Any, ...]:
    return node.args


def _relu_of(dropout: Node) -> Node | None:
    """The ReLU that nothing reads but this dropout, and the backward of both."""
    relu = _inputs(dropout)[0]
    if not _is(relu, torch.ops.aten.relu.default):
        return None
    others = [user for user in relu.users if user is not dropout]
    found: Node | None = relu if all(_backward_of(dropout, user) for user in others) else None
    return found


def _backward_of(dropout: Node, mask: Node) -> Node | None:
    """where(mask, 0, dropout(dy)), if `mask` is relu <= 0 and read by nothing else."""
    if not _is(mask, torch.ops.aten.le.Scalar) or mask.args[1] != 0 or len(mask.users) != 1:
        return None
    where = next(iter(mask.users))
    if not _is(where, torch.ops.aten.where.self) or where.args[0] is not mask:
        return None
    _, zero, dx = _inputs(where)
    same_mask = (_is(dx, dropout.target) and dx.args[1:] == dropout.args[1:]
                 and len(dx.users) == 1)
    if not same_mask or not _is_zero(zero):
        return None
    return where if _form(where) == _form(dx) == _form(dropout) else None


def _form(node: Node) -> tuple[Any, ...]:
    value = node.meta["val"]
    return value.shape, value.dtype, value.device


def _is_zero(node: Any) -> bool:
    return (isinstance(node, Node) and node.target is torch.ops.aten.full.default
            and _inputs(node)[1] == 0)


def _replaced(node: Node, operator: Any, *args: Any) -> Node:
    """A call of `operator` in the place of `node`."""
    graph = node.graph
    with graph.inserting_before(node):
        call = graph.call_function(operator.default, args)
    call.meta.update(node.meta)
    values = tuple(arg.meta["val"] if isinstance(arg, Node) else arg for arg in args)
    call.meta["eager_input_vals"] = (values, {})  # whose strides the compiler keeps
    node.replace_all_uses_with(call)
    graph.erase_node(node)
    return call


def _fuse(dropout: Node) -> None:
    relu, key, p, stream = _inputs(dropout)
    backward = [(mask, _backward_of(dropout, mask)) for mask in relu.users if mask is not dropout]
    y = _replaced(dropout, operators._relu_dropout, relu.args[0], None, key, p, stream)
    for mask, where in backward:
        assert where is not None
        dx = _inputs(where)[2]
        _replaced(where, operators._relu_dropout_backward, y, dx.args[0], p)
        y.graph.erase_node(dx)
        y.graph.erase_node(mask)
    y.graph.erase_node(relu)
