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


def raw(header, size=0):
    return struct.pack("<Q", len(header)) + header + b"x" * size


def edited(data, old, new):
    """The header of `data` with one text in place of another."""
    size = 8 + struct.unpack("<Q", data[:8])[0]
    assert old in data[8:size], old
    header = data[8:size].replace(old, new)
    return struct.pack("<Q", len(header)) + header + data[size:]


# One for each thing that a header can have wrong, so that the corpus reaches each message.
TENSOR = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
BROKEN = {
    "no_brace": raw(b"[]"), "cut": raw(TENSOR[:20], 4), "too_long": struct.pack("<Q", 99) + b"{}",
    "short": b"1234567", "more": raw(b"{} x"), "data_behind": raw(TENSOR, 5), "comma": raw(b'{"a":1 "b"}'),
    "colon": raw(b'{"a" 1}'), "no_key": raw(b"{1:2}"), "no_value": raw(b'{"a":}'),
    "words": raw(b'{"a":{"shape":[true,false,null]}}'), "scalar": raw(b'{"a":null}'),
    "false": raw(b'{"a":false}'), "true": raw(b'{"a":true}'), "number": raw(b'{"a":-1.5e-3}'),
    "exponent": raw(b'{"a":1e}'), "overflow": raw(b'{"a":1e999}'),
    "escapes": raw(rb'{"__metadata__":{"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00":"v"}}'),
    "half_pair": raw(rb'{"\ud83d":1}'), "bad_pair": raw(rb'{"\ud83d\u0041":1}'),
    "bad_escape": raw(rb'{"\x":1}'), "bad_digits": raw(rb'{"\u12g4":1}'),
    "open_string": raw(b'{"a'), "control": raw(b'{"\x01":1}'), "not_utf8": raw(b'{"\xff":1}'),
    "utf8": raw('{"__metadata__":{"\u00e9\u20ac\U0001f600":""}}'.encode()),
    "not_utf8_tail": raw(b'{"\xe2\x82\x41":1}'), "deep": raw(b'{"a":{"shape":[[1]]}}'),
    "object": raw(b'{"a":{"b":{}}}'), "metadata_list": raw(b'{"__metadata__":[]}'),
    "metadata_number": raw(b'{"__metadata__":{"a":1}}'),
    "metadata_twice": raw(b'{"__metadata__":{},"__metadata__":{}}'),
    "key_twice": raw(b'{"__metadata__":{"a":"","a":""}}'),
    "tensor_twice": raw(TENSOR[:-1] + b"," + TENSOR[1:], 4),
    "dtype_twice": raw(b'{"a":{"dtype":"U8","dtype":"U8"}}'),
    "shape_twice": raw(b'{"a":{"shape":[],"shape":[]}}'), "no_dtype": raw(b'{"a":{}}'),
    "no_shape": raw(b'{"a":{"dtype":"U8"}}'), "no_offsets": raw(b'{"a":{"dtype":"U8","shape":[]}}'),
    "offsets": raw(b'{"a":{"data_offsets":[0,1,2]}}'), "rank": raw(b'{"a":{"shape":[' + b"1," * 65),
    "dtype": raw(b'{"a":{"dtype":"F31"}}'), "size": raw(TENSOR.replace(b"[1]", b"[2]"), 4),
    "product": raw(TENSOR.replace(b"[1]", b"[4294967296,4294967296]"), 4),
    "backwards": raw(TENSOR.replace(b"[0,4]", b"[4,0]"), 4),
    "gap": raw(TENSOR.replace(b"[0,4]", b"[4,8]"), 8),
    "overlap": raw(TENSOR[:-1] + b"," + TENSOR[1:].replace(b'"a"', b'"b"'), 4),
}

TORCH = safetensors(network(""))
TOLD = safetensors(network(""), {"activation": "relu", "loss": "identity_mse"})
SGD = safetensors(network(""), metadata("sgd", 0.0))
OTHERS = {
    "told": TOLD, "gelu": edited(TOLD, b"relu", b"gelu"), "hinge": edited(TOLD, b"identity_mse", b"hinge"),
    "told_softmax": edited(TOLD, b"identity_mse", b"softmax_ce"),
    "adjacent": edited(TORCH, b'"2.', b'"1.'), "zeros": edited(TORCH, b'"2.', b'"02.'),
    "huge": edited(TORCH, b'"2.', b'"99999999999999999999.'), "prefixes": edited(TORCH, b'"2.', b'"a2.'),
    "no_number": edited(TORCH, b'"2.', b'"x.'), "no_layer": edited(TORCH, b"2.bias", b"2.scale"),
    "batch_norm": edited(TORCH, b"2.bias", b"2.running_mean"), "norm": edited(TORCH, b"[2,1]", b"[2]"),
    "conv": edited(TORCH, b"[2,1]", b"[2,1,1,1]"), "rank_six": edited(TORCH, b"[2,1]", b"[2,1,1,1,1,1]"),
    "no_bias": edited(TORCH, b"2.bias", b"3.bias"), "no_weight": edited(TORCH, b"2.weight", b"3.weight"),
    "fits_not": edited(TORCH, b"[2,1]", b"[1,2]"), "between": edited(TORCH, b"[1,2]", b"[2,1]"),
    "bias_rank": edited(TORCH, b'"shape":[1]', b'"shape":[1,1]'),
    "int": edited(TORCH, b'"0.weight":{"dtype":"F32"', b'"0.weight":{"dtype":"I32"'),
    "scalar_weight": safetensors({"0.weight": ([], [1.0]), "0.bias": ([1], [1.0])}),
    "empty_layer": safetensors({"0.weight": ([0, 1], []), "0.bias": ([0], [])}),
    "notes": safetensors(network(""), {"activation": "relu", "loss": "sigmoid_bce", "\n": "\x01\"\\"}),
    "one_layer": safetensors({"0.weight": ([2, 1], [1.0, 2.0]), "0.bias": ([2], [3.0, 4.0])}),
}


