"""Files: what simdrop saves, read with a few lines of Python; and a run that goes on from one."""

import ctypes
import json
import tempfile
from pathlib import Path

import network
import numpy as np
import simdrop_c as sd
from oracle import same


def read_safetensors(path):
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, t in header.items():
        assert t["dtype"] == "F32", name
        begin, end = (start + offset for offset in t["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], "<f4").reshape(t["shape"])
    return tensors


def write_safetensors(path, tensors):
    """As PyTorch's users do: tensors alone."""
    header, data = {}, b""
    for name, values in tensors.items():
        end = len(data) + values.nbytes
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [len(data), end]}
        data += values.astype("<f4").tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def check_others(lib, path, tensors):
    """A file that tells neither activation nor loss: the caller must."""
    write_safetensors(path, tensors)
    loaded = ctypes.c_void_p()
    try:
        lib.call("mlp_load_run", bytes(path), sd.MlpLoadArgs(), ctypes.byref(loaded), None)
    except sd.SimdropError as error:
        assert error.status == sd.FILE_ERROR and "activation (relu)" in str(error), str(error)
    else:
        raise AssertionError("a file was loaded that does not tell its loss")
    relu, softmax_ce = 1, 102
    args = sd.MlpLoadArgs(activation=relu, loss=softmax_ce)
    lib.call("mlp_load_run", bytes(path), args, ctypes.byref(loaded), None)
    for want, got in zip(tensors.values(), parameters(lib, loaded)):
        same(got, want, "a parameter of a file of others")
    lib.dll.simdrop_mlp_destroy(loaded)


def parameters(lib, mlp):
    """In order: weights and bias of each layer."""
    return [w for l in range(1, network.LAST + 1)
            for w in (lib.tensor(mlp, sd.WEIGHTS, l), lib.tensor(mlp, sd.BIAS, l)[0])]


def step(lib, rng_seed, mlp, optimizer):
    rng = np.random.default_rng(rng_seed)
    x = rng.uniform(-1, 1, (network.BATCH, network.WIDTHS[0])).astype(np.float32)
    labels = rng.integers(0, network.WIDTHS[-1], network.BATCH).astype(np.uint8)
    lib.call("mlp_train_step", mlp, network.BATCH, x, network.WIDTHS[0],
             sd.Targets(labels=labels.ctypes.data), optimizer, 0, None, None)


def check_all(lib):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        mlp = network.create(lib, sd.SOFTMAX_CE)
        config = sd.OptimizerConfig(learning_rate=0.1, momentum=0.9, beta1=0.9, beta2=0.999,
                                    epsilon=1e-8)
        optimizer = lib.create("optimizer_create", config, mlp)
        step(lib, 1, mlp, optimizer)
        lib.call("mlp_save", bytes(path), mlp, None)
        # Dropout of the input is module 0, and each hidden layer is Linear, ReLU, Dropout.
        names = [f"{module}.{kind}" for module in (1, 4, 7) for kind in ("weight", "bias")]
        tensors = read_safetensors(path)
        assert sorted(tensors) == sorted(names), sorted(tensors)
        for name, w in zip(names, parameters(lib, mlp)):
            same(tensors[name], w, name)
        check_others(lib, path, {name: tensors[name] for name in names})

        lib.call("mlp_save", bytes(path), mlp, optimizer)
        loaded, state = ctypes.c_void_p(), ctypes.c_void_p()
        defaults = sd.MlpConfig(input_keep_prob=1.0, max_batch=network.BATCH, num_threads=1,
                                loss=sd.SOFTMAX_CE)
        lib.call("mlp_load", bytes(path), defaults, ctypes.byref(loaded), ctypes.byref(state))
        assert lib.dll.simdrop_optimizer_step_count(state) == 1
        step(lib, 2, mlp, optimizer)
        step(lib, 2, loaded, state)
        for want, got in zip(parameters(lib, mlp), parameters(lib, loaded)):
            same(got, want, "a parameter of the resumed run")
        for o, m in [(optimizer, mlp), (state, loaded)]:
            lib.dll.simdrop_optimizer_destroy(o)
            lib.dll.simdrop_mlp_destroy(m)
        try:
            lib.call("mlp_load", bytes(path) + b".none", defaults, ctypes.byref(loaded), None)
        except sd.SimdropError as error:
            assert error.status == sd.FILE_ERROR and ".none" in str(error), str(error)
        else:
            raise AssertionError("a file that is not there was loaded")
