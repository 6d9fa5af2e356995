"""Dropout and its fusions as functions; _modules.py has the same as modules."""

from __future__ import annotations

import sys

import torch
from torch import Tensor
from torch._functorch import config as functorch_config
from torch.nn import functional

from . import _eager, _kernels
from ._autograd import differentiated, run
from ._kernels import DTYPES
from ._keys import as_int64, draw_of, drawn_key
from ._schemas import operators


def _check_p(p: float) -> None:
    if not 0.0 <= p <= 1.0:  # in the words of torch.nn.functional.dropout
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def is_ours(x: Tensor) -> bool:
    return (x.device.type == "cpu" and x.dtype in DTYPES and x.layout is torch.strided
            and not x.is_nested)


# With a smaller activation_memory_budget a graph does not save what must be saved: PyTorch 2.6 with
# any below 1, 2.15 with 0 alone; between them it was not tried.
_LEAST_BUDGET = 1e-9 if tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 15) else 1.0


def _in_64_bits(stream: int) -> int:
    """As PyTorch's operators take whole numbers."""
    return as_int64("stream", stream) if isinstance(stream, int) else stream


def _key(key: Tensor | None, generator: torch.Generator | None) -> Tensor:
    if key is not None:
        return key
    if generator is not None:
        return drawn_key(generator)
    if torch.compiler.is_compiling() and functorch_config.activation_memory_budget < _LEAST_BUDGET:
        return _key_from_outside()  # such a graph may not save it, and would draw again in backward
    drawn: Tensor = operators.draw_key()
    return drawn


_key_from_outside = torch._dynamo.disable(drawn_key)


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False, *,
            generator: torch.Generator | None = None, key: Tensor | None = None,
            stream: int = 0) -> Tensor:
    """As torch.nn.functional.dropout(): with probability p an element becomes +0 (NaN and Inf too),
    the others are divided by 1 - p. If it is not training, or p is 0, input itself is returned.

    Args:
        input: any shape and strides, and on the CPU float32, float64, float16 or bfloat16; what
            lies on other devices or has another type is handed to PyTorch. Elements are numbered in
            logical order: the mask does not depend on strides. Strides that are not rows of
            contiguous elements cost a copy.
        inplace: input is the result. It costs a pass more where a gradient is needed.
        generator: draws the seed of this call; None: PyTorch's own generator.
        key: int64 tensor of 2, a seed and the row that input begins with; then nothing is drawn,
            and the mask is that of simdrop.dropout(keep_prob=1-p, seed=key[0], stream=stream,
            first=key[1] * elements of a row).
        stream: number of the stream of that seed, any 64-bit integer.

    Works under autograd (any order, forward mode), torch.func, torch.compile, autocast, both kinds
    of checkpoints; backward draws the mask again instead of saving it. Thread-safe.

    Raises:
        ValueError: p is not in [0, 1].
    """
    if training and 0.0 < p <= 1.0 and not inplace and _eager.is_plain(input):
        return _eager.dropout(input, draw_of(p, generator, key, stream))
    _check_p(p)
    if not training or p == 0.0:
        return input
    if not is_ours(input):
        if generator is not None or key is not None:
            raise ValueError(f"generator and key need float32, float64, float16 or bfloat16 on the "
                             f"CPU; input is {input.dtype} on {input.device}")
        return functional.dropout(input, p, training, inplace)
    if inplace:
        return _dropout_inplace(input, p, generator, key, stream)
    result: Tensor = run(operators.dropout, input, _key(key, generator), p, _in_64_bits(stream))
    return result


def _dropout_inplace(x: Tensor, p: float, generator: torch.Generator | None, key: Tensor | None,
                     stream: int) -> Tensor:
    if differentiated(x) or not _eager.is_plain(x) or not x.is_contiguous():
        return x.copy_(dropout(x, p, generator=generator, key=key, stream=stream))
    _kernels.dropout_(x, draw_of(p, generator, key, stream))
    if not x.is_inference():
        torch.autograd.graph.increment_version(x)
    return x


def _fits(bias: Tensor | None, x: Tensor) -> bool:
    return bias is None or (x.dim() > 0 and bias.shape == x.shape[-1:] and bias.dtype == x.dtype
                            and bias.device == x.device and bias.layout is torch.strided)


def _are_plain(x: Tensor, bias: Tensor | None) -> bool:
    return _eager.is_plain(x) and (bias is None or _eager.is_plain(bias))


def relu_dropout(input: Tensor, p: float = 0.5, training: bool = True, *,
                 bias: Tensor | None = None, generator: torch.Generator | None = None,
                 key: Tensor | None = None, stream: int = 0) -> Tensor:
    """dropout(relu(input + bias)) in one pass, and its gradient in another, which reads the result
    alone: no mask, no input is saved. NaN is kept by ReLU, and has gradient 0; -0 gives +0.

    Args:
        bias: as long as the last dimension of input; None: none.
        The others are those of dropout().
    """
    _check_p(p)
    fits = _fits(bias, input)
    if training and p > 0.0 and fits and _are_plain(input, bias):
        return _eager.relu_dropout(input, bias, p, generator, key, stream)
    if not training or p == 0.0 or not is_ours(input) or not fits:
        z = functional.relu(input if bias is None else input + bias)
        return dropout(z, p, training, generator=generator, key=key, stream=stream)
    result: Tensor = run(operators.relu_dropout, input, bias, _key(key, generator), p,
                         _in_64_bits(stream))
    return result


def residual_dropout(input: Tensor, residual: Tensor, p: float = 0.5, training: bool = True, *,
                     generator: torch.Generator | None = None, key: Tensor | None = None,
                     stream: int = 0) -> Tensor:
    """residual + dropout(input) in one pass. The arguments are those of dropout(), and

    residual: of input's shape and type; another one is added by PyTorch.
    """
    _check_p(p)
    fits = (input.shape == residual.shape and input.dtype == residual.dtype
            and is_ours(residual))
    if not training or p == 0.0 or not is_ours(input) or not fits:
        return residual + dropout(input, p, training, generator=generator, key=key, stream=stream)
    result: Tensor = run(operators.residual_dropout, input, residual, _key(key, generator), p,
                         _in_64_bits(stream))
    return result


def _references(z: Tensor) -> int:
    return sys.getrefcount(z)


def _references_of_a_new_one() -> int:
    z = torch.empty(0, device="cpu")
    return _references(z)


_ALONE = _references_of_a_new_one()  # which differs between versions of Python
_function_modes = torch._C._len_torch_function_stack


def linear_relu_dropout(input: Tensor, weight: Tensor, bias: Tensor | None = None, p: float = 0.5,
                        training: bool = True, *, generator: torch.Generator | None = None,
                        key: Tensor | None = None, stream: int = 0) -> Tensor:
    """dropout(relu(linear(input, weight, bias))): PyTorch's product, then bias, ReLU and dropout in
    the one pass that ReLU takes alone. Backward reads the result: nothing else is saved beside the
    operands of the product.

    Args:
        input: ... x in. weight: out x in. bias: out, or None. The result is ... x out.
        The others are those of dropout().
    """
    _check_p(p)
    if not training or p == 0.0:
        return functional.relu(functional.linear(input, weight, bias))
    z = functional.linear(input, weight, bias)
    # In place where nobody else has z; a mode may have kept an alias.
    if _eager.is_plain(z) and _references(z) == _ALONE and not _function_modes():
        return _eager.relu_dropout(z, None, p, generator, key, stream, in_place=True)
    return relu_dropout(z, p, generator=generator, key=key, stream=stream)