def quoted(text):
    return json.dumps(text)[1:-1].encode()


CONFIGS = {
    "version": ('"version":1', '"version":2'), "version_list": ('"version":1', '"version":[1]'),
    "no_version": ('"version":1,', ""), "dotted": ('"network":{', '"network.seed":7,"network":{'),
    "no_network": ('"network":{', '"other":{'), "network_number": ('"network":{', '"network":1,"n":{'),
    "network_twice": ('"network":{', '"network":{},"network":{'),
    "optimizer_twice": ('"optimizer":{', '"optimizer":{},"optimizer":{'),
    "unknown": ('"seed":', '"new":1,"seed":'), "missing": ('"init":"he",', ""),
    "twice": ('"seed":', '"seed":1,"seed":'), "deep": ('"seed":', '"seed":{},"s":'),
    "list": ('"seed":', '"seed":[],"s":'), "kind": ('"init":"he"', '"init":1'),
    "name": ('"init":"he"', '"init":"orthogonal"'), "boolean": ('"lazy_updates":false', '"lazy_updates":0'),
    "double": ('"momentum":0.0', '"momentum":0'), "text": ('"momentum":0.0', '"momentum":"0"'),
    "range": ('"momentum":0.0', '"momentum":1.5'), "element": ('"widths":[1', '"widths":["1"'),
    "nested": ('"widths":[1', '"widths":[[1]'), "number": ('"widths":[1,2,1]', '"widths":1'),
    "widths": ('"widths":[1', '"widths":[2'), "group": ('"dropout_group":0', '"dropout_group":3'),
    "softmax": ("identity_mse", "softmax_ce"), "steps": ('"step_count":3', '"step_count":1099511627776'),
    "no_state": ('"momentum":0.0', '"momentum":0.5'), "empty": ('{"version":1', '['), "word": ('{"version":1', '7'),
}

for name, data in BROKEN.items():
    write(f"safetensors/broken_{name}", data)
for name, data in OTHERS.items():
    write(f"safetensors/other_{name}", data)
for name, (old, new) in CONFIGS.items():
    write(f"safetensors/config_{name}", edited(SGD, quoted(old), quoted(new)))

write("safetensors/empty", safetensors({}))
write("safetensors/torch", safetensors(network("")))
write("safetensors/prefix", safetensors(network("net."), {"format": "pt"}))
write("safetensors/sgd", safetensors(network(""), metadata("sgd", 0.0)))
write("safetensors/momentum",
      safetensors(with_state(network(""), "momentum_buffer"), metadata("sgd", 0.9, "neuron")))
write("safetensors/adam",
      safetensors(with_state(network(""), "exp_avg", "exp_avg_sq"), metadata("adam", 0.0)))

ADAM = safetensors(with_state(network(""), "exp_avg", "exp_avg_sq"), metadata("adam", 0.0))
write("safetensors/state_unknown", edited(ADAM, quoted('"kind":"adam"'), quoted('"kind":"sgd"')))
write("safetensors/state_shape",
      edited(ADAM, b'exp_avg.0.weight":{"dtype":"F32","shape":[2,1]',
             b'exp_avg.0.weight":{"dtype":"F32","shape":[1,2]'))

IMAGES, LABELS = idx([2, 2, 3], range(12)), idx([3], [0, 9, 4])
IDX = {
    "empty": b"", "cut_magic": b"\0\0\x08", "no_idx": b"GIF89a", "type": b"\0\0\x0d\3" + IMAGES[4:],
    "dimensions": b"\0\0\x08\2" + IMAGES[4:], "cut_header": IMAGES[:10], "cut": IMAGES[:-1],
    "more": IMAGES + b"x", "no_images": idx([0, 2, 3], []), "no_pixels": idx([2, 0, 3], []),
    "forged": idx([4294967295, 4294967295, 4294967295], []), "forged_count": idx([4294967295, 2, 3], [1]),
    "no_labels": idx([0], []), "label": idx([3], [0, 10, 4]), "more_labels": LABELS + b"x",
    "cut.gz": gzip.compress(IMAGES, mtime=0)[:-9], "corrupt.gz": gzip.compress(IMAGES, mtime=0)[:-8] + bytes(8),
    "two_members.gz": gzip.compress(IMAGES[:20], mtime=0) + gzip.compress(IMAGES[20:], mtime=0),
    "bomb.gz": gzip.compress(idx([1000, 28, 28], bytes(784000)), mtime=0),
    "bomb_without_end.gz": gzip.compress(idx([4294967295, 28, 28], bytes(784000)), mtime=0),
    "bomb_labels.gz": gzip.compress(idx([784000], bytes(784000)), mtime=0),
}
for name, data in IDX.items():
    write(f"idx/{name}", data)
for name, data in (("images", IMAGES), ("labels", LABELS)):
    write(f"idx/{name}", data)
    write(f"idx/{name}.gz", gzip.compress(data, mtime=0))

# Any bytes are calls of C functions: some long sequences of them.
for number in range(4):
    write(f"c_api/{number}", random.Random(number).randbytes(700))
