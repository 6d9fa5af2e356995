"""The network against the textbook: each intermediate follows from those before it."""

import numpy as np
import pytest
from textbook import close, dropped, kept, passed, product, same

import simdrop

WIDTHS, KEEP, BATCH = [6, 31, 17, 4], [0.9, 0.5, 0.8], 9  # KEEP: of the input and hidden layers
LAST = 3
EPS = 2.0**-23


def network(loss="softmax_ce", **arguments):
    arguments = dict(dict(seed=77, max_batch=BATCH, record=True), **arguments)
    return simdrop.Mlp(WIDTHS, keep_prob=KEEP[1:], input_keep_prob=KEEP[0], loss=loss, **arguments)


def batch(loss="softmax_ce", rows=BATCH):
    rng = np.random.default_rng(5)
    x = rng.uniform(-1, 1, (rows, WIDTHS[0])).astype(np.float32)
    if loss == "softmax_ce":
        return x, rng.integers(0, WIDTHS[LAST], rows)
    return x, rng.uniform(0, 1, (rows, WIDTHS[LAST])).astype(np.float32)


def drawn(mlp, step, first_row=0):
    """The masks of a step."""
    return [kept(BATCH * width, keep_prob=p, seed=77, stream=mlp.mask_stream_id(layer, step),
                 first=first_row * width).reshape(BATCH, width)
            for layer, (width, p) in enumerate(zip(WIDTHS, KEEP))]


def last_activation(loss, z):
    """In double, and a bound of float's error: exp of a few ulp, a sum and a division."""
    z = z.astype(np.float64)
    if loss == "identity_mse":
        return z, 0.0
    if loss == "sigmoid_bce":
        a = 1 / (1 + np.exp(-z))
        return a, (np.abs(z) + 8) * EPS * a
    shifted = z - z.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    a = e / e.sum(axis=1, keepdims=True)
    return a, (np.abs(shifted).max(axis=1, keepdims=True) + z.shape[1] + 12) * EPS * a


def loss_and_gradient(loss, a, targets):
    a = a.astype(np.float64)
    if loss == "softmax_ce":
        rows = np.arange(len(targets))
        onehot = np.eye(a.shape[1])[targets]
        return -np.log(a[rows, targets]).mean(), a - onehot
    y = targets.astype(np.float64)
    if loss == "sigmoid_bce":
        return -(y * np.log(a) + (1 - y) * np.log(1 - a)).sum(axis=1).mean(), a - y
    return ((a - y)**2).mean(), 2 * (a - y) / a.shape[1]


def check_forward(mlp, loss, x, masks):
    same(mlp.a(0), dropped(x, masks[0], KEEP[0]))
    for layer in range(1, LAST + 1):
        close(mlp.z(layer), *product(mlp.a(layer - 1), mlp.weights(layer).T,
                                     plus=mlp.bias(layer).astype(np.float64)))
        if layer < LAST:
            assert np.array_equal(mlp.mask(layer), np.packbits(masks[layer], bitorder="little"))
            relu = np.maximum(mlp.z(layer), np.float32(0))
            same(mlp.a(layer), dropped(relu, masks[layer], KEEP[layer]))
    close(mlp.a(LAST), *last_activation(loss, mlp.z(LAST)))


def check_backward(mlp, loss, targets, masks, got):
    want, dz = loss_and_gradient(loss, mlp.a(LAST), targets)
    assert abs(got - want) <= 64 * EPS * abs(want)
    close(mlp.dz(LAST), dz, 2 * EPS * np.abs(dz) + 1e-45)
    for layer in range(LAST, 0, -1):
        dz = mlp.dz(layer)
        dw, bound = product(dz.T, mlp.a(layer - 1), 2)
        close(mlp.dw(layer), dw / BATCH, bound / BATCH)
        db, bound = product(np.ones((1, BATCH)), dz, 2)
        close(mlp.db(layer), db[0] / BATCH, bound[0] / BATCH)
        if layer > 1:
            p, keep = KEEP[layer - 1], masks[layer - 1]
            da, bound = product(dz, mlp.weights(layer), 2)
            close(mlp.da(layer - 1), np.where(keep, da / p, 0), np.where(keep, bound / p, 0))
            same(mlp.dz(layer - 1),
                 np.where(mlp.z(layer - 1) > 0, mlp.da(layer - 1), np.float32(0)))


