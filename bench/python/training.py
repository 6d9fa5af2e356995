"""A training step of a model, for the benches."""

import contextlib

import torch


class Negation(torch.nn.Module):
    """In the place of dropout: what any operation costs that reads and writes as much."""

    def __init__(self, p):
        super().__init__()

    def forward(self, x):
        return x.neg()


class _Negate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.neg()

    @staticmethod
    def backward(ctx, dy):
        return dy.neg()


class NegationInPython(Negation):
    """The same as an autograd function of Python's."""

    def forward(self, x):
        return _Negate.apply(x)


class Step:
    """Forward, the mean of squares, backward, update: a call for each number of a batch."""

    def __init__(self, model, batches, optimizer, autocast=False, within=contextlib.nullcontext):
        self.model, self.batches, self.within = model, batches, within
        self.optimizer = optimizer(model.parameters())
        self.autocast = autocast

    def __call__(self, number):
        with self.within():
            self.optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
                y = self.model(self.batches[number % len(self.batches)])
            y.float().square().mean().backward()
            self.optimizer.step()


def sgd(parameters):
    """Learning rate 0: weights stay where they are, so that every step is like the first."""
    return torch.optim.SGD(parameters, lr=0.0, momentum=0.9, fused=True)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.0)
