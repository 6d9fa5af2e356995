"""Objects from Python: what stays alive, what threads may share, what is refused."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest
from textbook import close, passed, random, same

import simdrop

WIDTHS = [5, 12, 3]


def network(**arguments):
    return simdrop.Mlp(WIDTHS, **dict(dict(keep_prob=0.5, seed=4, max_batch=32), **arguments))


def batch(rows=8):
    rng = np.random.default_rng(5)
    return rng.normal(size=(rows, 5)).astype(np.float32), rng.integers(0, 3, rows)


def test_parameters_are_the_networks_own():
    mlp, (x, _) = network(loss="identity_mse"), batch()
    w, bias = mlp.weights(1), mlp.bias(2)
    assert w.shape == (12, 5) and bias.shape == (3,) and not bias.any()
    w[:] = random((12, 5), np.float32)[::-1, ::-1]  # special values in the last rows
    w[~np.isfinite(w)] = 0.25
    bias[:] = [1, 2, 3]
    same(mlp.weights(1), w)
    close(mlp.predict(x), *passed(mlp, x))


def test_parameters_outlive_the_network():
    mlp = network()
    w, bias = mlp.weights(1), mlp.bias(1)
    want = w.copy()
    part = w[2:5, ::2]
    del mlp, w
    gc.collect()
    others = [network(seed=seed) for seed in range(50)]  # would reuse the memory if it were free
    same(part, want[2:5, ::2])
    bias += 1
    assert len(others) == 50 and (bias == 1).all()


def test_intermediates_are_copies():
    mlp, (x, y) = network(record=True), batch()
    mlp.forward(x, step=1)
    loss = mlp.backward(y)
    kept = [f(1) for f in (mlp.z, mlp.a, mlp.mask, mlp.da, mlp.dz, mlp.dw, mlp.db)]
    before = [value.copy() for value in kept]
    mlp.forward(-x, step=2)
    assert loss != mlp.backward(y)
    for value, was in zip(kept, before):
        assert np.array_equal(value, was)
    assert not np.array_equal(mlp.z(1), kept[0])


def test_a_batch_lives_until_the_next():
    mlp, (x, y) = network(), batch()
    alive = weakref.ref(x)
    mlp.forward(x)
    del x
    with pytest.raises(ValueError):
        mlp.forward(np.ones((33, 5), np.float32))
    gc.collect()
    assert alive() is not None
    mlp.backward(y)
    mlp.forward(np.ones((8, 5), np.float32))
    gc.collect()
    assert alive() is None


def test_a_batch_of_another_layout_is_copied():
    mlp, (x, y) = network(), batch()
    want = mlp.forward(x), mlp.backward(y), mlp.dw(1)
    for other in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2],
                  np.hstack([x, x])[:, 5:], x[::-1].copy()[::-1]):
        got = mlp.forward(other), mlp.backward(y), mlp.dw(1)
        for a, b in zip(got, want):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.int64, np.uint64, ">i2"])
def test_labels_of_any_integers(dtype):
    mlp, (x, y) = network(), batch()
    want = mlp.loss(mlp.predict(x), y)
    assert mlp.loss(mlp.predict(x), y.astype(dtype)) == want
    assert mlp.loss(mlp.predict(x), np.repeat(y, 2).astype(dtype)[::2]) == want
    assert mlp.loss(mlp.predict(x), y.tolist()) == want


def test_objects_end_in_any_order():
    x, y = batch()
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        mlp = network()
        objects = [mlp, simdrop.Optimizer(mlp), simdrop.Predictor(mlp)]
        want = mlp.predict(x)
        del mlp
        for i in order:
            if objects[2] is not None:
                same(objects[2].predict(x), want)
            objects[i] = None
            gc.collect()


def test_objects_in_a_cycle():
    """The collector ends a cycle's members in any order: one that is used meanwhile is whole."""
    x, _ = batch()
    got = []

    class Owner:
        def __init__(self, mlp, predictor):
            self.me, self.mlp, self.predictor = self, mlp, predictor

        def __del__(self):
            got.append((self.mlp.predict(x), self.predictor.predict(x)))

    mlp = network()
    want, predictor = mlp.predict(x), simdrop.Predictor(mlp)
    Owner(mlp, predictor)  # younger than the others: the collector comes to it last
    del mlp, predictor
    gc.collect()
    assert len(got) == 1
    for value in got[0]:
        same(value, want)


def test_a_clone_is_a_network_of_its_own():
    mlp, (x, y) = network(), batch()
    mlp.set_keep_prob(1, 0.25)
    clone = mlp.clone()
    assert clone.config == mlp.config and clone.config["keep_prob"] == [0.25]
    before = clone.weights(1).copy()
    same(before, mlp.weights(1))
    mlp.train_step(x, y, simdrop.Optimizer(mlp))
    same(clone.weights(1), before)
    assert not np.array_equal(mlp.weights(1), before)


