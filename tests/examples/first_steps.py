import ctypes as c

import numpy as np


class Dropout(c.Structure):  # simdrop_dropout
    _fields_ = [("struct_size", c.c_size_t), ("keep_prob", c.c_double), ("seed", c.c_uint64),
                ("stream_id", c.c_uint64), ("first", c.c_uint64), ("rule", c.c_int32),
                ("rounds", c.c_int32)]


dropout = Dropout(c.sizeof(Dropout), keep_prob=0.8, seed=1, rounds=10)
x, y = np.ones(1000, np.float32), np.empty(1000, np.float32)
f32, rows, cols, array = 0, c.c_int64(1), c.c_int64(1000), np.ctypeslib.as_ctypes
status = c.CDLL("libsimdrop.so.0").simdrop_dropout_forward(
    c.byref(dropout), f32, rows, cols, array(x), cols, array(y), cols, None, None, None)
print(f"status {status}, kept {np.count_nonzero(y)} of 1000")
