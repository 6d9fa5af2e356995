"""Files: a run that goes on, and files that PyTorch wrote or is to read."""

import json
from pathlib import Path

import numpy as np
import pytest
from textbook import close, passed, same

import simdrop

DATA = Path(__file__).parents[1] / "data"


def batch(rows=16):
    rng = np.random.default_rng(5)
    return rng.normal(size=(rows, 20)).astype(np.float32), rng.integers(0, 5, rows)


def network(**arguments):
    return simdrop.Mlp([20, 32, 16, 5], **dict(
        dict(keep_prob=[0.5, 0.75], input_keep_prob=0.9, seed=11, max_batch=16), **arguments))


def read(path):
    """A safetensors file: its tensors, by name."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    assert all(entry["dtype"] == "F32" for entry in header.values())
    return {name: np.frombuffer(data[slice(*(start + at for at in entry["data_offsets"]))], "<f4")
            .reshape(entry["shape"]) for name, entry in header.items()}


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_run_goes_on_bit_for_bit(tmp_path, kind):
    x, y = batch()
    mlp = network(dropout_unit="neuron")
    optimizer = simdrop.Optimizer(mlp, kind=kind, learning_rate=0.05, weight_decay=0.01)
    for _ in range(3):
        mlp.train_step(x, y, optimizer)
    path = tmp_path / "run.safetensors"
    simdrop.save(path, mlp, optimizer, sync=False)
    again, state = simdrop.load(str(path), max_batch=16)
    assert again.config == mlp.config and state.config == optimizer.config
    assert state.step_count == 3
    for _ in range(3):
        assert again.train_step(x, y, state) == mlp.train_step(x, y, optimizer)
    for layer in (1, 2, 3):
        same(again.weights(layer), mlp.weights(layer))
        same(again.bias(layer), mlp.bias(layer))


def test_how_a_loaded_network_runs(tmp_path):
    path = tmp_path / "weights.safetensors"
    simdrop.save(path, network(loss="identity_mse"))
    mlp, optimizer = simdrop.load(path, max_batch=7, num_threads=2, record=True,
                                  keep_gradients=True)
    assert optimizer is None
    assert mlp.config == network(loss="identity_mse", max_batch=7, num_threads=2, record=True,
                                 keep_gradients=True).config


def test_the_tensors_of_a_file(tmp_path):
    """Dropout of the input is module 0, and each hidden layer is Linear, ReLU, Dropout."""
    mlp, path = network(), tmp_path / "weights.safetensors"
    simdrop.save(path, mlp)
    tensors = read(path)
    want = {}
    for layer, module in ((1, 1), (2, 4), (3, 7)):
        want |= {f"{module}.weight": mlp.weights(layer), f"{module}.bias": mlp.bias(layer)}
    assert tensors.keys() == want.keys()
    for name, tensor in tensors.items():
        same(tensor, want[name])


def expected(name):
    """A table of torch_sequential.txt."""
    lines = (DATA / "torch_sequential.txt").read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(name))
    rows = int(lines[at].split()[1])
    return np.array([line.split() for line in lines[at + 1:at + 1 + rows]], np.float64)


def test_a_file_of_pytorch():
    path, x = DATA / "torch_sequential.safetensors", expected("inputs").astype(np.float32)
    mlp, optimizer = simdrop.load(path, activation="relu", loss="identity_mse",
                                  keep_prob=[0.5, 0.75], seed=3)
    assert optimizer is None and mlp.config["keep_prob"] == [0.5, 0.75]
    _, bound = passed(mlp, x)
    close(mlp.predict(x), expected("identity"), bound)
    mlp, _ = simdrop.load(path, activation="relu", loss="softmax_ce")
    # |d softmax| <= |dz| / 2 of any output, and a few roundings.
    close(mlp.predict(x), expected("softmax"), bound.max() + 64 * 2.0**-24)


def test_errors(tmp_path):
    mlp, path = network(), tmp_path / "weights.safetensors"
    simdrop.save(path, mlp)
    before = path.read_bytes()
    other = simdrop.Optimizer(simdrop.Mlp([20, 5]))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(before[:-1])
    torch = DATA / "torch_sequential.safetensors"
    for call, error, words in [
        (lambda: simdrop.load(tmp_path / "none"), OSError, "none"),
        (lambda: simdrop.load(broken), OSError, "broken.safetensors"),
        (lambda: simdrop.load(tmp_path), OSError, str(tmp_path)),
        (lambda: simdrop.load(torch), OSError, "activation"),
        (lambda: simdrop.load(torch, activation="relu"), OSError, "loss"),
        (lambda: simdrop.load(torch, activation="gelu"), ValueError, "activation is 'gelu'"),
        (lambda: simdrop.load(torch, loss="mse"), ValueError, "loss is 'mse'"),
        (lambda: simdrop.load(path, loss="identity_mse"), OSError, "loss"),
        (lambda: simdrop.load(path, keep_prob=0.5), TypeError, "keep_prob is 0.5"),
        (lambda: simdrop.load(path, max_batch=-1), ValueError, "max_batch is -1"),
        (lambda: simdrop.load("a\0b"), ValueError, "path is 'a\\x00b'"),
        (lambda: simdrop.load(3), TypeError, "int"),
        (lambda: simdrop.save(tmp_path / "none" / "file", mlp), OSError, "none"),
        (lambda: simdrop.save(path, mlp, other), ValueError, "optimizer"),
        (lambda: simdrop.save(path, other), TypeError, "mlp is a Optimizer"),
        (lambda: simdrop.save(path, mlp, mlp), TypeError, "optimizer is a Mlp"),
        (lambda: simdrop.save(path, mlp, sync=0), TypeError, "sync is 0"),
    ]:
        with pytest.raises(error) as caught:
            call()
        assert words in str(caught.value)
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [broken.name, path.name]


def test_paths_of_any_text(tmp_path):
    path = tmp_path / "gewichte ä \udcff.safetensors"
    simdrop.save(path, network())
    same(simdrop.load(path)[0].weights(1), network().weights(1))
