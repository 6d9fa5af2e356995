"""simdrop's dropout in models that are there already."""

from __future__ import annotations

from torch import nn

from ._modules import Dropout
from ._sequential import Sequential


def replace_(model: nn.Module) -> nn.Module:
    """Makes each nn.Dropout and nn.Sequential of `model` simdrop's, in place, and returns it.

    They stay the same objects, with their parameters, hooks and names; state_dict() is the same.
    Modules of derived classes are left alone, as is what calls F.dropout itself: see patched().
    """
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.__class__ = Dropout
        elif type(module) is nn.Sequential:
            module.__class__ = Sequential
    return model
