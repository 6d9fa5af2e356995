#!/usr/bin/env python3
"""Compares the times of two commits: OLD.json NEW.json, or several runs of each, taken in turns,
as OLD.json NEW.json OLD.json NEW.json ...

Reads what kernel_bench and c_api_bench write with --benchmark_format=json or --benchmark_out
(repetitions or not), `simdrop overhead --json` and bench/peers/steps.py --json.

Each benchmark has a ratio, new / old: the median over the pairs of runs. Its noise is the
interquartile range of one commit's times relative to their median, of the runs or, if there is only
one, of its repetitions; the larger of both commits'. A ratio that differs from 1 by more than that
is called slower or faster."""

import argparse
import json
import math
import re
import statistics
import sys
from typing import NamedTuple, Optional

STATISTICS = {"median": statistics.median, "min": min}
NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


class BadInput(Exception):
    pass


class Time(NamedTuple):
    """Of one benchmark in one run."""

    nanoseconds: float
    noise: Optional[float]  # relative; None: it was measured once


class Comparison(NamedTuple):
    name: str
    old: float  # nanoseconds, medians over the runs
    new: float
    ratio: float
    noise: Optional[float]

    def beyond_noise(self):
        """By how much the ratio differs from 1 more than noise explains; negative: faster."""
        change = self.ratio - 1.0
        return math.copysign(max(abs(change) - (self.noise or 0.0), 0.0), change)


