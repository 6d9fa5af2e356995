"""The operators under everything that PyTorch does with operators."""

import oracle
import pytest
import torch
from torch.autograd import forward_ad, gradcheck, gradgradcheck
from torch.func import grad, hessian, jvp, vmap

import simdrop.torch as S
from simdrop.torch._schemas import operators

KEY = torch.tensor([7, 0])


def doubles(*shape):
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def away_from_zero(*shape):
    """ReLU has no derivative at 0."""
    x = torch.randn(shape, dtype=torch.float64)
    return (x + torch.sign(x) * 0.1).requires_grad_()


Y = torch.relu(doubles(4, 6)).detach()
CALLS = {
    "dropout": (S.dropout, (doubles(4, 6),)),
    "dropout in place": (lambda x, **k: S.dropout(x * 1, inplace=True, **k), (doubles(4, 6),)),
    "relu_dropout": (S.relu_dropout, (away_from_zero(4, 6),)),
    "relu_dropout with bias": (lambda x, b, **k: S.relu_dropout(x, bias=b, **k),
                               (away_from_zero(3, 4, 6), doubles(6))),
    "residual_dropout": (S.residual_dropout, (doubles(4, 6), doubles(4, 6))),
    "linear_relu_dropout": (S.linear_relu_dropout, (doubles(4, 6), doubles(5, 6), doubles(5))),
    "linear_relu_dropout of 3 dimensions": (S.linear_relu_dropout,
                                            (doubles(2, 3, 6), doubles(5, 6), doubles(5))),
    "linear_relu_dropout without bias": (S.linear_relu_dropout, (doubles(4, 6), doubles(5, 6))),
}


@pytest.mark.parametrize("name", CALLS)
def test_derivatives(name):
    call, args = CALLS[name]

    def function(*args):
        return call(*args, p=0.4, key=KEY)

    assert gradcheck(function, args, check_forward_ad=True, check_batched_grad=True)
    assert gradgradcheck(function, args)


@pytest.mark.parametrize("call", [S.dropout, S.relu_dropout], ids=["dropout", "relu_dropout"])
@pytest.mark.parametrize("inside", [True, False], ids=["all", "backward"])
def test_tangents_of_gradients(call, inside):
    x = torch.full((4,), 2.0, requires_grad=True)
    before = call(x, 1e-9, key=KEY)  # keeps all: y = x
    with forward_ad.dual_level():
        if inside:
            z = forward_ad.make_dual(x, torch.ones(4))
            (gradient,) = torch.autograd.grad((call(z, 1e-9, key=KEY) ** 3).sum(), z)
            expected = 12.0  # (3 x^2)'
        else:
            dy = forward_ad.make_dual(torch.ones(4), torch.full((4,), 5.0))
            (gradient,) = torch.autograd.grad(before, x, dy)
            expected = 5.0
        tangent = forward_ad.unpack_dual(gradient).tangent
    assert tangent is not None and (tangent == expected).all()


OPERATORS = [
    ("dropout", (doubles(4, 6), KEY, 0.5, 0)),
    ("dropout", (torch.randn(6, 4).t(), KEY, 0.5, 0)),
    ("residual_dropout", (doubles(4, 6), doubles(4, 6), KEY, 0.5, 0)),
    ("relu_dropout", (doubles(4, 6), doubles(6), KEY, 0.5, 0)),
    ("relu_dropout", (doubles(4, 6), None, KEY, 0.5, 0)),
    ("relu_dropout_backward", (Y, doubles(4, 6), 0.5)),
]


@pytest.mark.parametrize("name, args", OPERATORS,
                         ids=[f"{i}-{name}" for i, (name, _) in enumerate(OPERATORS)])
def test_opcheck(name, args):
    torch.library.opcheck(getattr(operators, name).default, args)


@pytest.mark.parametrize("name", CALLS)
def test_vmap_with_one_key_is_one_mask(name):
    call, args = CALLS[name]
    args = [a.detach() for a in args]
    examples = torch.stack([args[0], -args[0], 2 * args[0]], 1)
    batched = vmap(lambda x: call(x, *args[1:], p=0.4, key=KEY), in_dims=1)(examples)
    for i in range(3):
        one = call(examples[:, i], *args[1:], p=0.4, key=KEY)
        if name.startswith("linear"):  # PyTorch's product of all adds in another order
            torch.testing.assert_close(batched[i], one, rtol=1e-14, atol=1e-14)
            one = batched[i] * (one != 0)
        assert torch.equal(batched[i], one)


