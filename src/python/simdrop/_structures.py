"""The structures and functions of include/simdrop/c, as ctypes declares them."""

from __future__ import annotations

import ctypes as c
from typing import Any

_i32, _i64, _u64, _f64, _at, _size = (c.c_int32, c.c_int64, c.c_uint64, c.c_double, c.c_void_p,
                                      c.c_size_t)


class Error(c.Structure):
    _fields_ = [("struct_size", _size), ("status", _i32), ("message", c.c_char * 256)]


class Executor(c.Structure):
    _fields_ = [("struct_size", _size), ("context", _at), ("parallel_for", _at),
                ("max_concurrency", _i32), ("reserved", _i32)]


class Exec(c.Structure):
    _fields_ = [("struct_size", _size), ("executor", _at), ("num_threads", _i32),
                ("stores", _i32)]


class IsaInfo(c.Structure):
    _fields_ = [("struct_size", _size), ("name", c.c_char_p), ("compiled", _i32),
                ("supported", _i32)]


class Dropout(c.Structure):
    _fields_ = [("struct_size", _size), ("keep_prob", _f64), ("seed", _u64), ("stream_id", _u64),
                ("first", _u64), ("rule", _i32), ("rounds", _i32)]


class MlpConfig(c.Structure):
    _fields_ = [("struct_size", _size), ("widths", c.POINTER(_i64)), ("num_widths", _i64),
                ("keep_prob", c.POINTER(_f64)), ("num_keep_prob", _i64),
                ("input_keep_prob", _f64), ("seed", _u64), ("max_batch", _i64),
                ("dropout_group", _i64), ("executor", _at), ("dropout_unit", _i32),
                ("lazy_updates", _i32), ("loss", _i32), ("init", _i32), ("num_threads", _i32),
                ("record", _i32), ("keep_gradients", _i32), ("reserved", _i32)]


class Tensor(c.Structure):
    _fields_ = [("struct_size", _size), ("data", _at), ("rows", _i64), ("cols", _i64),
                ("ld", _i64), ("dtype", _i32), ("reserved", _i32)]


class Targets(c.Structure):
    _fields_ = [("struct_size", _size), ("labels", _at), ("values", _at), ("values_ld", _i64)]


class OptimizerConfig(c.Structure):
    _fields_ = [("struct_size", _size), ("learning_rate", _f64), ("momentum", _f64),
                ("weight_decay", _f64), ("beta1", _f64), ("beta2", _f64), ("epsilon", _f64),
                ("max_norm", _f64), ("kind", _i32), ("nesterov", _i32)]


class MlpSaveArgs(c.Structure):
    _fields_ = [("struct_size", _size), ("optimizer", _at), ("no_sync", _i32), ("reserved", _i32)]


class MlpLoadArgs(c.Structure):
    _fields_ = [("struct_size", _size), ("defaults", _at), ("activation", _i32), ("loss", _i32)]


def function_arguments() -> dict[str, tuple[Any, list[Any]]]:
    """What each function returns and takes, by its name without simdrop_. Pointers are void*."""
    status, matrix = _i32, [_at, _i64]  # a matrix: where it is, and its leading dimension
    shape = [_i32, _i64, _i64]  # dtype, rows, cols
    call = [_at, _at]  # exec, error
    rows = [_at, _i64, *matrix]  # an object, rows, x
    monte_carlo = [*rows, _i64, _u64, _u64, *matrix, *matrix, *call]
    init = (status, [_at, _size, _at])
    return {
        "status_message": (c.c_char_p, [_i32]),
        "version_string": (c.c_char_p, []),
        "isa_count": (_i32, []),
        "isa_get": (status, [_i32, _at, _at]),
        "active_isa": (status, [_at, _at]),
        "cpu_name": (status, [_at, _i64, _at, _at]),
        "bernoulli_mask": (status, [_at, _i64, _at, *call]),
        "dropout_forward": (status, [_at, *shape, *matrix, *matrix, _at, *call]),
        "dropout_backward": (status, [_at, *shape, *matrix, *matrix, *call]),
        "dropout_backward_from_mask": (status, [_f64, _at, *shape, *matrix, *matrix, *call]),
        "residual_dropout_forward": (status, [_at, *shape, *matrix, *matrix, *matrix, _at, *call]),
        "residual_dropout_forward_from_mask": (
            status, [_f64, _at, *shape, *matrix, *matrix, *matrix, *call]),
        "bias_relu_dropout_forward": (status, [_at, *shape, *matrix, _at, *matrix, _at, *call]),
        "bias_relu_dropout_forward_from_mask": (
            status, [_f64, _at, *shape, *matrix, _at, *matrix, *call]),
        "relu_dropout_backward": (status, [_f64, *shape, *matrix, *matrix, *matrix, *call]),
        "mlp_config_init": init,
        "mlp_create": (status, [_at, _at, _at]),
        "mlp_clone": (status, [_at, _at, _at]),
        "mlp_destroy": (None, [_at]),
        "mlp_get_config": (status, [_at, _at, _at]),
        "mlp_num_parameters": (_i64, [_at]),
        "mlp_tensor": (status, [_at, _i32, _i64, _at, _at]),
        "mlp_set_keep_prob": (status, [_at, _i64, _f64, _at]),
        "mlp_inject_mask": (status, [_at, _i64, _at, _i64, _at]),
        "mlp_forward": (status, [*rows, _u64, _u64, *call]),
        "mlp_backward": (status, [_at, _at, _at, *call]),
        "mlp_train_step": (status, [*rows, _at, _at, _u64, _at, *call]),
        "mlp_predict": (status, [*rows, *matrix, *call]),
        "mlp_predict_monte_carlo": (status, monte_carlo),
        "mlp_loss": (status, [*rows, _at, _at, _at]),
        "mlp_mask_stream_id": (status, [_i64, _u64, _at, _at]),
        "mlp_sample_stream_id": (status, [_i64, _u64, _at, _at]),
        "optimizer_config_init": init,
        "optimizer_create": (status, [_at, _at, _at, _at]),
        "optimizer_destroy": (None, [_at]),
        "optimizer_set_learning_rate": (status, [_at, _f64, _at]),
        "optimizer_get_config": (status, [_at, _at, _at]),
        "optimizer_step_count": (_u64, [_at]),
        "mlp_save_args_init": init,
        "mlp_save_run": (status, [_at, _at, _at, _at]),
        "mlp_load_args_init": init,
        "mlp_load_run": (status, [_at, _at, _at, _at, _at]),
        "predictor_create": (status, [_at, _i64, _at, _at, _at]),
        "predictor_destroy": (None, [_at]),
        "predictor_predict": (status, [*rows, *matrix, *call]),
        "predictor_predict_monte_carlo": (status, monte_carlo),
    }
