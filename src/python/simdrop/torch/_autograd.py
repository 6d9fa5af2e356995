"""The operators' derivatives, as autograd functions that call the operators again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._C._functorch import peek_interpreter_stack
from torch.autograd import forward_ad

from ._schemas import operators


def below_autograd(operator: Any) -> Any:
    """The operator that computes the same and has no derivative."""
    return getattr(operators, "_" + operator.__name__).default


def differentiated(*tensors: Tensor) -> bool:
    """Whether what is computed of these tensors now may be asked for its derivative."""
    return forward_ad._current_level >= 0 or (
        torch.is_grad_enabled() and any(x.requires_grad for x in tensors))


def sum_of_rows(x: Tensor) -> Tensor:
    """Over all dimensions but the last."""
    return x if x.dim() == 1 else x.sum(tuple(range(x.dim() - 1)))


def save(ctx: Any, *tensors: Tensor) -> None:
    ctx.save_for_backward(*tensors)
    ctx.save_for_forward(*tensors)


def example_by_example(operator: Callable[..., Any]) -> Callable[..., Any]:
    """An operator under vmap. A key that is not batched gives each example the same mask."""

    def batched(info: Any, in_dims: tuple[int | None, ...], *args: Any) -> Any:
        if info.batch_size == 0:  # elementwise: of no example there is no element
            x, dim = args[0], in_dims[0]
            shape = x.shape if dim is None else x.movedim(dim, 0).shape[1:]
            return x.new_empty((0, *shape)), 0
        rows = [operator(*(a if d is None else a.select(d, i) for a, d in zip(args, in_dims)))
                for i in range(info.batch_size)]
        return torch.stack(rows), 0

    return batched


def run(operator: Any, *args: Any) -> Any:
    """The operator, so that every transform of PyTorch sees it."""
    if not torch.compiler.is_compiling() and peek_interpreter_stack() is not None:
        return functions[operator].apply(*args)  # torch.func differentiates no operators
    return operator(*args)


functions: dict[Any, type[Pure]] = {}


class Pure(torch.autograd.Function):
    """A function whose values are those of `operator`."""

    operator: Any

    def __init_subclass__(cls) -> None:
        functions[cls.operator] = cls
        kernel = below_autograd(cls.operator)
        cls.forward = staticmethod(  # type: ignore[method-assign]
            lambda *args: kernel(*args))
        cls.vmap = staticmethod(  # type: ignore[method-assign]
            example_by_example(partial(run, cls.operator)))


class DropoutFunction(Pure):
    """Forward, backward and tangents are one operator, with the same mask: it is linear."""

    operator = operators.dropout

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        _, key, *ctx.mask = inputs
        save(ctx, key)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        return run(operators.dropout, dy, *ctx.saved_tensors, *ctx.mask), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, *_: Any) -> Tensor:
        return run(operators.dropout, tangent, *ctx.saved_tensors, *ctx.mask)


class ResidualDropoutFunction(Pure):
    operator = operators.residual_dropout

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        _, _, key, *ctx.mask = inputs
        save(ctx, key)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        dx = None
        if ctx.needs_input_grad[0]:
            dx = run(operators.dropout, dy, *ctx.saved_tensors, *ctx.mask)
        return dx, dy, None, None, None

    @staticmethod
    def jvp(ctx: Any, dx: Tensor | None, dresidual: Tensor | None, *_: Any) -> Tensor | None:
        if dx is None:
            return dresidual
        dropped = run(operators.dropout, dx, *ctx.saved_tensors, *ctx.mask)
        return dropped if dresidual is None else dropped + dresidual


class ReluDropoutFunction(Pure):
    operator = operators.relu_dropout

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        _, _, _, ctx.p, _ = inputs
        save(ctx, output)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        (y,) = ctx.saved_tensors
        dx = run(operators.relu_dropout_backward, y, dy, ctx.p)
        db = sum_of_rows(dx) if ctx.needs_input_grad[1] else None
        return dx if ctx.needs_input_grad[0] else None, db, None, None, None

    @staticmethod
    def jvp(ctx: Any, dx: Tensor | None, dbias: Tensor | None, *_: Any) -> Tensor:
        (y,) = ctx.saved_tensors
        dz = torch.zeros_like(y) if dx is None else dx
        dz = dz if dbias is None else dz + dbias
        return run(operators.relu_dropout_backward, y, dz, ctx.p)


class ReluDropoutBackwardFunction(Pure):
    """dx = y > 0 ? dy / (1 - p) : 0: linear in dy, and constant around y."""

    operator = operators.relu_dropout_backward

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        y, _, ctx.p = inputs
        save(ctx, y)

    @staticmethod
    def backward(ctx: Any, ddx: Tensor) -> tuple[Tensor | None, ...]:
        return None, run(operators.relu_dropout_backward, *ctx.saved_tensors, ddx, ctx.p), None

    @staticmethod
    def jvp(ctx: Any, _: Tensor | None, ddy: Tensor | None, *__: Any) -> Tensor:
        (y,) = ctx.saved_tensors
        if ddy is None:
            return torch.zeros_like(y)
        return run(operators.relu_dropout_backward, y, ddy, ctx.p)