def test_vmap_of_keys():
    x = torch.randn(3, 50)
    keys = torch.tensor([[1, 0], [2, 0], [3, 4]])
    y = vmap(lambda x, key: S.dropout(x, key=key))(x, keys)
    for i in range(3):
        assert torch.equal(y[i], S.dropout(x[i], key=keys[i]))


def test_vmap_randomness():
    ones = torch.ones(4, 200)
    same = vmap(S.dropout, randomness="same")(ones)
    different = vmap(S.dropout, randomness="different")(ones)
    assert all(torch.equal(row, same[0]) for row in same)
    assert not any(torch.equal(different[i], different[j]) for i in range(4) for j in range(i))
    with pytest.raises(RuntimeError, match="randomness='same' or 'different'"):
        vmap(S.dropout)(ones)
    # Backward with the masks of forward: y^2 of ones has the gradient 2 * 2 * 2 where it is kept.
    for randomness in ("same", "different"):
        gradients, y = vmap(torch.func.grad_and_value(lambda x: (S.dropout(x) ** 2).sum()),
                            randomness=randomness)(ones)
        assert set(gradients.unique().tolist()) == {0.0, 8.0}
        assert torch.equal(gradients.sum(1) / 2, y)


def one(x):
    return S.dropout(x, 0.5)


def different(rows):
    return len({tuple(row.tolist()) for row in rows.flatten(0, -2)})


@pytest.mark.parametrize("outer", ["same", "different"])
@pytest.mark.parametrize("inner", ["same", "different"])
def test_nested_vmap(outer, inner):
    y = vmap(vmap(one, randomness=inner), randomness=outer)(torch.ones(2, 3, 50))
    expected = (2 if outer == "different" else 1) * (3 if inner == "different" else 1)
    assert set(y.unique().tolist()) == {0.0, 2.0} and different(y) == expected


def test_vmap_inside_of_other_transforms():
    x = torch.ones(3, 50)
    gradient = grad(lambda x: vmap(one, randomness="different")(x).sum())(x)
    assert set(gradient.unique().tolist()) == {0.0, 2.0} and different(gradient) == 3
    y, dy = jvp(lambda x: vmap(one, randomness="different")(x), (x,), (x,))
    assert torch.equal(y, dy) and different(y) == 3
    assert vmap(one, randomness="different")(torch.ones(0, 3)).shape == (0, 3)


def test_vmap_after_advance():
    layer, x = S.Dropout(), torch.ones(3, 50)
    S.advance(layer, 5)
    with pytest.raises(RuntimeError, match="randomness='same' or 'different'"):
        vmap(layer)(x)
    same = vmap(layer, randomness="same")(x)
    assert different(same) == 1 and torch.equal(same[0], layer(x[0]))
    rows = vmap(layer, randomness="different")(x)
    assert different(rows) == 3 and torch.equal(rows[0], layer(x[0]))
    assert torch.equal(vmap(layer, randomness="different")(x), rows)


def test_func():
    x, tangent = torch.randn(9), torch.randn(9)
    value, derivative = jvp(lambda x: S.dropout(x, key=KEY), (x,), (tangent,))
    assert torch.equal(value, oracle.dropout(x, 0.5, 7))
    assert torch.equal(derivative, oracle.dropout(tangent, 0.5, 7))
    kept = oracle.mask((9,), 0.5, 7)
    assert torch.equal(grad(lambda x: S.dropout(x, key=KEY).sum())(x), kept * 2.0)
    cubes = hessian(lambda x: (S.dropout(x, key=KEY) ** 3).sum())(x)
    torch.testing.assert_close(cubes, torch.diag(kept * 48 * x))
    jacobian = torch.func.jacfwd(lambda x: S.relu_dropout(x, key=KEY))(x)
    assert torch.equal(jacobian, torch.diag(kept * (x > 0) * 2.0))


def test_relu_dropout_is_relu_and_dropout():
    x, bias = torch.randn(5, 8, requires_grad=True), torch.randn(8, requires_grad=True)
    y = S.relu_dropout(x, 0.3, bias=bias, key=KEY)
    assert torch.equal(y, oracle.dropout(torch.relu(x + bias), 0.3, 7))
    dy = torch.randn(5, 8)
    y.backward(dy)
    dx = oracle.dropout(dy, 0.3, 7) * (x + bias > 0)
    assert torch.equal(x.grad, dx)
    # A sum of 5 floats, in any order, is off by at most 4 roundings of the sum of magnitudes.
    assert ((bias.grad - dx.sum(0)).abs() <= 4 * 2**-23 * dx.abs().sum(0)).all()