def test_nothing_is_copied_or_pickled_by_others():
    mlp = network()
    for value in (mlp, simdrop.Optimizer(mlp), simdrop.Predictor(mlp), mlp._pointer):
        for function in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="copied"):
                function(value)


def in_threads(count, function):
    errors = []

    def run(i):
        try:
            function(i)
        except BaseException as error:  # a failed assertion too
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def test_predictors_of_many_threads():
    mlp, (x, _) = network(), batch(100)
    want, moments = mlp.predict(x), mlp.predict_monte_carlo(x, samples=3, first_sample=2)

    def predict(_):
        predictor = simdrop.Predictor(mlp, max_batch=32)
        for _ in range(20):
            same(predictor.predict(x), want)
            for got, wanted in zip(predictor.predict_monte_carlo(x, samples=3, first_sample=2),
                                   moments):
                same(got, wanted)

    in_threads(6, predict)


def test_calls_of_one_network_wait_for_each_other():
    """Steps of many threads are steps one after the other, with one batch in any order."""
    rng, threads, steps = np.random.default_rng(5), 4, 10
    x, y = rng.normal(size=(128, 64)).astype(np.float32), rng.integers(0, 10, 128)
    mlp, alone = (simdrop.Mlp([64, 512, 10], keep_prob=0.5, seed=4) for _ in range(2))
    optimizer, its = simdrop.Optimizer(mlp, kind="adam"), simdrop.Optimizer(alone, kind="adam")

    def train(_):
        for _ in range(steps):
            mlp.train_step(x, y, optimizer)
            mlp.predict(x)
            assert mlp.clone().num_parameters == mlp.num_parameters

    in_threads(threads, train)
    for _ in range(threads * steps):
        alone.train_step(x, y, its)
    assert optimizer.step_count == threads * steps
    same(mlp.weights(1), alone.weights(1))


