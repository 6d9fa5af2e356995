"""Values, shapes, types, strides and errors of simdrop.torch.dropout() and the module."""

import copy
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import threading
import time

import oracle
import pytest
import torch
from torch import nn

import simdrop.torch as S

DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
KEY = torch.tensor([12345, 0])


def layouts(shape=(6, 10)):
    """The same logical shape with different strides."""
    rows, cols = shape
    return {
        "contiguous": torch.randn(rows, cols),
        "transposed": torch.randn(cols, rows).t(),
        "rows of a wider matrix": torch.randn(rows, cols + 5)[:, :cols],
        "every second row": torch.randn(2 * rows, cols)[::2],
        "every second column": torch.randn(rows, 2 * cols)[:, ::2],
        "offset": torch.randn(rows * cols + 3)[3:].reshape(rows, cols),
        "one row, repeated": torch.randn(1, cols).expand(rows, cols),
    }


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 1.0])
def test_is_the_textbooks(dtype, p):
    x = torch.randn(7, 33).to(dtype)
    y = S.dropout(x, p, key=KEY, stream=3)
    assert y.dtype == dtype
    if p == 1.0:  # 1 / 0 has no meaning; everything is dropped
        assert torch.equal(y, torch.zeros_like(x))
    else:
        assert torch.equal(y, oracle.dropout(x, p, 12345, 3))


@pytest.mark.parametrize("layout", layouts())
def test_strides_change_no_bit(layout):
    x = layouts()[layout]
    y = S.dropout(x, 0.5, key=KEY)
    assert torch.equal(y, oracle.dropout(x, 0.5, 12345))
    assert y.stride() == nn.functional.dropout(x, 0.5).stride()
    x.requires_grad_()
    gradient = torch.randn(10, 6).t()
    S.dropout(x, 0.5, key=KEY).backward(gradient)
    assert torch.equal(x.grad, oracle.dropout(gradient, 0.5, 12345))


@pytest.mark.parametrize("format", [torch.channels_last, torch.contiguous_format])
def test_images_keep_their_memory_format(format):
    x = torch.randn(2, 3, 4, 5).to(memory_format=format)
    y = S.dropout(x, 0.5, key=KEY)
    assert y.is_contiguous(memory_format=format)
    assert torch.equal(y, oracle.dropout(x, 0.5, 12345))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (2, 3, 4), (1, 1, 1, 5)], ids=str)
def test_shapes(shape):
    x = torch.randn(shape)
    assert torch.equal(S.dropout(x, 0.5, key=KEY), oracle.dropout(x, 0.5, 12345))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_dropped_is_zero_and_kept_stays(value):
    y = S.dropout(torch.full((1000,), value), 0.5, key=KEY)
    kept = oracle.mask((1000,), 0.5, 12345)
    assert torch.equal(y[~kept], torch.zeros(int((~kept).sum())))
    assert not torch.signbit(y[~kept]).any()
    torch.testing.assert_close(y[kept], torch.full_like(y[kept], value), equal_nan=True)


def test_first_row_splits_a_batch():
    x = torch.randn(8, 3, 5)
    whole = S.dropout(x, 0.5, key=torch.tensor([9, 0]))
    parts = [S.dropout(x[i:i + 2], 0.5, key=torch.tensor([9, i])) for i in range(0, 8, 2)]
    assert torch.equal(torch.cat(parts), whole)
    last = S.dropout(x, 0.5, key=torch.tensor([9, -4]))  # row 2^64 - 4, and around
    assert torch.equal(last[4:], S.dropout(x[4:], 0.5, key=torch.tensor([9, 0])))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_no_bit(threads):
    x = torch.randn(300, 1001)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        y = S.dropout(x, 0.3, key=KEY)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(y, oracle.dropout(x, 0.3, 12345))


def test_manual_seed_and_generator():
    x = torch.ones(1000)
    torch.manual_seed(1)
    a, b = S.dropout(x), S.dropout(x)
    torch.manual_seed(1)
    assert torch.equal(S.dropout(x), a) and torch.equal(S.dropout(x), b)
    assert not torch.equal(a, b)
    state = torch.get_rng_state()
    mine = torch.Generator().manual_seed(1)
    assert torch.equal(S.dropout(x, generator=mine), a)
    assert torch.equal(S.dropout(x, generator=mine), b)
    assert torch.equal(torch.get_rng_state(), state)