def test_residual_dropout_is_a_sum():
    x, residual = torch.randn(5, 8, requires_grad=True), torch.randn(5, 8, requires_grad=True)
    y = S.residual_dropout(x, residual, 0.3, key=KEY)
    assert torch.equal(y, residual + oracle.dropout(x, 0.3, 7))
    dy = torch.randn(5, 8)
    y.backward(dy)
    assert torch.equal(x.grad, oracle.dropout(dy, 0.3, 7)) and torch.equal(residual.grad, dy)
    # What does not fit is PyTorch's sum.
    wide = S.residual_dropout(x, residual[:1], 0.3, key=KEY)
    assert torch.equal(wide, residual[:1] + oracle.dropout(x, 0.3, 7))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16],
                         ids=str)
@pytest.mark.parametrize("shape", [(64, 30), (4, 5, 30), (30,), (0, 30)], ids=str)
def test_linear_relu_dropout_is_its_parts(dtype, shape):
    linear = torch.nn.Linear(30, 70).to(dtype)
    x = torch.randn(shape).to(dtype)
    y = S.linear_relu_dropout(x, linear.weight, linear.bias, 0.5, key=KEY, stream=2)
    kept = oracle.mask(y.shape, 0.5, 7, 2)
    z = linear(x)
    # Both sums of 30 products and a bias are off by at most 31 eps of the sum of magnitudes; in
    # 16 bits they are rounded once more.
    magnitude = x.double().abs() @ linear.weight.double().abs().t() + linear.bias.double().abs()
    eps = torch.finfo(dtype).eps
    bound = 2 * 2 * 31 * max(eps / 2, torch.finfo(torch.float32).eps / 2) * magnitude + eps
    assert (y.double() - kept * torch.relu(z).double() * 2).abs().le(bound).all()
    assert torch.equal(y[~kept], torch.zeros_like(y[~kept]))


def test_what_does_not_fit_is_said_before_it_is_read():
    x, y = torch.randn(3, 4), torch.randn(3, 5)
    for call in (lambda: operators.residual_dropout(x, y, KEY, 0.5, 0),
                 lambda: operators.residual_dropout(x, x.double(), KEY, 0.5, 0),
                 lambda: operators.relu_dropout(x, torch.randn(5), KEY, 0.5, 0),
                 lambda: operators.relu_dropout_backward(y, x, 0.5)):
        with pytest.raises((ValueError, RuntimeError),
                           match=r"is torch.float32 of \(.*; allowed: shapes that fit"):
            call()


def test_a_bias_that_is_elsewhere_is_refused():
    x, bias = torch.ones(2, 4), torch.ones(4, device="meta")
    for call in (lambda: S.relu_dropout(x, bias=bias, key=KEY),
                 lambda: S.linear_relu_dropout(x, torch.ones(4, 4), bias),
                 lambda: S.residual_dropout(x, bias.expand(2, 4))):
        with pytest.raises((RuntimeError, ValueError)):
            call().sum().item()


def test_no_features_and_no_dimensions():
    model = S.Sequential(torch.nn.Linear(4, 0), torch.nn.ReLU(), torch.nn.Dropout(),
                         torch.nn.Linear(0, 2))
    model(torch.zeros(3, 4)).sum().backward()
    assert model[0].bias.grad.shape == (0,)
    y = S.relu_dropout(torch.tensor(2.0), bias=torch.tensor(1.0), key=KEY)
    assert y.item() in (0.0, 6.0)


def test_a_product_that_somebody_else_has_is_left_alone(monkeypatch):
    kept = []
    linear = torch.nn.functional.linear

    def keeping(*args):
        kept.append(linear(*args))
        return kept[-1]

    monkeypatch.setattr(torch.nn.functional, "linear", keeping)
    x, weight = torch.randn(3, 8), torch.randn(4, 8)
    y = S.linear_relu_dropout(x, weight, key=KEY)
    assert torch.equal(kept[0], linear(x, weight)) and not torch.equal(kept[0], y)


def test_it_saves_nothing_but_what_backward_reads():
    saved = []
    x = torch.randn(64, 100, requires_grad=True)
    linear = torch.nn.Linear(100, 50)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        S.dropout(x)
        assert saved == []
        y = S.linear_relu_dropout(x, linear.weight, linear.bias)
    assert {t.data_ptr() for t in saved} == {x.data_ptr(), linear.weight.data_ptr(), y.data_ptr()}


def test_autocast_runs_the_product_in_its_type():
    linear, x = torch.nn.Linear(30, 70), torch.randn(8, 30)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = S.linear_relu_dropout(x, linear.weight, linear.bias, key=KEY)
        expected = oracle.dropout(torch.relu(linear(x)), 0.5, 7)
    assert y.dtype == torch.bfloat16 and torch.equal(y, expected)
