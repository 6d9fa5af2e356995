"""overhead(): what it prints, what it counts as a model with dropout, what it leaves alone."""

import copy
import json
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import simdrop.torch as S

LEAST = 1e-3  # seconds: then 5 rounds


def mlp(p=0.5):
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(p), nn.Linear(16, 4))


class Attention(nn.Module):
    """Dropout in attention alone."""

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        return F.scaled_dot_product_attention(*[self.linear(x)] * 3, dropout_p=self.p)


SEEN = []


class Functional(nn.Module):
    """Notes whose dropout its copies called, and how much was dropped."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x):
        y = F.dropout(self.linear(x), 0.5, self.training)
        SEEN.append((F.dropout.__module__, int((y == 0).sum())))
        return y


def test_the_table_and_json():
    found = S.overhead(mlp(), torch.randn(6, 8), seconds=LEAST)
    fields = json.loads(found.json())
    assert fields["pairs"] >= 5 and fields["threads"] == torch.get_num_threads()
    assert fields["torch"] == torch.__version__ and fields["cpu"]
    for name in ("without_ms", "pytorch_ms", "simdrop_ms"):
        assert fields[name] == getattr(found, name) > 0
    for name in ("pytorch_adds_percent", "simdrop_adds_percent"):
        assert math.isfinite(fields[name]) and fields[name] > -100
    lines = str(found).splitlines()
    assert [line.split("  ")[0] for line in lines[:4]] == [
        "a step", "without dropout", "PyTorch's dropout", "simdrop's dropout"]
    for line, name in zip(lines[1:], ("without_ms", "pytorch_ms", "simdrop_ms")):
        assert f"{fields[name]:.3f}" in line.split()
    assert f"{fields['pairs']} rounds" in lines[4] and fields["cpu"] in lines[4]


def test_the_model_and_the_generator_stay_as_they_are():
    model = nn.Sequential(mlp(), nn.BatchNorm1d(4), nn.Dropout())
    model[1].eval()
    model(torch.randn(6, 8)).sum().backward()
    before = copy.deepcopy(model)
    gradients = [p.grad.clone() for p in model.parameters()]
    torch.manual_seed(1)
    state = torch.get_rng_state()
    S.overhead(model, torch.randn(6, 8, generator=torch.Generator()), seconds=LEAST,
               optimizer=lambda parameters: torch.optim.Adam(parameters, 0.1))
    assert torch.equal(state, torch.get_rng_state())
    for a, b in zip(model.state_dict().values(), before.state_dict().values()):
        assert torch.equal(a, b)
    for p, gradient in zip(model.parameters(), gradients):
        assert torch.equal(p.grad, gradient)
    for a, b in zip(model.modules(), before.modules()):
        assert type(a) is type(b) and a.training is b.training
        assert getattr(a, "p", None) == getattr(b, "p", None)


def test_each_copy_has_its_dropout_and_as_many_turns():
    SEEN.clear()
    S.overhead(Functional(), torch.ones(64, 8), seconds=LEAST)
    modules = [module for module, _ in SEEN]
    kinds = {"simdrop.torch._overhead", "torch.nn.functional", "simdrop.torch._patched"}
    assert set(modules) == kinds
    counts = {kind: modules[1:].count(kind) for kind in kinds}  # the first looks for dropout
    assert len(set(counts.values())) == 1
    for module, zeros in SEEN[1:]:
        assert (zeros == 0) == (module == "simdrop.torch._overhead")  # of 512, with p .5
    assert F.dropout.__module__ == "torch.nn.functional"


def test_steps_learn_with_the_callers_optimizer_and_loss():
    losses = []

    def loss(output):
        value = F.mse_loss(output, torch.ones_like(output))
        losses.append(value.item())
        return value

    S.overhead(mlp(0.01), torch.randn(6, 8), loss=loss, seconds=LEAST,
               optimizer=lambda parameters: torch.optim.SGD(parameters, 0.1))
    assert sum(losses[-3:]) < sum(losses[:3])


@pytest.mark.parametrize("model", [
    mlp(), Attention(0.5), Functional(),
    nn.MultiheadAttention(8, 2, dropout=0.1), nn.TransformerEncoderLayer(8, 2, 8, 0.1)],
    ids=lambda m: type(m).__name__)
def test_models_that_drop(model):
    batch = torch.randn(2, 3, 8)
    if isinstance(model, nn.MultiheadAttention):
        found = S.overhead(model, (batch, batch, batch), loss=lambda y: y[0].sum(), seconds=LEAST)
    else:
        found = S.overhead(model, batch, seconds=LEAST)
    assert found.pairs >= 5


def test_arguments_by_name():
    assert S.overhead(mlp(), {"input": torch.randn(6, 8)}, seconds=LEAST).pairs >= 5


@pytest.mark.parametrize("model", [nn.Linear(8, 8), mlp(0.0), mlp().eval(), Attention(0.0),
                                   nn.Sequential(nn.Linear(8, 8), nn.AlphaDropout())],
                         ids=["linear", "p 0", "eval", "attention", "alpha"])
def test_a_model_without_dropout_is_an_error(model):
    with pytest.raises(ValueError, match="model calls no dropout"):
        S.overhead(model, torch.randn(2, 3, 8), seconds=LEAST)
    assert F.dropout.__module__ == "torch.nn.functional"


def test_errors():
    batch = torch.randn(6, 8)
    for layer in (S.Dropout(), S.LinearReLUDropout(8, 8), S.replace_(mlp())):
        with pytest.raises(ValueError, match="layer of simdrop's.*allowed: the model before"):
            S.overhead(nn.Sequential(nn.Dropout(), layer), batch, seconds=LEAST)
    for seconds in (0, -1, math.nan):
        with pytest.raises(ValueError, match="seconds is .*allowed: above 0"):
            S.overhead(mlp(), batch, seconds=seconds)
    with pytest.raises(TypeError, match="returns tuple.*a tensor"):
        S.overhead(nn.MultiheadAttention(8, 2, dropout=0.1), (batch, batch, batch), seconds=LEAST)
    with S.patched(), pytest.raises(RuntimeError, match="outside of patched"):
        S.overhead(mlp(), batch, seconds=LEAST)
