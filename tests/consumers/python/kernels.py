"""Masks, dropout kernels and the linear layer, called on NumPy arrays and checked against NumPy."""

import ctypes

import numpy as np
import oracle
import simdrop_c as sd
from oracle import WIDE, check, product, same

TYPES = [(sd.F32, np.float32, False), (sd.F64, np.float64, False), (sd.F16, np.float16, False),
         (sd.BF16, np.uint16, True)]


def random(rng, shape, dtype=np.float32, bf16=False):
    x = rng.uniform(-2, 2, shape)
    return oracle.narrow(x.astype(np.float32), dtype, bf16) if bf16 else x.astype(dtype)


def masks(lib):
    for rule, rounds, keep_prob, first in [(0, 10, 0.5, 0), (0, 10, 0.9, 1000), (0, 7, 0.7, 250),
                                           (1, 10, 0.7, 3), (0, 10, 0.0, 0), (0, 10, 1.0, 0)]:
        d = sd.Dropout(keep_prob, seed=7, stream_id=9, first=first, rule=rule, rounds=rounds)
        got = np.full(64, 0xA5, np.uint8)
        lib.call("bernoulli_mask", d, 509, got, None)
        same(got, oracle.bits(np.concatenate([oracle.kept(d, 509), np.zeros(3, bool)])), "mask")
    words = np.zeros(9, np.uint32)
    lib.call("philox_fill", 3, 5, 2, words, 9, 10, None)
    block = [oracle.make_masks.block(c, 5, 3, 10) >> 32 * w & 0xFFFFFFFF
             for c in range(3) for w in range(4)]
    same(words, np.array(block[2:11], np.uint32), "words")


def dropout(lib, rng, dtype, np_type, bf16, exec_):
    rows, cols, ld = 5, 37, 40
    d = sd.Dropout(0.7, seed=1, stream_id=2, first=99)
    kept = oracle.kept(d, rows * cols).reshape(rows, cols)
    packed = oracle.bits(kept)
    x, dy, bias = (random(rng, s, np_type, bf16) for s in [(rows, ld), (rows, cols), (cols,)])
    wide_x, wide_dy, wide_bias = (oracle.widen(v, bf16) for v in (x[:, :cols], dy, bias))
    scale = oracle.scale_of(0.7, wide_x.dtype)

    def narrow(v):
        return oracle.narrow(v, np_type, bf16)

    y, mask = np.zeros((rows, cols), np_type), np.zeros(len(packed), np.uint8)
    shape = (dtype, rows, cols)
    lib.call("dropout_forward", d, *shape, x, ld, y, cols, mask, exec_)
    same(mask, packed, "mask")
    same(y, narrow(oracle.select(kept, wide_x * scale)), "dropout_forward")
    want = narrow(oracle.select(kept, wide_dy * scale))
    dx = np.zeros_like(y)
    lib.call("dropout_backward", d, *shape, dy, cols, dx, cols, exec_)
    same(dx, want, "dropout_backward")
    dx[:] = dy
    lib.call("dropout_backward_from_mask", 0.7, packed, *shape, dx, cols, dx, cols, exec_)
    same(dx, want, "dropout_backward_from_mask, in place")

    want = narrow(wide_dy + oracle.select(kept, wide_x * scale))
    lib.call("residual_dropout_forward", d, *shape, x, ld, dy, cols, y, cols, mask, exec_)
    same(mask, packed, "mask of residual_dropout_forward")
    same(y, want, "residual_dropout_forward")
    y[:] = dy
    lib.call("residual_dropout_forward_from_mask", 0.7, packed, *shape, x, ld, y, cols, y, cols,
             exec_)
    same(y, want, "residual_dropout_forward_from_mask, in place")

    z = wide_x + wide_bias
    want = narrow(oracle.select(kept & (z > 0), z * scale))
    lib.call("bias_relu_dropout_forward", d, *shape, x, ld, bias, y, cols, None, exec_)
    same(y, want, "bias_relu_dropout_forward")
    y[:] = 0
    lib.call("bias_relu_dropout_forward_from_mask", 0.7, packed, *shape, x, ld, bias, y, cols,
             exec_)
    same(y, want, "bias_relu_dropout_forward_from_mask")
    positive = oracle.widen(y, bf16) > 0
    lib.call("relu_dropout_backward", 0.7, *shape, y, cols, dy, cols, dx, cols, exec_)
    same(dx, narrow(oracle.select(positive, wide_dy * scale)), "relu_dropout_backward")


def linear(lib, rng, dtype, np_type, exec_):
    batch, n_in, n_out = 6, 29, 13
    x, w, dy = (random(rng, s, np_type) for s in [(batch, n_in), (n_out, n_in), (batch, n_out)])
    b, y, dx, dw, db = (random(rng, s, np_type) for s in
                        [n_out, (batch, n_out), (batch, n_in), (n_out, n_in), n_out])
    work = lib.create("linear_workspace_create")
    shape = (dtype, batch, n_in, n_out)
    lib.call("linear_forward", *shape, x, n_in, w, n_in, b, 0, None, y, n_out, None, work, exec_)
    check(y, *product(x, w.T, 1, np_type, b.astype(WIDE)), "linear_forward")

    d = sd.Dropout(0.6, seed=8)
    kept = oracle.kept(d, batch * n_out).reshape(batch, n_out)
    z, mask = y.copy(), np.zeros(10, np.uint8)
    lib.call("linear_forward", *shape, x, n_in, w, n_in, b, 1, d, y, n_out, mask, work, exec_)
    same(mask, oracle.bits(kept), "linear_forward's mask")
    live = kept & (z > 0)
    same(y > 0, live, "what linear_forward keeps")
    want, bound = product(x, w.T, 3, np_type, b.astype(WIDE))
    check(y, np.where(live, want / WIDE(0.6), 0), bound / WIDE(0.6), "linear_forward, dropped")
    args = sd.LinearForwardArgs(
        batch=batch, n_in=n_in, n_out=n_out, x=x.ctypes.data, weights=w.ctypes.data,
        bias=b.ctypes.data, dropout=ctypes.pointer(d), y=z.ctypes.data, workspace=work,
        exec_=exec_ and ctypes.pointer(exec_), dtype=dtype, activation=1)
    lib.call("linear_forward_run", args)
    same(z, y, "linear_forward_run")

    lib.call("linear_backward_input", *shape, dy, n_out, w, n_in, x, n_in, 0.5, dx, n_in, work,
             exec_)
    want, bound = product(dy, w, 2, np_type)
    check(dx, np.where(x > 0, 2 * want, 0), 2 * bound, "linear_backward_input")
    lib.call("linear_backward_weights", *shape, dy, n_out, x, n_in, 0.25, 0, dw, n_in, db, work,
             exec_)
    want, bound = product(dy.T, x, 2, np_type)
    check(dw, want / 4, bound / 4, "linear_backward_weights")
    want, bound = product(dy.T, np.ones((batch, 1), np_type), 1, np_type)
    check(db, want[:, 0] / 4, bound[:, 0] / 4, "linear_backward_weights's db")
    lib.dll.simdrop_linear_workspace_destroy(work)


def check_all(lib, rng, execs):
    masks(lib)
    for exec_ in execs:
        for dtype, np_type, bf16 in TYPES:
            dropout(lib, rng, dtype, np_type, bf16, exec_)
        linear(lib, rng, sd.F32, np.float32, exec_)
        linear(lib, rng, sd.F64, np.float64, exec_)
