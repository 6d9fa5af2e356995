"""The operators simdrop::*, which are pure: what a mask is a function of is among their arguments.

`key` is an int64 tensor of 2: a seed, and the row of the whole batch that a tensor's first row is.
So a graph that computes an operator a second time, a checkpoint that does, and every split of a
batch give the same mask. Only draw_key() is not pure: it draws a seed from PyTorch's generator.
"""

from __future__ import annotations

import torch

library = torch.library.Library("simdrop", "DEF")

# The strides of results follow from those of the arguments, so a compiler must keep these.
_TAGS = [torch.Tag.pt2_compliant_tag,
         getattr(torch.Tag, "needs_exact_strides", torch.Tag.needs_fixed_stride_order)]
_MASK = "Tensor key, float p, int stream"

_ARGUMENTS = {
    "dropout": f"Tensor x, {_MASK}",
    "residual_dropout": f"Tensor x, Tensor residual, {_MASK}",
    "relu_dropout": f"Tensor x, Tensor? bias, {_MASK}",
    "relu_dropout_backward": "Tensor y, Tensor dy, float p",
}
for _name, _arguments in _ARGUMENTS.items():
    library.define(f"{_name}({_arguments}) -> Tensor", tags=_TAGS)
    library.define(f"_{_name}({_arguments}) -> Tensor", tags=_TAGS)  # the same below autograd
# site: compilers take two calls with equal arguments for one. device: the CPU, where they look for
# the state of the generator that a checkpoint restores.
library.define("draw_key(int site=0, *, Device? device=None) -> Tensor",
               tags=[torch.Tag.pt2_compliant_tag, torch.Tag.nondeterministic_seeded])

operators = torch.ops.simdrop
