"""patched(): PyTorch's own functions, with simdrop's dropout inside."""

import math
import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import simdrop.torch as S
from simdrop.torch import _attention

P = 0.3
ORIGINALS = (F.dropout, F.scaled_dot_product_attention)


@pytest.fixture(autouse=True)
def nothing_stays_patched():
    yield
    assert (F.dropout, F.scaled_dot_product_attention) == ORIGINALS


@pytest.fixture(params=[True, False], ids=["many", "few"])
def many_or_few(request, monkeypatch):
    """Both ways that attention is computed, for scores of any number."""
    monkeypatch.setattr(_attention, "_FEWEST_SCORES", 0 if request.param else 2**62)


@pytest.fixture
def as_if_many(monkeypatch):
    monkeypatch.setattr(_attention, "_FEWEST_SCORES", 0)


def seed_of_next_call(seed):
    """Sets PyTorch's generator, and returns the seed that the next call draws."""
    torch.manual_seed(seed)
    drawn = torch.empty(1, dtype=torch.int64).random_().item()
    torch.manual_seed(seed)
    return drawn


def kept(shape, p, seed):
    """simdrop's mask of a seed: 1 where kept."""
    return S.dropout(torch.ones(shape), p, key=torch.tensor([seed, 0])) > 0


def textbook(query, key, value, mask, p, causal, scale, drawn):
    """Attention in float64, one line a step, with the mask that simdrop draws of a seed."""
    query, key, value = (x.double() for x in (query, key, value))
    if key.dim() == 4 and key.size(1) != query.size(1):
        key, value = (x.repeat_interleave(query.size(1) // x.size(1), 1) for x in (key, value))
    scores = query @ key.transpose(-2, -1)
    scores = scores * (1 / math.sqrt(query.size(-1)) if scale is None else scale)
    if causal:
        mask = torch.ones(scores.shape[-2:]).tril().bool()
    if mask is not None and mask.dtype is torch.bool:
        scores = scores.masked_fill(~mask, -math.inf)
    elif mask is not None:
        scores = scores + mask
    e = scores.exp()  # the scores of these tests are small
    total = e.sum(-1, keepdim=True)
    probabilities = torch.where(total > 0, e / total.clamp_min(1e-300), 0.0)
    return (probabilities * kept(scores.shape, p, drawn) / (1 - p)) @ value


def operands(dtype=torch.float32, heads=4, key_heads=4, batch=(2,), width=8):
    """Scores stay within a few units; lengths 5 and 7."""
    g = torch.Generator().manual_seed(1)
    shapes = ((*batch, heads, 5), (*batch, key_heads, 7), (*batch, key_heads, 7))
    return [torch.randn(*shape, width, generator=g).to(dtype).requires_grad_() for shape in shapes]


def mask_of(kind):
    g = torch.Generator().manual_seed(2)
    if kind == "bool":
        mask = torch.rand(2, 1, 5, 7, generator=g) > 0.4
        mask[0, 0, 1] = False  # a row without any
        return mask
    return torch.randn(5, 7, generator=g) if kind == "float" else None


# Sums of at most 8 terms of magnitude up to 10: float32 leaves far less than 1e-5 of them.
# bfloat16 operands are exact in float32; the result's rounding is 2**-8 of it.
TOLERANCE = {torch.float32: dict(rtol=1e-5, atol=1e-5), torch.float64: dict(rtol=1e-12, atol=1e-12),
             torch.bfloat16: dict(rtol=2**-7, atol=1e-5),
             torch.float16: dict(rtol=2**-10, atol=1e-5)}


@pytest.mark.usefixtures("many_or_few")
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("kind, causal", [(None, False), ("bool", False), ("float", False),
                                          (None, True)])
@pytest.mark.parametrize("scale", [None, 0.5, -0.5])
def test_attention_and_its_gradients(dtype, kind, causal, scale):
    inputs, mask = operands(dtype), mask_of(kind)
    drawn = seed_of_next_call(11)
    with S.patched():
        y = F.scaled_dot_product_attention(*inputs, mask, P, causal, scale=scale)
    expected = textbook(*inputs, mask, P, causal, scale, drawn)
    assert y.dtype is dtype
    torch.testing.assert_close(y.double(), expected, **TOLERANCE[dtype])
    dy = torch.randn(y.shape, generator=torch.Generator().manual_seed(3)).to(dtype)
    gradients = torch.autograd.grad(y, inputs, dy)
    wanted = torch.autograd.grad(expected, inputs, dy.double())
    for gradient, want in zip(gradients, wanted):
        torch.testing.assert_close(gradient, want, **TOLERANCE[dtype])


def many(batch, length=96):
    """So many scores that they are computed in several parts; heads and rows are transposed."""
    g = torch.Generator().manual_seed(4)
    lengths = (length, length + 2, length + 2)
    return [torch.randn(*batch, n, 8, 4, generator=g).transpose(-3, -2).requires_grad_()
            for n in lengths]


@pytest.mark.usefixtures("as_if_many")
@pytest.mark.parametrize("inputs", [
    many((2,)), many((2, 2)), [x[:1, :1] for x in many((1,), 500)], many((13,), 50),
    operands(batch=()), [x[0] for x in operands(batch=())], operands(batch=(2, 1)),
    [x.transpose(1, 2).contiguous().transpose(1, 2) for x in operands()],
    [operands()[0], operands(batch=(1,))[1], operands()[2]],
], ids=["parts", "5d parts", "long", "joined", "3d", "2d", "5d", "transposed", "broadcast"])
def test_attention_of_shapes_and_strides(inputs):
    drawn = seed_of_next_call(12)
    with S.patched():
        y = F.scaled_dot_product_attention(*inputs, dropout_p=P)
    expected = textbook(*inputs, None, P, False, None, drawn)
    torch.testing.assert_close(y.double(), expected, rtol=1e-5, atol=1e-5)
    dy = torch.randn(*y.shape[:-1], y.size(-1), generator=torch.Generator().manual_seed(5))
    gradients = torch.autograd.grad(y, inputs, dy)
    for gradient, want in zip(gradients, torch.autograd.grad(expected, inputs, dy.double())):
        torch.testing.assert_close(gradient, want, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("many_or_few")
def test_attention_of_grouped_queries():
    inputs = operands(key_heads=2)
    drawn = seed_of_next_call(13)
    with S.patched():
        y = F.scaled_dot_product_attention(*inputs, dropout_p=P, enable_gqa=True)
    expected = textbook(*inputs, None, P, False, None, drawn)
    torch.testing.assert_close(y.double(), expected, rtol=1e-5, atol=1e-5)
    y.sum().backward()
    assert inputs[1].grad.shape == inputs[1].shape


def test_attention_of_a_mask_with_a_gradient():
    inputs, mask = operands(), mask_of("float").requires_grad_()
    drawn = seed_of_next_call(14)
    with S.patched():
        y = F.scaled_dot_product_attention(*inputs, mask, P)
    expected = textbook(*inputs, mask, P, False, None, drawn)
    (gradient,) = torch.autograd.grad(y.sum(), mask)
    (want,) = torch.autograd.grad(expected.sum(), mask)
    torch.testing.assert_close(gradient, want, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("many_or_few")
def test_rows_without_scores_are_0_and_nan_stays():
    query, key, value = operands()
    mask = torch.zeros(5, 7)
    mask[1] = -math.inf
    with torch.no_grad():
        query[0, 0, 2, 0] = math.nan
    with S.patched():
        y = F.scaled_dot_product_attention(query, key, value, mask, P)
    assert (y[:, :, 1] == 0).all()
    assert y[0, 0, 2].isnan().all()
    assert y.isnan().sum() == y.size(-1)


@pytest.mark.usefixtures("as_if_many")
def test_double_backward_and_gradients_of_some_operands():
    inputs = [torch.randn(1, length, 2, dtype=torch.float64, requires_grad=True)
              for length in (2, 3, 3)]
    mask = torch.tensor([[True, False, True], [False, False, False]])

    def attention(*inputs):
        torch.manual_seed(15)
        return F.scaled_dot_product_attention(*inputs, mask, P)

    with S.patched():
        assert torch.autograd.gradcheck(attention, inputs)
        assert torch.autograd.gradgradcheck(attention, inputs)
        for only in range(3):
            some = [x.detach().requires_grad_(i == only) for i, x in enumerate(inputs)]
            assert torch.autograd.gradcheck(attention, some)


@pytest.mark.usefixtures("many_or_few")
def test_attention_under_autocast():
    inputs = operands()
    rounded = [x.detach().bfloat16() for x in inputs]
    drawn = seed_of_next_call(16)
    with S.patched(), torch.autocast("cpu", torch.bfloat16):
        y = F.scaled_dot_product_attention(*inputs, dropout_p=P)
        y.sum().backward()
    expected = textbook(*rounded, None, P, False, None, drawn)
    assert y.dtype is torch.bfloat16 and inputs[0].grad.dtype is torch.float32
    torch.testing.assert_close(y.double(), expected, **TOLERANCE[torch.bfloat16])
    with S.patched(), torch.autocast("cpu", torch.bfloat16):  # as rotary embeddings leave them
        torch.manual_seed(16)
        mixed = F.scaled_dot_product_attention(inputs[0], inputs[1], rounded[2], dropout_p=P)
    assert torch.equal(mixed, y)


@pytest.mark.usefixtures("as_if_many")
def test_attention_saves_no_more_than_its_operands_and_probabilities():
    inputs, saved = operands(), []
    with S.patched(), torch.autograd.graph.saved_tensors_hooks(
            lambda x: saved.append(x.numel()) or x, lambda x: x):
        F.scaled_dot_product_attention(*inputs, dropout_p=P)
    assert sum(saved) == sum(x.numel() for x in inputs) + 2 * 4 * 5 * 7


@pytest.mark.parametrize("p", [0.0, P])
@pytest.mark.parametrize("change", [
    dict(attn_mask=torch.zeros(5, 7, dtype=torch.int64)), dict(value=torch.zeros(2, 4, 6, 8)),
    dict(key=torch.zeros(2, 4, 7, 8, dtype=torch.float64)), dict(key=torch.zeros(7)),
    dict(attn_mask=torch.zeros(5, 7), is_causal=True),
    dict(key=torch.zeros(2, 3, 7, 8), value=torch.zeros(2, 3, 7, 8), enable_gqa=True)])
def test_errors_are_those_of_pytorch(p, change):
    arguments = dict(zip(("query", "key", "value"), operands())) | change

    def error():
        with pytest.raises((RuntimeError, ValueError, IndexError)) as raised:
            F.scaled_dot_product_attention(**arguments, dropout_p=P)
        return type(raised.value)

    want = error()
    with S.patched():
        assert error() is want


def test_dropout_is_simdrops():
    x = torch.randn(33, 65)
    drawn = seed_of_next_call(21)
    with S.patched():
        y = F.dropout(x, 0.25)
        torch.manual_seed(21)
        z = nn.Dropout(0.25)(x)
        torch.manual_seed(21)
        inplace = x.clone()
        assert F.dropout(inplace, 0.25, inplace=True) is inplace
    expected = S.dropout(x, 0.25, key=torch.tensor([drawn, 0]))
    assert torch.equal(y, expected) and torch.equal(z, expected)
    assert torch.equal(inplace, expected)


def test_what_simdrop_does_not_have_goes_to_pytorch():
    x = torch.randn(8, 8)
    nested = torch.nested.nested_tensor([torch.ones(3, 4), torch.ones(5, 4)])
    jagged = torch.nested.nested_tensor([torch.ones(3, 4)], layout=torch.jagged)

    class Tagged(torch.Tensor):
        pass

    with S.patched():
        assert F.dropout(torch.empty(4, device="meta"), 0.5).device.type == "meta"
        with pytest.raises(RuntimeError, match="can't be cast"):  # PyTorch's words
            F.dropout(torch.ones(4, dtype=torch.int64), 0.5)
        assert F.dropout(nested, 0.5).is_nested and F.dropout(jagged, 0.5).is_nested
        assert type(F.dropout(x.as_subclass(Tagged), 0.5)) is Tagged
        assert torch.equal(F.dropout(x, 0.5, training=False), x)
        assert torch.equal(F.dropout(x, 0.0), x)
        for p in (-0.1, 1.1):
            with pytest.raises(ValueError, match=f"between 0 and 1, but got {p}"):
                F.dropout(x, p)
        state = torch.get_rng_state()
        inputs = operands()
        plain = F.scaled_dot_product_attention(*inputs)
        assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(plain, F.scaled_dot_product_attention(*inputs))


def test_blocks_nest_and_close_after_exceptions():
    with pytest.raises(KeyError):
        with S.patched():
            with S.patched():
                inner = F.dropout
            assert F.dropout is inner is not ORIGINALS[0]
            raise KeyError
    assert F.dropout is ORIGINALS[0]


def test_what_others_have_put_there_comes_back():
    def theirs(*args):
        return "theirs"

    F.dropout = theirs
    try:
        with S.patched():
            assert F.dropout(torch.empty(1, device="meta")) == "theirs"
        assert F.dropout is theirs
    finally:
        F.dropout = ORIGINALS[0]


def test_blocks_in_threads_close_in_any_order():
    first_open, second_open, first_closed = (threading.Event() for _ in range(3))
    seen = []

    def second():
        first_open.wait(10)
        with S.patched():
            second_open.set()
            first_closed.wait(10)
            seen.append(F.dropout is not ORIGINALS[0])

    thread = threading.Thread(target=second)
    thread.start()
    with S.patched():
        first_open.set()
        assert second_open.wait(10)
    first_closed.set()
    thread.join(10)
    assert seen == [True]


def encoder(p):
    torch.manual_seed(31)
    return nn.TransformerEncoderLayer(16, 4, 32, p, batch_first=True)


@pytest.mark.usefixtures("many_or_few")
def test_encoder_layer_is_its_parts():
    layer, x = encoder(P), torch.randn(3, 6, 16)
    torch.manual_seed(32)
    with S.patched():
        y = layer(x)
    y.sum().backward()

    torch.manual_seed(32)
    seeds = [torch.empty(1, dtype=torch.int64).random_().item() for _ in range(4)]

    def dropped(x, seed):
        return x * kept(x.shape, P, seed) / (1 - P)

    w = layer.self_attn
    q, k, v = (part.view(3, 6, 4, 4).transpose(1, 2)
               for part in F.linear(x, w.in_proj_weight, w.in_proj_bias).chunk(3, -1))
    attended = textbook(q, k, v, None, P, False, None, seeds[0]).float()
    attended = w.out_proj(attended.transpose(1, 2).reshape(3, 6, 16))
    z = layer.norm1(x + dropped(attended, seeds[1]))
    hidden = dropped(layer.linear1(z).relu(), seeds[2])
    expected = layer.norm2(z + dropped(layer.linear2(hidden), seeds[3]))
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-4)
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize("need_weights", [False, True])
def test_multihead_attention_with_a_padding_mask(need_weights):
    attention = nn.MultiheadAttention(16, 4, dropout=P, batch_first=True)
    x = torch.randn(3, 6, 16, requires_grad=True)
    padding = torch.zeros(3, 6, dtype=torch.bool)
    padding[:, 4:] = True

    def run(x):
        torch.manual_seed(33)
        with S.patched():
            return attention(x, x, x, key_padding_mask=padding, need_weights=need_weights)[0]

    y = run(x)
    changed = x.detach().clone()
    changed[:, 4:] += 1  # what is padded is not looked at
    torch.testing.assert_close(run(changed)[:, :4], y[:, :4])
    (gradient,) = torch.autograd.grad(y[:, :4].sum(), x)
    assert (gradient[:, 4:] == 0).all() and (gradient[:, :4] != 0).any()


def test_compiled_inside_a_block():
    layer, x = encoder(P), torch.randn(3, 6, 16)
    torch.compiler.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    with S.patched():
        torch.manual_seed(34)
        expected = layer(x)
        wanted = torch.autograd.grad(expected.square().sum(), list(layer.parameters()))
        torch.manual_seed(34)
        y = compiled(x)
        found = torch.autograd.grad(y.square().sum(), list(layer.parameters()))
        layer.eval()
        torch.testing.assert_close(compiled(x), layer(x))
    torch.testing.assert_close(y, expected, rtol=1e-4, atol=1e-5)
    for gradient, want in zip(found, wanted):
        torch.testing.assert_close(gradient, want, rtol=1e-3, atol=1e-3)


@pytest.mark.usefixtures("many_or_few")
@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpoint_draws_the_same_masks(reentrant):
    layer, x = encoder(P), torch.randn(3, 6, 16, requires_grad=True)
    with S.patched():
        torch.manual_seed(35)
        wanted = torch.autograd.grad(layer(x).square().sum(), x)[0]
        torch.manual_seed(35)
        checkpoint(layer, x, use_reentrant=reentrant).square().sum().backward()
    torch.testing.assert_close(x.grad, wanted)


def test_transforms():
    inputs = [x.detach() for x in operands()]

    def loss(*inputs):
        torch.manual_seed(36)
        return F.scaled_dot_product_attention(*inputs, dropout_p=P).square().sum()

    with S.patched():
        gradients = torch.func.grad(loss, argnums=(0, 1, 2))(*inputs)
        leaves = [x.clone().requires_grad_() for x in inputs]
        wanted = torch.autograd.grad(loss(*leaves), leaves)
        each = torch.func.vmap(F.scaled_dot_product_attention, randomness="different")
        assert each(*inputs, dropout_p=P).shape == inputs[0].shape
    for gradient, want in zip(gradients, wanted):
        torch.testing.assert_close(gradient, want)
