"""The network: each intermediate follows from those before it, as the textbook says, and so do
predictions; all of it in more bits, with the bounds of float's roundings."""

import ctypes

import numpy as np
import oracle
import simdrop_c as sd
from oracle import WIDE, check, gamma, product, same

F = np.float32
WIDTHS, KEEP_PROB, INPUT_KEEP, SEED, BATCH = [6, 31, 17, 4], [0.5, 0.8], 0.9, 77, 9
LAST = 3


def create(lib, loss):
    config = sd.MlpConfig(
        widths=(ctypes.c_int64 * 4)(*WIDTHS), num_widths=4, keep_prob=(ctypes.c_double * 2)(*KEEP_PROB),
        num_keep_prob=2, input_keep_prob=INPUT_KEEP, seed=SEED, max_batch=BATCH, loss=loss,
        num_threads=1, record=1)
    return lib.create("mlp_create", config)


def keep_prob(layer):
    return ([INPUT_KEEP] + KEEP_PROB)[layer]


def mask(lib, layer, kind, number, first_row):
    """Which units of a layer are kept, in each row of a step or of a sample."""
    stream = ctypes.c_uint64()
    lib.call(kind + "_stream_id", layer, number, ctypes.byref(stream))
    width = WIDTHS[layer]
    d = sd.Dropout(keep_prob(layer), seed=SEED, stream_id=stream.value, first=first_row * width)
    return oracle.kept(d, BATCH * width).reshape(BATCH, width)


def softmax(z):
    """In more bits, and the bound of float's: subtraction, exp of a few ulp, sum, division."""
    shifted = z.astype(WIDE) - z.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    a = e / e.sum(axis=1, keepdims=True)
    relative = (np.abs(shifted).max(axis=1, keepdims=True) + z.shape[1] + 12) * np.finfo(F).eps
    return a, 2 * relative * a


def forward(lib, mlp, x, step, first_row):
    kept = [mask(lib, l, "mlp_mask", step, first_row) for l in range(LAST)]
    t = {(k, l): lib.tensor(mlp, k, l) for l in range(1, LAST + 1)
         for k in (sd.Z, sd.A, sd.WEIGHTS, sd.BIAS)}
    t[sd.A, 0] = lib.tensor(mlp, sd.A, 0)
    same(t[sd.A, 0], oracle.select(kept[0], x * oracle.scale_of(INPUT_KEEP, F)), "the input")
    for l in range(1, LAST + 1):
        check(t[sd.Z, l], *product(t[sd.A, l - 1], t[sd.WEIGHTS, l].T, 1, F,
                                   t[sd.BIAS, l].astype(WIDE)), f"Z of layer {l}")
        if l == LAST:
            break
        same(lib.tensor(mlp, sd.MASK, l)[0], oracle.bits(kept[l]), f"the mask of layer {l}")
        z = t[sd.Z, l]
        same(t[sd.A, l], oracle.select(kept[l] & (z > 0), z * oracle.scale_of(keep_prob(l), F)),
             f"A of layer {l}")
    check(t[sd.A, LAST], *softmax(t[sd.Z, LAST]), "A of the last layer")
    return t, kept


def backward(lib, mlp, t, kept, labels, loss):
    a = t[sd.A, LAST]
    picked = a[np.arange(BATCH), labels].astype(np.float64)
    assert abs(loss + np.log(picked).mean()) < 64 * np.finfo(F).eps, "the loss"
    dz = lib.tensor(mlp, sd.DZ, LAST)
    same(dz, a - np.eye(WIDTHS[LAST], dtype=F)[labels], "dZ of the last layer")
    for l in range(LAST, 0, -1):
        want, bound = product(dz.T, t[sd.A, l - 1], 2, F)
        check(lib.tensor(mlp, sd.DW, l), want / BATCH, bound / BATCH, f"dW of layer {l}")
        want, bound = product(dz.T, np.ones((BATCH, 1), F), 2, F)
        check(lib.tensor(mlp, sd.DB, l).T, want / BATCH, bound / BATCH, f"db of layer {l}")
        if l == 1:
            break
        p = keep_prob(l - 1)
        want, bound = product(dz, t[sd.WEIGHTS, l], 2, F)
        da = lib.tensor(mlp, sd.DA, l - 1)
        check(da, np.where(kept[l - 1], want / WIDE(p), 0), bound / WIDE(p), f"dA of layer {l - 1}")
        dz = lib.tensor(mlp, sd.DZ, l - 1)
        same(dz, oracle.select(t[sd.Z, l - 1] > 0, da), f"dZ of layer {l - 1}")


