"""simdrop's C interface for ctypes: what a program in Python needs, written by hand from simdrop.h."""

import ctypes
from ctypes import POINTER, byref, c_char, c_char_p, c_double, c_int32, c_int64, c_size_t
from ctypes import c_uint64, c_void_p

import numpy as np

OK, INVALID_ARGUMENT, OUT_OF_MEMORY, FILE_ERROR, INVALID_STATE = range(5)
F32, F64, BF16, F16, U8 = range(5)
SIGMOID_BCE, SOFTMAX_CE, IDENTITY_MSE = range(3)
WEIGHTS, BIAS, Z, A, MASK, DA, DZ, DW, DB = range(9)


class Sized(ctypes.Structure):
    """A structure that begins with its size."""

    def __init__(self, **fields):
        super().__init__(struct_size=ctypes.sizeof(self), **fields)


class Error(Sized):
    _fields_ = [("struct_size", c_size_t), ("status", c_int32), ("message", c_char * 256)]


class Dropout(Sized):
    _fields_ = [("struct_size", c_size_t), ("keep_prob", c_double), ("seed", c_uint64),
                ("stream_id", c_uint64), ("first", c_uint64), ("rule", c_int32),
                ("rounds", c_int32)]

    def __init__(self, keep_prob, **fields):
        super().__init__(keep_prob=keep_prob, rounds=fields.pop("rounds", 10), **fields)


TASK = ctypes.CFUNCTYPE(None, c_void_p, c_size_t)
PARALLEL_FOR = ctypes.CFUNCTYPE(None, c_void_p, c_size_t, TASK, c_void_p)


class Executor(Sized):
    _fields_ = [("struct_size", c_size_t), ("context", c_void_p), ("parallel_for", PARALLEL_FOR),
                ("max_concurrency", c_int32), ("reserved", c_int32)]


class Exec(Sized):
    _fields_ = [("struct_size", c_size_t), ("executor", POINTER(Executor)),
                ("num_threads", c_int32), ("stores", c_int32)]


class LinearForwardArgs(Sized):
    _fields_ = [("struct_size", c_size_t), ("batch", c_int64), ("n_in", c_int64),
                ("n_out", c_int64), ("x", c_void_p), ("x_ld", c_int64), ("weights", c_void_p),
                ("weights_ld", c_int64), ("bias", c_void_p), ("dropout", POINTER(Dropout)),
                ("y", c_void_p), ("y_ld", c_int64), ("mask", c_void_p), ("workspace", c_void_p),
                ("exec_", POINTER(Exec)), ("dtype", c_int32), ("activation", c_int32)]


class MlpConfig(Sized):
    _fields_ = [("struct_size", c_size_t), ("widths", POINTER(c_int64)), ("num_widths", c_int64),
                ("keep_prob", POINTER(c_double)), ("num_keep_prob", c_int64),
                ("input_keep_prob", c_double), ("seed", c_uint64), ("max_batch", c_int64),
                ("dropout_group", c_int64), ("executor", POINTER(Executor)),
                ("dropout_unit", c_int32), ("lazy_updates", c_int32), ("loss", c_int32),
                ("init", c_int32), ("num_threads", c_int32), ("record", c_int32),
                ("keep_gradients", c_int32), ("reserved", c_int32)]


class OptimizerConfig(Sized):
    _fields_ = [("struct_size", c_size_t), ("learning_rate", c_double), ("momentum", c_double),
                ("weight_decay", c_double), ("beta1", c_double), ("beta2", c_double),
                ("epsilon", c_double), ("max_norm", c_double), ("kind", c_int32),
                ("nesterov", c_int32)]


class MlpLoadArgs(Sized):
    _fields_ = [("struct_size", c_size_t), ("defaults", POINTER(MlpConfig)),
                ("activation", c_int32), ("loss", c_int32)]


class Targets(Sized):
    _fields_ = [("struct_size", c_size_t), ("labels", c_void_p), ("values", c_void_p),
                ("values_ld", c_int64)]


class Tensor(Sized):
    _fields_ = [("struct_size", c_size_t), ("data", c_void_p), ("rows", c_int64),
                ("cols", c_int64), ("ld", c_int64), ("dtype", c_int32), ("reserved", c_int32)]


class SimdropError(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def argument(value):
    """What ctypes should pass for a value, by its Python type."""
    if isinstance(value, np.ndarray):
        return c_void_p(value.ctypes.data)
    if isinstance(value, Sized):
        return byref(value)
    if isinstance(value, float):
        return c_double(value)
    if isinstance(value, (int, np.integer)):
        return c_int64(value)  # also of 32 bits: registers and stack slots are of 64
    if isinstance(value, bytes):
        return c_char_p(value)
    return value


class Library:
    """Calls simdrop_NAME(...), and raises SimdropError for what is not SIMDROP_OK."""

    def __init__(self, path):
        self.dll = ctypes.CDLL(path)
        self.dll.simdrop_version_string.restype = c_char_p
        self.dll.simdrop_mlp_num_parameters.restype = c_int64
        self.dll.simdrop_optimizer_step_count.restype = c_uint64

    def call(self, name, *arguments):
        error = Error()
        status = getattr(self.dll, "simdrop_" + name)(*map(argument, arguments), byref(error))
        if status != OK:
            raise SimdropError(status, error.message.decode())
        assert error.status == OK

    def create(self, name, *arguments):
        handle = c_void_p()
        self.call(name, *arguments, byref(handle))
        return handle

    def tensor(self, mlp, kind, layer):
        """A copy of a tensor of the network."""
        t = Tensor()
        self.call("mlp_tensor", mlp, kind, layer, t)
        dtype = {F32: np.float32, U8: np.uint8}[t.dtype]
        size = (t.rows - 1) * t.ld + t.cols
        raw = (ctypes.c_byte * (size * np.dtype(dtype).itemsize)).from_address(t.data)
        flat = np.frombuffer(raw, dtype)
        return np.lib.stride_tricks.as_strided(
            flat, (t.rows, t.cols), (t.ld * flat.itemsize, flat.itemsize)).copy()