def relative_spread(values):
    """The interquartile range, relative to the median."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle


def summary(values, statistic):
    noise = relative_spread(values) if len(values) > 1 else None
    return Time(STATISTICS[statistic](values), noise)


def read_google_benchmark(report, clock, statistic):
    """Repetitions, or the median and standard deviation that were kept of them."""
    repetitions, medians, deviations = {}, {}, {}
    for entry in report["benchmarks"]:
        if entry.get("error_occurred"):
            continue
        name = entry.get("run_name", entry["name"])
        if entry.get("run_type") != "aggregate":
            nanoseconds = entry[clock] * NANOSECONDS[entry.get("time_unit", "ns")]
            repetitions.setdefault(name, []).append(nanoseconds)
        elif entry.get("aggregate_name") == "median":
            medians[name] = entry[clock] * NANOSECONDS[entry.get("time_unit", "ns")]
        elif entry.get("aggregate_name") == "stddev":
            deviations[name] = entry[clock] * NANOSECONDS[entry.get("time_unit", "ns")]
    times = {name: summary(values, statistic) for name, values in repetitions.items()}
    for name, median in medians.items():
        if name not in times:
            # 1.35 standard deviations of a normal law are between its quartiles.
            noise = 1.35 * deviations[name] / median if name in deviations else None
            times[name] = Time(median, noise)
    return times


def read_overhead(report):
    times = {}
    for row in report["rows"]:
        for what in ("none", "dropout"):
            quartiles = row[what + "_ms"]
            spread = quartiles["upper_quartile"] - quartiles["lower_quartile"]
            name = f"step_{what}/{row['unit']}/{row['width']}/{row['batch']}/{row['keep_prob']:g}"
            times[name] = Time(quartiles["median"] * 1e6, spread / quartiles["median"])
    return times


def read_steps(report):
    return {
        f"{row['who']}/{row['variant']}/{row['case']}/{row['threads']}": Time(
            row["seconds"] * 1e9, None
        )
        for row in report["medians"]
    }


def read_run(path, clock, statistic):
    """Times by name."""
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise BadInput(f"{path}: is not JSON: {error}") from error
    try:
        if "benchmarks" in report:
            times = read_google_benchmark(report, clock, statistic)
        elif "rows" in report:
            times = read_overhead(report)
        elif "medians" in report:
            times = read_steps(report)
        else:
            raise BadInput(f"{path}: is no output of a benchmark")
        if report.get("disturbed"):
            print(f"{path}: the machine was busy; do not rely on these times\n")
    except (AttributeError, KeyError, TypeError, ZeroDivisionError) as error:
        raise BadInput(
            f"{path}: is no output of a benchmark: {type(error).__name__} {error}"
        ) from error
    for name, time in times.items():
        if not (math.isfinite(time.nanoseconds) and time.nanoseconds > 0.0):
            raise BadInput(f"{path}: {name} took {time.nanoseconds:g} ns")
        if time.noise is not None and not math.isfinite(time.noise):
            raise BadInput(f"{path}: the noise of {name} is {time.noise:g}")
    if not times:
        raise BadInput(f"{path}: has no benchmarks")
    return times


def noise_of(runs, name):
    if len(runs) > 1:
        return relative_spread([run[name].nanoseconds for run in runs])
    return runs[0][name].noise


def compare_one(name, old_runs, new_runs):
    old = [run[name].nanoseconds for run in old_runs]
    new = [run[name].nanoseconds for run in new_runs]
    noises = [noise_of(runs, name) for runs in (old_runs, new_runs)]
    known = [noise for noise in noises if noise is not None]
    return Comparison(
        name,
        statistics.median(old),
        statistics.median(new),
        statistics.median([n / o for o, n in zip(old, new)]),
        max(known, default=None),
    )


def geometric_mean(ratios):
    return math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))


def time_text(nanoseconds):
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= factor:
            return f"{nanoseconds / factor:.4g} {unit}"
    return f"{nanoseconds:.4g} ns"


def row_text(row, width):
    noise = "-" if row.noise is None else f"{100.0 * row.noise:.1f}%"
    return (
        f"{row.name:<{width}} {time_text(row.old):>10} {time_text(row.new):>10} "
        f"{row.ratio:>9.3f} {noise:>7}"
    )


def print_rows(title, rows):
    if not rows:
        return
    width = max(len(row.name) for row in rows)
    print(f"{title:<{width}} {'old':>10} {'new':>10} {'new / old':>9} {'noise':>7}")
    for row in rows:
        print(row_text(row, width))
    print()


def print_names(title, names):
    if names:
        print(f"{title}: {len(names)}")
        for name in names:
            print(f"  {name}")
        print()


def in_all(runs):
    """Names that every run has."""
    return sorted(set.intersection(*(set(run) for run in runs)))


def print_mean(names, old_runs, new_runs, rows):
    mean = geometric_mean(row.ratio for row in rows)
    of_pairs = [
        geometric_mean(new[name].nanoseconds / old[name].nanoseconds for name in names)
        for old, new in zip(old_runs, new_runs)
    ]
    print(f"geometric mean of {len(rows)} ratios new / old: {mean:.4f}", end="")
    if len(of_pairs) > 1:
        print(f" (of the pairs of runs {min(of_pairs):.4f} to {max(of_pairs):.4f})", end="")
    print()


def print_comparison(old_runs, new_runs, options):
    """Prints the comparison. Returns whether nothing is slower than allowed."""
    wanted = re.compile(options.filter).search
    both = [name for name in in_all(old_runs + new_runs) if wanted(name)]
    if not both:
        raise BadInput("no benchmark is in all files" + (" and wanted" if options.filter else ""))
    rows = [compare_one(name, old_runs, new_runs) for name in both]
    if not options.summary:
        print_rows("benchmark", rows)
    slower = sorted((r for r in rows if r.beyond_noise() > 0.0), key=lambda r: -r.ratio)
    faster = sorted((r for r in rows if r.beyond_noise() < 0.0), key=lambda r: r.ratio)
    print_rows("slower, beyond noise", slower)
    print_rows("faster, beyond noise", faster)
    names = {name for run in old_runs + new_runs for name in run if wanted(name)}
    only_old = {n for n in names if not any(n in run for run in new_runs)}
    only_new = {n for n in names if not any(n in run for run in old_runs)}
    print_names("only in old", sorted(only_old))
    print_names("only in new", sorted(only_new))
    print_names("not in every run", sorted(names - set(both) - only_old - only_new))
    unknown = sum(row.noise is None for row in rows)
    if unknown:
        print(f"noise unknown: {unknown}; repetitions or more runs would tell")
    print_mean(both, old_runs, new_runs, rows)
    if options.max_slower is None:
        return True
    too_slow = [r for r in slower if r.beyond_noise() > options.max_slower / 100.0]
    for row in too_slow:
        print(
            f"TOO SLOW: {row.name} by {100.0 * (row.ratio - 1.0):.1f}%, "
            f"noise {100.0 * (row.noise or 0.0):.1f}%"
        )
    return not too_slow


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", metavar="OLD.json NEW.json", help="pairs of runs")
    parser.add_argument("--filter", default="", help="only names that match this expression")
    parser.add_argument("--summary", action="store_true", help="without the table of all ratios")
    parser.add_argument(
        "--clock",
        choices=("real_time", "cpu_time"),
        default="real_time",
        help="which time of Google Benchmark's; cpu_time leaves out other programs'",
    )
    parser.add_argument(
        "--statistic",
        choices=list(STATISTICS),
        default="median",
        help="which of a run's repetitions counts; min: the one least disturbed",
    )
    parser.add_argument(
        "--max-slower",
        type=float,
        metavar="PERCENT",
        help="exit with 1 if anything is slower by more than this beyond its noise",
    )
    options = parser.parse_args()
    if len(options.files) % 2 != 0:
        parser.error(f"files come in pairs, OLD.json NEW.json; there are {len(options.files)}")
    try:
        re.compile(options.filter)
    except re.error as error:
        parser.error(f"--filter: {error}")
    return options


def main():
    options = arguments()
    try:
        runs = [read_run(path, options.clock, options.statistic) for path in options.files]
        return 0 if print_comparison(runs[0::2], runs[1::2], options) else 1
    except BadInput as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