X, Y = batch()
# What is called, of a network that has seen a batch; the error, and words of it.
BAD = [
    (lambda m, o: simdrop.Mlp([5]), ValueError, ["widths", "1"]),
    (lambda m, o: simdrop.Mlp([5, 2.5]), TypeError, ["widths[1] is 2.5"]),
    (lambda m, o: simdrop.Mlp([5, 2**63]), ValueError, ["widths[1] is 9223372036854775808"]),
    (lambda m, o: simdrop.Mlp([5, 300]), ValueError, ["300", "2 ... 256"]),
    (lambda m, o: network(keep_prob=[0.5, 0.5]), ValueError, ["keep_prob", "2"]),
    (lambda m, o: network(keep_prob=1.5), ValueError, ["keep_prob", "1.5"]),
    (lambda m, o: network(keep_prob=["0.5"]), TypeError, ["keep_prob[0] is '0.5'"]),
    (lambda m, o: network(input_keep_prob=None), TypeError, ["input_keep_prob is None"]),
    (lambda m, o: network(loss="hinge"), ValueError, ["loss is 'hinge'", "'identity_mse'"]),
    (lambda m, o: network(loss=["softmax_ce"]), ValueError, ["loss is ['softmax_ce']"]),
    (lambda m, o: network(init="zero"), ValueError, ["init is 'zero'", "'xavier'"]),
    (lambda m, o: network(dropout_unit="row"), ValueError, ["dropout_unit is 'row'"]),
    (lambda m, o: network(dropout_group=-1), ValueError, ["dropout_group is -1"]),
    (lambda m, o: network(record=1), TypeError, ["record is 1", "True or False"]),
    (lambda m, o: network(num_threads=-1), ValueError, ["num_threads is -1"]),
    (lambda m, o: network(seed=-1), ValueError, ["seed is -1"]),
    (lambda m, o: m.forward(X[:, :4]), ValueError, ["x has shape (8, 4)", "(rows, 5)"]),
    (lambda m, o: m.forward(X[0]), ValueError, ["x has shape (5,)"]),
    (lambda m, o: m.forward(X.astype(np.float64)), TypeError, ["x has dtype float64", "float32"]),
    (lambda m, o: m.forward(X.astype(">f4")), TypeError, ["x has dtype >f4"]),
    (lambda m, o: m.forward(X[:0]), ValueError, ["0"]),
    (lambda m, o: m.forward(X, step=2**40), ValueError, ["step is 1099511627776"]),
    (lambda m, o: m.forward(X, step=0.5), TypeError, ["step is 0.5"]),
    (lambda m, o: m.forward(X, first_row=-1), ValueError, ["first_row is -1"]),
    (lambda m, o: m.forward(m.weights(1)), ValueError, ["overlaps"]),
    (lambda m, o: m.backward(Y[:7]), ValueError, ["targets has shape (7,)", "(8,)"]),
    (lambda m, o: m.backward(np.where(Y == 2, 3, Y)), ValueError, ["is 3", "0 to 2", "3 outputs"]),
    (lambda m, o: m.backward(Y - 1), ValueError, ["is -1", "0 to 2"]),
    (lambda m, o: m.backward(Y + 256), ValueError, ["targets[0] is 25", "0 to 2"]),
    (lambda m, o: m.backward(Y.astype(float)), TypeError,
     ["targets has dtype float64", "integers"]),
    (lambda m, o: m.backward(Y == 1), TypeError, ["targets has dtype bool"]),
    (lambda m, o: m.backward(None), TypeError, ["targets has dtype object"]),
    (lambda m, o: network().backward(Y), RuntimeError, ["forward()"]),
    (lambda m, o: m.train_step(X, Y, None), TypeError, ["optimizer is a NoneType"]),
    (lambda m, o: m.train_step(X, Y, m), TypeError, ["optimizer is a Mlp", "simdrop.Optimizer"]),
    (lambda m, o: simdrop.Mlp([5, 3]).train_step(X, Y, o), ValueError, ["optimizer"]),
    (lambda m, o: simdrop.Mlp([5, 3], loss="identity_mse").loss(X[:, :3], Y), TypeError,
     ["targets has dtype int64", "float32"]),
    (lambda m, o: m.predict(X, out=np.zeros((8, 4), np.float32)), ValueError, ["out has shape"]),
    (lambda m, o: m.predict(X, out=np.zeros((3, 8), np.float32).T), ValueError,
     ["out has shape (8, 3) and strides (4, 32)"]),
    (lambda m, o: m.predict(X, num_threads=-1), ValueError, ["num_threads is -1"]),
    (lambda m, o: m.predict_monte_carlo(X, samples=0), ValueError, ["samples is 0"]),
    (lambda m, o: m.z(1), RuntimeError, ["record"]),
    (lambda m, o: m.weights(0), ValueError, ["layer is 0"]),
    (lambda m, o: m.weights(3), ValueError, ["layer is 3"]),
    (lambda m, o: m.weights("1"), TypeError, ["layer is '1'"]),
    (lambda m, o: m.set_keep_prob(1, 2), ValueError, ["keep_prob", "2"]),
    (lambda m, o: m.inject_mask(1, np.zeros(5, np.uint8)), ValueError, ["5", "48"]),
    (lambda m, o: m.inject_mask(1, np.zeros((32, 12), bool)), TypeError, ["mask is of bool"]),
    (lambda m, o: m.mask_stream_id(1, 2**40), ValueError, ["step is 1099511627776"]),
    (lambda m, o: simdrop.Optimizer(o), TypeError, ["mlp is a Optimizer", "simdrop.Mlp"]),
    (lambda m, o: simdrop.Optimizer(m, kind="lion"), ValueError, ["kind is 'lion'", "'adamw'"]),
    (lambda m, o: simdrop.Optimizer(m, momentum=1.0), ValueError, ["momentum is 1"]),
    (lambda m, o: simdrop.Optimizer(m, epsilon=-1), ValueError, ["epsilon is -1"]),
    (lambda m, o: simdrop.Optimizer(m, nesterov=0), TypeError, ["nesterov is 0"]),
    (lambda m, o: setattr(o, "learning_rate", -1.0), ValueError, ["learning_rate is -1"]),
    (lambda m, o: setattr(o, "learning_rate", "1"), TypeError, ["learning_rate is '1'"]),
    (lambda m, o: simdrop.Predictor(o), TypeError, ["mlp is a Optimizer"]),
    (lambda m, o: simdrop.Predictor(m, max_batch=0), ValueError, ["max_batch is 0"]),
]


@pytest.mark.parametrize("call, error, words", BAD, ids=lambda value: None)
def test_errors_change_nothing(call, error, words):
    mlp = network()
    optimizer = simdrop.Optimizer(mlp)
    mlp.forward(X)
    before = mlp.weights(1).copy(), mlp.weights(2).copy()
    with pytest.raises(error) as caught:
        call(mlp, optimizer)
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert optimizer.step_count == 0 and optimizer.learning_rate == 0.01
    for layer in (1, 2):
        same(mlp.weights(layer), before[layer - 1])
    other = network()
    other.forward(X)
    assert mlp.backward(Y) == other.backward(Y)  # what forward kept is there