@pytest.mark.parametrize("loss", ["softmax_ce", "sigmoid_bce", "identity_mse"])
@pytest.mark.parametrize("injected", [False, True])
def test_forward_and_backward(loss, injected):
    mlp, (x, targets) = network(loss), batch(loss)
    masks = drawn(mlp, 5, 1000)
    if injected:
        rng = np.random.default_rng(8)
        masks = [rng.random((BATCH, width)) < 0.6 for width in WIDTHS[:LAST]]
        for layer, mask in enumerate(masks):
            mlp.inject_mask(layer, np.packbits(mask, bitorder="little"))
    out = mlp.forward(x, step=5, first_row=1000)
    same(out, mlp.a(LAST))
    check_forward(mlp, loss, x, masks)
    check_backward(mlp, loss, targets, masks, mlp.backward(targets))
    for layer in range(LAST):
        mlp.inject_mask(layer, None)
    mlp.forward(x, step=5, first_row=1000)
    check_forward(mlp, loss, x, drawn(mlp, 5, 1000))


@pytest.mark.parametrize("arguments", [
    dict(learning_rate=0.1), dict(momentum=0.9, weight_decay=0.01, learning_rate=0.1),
    dict(momentum=0.9, nesterov=True), dict(kind="adam", beta1=0.8, beta2=0.95, epsilon=1e-3),
    dict(kind="adam", weight_decay=0.1), dict(kind="adamw", weight_decay=0.1, learning_rate=0.02),
], ids=str)
def test_train_step(arguments):
    mlp, (x, targets) = network(keep_gradients=True), batch()
    optimizer = simdrop.Optimizer(mlp, **arguments)
    o = optimizer.config
    assert {name: o[name] for name in arguments} == arguments
    state = {}
    for step in range(4):
        assert optimizer.step_count == step
        before = {(name, layer): getattr(mlp, name)(layer).astype(np.float64)
                  for layer in range(1, LAST + 1) for name in ("weights", "bias")}
        other = mlp.clone()
        loss = mlp.train_step(x, targets, optimizer)
        other.forward(x, step=step)
        assert loss == other.backward(targets)
        for (name, layer), w in before.items():
            gradient = "dw" if name == "weights" else "db"
            g = getattr(mlp, gradient)(layer)
            same(g, getattr(other, gradient)(layer))
            want = textbook_step(o, step + 1, w, g.astype(np.float64),
                                 state.setdefault((name, layer), {}))
            # Some 20 roundings of numbers that are a few times larger than a step, at most.
            size = np.abs(w) + np.abs(want - w).max() * 4 + o["learning_rate"] * 4
            close(getattr(mlp, name)(layer), want, 32 * (step + 1) * EPS * size)


def textbook_step(o, t, w, g, state):
    """As torch.optim does it."""
    rate = o["learning_rate"]
    if o["kind"] == "adamw":
        w = w * (1 - rate * o["weight_decay"])
    else:
        g = g + o["weight_decay"] * w
    if o["kind"] == "sgd":
        v = state["v"] = o["momentum"] * state.get("v", 0) + g
        return w - rate * (g + o["momentum"] * v if o["nesterov"] else v)
    m = state["m"] = o["beta1"] * state.get("m", 0) + (1 - o["beta1"]) * g
    v = state["v"] = o["beta2"] * state.get("v", 0) + (1 - o["beta2"]) * g * g
    m, v = m / (1 - o["beta1"]**t), v / (1 - o["beta2"]**t)
    return w - rate * m / (np.sqrt(v) + o["epsilon"])


def test_learning_rate_and_max_norm():
    mlp, (x, targets) = network(), batch()
    optimizer = simdrop.Optimizer(mlp, learning_rate=0.5, max_norm=0.4)
    optimizer.learning_rate = 0.0
    before = mlp.weights(1).copy()
    limited = before * np.minimum(1, 0.4 / np.linalg.norm(before, axis=1, keepdims=True))
    assert not np.allclose(before, limited)
    mlp.train_step(x, targets, optimizer)
    close(mlp.weights(1), limited, 32 * EPS * np.abs(before))
    assert (optimizer.learning_rate, optimizer.step_count) == (0.0, 1)