def test_inference_is_the_input_itself():
    x = torch.randn(5)
    state = torch.get_rng_state()
    assert S.dropout(x, 0.5, False) is x
    assert S.dropout(x, 0.0) is x
    assert S.Dropout(0.5).eval()(x) is x
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_p_out_of_range(p):
    with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1, but got"):
        S.dropout(torch.ones(3), p)
    if p == p:  # nn.Dropout itself takes NaN
        with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1"):
            S.Dropout(p)


@pytest.mark.parametrize("x", [torch.randn(50, dtype=torch.complex64),
                               torch.randn(5, device="meta"), torch.randn(4, 4).to_sparse()], ids=["complex", "meta", "sparse"])
def test_what_is_not_ours_is_pytorchs(x):
    torch.manual_seed(0)
    try:
        expected = nn.functional.dropout(x)
    except RuntimeError as error:  # of some versions and layouts
        with pytest.raises(type(error)):
            S.dropout(x)
        return
    torch.manual_seed(0)
    y = S.dropout(x)
    assert y.device == x.device and y.dtype == x.dtype
    assert x.is_meta or torch.equal(y, expected)
    with pytest.raises(ValueError, match="generator and key need"):
        S.dropout(x, key=KEY)


def test_in_place():
    x = torch.randn(100)
    expected = oracle.dropout(x, 0.5, 12345)
    version = x._version
    assert S.dropout(x, 0.5, inplace=True, key=KEY) is x
    assert torch.equal(x, expected) and x._version > version
    w = torch.randn(100, requires_grad=True)
    z = w * 2
    y = S.dropout(z, 0.5, inplace=True, key=KEY)
    assert y is z
    y.sum().backward()
    assert torch.equal(w.grad, oracle.dropout(torch.full((100,), 2.0), 0.5, 12345))
    before = w.detach().clone()
    with pytest.raises(RuntimeError, match="leaf"):
        S.dropout(w, 0.5, inplace=True)
    assert torch.equal(w, before)


def test_negated_view_and_inference_tensors():
    x = torch._neg_view(torch.randn(50))
    assert torch.equal(S.dropout(x, 0.5, key=KEY), oracle.dropout(x.resolve_neg(), 0.5, 12345))
    with torch.inference_mode():
        x = torch.randn(50)
        expected = oracle.dropout(x, 0.5, 12345)
        assert torch.equal(S.dropout(x, 0.5, key=KEY), expected)
        assert torch.equal(S.dropout(x, 0.5, inplace=True, key=KEY), expected)


def test_module_is_a_drop_in():
    ours, theirs = S.Dropout(0.2, inplace=True), nn.Dropout(0.2, inplace=True)
    assert repr(ours) == repr(theirs) and isinstance(ours, nn.Dropout)
    assert ours.state_dict() == theirs.state_dict()
    with pytest.raises(ValueError):
        S.Dropout(2)
    net = nn.Sequential(S.Dropout(), S.Dropout())
    S.advance(net, 5)
    x = torch.ones(4, 100)
    for copied in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(copied(x), net(x))
        S.advance(copied, 6)  # of its own
        assert not torch.equal(copied(x), net(x))
        assert copied[0]._key is copied[1]._key


def test_autocast_leaves_dropout_alone():
    x = torch.randn(20, 30)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(S.dropout(x, 0.5, key=KEY), oracle.dropout(x, 0.5, 12345))


def test_subclasses_keep_their_type():
    class Mine(torch.Tensor):
        pass

    x = torch.randn(10).as_subclass(Mine)
    y = S.dropout(x, 0.5, key=KEY)
    assert type(y) is type(nn.functional.dropout(x))
    assert torch.equal(y.as_subclass(torch.Tensor), oracle.dropout(x.as_subclass(torch.Tensor), 0.5,
                                                                   12345))


