#!/usr/bin/env python3
"""Calls a shared simdrop on NumPy arrays through ctypes, and checks what it computes with NumPy.

Usage: client.py PATH_OF_THE_SHARED_LIBRARY
"""

import sys
import threading

import files
import kernels
import network
import numpy as np
import simdrop_c as sd


def refused(lib, status, words, name, *arguments):
    try:
        lib.call(name, *arguments)
    except sd.SimdropError as error:
        assert error.status == status, (error.status, str(error))
        assert all(word in str(error) for word in words), str(error)
    else:
        raise AssertionError(f"{name} did not fail")


def errors(lib):
    x = np.full(12, 3.5, np.float32)
    d = sd.Dropout(0.5)
    invalid = sd.INVALID_ARGUMENT
    refused(lib, invalid, ["x.data", "null"], "dropout_forward", d, 0, 3, 4, None, 4, x, 4, None,
            None)
    refused(lib, invalid, ["rows is -3"], "dropout_forward", d, 0, -3, 4, x, 4, x, 4, None, None)
    refused(lib, invalid, ["x.rows", "fits in memory"], "dropout_forward", d, 0, 2**62, 4, x, 4, x,
            4, None, None)
    refused(lib, invalid, ["overlaps x"], "dropout_forward", d, 0, 2, 4, x, 4, x[1:], 4, None, None)
    refused(lib, invalid, ["keep_prob is 2"], "dropout_forward", sd.Dropout(2.0), 0, 3, 4, x, 4, x,
            4, None, None)
    refused(lib, invalid, ["dtype is 9"], "dropout_backward", d, 9, 3, 4, x, 4, x, 4, None)
    short = sd.Dropout(0.5)
    short.struct_size = 4
    refused(lib, invalid, ["struct_size is 4"], "dropout_backward", short, 0, 3, 4, x, 4, x, 4, None)
    mlp = network.create(lib, sd.SOFTMAX_CE)
    refused(lib, sd.INVALID_STATE, ["forward"], "mlp_tensor", mlp, sd.A, 1, sd.Tensor())
    lib.dll.simdrop_mlp_destroy(mlp)
    assert np.all(x == 3.5), "a call that failed wrote something"


def run_tasks(context, count, task, task_context):
    """An application's own pool, as simple as can be."""
    threads = [threading.Thread(target=task, args=(task_context, i)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    lib = sd.Library(sys.argv[1])
    rng = np.random.default_rng(20260101)
    function = sd.PARALLEL_FOR(run_tasks)
    executor = sd.Executor(parallel_for=function, max_concurrency=2)
    pool = sd.Exec(executor=sd.POINTER(sd.Executor)(executor), num_threads=2)
    execs = [None, sd.Exec(num_threads=2), pool]
    errors(lib)
    kernels.check_all(lib, rng, execs)
    network.check_all(lib, rng, execs)
    files.check_all(lib)
    print("simdrop", lib.dll.simdrop_version_string().decode(), "from Python: all as it should be")


if __name__ == "__main__":
    main()
