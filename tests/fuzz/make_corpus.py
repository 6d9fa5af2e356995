#!/usr/bin/env python3
"""Makes corpus/: small files that the fuzzers start from. Run in this folder."""
import gzip
import json
import pathlib
import random
import struct


def write(name, data):
    path = pathlib.Path("corpus") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def safetensors(tensors, metadata=None):
    """tensors: name -> (shape, values)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (shape, values) in tensors.items():
        end = len(data) + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), end]}
        data += struct.pack(f"<{len(values)}f", *values)
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def network(name):
    return {f"{name}0.weight": ([2, 1], [0.5, -1.0]), f"{name}0.bias": ([2], [0.0, 1.0]),
            f"{name}2.weight": ([1, 2], [1.0, float("nan")]), f"{name}2.bias": ([1], [2.0])}


def with_state(parameters, *prefixes):
    tensors = dict(parameters)
    for prefix in prefixes:
        for name, (shape, values) in parameters.items():
            tensors[f"optimizer.{prefix}.{name}"] = (shape, [0.0] * len(values))
    return tensors


def config(kind, momentum, unit="element"):
    return {"version": 1,
            "network": {"widths": [1, 2, 1], "keep_prob": [1.0], "input_keep_prob": 1.0,
                        "dropout_unit": unit, "lazy_updates": unit == "neuron", "dropout_group": 0,
                        "loss": "identity_mse", "init": "he", "seed": 18446744073709551615},
            "optimizer": {"kind": kind, "learning_rate": 0.01, "momentum": momentum,
                          "nesterov": False, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.999,
                          "epsilon": 1e-8, "max_norm": 0.0, "step_count": 3}}


def metadata(*arguments):
    return {"format": "pt", "simdrop": json.dumps(config(*arguments), separators=(",", ":"))}


def idx(dimensions, values):
    return struct.pack(f">I{len(dimensions)}I", 0x800 + len(dimensions), *dimensions) + bytes(values)


write("safetensors/empty", safetensors({}))
write("safetensors/torch", safetensors(network("")))
write("safetensors/prefix", safetensors(network("net."), {"format": "pt"}))
write("safetensors/sgd", safetensors(network(""), metadata("sgd", 0.0)))
write("safetensors/momentum",
      safetensors(with_state(network(""), "momentum_buffer"), metadata("sgd", 0.9, "neuron")))
write("safetensors/adam",
      safetensors(with_state(network(""), "exp_avg", "exp_avg_sq"), metadata("adam", 0.0)))

IMAGES, LABELS = idx([2, 2, 3], range(12)), idx([3], [0, 9, 4])
for name, data in (("images", IMAGES), ("labels", LABELS)):
    write(f"idx/{name}", data)
    write(f"idx/{name}.gz", gzip.compress(data, mtime=0))

# Any bytes are calls of C functions: some long sequences of them.
for number in range(4):
    write(f"c_api/{number}", random.Random(number).randbytes(700))