def training(lib, rng, exec_):
    x = rng.uniform(-1, 1, (BATCH, WIDTHS[0])).astype(F)
    labels = rng.integers(0, WIDTHS[LAST], BATCH).astype(np.uint8)
    targets = sd.Targets(labels=labels.ctypes.data)
    mlp, loss = create(lib, sd.SOFTMAX_CE), ctypes.c_double()
    sizes = sum(a * b + b for a, b in zip(WIDTHS, WIDTHS[1:]))
    assert lib.dll.simdrop_mlp_num_parameters(mlp) == sizes
    lib.call("mlp_forward", mlp, BATCH, x, WIDTHS[0], 5, 1000, exec_)
    t, kept = forward(lib, mlp, x, 5, 1000)
    lib.call("mlp_backward", mlp, targets, ctypes.byref(loss), exec_)
    backward(lib, mlp, t, kept, labels, loss.value)

    config = sd.OptimizerConfig(learning_rate=0.1, momentum=0.9, beta1=0.9, beta2=0.999,
                                epsilon=1e-8)
    optimizer = lib.create("optimizer_create", config, mlp)
    velocity = {}
    for step in range(3):
        before = {(k, l): lib.tensor(mlp, k, l) for k in (sd.WEIGHTS, sd.BIAS)
                  for l in range(1, LAST + 1)}
        lib.call("mlp_train_step", mlp, BATCH, x, WIDTHS[0], targets, optimizer, 0,
                 ctypes.byref(loss), exec_)
        t, kept = intermediates(lib, mlp, before, x, step)
        backward(lib, mlp, t, kept, labels, loss.value)
        for (k, l), w in before.items():
            g = lib.tensor(mlp, sd.DW if k == sd.WEIGHTS else sd.DB, l).astype(WIDE)
            v = velocity[k, l] = WIDE(0.9) * velocity.get((k, l), 0) + g
            size = np.abs(w) + 0.1 * (np.abs(v) + 4 * np.abs(g).max())
            check(lib.tensor(mlp, k, l), w.astype(WIDE) - WIDE(0.1) * v,
                  gamma(8 + 4 * step, F) * size, f"step {step} of layer {l}")
    assert lib.dll.simdrop_optimizer_step_count(optimizer) == 3
    clone = lib.create("mlp_clone", mlp)
    for k, l in before:
        same(lib.tensor(clone, k, l), lib.tensor(mlp, k, l), "what a clone holds")
    lib.dll.simdrop_mlp_destroy(clone)
    lib.dll.simdrop_optimizer_destroy(optimizer)
    lib.dll.simdrop_mlp_destroy(mlp)


def intermediates(lib, mlp, parameters, x, step):
    """Those of a train_step, whose weights were `parameters`."""
    kept = [mask(lib, l, "mlp_mask", step, 0) for l in range(LAST)]
    t = {(k, l): lib.tensor(mlp, k, l) for l in range(1, LAST + 1) for k in (sd.Z, sd.A)}
    t.update(parameters)
    t[sd.A, 0] = oracle.select(kept[0], x * oracle.scale_of(INPUT_KEEP, F))
    for l in range(1, LAST + 1):
        check(t[sd.Z, l], *product(t[sd.A, l - 1], t[sd.WEIGHTS, l].T, 1, F,
                                   t[sd.BIAS, l].astype(WIDE)), f"Z of layer {l}")
    return t, kept


def passed(lib, mlp, x, kept):
    """A pass through the network in more bits, and the bound of float's errors that add up."""
    a, error = x.astype(WIDE), np.zeros(x.shape, WIDE)
    for l in range(LAST + 1):
        if l > 0:
            w, b = lib.tensor(mlp, sd.WEIGHTS, l), lib.tensor(mlp, sd.BIAS, l)
            wide = np.abs(w).astype(WIDE).T
            size = (np.abs(a) + error) @ wide + np.abs(b)
            error = error @ wide + 2 * gamma(WIDTHS[l - 1] + 4, F) * size
            a = a @ w.astype(WIDE).T + b
        if l == LAST:
            return a, error
        a = np.maximum(a, 0) if l > 0 else a
        if kept is not None:
            p = WIDE(keep_prob(l))
            a, error = np.where(kept[l], a / p, 0), np.where(kept[l], error / p, 0)


def predictions(lib, rng, exec_):
    x = rng.uniform(-1, 1, (BATCH, WIDTHS[0])).astype(F)
    mlp, samples = create(lib, sd.IDENTITY_MSE), 6
    out, mean, variance = (np.zeros((BATCH, WIDTHS[LAST]), F) for _ in range(3))
    lib.call("mlp_predict", mlp, BATCH, x, WIDTHS[0], out, WIDTHS[LAST], exec_)
    check(out, *passed(lib, mlp, x, None), "predictions")
    values = out + F(0.5)
    targets, loss = sd.Targets(values=values.ctypes.data, values_ld=WIDTHS[LAST]), ctypes.c_double()
    lib.call("mlp_loss", mlp, BATCH, out, WIDTHS[LAST], targets, ctypes.byref(loss))
    want = np.mean((out.astype(np.float64) - values) ** 2)
    assert abs(loss.value - want) <= 1e-12 * want, "the loss of predictions"

    lib.call("mlp_predict_monte_carlo", mlp, BATCH, x, WIDTHS[0], samples, 3, 20, mean,
             WIDTHS[LAST], variance, WIDTHS[LAST], exec_)
    passes = [passed(lib, mlp, x, [mask(lib, l, "mlp_sample", 3 + s, 20) for l in range(LAST)])
              for s in range(samples)]
    outs, errors = (np.stack(v) for v in zip(*passes))
    bound = errors.max(axis=0) + gamma(4, F) * np.abs(outs).max(axis=0)
    check(mean, outs.mean(axis=0), bound, "Monte Carlo means")
    away = np.abs(outs - outs.mean(axis=0)) + 2 * bound
    # d(v) = sum 2 |y - mean| d(y) / (samples - 1), where y and mean are off by a bound each.
    check(variance, outs.var(axis=0, ddof=1), (4 * bound * away).sum(axis=0) / (samples - 1) +
          gamma(4, F) * outs.var(axis=0, ddof=1), "Monte Carlo variances")
    lib.dll.simdrop_mlp_destroy(mlp)


def check_all(lib, rng, execs):
    for exec_ in execs:
        training(lib, rng, exec_)
        predictions(lib, rng, exec_)
