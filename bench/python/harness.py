"""What the benches of the Python package share: rivals that take turns, and tables with bars."""

import argparse
import gc
import json
import os
import statistics
import time

import torch

import simdrop


def options(description, milliseconds=4000):
    """The command line of a bench."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--milliseconds", type=float, default=milliseconds,
                        help="of each group of rivals (default %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures")
    parser.add_argument("--only", default="", help="groups whose name contains this")
    return parser


def machine():
    """The CPU, and the instruction sets that matter here."""
    flags = set()
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                key, _, value = line.partition(":")
                if key.strip() == "flags":
                    flags = set(value.split())
    except OSError:
        pass
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    return {"cpu": simdrop.cpu_name(), "flags": [flag for flag in wanted if flag in flags],
            "cpus": len(os.sched_getaffinity(0)), "torch": torch.__version__,
            "simdrop": f"{simdrop.version()} ({simdrop.active_isa()})"}


def in_turn(rivals, milliseconds, least=7):
    """Seconds of a call of each rival, a row for each round; each round begins with another one.

    rivals: functions of the number of the call. A sample is as many calls as take about 2 ms.
    """
    calls = []
    for rival in rivals:
        for number in range(3):
            rival(number)
        start = time.perf_counter()
        rival(3)
        calls.append(max(1, round(2e-3 / max(time.perf_counter() - start, 1e-7))))
    rows = []
    gc.collect()
    gc.disable()
    end = time.perf_counter() + milliseconds / 1e3
    while len(rows) < least or time.perf_counter() < end:
        row = [0.0] * len(rivals)
        for turn in range(len(rivals)):
            which = (turn + len(rows)) % len(rivals)
            rival, count = rivals[which], calls[which]
            first = len(rows) * count
            start = time.perf_counter()
            for number in range(first, first + count):
                rival(number)
            row[which] = (time.perf_counter() - start) / count
        rows.append(row)
    gc.enable()
    return rows


def median_ms(rows, which):
    return statistics.median(row[which] for row in rows) * 1e3


def ratio(rows, above, below):
    """The median over rounds of how long `above` takes in units of `below`."""
    return statistics.median(row[above] / row[below] for row in rows)


class Report:
    """Prints each figure as it is found, beside its bar, and keeps all for --json."""

    def __init__(self, args):
        self.args, self.figures, self.machine = args, [], machine()
        m = self.machine
        print(f"{m['cpu']} ({' '.join(m['flags']) or 'no flags known'}; {m['cpus']} CPUs), "
              f"PyTorch {m['torch']}, simdrop {m['simdrop']}", flush=True)

    def wants(self, group):
        return self.args.only in group

    def group(self, name, rows, names):
        """Milliseconds of the rivals of a group."""
        times = {rival: median_ms(rows, which) for which, rival in enumerate(names)}
        print(f"\n{name}, threads {torch.get_num_threads()}, {len(rows)} rounds")
        for rival, ms in times.items():
            print(f"  {rival:<34}{ms:>12.4f} ms", flush=True)
        self.figures.append({"group": name, "threads": torch.get_num_threads(),
                             "rounds": len(rows), "ms": times})

    def figure(self, what, value, unit, bar=None):
        """bar: ("<=", 2) or (">=", 20), or None."""
        verdict = ""
        if bar is not None:
            met = value <= bar[1] if bar[0] == "<=" else value >= bar[1]
            verdict = f"   bar {bar[0]} {bar[1]:g} {unit}: {'met' if met else 'NOT MET'}"
        print(f"  {what:<40}{value:>9.2f} {unit}{verdict}", flush=True)
        self.figures.append({"figure": what, "value": value, "unit": unit, "bar": bar})

    def adds(self, what, rows, which, without, bar=None):
        """What a rival takes above the one without dropout, in percent."""
        self.figure(f"{what} adds", (ratio(rows, which, without) - 1) * 100, "%",
                    None if bar is None else ("<=", bar))

    def added(self, name, rivals, bars):
        """A group whose first rival is without dropout: what each other one adds to it.

        rivals: functions by name. bars: the most that one may add in percent, by name.
        Returns the rows of in_turn().
        """
        rows = in_turn(list(rivals.values()), self.args.milliseconds)
        self.group(name, rows, rivals)
        for which, rival in enumerate(rivals):
            if which > 0:
                self.adds(rival, rows, which, 0, bars.get(rival))
        return rows

    def finish(self):
        if self.args.json:
            with open(self.args.json, "w") as file:
                json.dump({"machine": self.machine, "figures": self.figures}, file, indent=1)
