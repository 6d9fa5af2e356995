"""ReLU, then dropout, in a compiled graph: one operator each way, if nothing else reads the ReLU."""

import pytest
import torch
import torch._inductor.config as inductor
from torch import nn

import simdrop.torch as S

KEY, OTHER = torch.tensor([7, 0]), torch.tensor([8, 0])
FUSED = ["_relu_dropout", "_relu_dropout_backward"]
ALONE = ["_dropout", "_dropout"]  # forward and backward


@pytest.fixture(autouse=True)
def operators():
    """The names of simdrop's operators in the graphs that are compiled."""
    found = []

    def collect(graph):
        found.extend(node.target.__name__.partition(".")[0] for node in graph.nodes
                     if str(node.target).startswith("simdrop."))

    torch._dynamo.reset()
    with inductor.patch(force_disable_caches=True, joint_custom_post_pass=collect):
        yield found


def compare(function, x):
    """The compiled function is the function: values bit for bit, gradients but for sums' order."""
    results = []
    for run in (function, torch.compile(function, fullgraph=True)):
        leaf = x.clone().requires_grad_()
        y = run(leaf)
        dy = torch.arange(1.0, y.numel() + 1).reshape(y.shape)
        (gradient,) = torch.autograd.grad(y, leaf, dy)
        results.append((y.detach(), gradient))
    (y, dx), (graph_y, graph_dx) = results
    assert torch.equal(graph_y, y)
    torch.testing.assert_close(graph_dx, dx, rtol=4 * 2**-24, atol=0)


def relu(x):
    return nn.functional.relu(x * 1.0)


@pytest.mark.parametrize("p", [0.25, 1.0])
@pytest.mark.parametrize("layer", [nn.ReLU(), nn.ReLU(inplace=True)], ids=["new", "inplace"])
def test_relu_and_dropout_are_one(operators, layer, p):
    compare(lambda x: S.dropout(layer(x * 1.0), p, key=KEY), torch.randn(33, 7))
    assert sorted(operators) == FUSED


def test_without_gradient(operators):
    x = torch.randn(33, 7)
    with torch.no_grad():
        y = torch.compile(lambda x: S.dropout(relu(x), key=KEY), fullgraph=True)(x)
    assert torch.equal(y, S.dropout(relu(x), key=KEY)) and operators == FUSED[:1]


def two_readers(x):
    y = relu(x)
    return S.dropout(y, key=KEY) + y


def two_masks(x):
    y = relu(x)
    return S.dropout(y, key=KEY) + S.dropout(y, key=OTHER)


def mask_twice(x):
    y = relu(x)
    return S.dropout(y, key=KEY) * S.dropout(y, key=KEY)


def other_layer_between(x):
    return S.dropout(relu(x) * 3.0, key=KEY)


def leaky(x):
    return S.dropout(nn.functional.leaky_relu(x * 1.0), key=KEY)


@pytest.mark.parametrize("function, count", [(two_readers, 1), (two_masks, 2), (mask_twice, 2),
                                             (other_layer_between, 1), (leaky, 1)])
def test_what_is_not_relu_and_dropout_stays(operators, function, count):
    compare(function, torch.randn(33, 7))
    assert set(operators) == set(ALONE) and len(operators) <= 2 * count


def test_a_network_of_three_layers(operators):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), S.Dropout(0.5), nn.Linear(16, 16),
                          nn.ReLU(), S.Dropout(0.25), nn.Linear(16, 4))
    compiled = torch.compile(model, fullgraph=True)
    compiled(torch.randn(5, 8)).sum().backward()
    assert sorted(name for name in operators if name != "draw_key") == sorted(2 * FUSED)


@pytest.mark.parametrize("dy", [torch.randn(5), torch.randn(3, 5).double()], ids=["shape", "type"])
def test_what_only_looks_like_a_backward(operators, dy):
    dropout = torch.ops.simdrop.dropout

    def function(x, dy):
        y = torch.relu(x)
        zero = torch.zeros((), dtype=dy.dtype)
        return dropout(y, KEY, 0.5, 0), torch.where(y <= 0, zero, dropout(dy, KEY, 0.5, 0))

    x = torch.randn(3, 5)
    for ours, theirs in zip(torch.compile(function)(x, dy), function(x, dy)):
        assert torch.equal(ours, theirs) and ours.dtype == theirs.dtype
    assert operators == ALONE