def test_dropout_of_neurons():
    """A unit is kept or dropped for all rows of a group."""
    x, targets = batch()
    for group, groups in ((0, 1), (3, 3)):
        mlp = network(dropout_unit="neuron", dropout_group=group, lazy_updates=group == 0)
        assert mlp.config["lazy_updates"] == (group == 0)
        mlp.forward(x, step=2)
        mask = kept(groups * 31, keep_prob=0.5, seed=77, stream=mlp.mask_stream_id(1, 2))
        assert np.array_equal(mlp.mask(1), np.packbits(mask, bitorder="little"))
        rows = np.repeat(mask.reshape(groups, 31), BATCH // groups, axis=0)
        assert not mlp.a(1)[~rows].any() and mlp.a(1)[rows].any()


def test_rows_by_number_have_their_masks():
    x, _ = batch()
    mlp = network()
    mlp.forward(x, step=3, first_row=20)
    whole = mlp.a(1)
    mlp.forward(x[4:], step=3, first_row=24)
    assert np.array_equal(mlp.a(1) != 0, whole[4:] != 0)


@pytest.mark.parametrize("num_threads", [2, 0])
def test_any_number_of_threads_gives_the_same_bits(num_threads):
    x, targets = batch()
    runs = []
    for of_network, of_call in ((1, None), (num_threads, None), (1, num_threads)):
        mlp = network(num_threads=of_network)
        optimizer = simdrop.Optimizer(mlp, kind="adam")
        losses = [mlp.train_step(x, targets, optimizer, num_threads=of_call) for _ in range(3)]
        runs.append((losses, mlp.predict(x, num_threads=of_call).tobytes(),
                     mlp.weights(2).tobytes()))
    assert runs[0] == runs[1] == runs[2]


def test_predictions():
    mlp, (x, values) = network("identity_mse"), batch("identity_mse", 40)
    out = mlp.predict(x)
    close(out, *passed(mlp, x))
    wanted = ((out.astype(np.float64) - values)**2).mean()
    assert abs(mlp.loss(out, values) - wanted) <= 1e-12 * wanted
    wide = np.zeros((40, 10), np.float32)
    view = wide[:, 3:7]
    assert mlp.predict(np.asfortranarray(x), out=view) is view
    same(wide[:, 3:7], out)
    assert not wide[:, :3].any() and not wide[:, 7:].any()
    assert mlp.predict(x[:0]).shape == (0, 4)


def test_monte_carlo():
    mlp, (x, _) = network("identity_mse"), batch()
    samples = 5
    mean, variance = mlp.predict_monte_carlo(x, samples=samples, first_sample=3, first_row=20)
    passes = [passed(mlp, x, [
        kept(BATCH * width, keep_prob=p, seed=77, stream=mlp.sample_stream_id(layer, 3 + s),
             first=20 * width).reshape(BATCH, width)
        for layer, (width, p) in enumerate(zip(WIDTHS, KEEP))]) for s in range(samples)]
    outs, errors = (np.stack(v) for v in zip(*passes))
    bound = errors.max(axis=0) + 4 * EPS * np.abs(outs).max(axis=0)
    close(mean, outs.mean(axis=0), bound)
    # d(variance) = sum of 2 |y - mean| d(y - mean) / (samples - 1)
    away = np.abs(outs - outs.mean(axis=0)) + 2 * bound
    close(variance, outs.var(axis=0, ddof=1),
          (4 * bound * away).sum(axis=0) / (samples - 1) + 4 * EPS * outs.var(axis=0, ddof=1))


def test_a_network_is_made_again_from_its_config():
    mlp = network("sigmoid_bce", init="xavier", dropout_unit="neuron", dropout_group=2,
                  keep_gradients=True)
    mlp.set_keep_prob(0, 0.25)
    mlp.set_keep_prob(2, 0.75)
    assert mlp.config == dict(
        widths=WIDTHS, keep_prob=[0.5, 0.75], input_keep_prob=0.25, loss="sigmoid_bce",
        init="xavier", dropout_unit="neuron", dropout_group=2, lazy_updates=False, seed=77,
        max_batch=BATCH, num_threads=1, record=True, keep_gradients=True)
    other = simdrop.Mlp(**mlp.config)
    assert other.config == mlp.config
    assert other.num_parameters == mlp.num_parameters == 6 * 31 + 31 + 31 * 17 + 17 + 17 * 4 + 4
    for layer in range(1, LAST + 1):
        same(other.weights(layer), mlp.weights(layer))
        limit = np.sqrt(6 / sum(WIDTHS[layer - 1:layer + 1]))
        assert 0.8 * limit < np.abs(mlp.weights(layer)).max() <= limit
    assert simdrop.Mlp(WIDTHS, keep_prob=0.5).config["keep_prob"] == [0.5, 0.5]
