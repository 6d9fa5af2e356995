import ctypes

import numpy as np

lib = ctypes.CDLL("libsimdrop.so.0")


class Dropout(ctypes.Structure):  # simdrop_dropout
    _fields_ = [("struct_size", ctypes.c_size_t), ("keep_prob", ctypes.c_double),
                ("seed", ctypes.c_uint64), ("stream_id", ctypes.c_uint64),
                ("first", ctypes.c_uint64), ("rule", ctypes.c_int32), ("rounds", ctypes.c_int32)]


matrix = np.ctypeslib.ndpointer(np.float32, ndim=2, flags="C")
forward = lib.simdrop_dropout_forward
forward.argtypes = [ctypes.POINTER(Dropout), ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, matrix,
                    ctypes.c_int64, matrix, ctypes.c_int64] + [ctypes.c_void_p] * 3

dropout = Dropout(ctypes.sizeof(Dropout), keep_prob=0.8, seed=1, rounds=10)
x = np.ones((10, 100), np.float32)
y = np.empty_like(x)
status = forward(dropout, 0, 10, 100, x, 100, y, 100, None, None, None)
print(f"status {status}, kept {np.count_nonzero(y)} of 1000")
