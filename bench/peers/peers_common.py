"""What the Python peers share: timing in turns, checks, one table. See README.md here."""

import argparse
import math
import os
import random
import statistics
import sys
import time

KEEP_PROBS = (0.9, 0.5)
LEAST_CORE_SHARE = 0.9


def use_cores(count):
    """Before any library starts threads: all that a peer does, it does on so many cores."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def module(name):
    """Imports a peer, or says that it is skipped and ends the script."""
    try:
        return __import__(name)
    except ImportError as error:
        print(f"SKIPPED {name}: {error}")
        sys.exit(0)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[65536, 1048576])
    parser.add_argument("--large", action="store_true", help="adds 67108864 elements")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--milliseconds", type=float, default=8.0)
    parsed = parser.parse_args()
    parsed.sizes += [67108864] * parsed.large
    return parsed


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return "unknown"


def check(np, run, expected, keep_prob):
    """What is wrong with a dropout of `expected` (what x becomes where kept), or ''."""
    first, second = (np.array(run(), dtype=np.float32).ravel() for _ in range(2))
    visible = expected != 0
    kept = first != 0
    # A library may divide where another multiplies, or round the scale first: 4 ulp.
    if not np.allclose(first[kept], expected[kept], rtol=4 * 2.0**-24, atol=0):
        return "a kept element is not x / keep_prob"
    trials = int(visible.sum())
    sigma = math.sqrt(trials * keep_prob * (1 - keep_prob))
    off = (int((kept & visible).sum()) - trials * keep_prob) / sigma
    if abs(off) > 5:
        return f"kept elements are {off:.1f} standard deviations from their mean"
    if (first == second).all():
        return "two calls drew the same"
    return ""


def checked(np, cases, x, keep_prob):
    """Of (operation, who, run): those that are right; says which are not."""
    right = []
    scaled = np.asarray(x, dtype=np.float32).ravel() / np.float32(keep_prob)
    for operation, who, run in cases:
        expected = np.maximum(scaled, 0) if operation.startswith("ReLU") else scaled
        try:
            wrong = check(np, run, expected, keep_prob)
        except Exception as error:  # for example torch.compile without a compiler
            wrong = str(error).splitlines()[0]
        if wrong:
            print(f"FAILED CHECK {operation}, {who}, {len(scaled)}, {keep_prob}: {wrong}")
        else:
            right.append((operation, who, run))
    return right


def seconds_per_call(run, seconds):
    run()  # whatever ran before has left something else in the caches
    calls, start = 0, time.perf_counter()
    while True:
        run()
        calls += 1
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            return elapsed / calls


def print_header(version):
    print(f"cpu: {cpu_name()}\npeer: {version}, one thread\n")
    print(f"{'operation':<16} {'elements':>9} {'keep':>5}  {'who':<40} {'G elem/s':>9} of copy")


def compare(cases, copy, n, keep_prob, options):
    """Times the cases and a preallocated copy in turn; prints medians."""
    cases = [("copy", "preallocated copy", copy), *cases]
    samples = [[] for _ in cases]
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(options.rounds):
        for c in random.sample(range(len(cases)), len(cases)):
            samples[c].append(seconds_per_call(cases[c][2], options.milliseconds * 1e-3))
    core_share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    medians = [statistics.median(times) for times in samples]
    for (operation, who, _), seconds in zip(cases, medians):
        rate, ratio = n / seconds * 1e-9, medians[0] / seconds
        print(f"{operation:<16} {n:9d} {keep_prob:5.2g}  {who:<40} {rate:9.3f} {ratio:7.3f}")
    if core_share < LEAST_CORE_SHARE:
        print(f"The machine was busy: these calls had their core for {core_share:.0%} of the time. "
              "Do not rely on these figures.")