def test_devices_and_modes_around_a_call_change_nothing():
    code = """
import threading, torch, simdrop.torch as S
def first_call():
    with torch.inference_mode(), torch.device("meta"):
        S.dropout(torch.ones(4, device="cpu"))
        S.advance(layer, 1)
    S.advance(layer, 2)
    assert layer(torch.ones(4, requires_grad=True)).requires_grad
    S.dropout(torch.ones(4))
    done.append(True)
layer, done = S.Dropout(), []
thread = threading.Thread(target=first_call)
thread.start(); thread.join()
torch.set_default_device("meta")
S.dropout(torch.ones(4, device="cpu"))
assert done == [True]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("call", [S.dropout, S.relu_dropout,
                                  lambda x: S.residual_dropout(x, x, key=KEY)])
@pytest.mark.parametrize("gradient", [False, True])
def test_a_result_that_fits_no_memory(call, gradient):
    x = torch.zeros(1, requires_grad=gradient).expand(2**44)
    with pytest.raises(RuntimeError, match="allocate|memory"):
        call(x)


@pytest.mark.parametrize("make", [
    lambda: torch.nested.nested_tensor([torch.ones(3), torch.ones(2)]),
    lambda: torch._efficientzerotensor((4,)),
    lambda: torch._neg_view(torch.ones(4)),
], ids=["nested", "zero", "negated"])
@pytest.mark.parametrize("layer", [S.Dropout(), S.ReLUDropout()])
def test_tensors_without_ordinary_memory(make, layer):
    y = layer(make())
    assert type(y) is torch.Tensor and y.is_nested == make().is_nested
    if not y.is_nested:
        assert torch.isin(y + 0, torch.tensor([0.0, -2.0])).all()


def test_streams_have_64_bits():
    x = torch.ones(64)
    calls = [S.dropout, S.relu_dropout, lambda x, **k: S.residual_dropout(x, torch.zeros(64), **k)]
    for call in calls:
        for stream in (-1, 2**64 - 1):
            kept = oracle.mask((64,), 0.5, 12345, stream % 2**64)
            assert torch.equal(call(x, key=KEY, stream=stream) > 0, kept)
        for stream in (2**64, -(2**63) - 1):
            with pytest.raises(ValueError, match=f"stream is {stream}; allowed"):
                call(x, key=KEY, stream=stream)


def test_a_key_may_have_any_stride_and_only_one_device():
    x, zeros = torch.ones(300), torch.zeros(300)
    for key in (torch.tensor([[12345, 1], [0, 0]])[:, 0], KEY.clone()):
        assert torch.equal(S.residual_dropout(x, zeros, key=key), S.dropout(x, key=KEY))
    with pytest.raises((ValueError, RuntimeError)):
        S.residual_dropout(x, zeros, key=torch.empty(2, dtype=torch.int64, device="meta"))
    with pytest.raises((ValueError, RuntimeError)):
        torch.ops.simdrop.residual_dropout(x, zeros.to("meta"), KEY, 0.5, 0)
    with pytest.raises((ValueError, RuntimeError), match="key is"):
        S.residual_dropout(x, zeros, key=torch.tensor([[1, 0]]))


def test_other_threads_of_python_run_during_a_long_call():
    x, seen, done = torch.ones(2**22), [0], threading.Event()

    def count():
        while not done.is_set():
            seen[0] += 1
            time.sleep(0)  # gives the interpreter away

    counter = threading.Thread(target=count)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # nobody takes it away: the call has to give it
    try:
        counter.start()
        for _ in range(10000):
            before = seen[0]
            S.dropout(x)
            if seen[0] > before:
                break
        else:
            pytest.fail("no other thread ran during any of the calls")
    finally:
        sys.setswitchinterval(interval)
        done.set()
        counter.join()


# Where PyTorch is older than its stable C interface, Python and ctypes do what native code does.
def test_without_the_native_part(tmp_path):
    from simdrop._library import library

    shutil.copy(library._name, tmp_path / "libsimdrop.so")  # and nothing beside it
    code = f"""
import sys, pytest
import simdrop.torch._native as native
assert native.eager is None and native.executor() is None
folder = {str(pathlib.Path(__file__).parent)!r}
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", folder + "/test_torch_dropout.py",
                      folder + "/test_operators.py", "-k", "not native_part"]))
"""
    environment = {**os.environ, "SIMDROP_LIBRARY": str(tmp_path / "libsimdrop.so")}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True,
                         text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("key", [torch.tensor([1, 0], dtype=torch.int32), torch.tensor([1]),
                                 torch.tensor([[1, 0]])])
def test_a_key_is_two_int64(key):
    for call in (S.dropout, S.relu_dropout, lambda x, **k: S.dropout(x, inplace=True, **k)):
        with pytest.raises(ValueError, match="key is torch.int.*; allowed: int64 of"):
            call(torch.ones(3), key=key)
