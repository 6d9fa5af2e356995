#!/usr/bin/env python3
"""Prints the results of study.py as tables of GitHub markdown: means over the seeds, and what was
least and most."""

import argparse
import statistics

from runs import NONE, SETTINGS, load

COLUMNS = ("setting", "lr", "test acc %", "best test acc %", "train acc %", "ms/step", "of none",
           "seconds", "s to own best", "s to none's final")


def mean_and_range(values, digits):
    text = f"{statistics.mean(values):.{digits}f}"
    if len(values) == 1:
        return text
    return f"{text} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def seconds_text(values):
    return mean_and_range(values, 2 if statistics.mean(values) < 10 else 1)


def reaching(results, none_by_seed):
    """Seconds to the final test accuracy of the run without dropout of the same seed."""
    pairs = [(r, none_by_seed[r.seed]) for r in results if r.seed in none_by_seed]
    if not pairs:
        return ""
    reached = [s for s in (r.seconds_to(none.test) for r, none in pairs) if s is not None]
    if not reached:
        return "not reached"
    text = seconds_text(reached)
    return text if len(reached) == len(pairs) else f"{text}, {len(reached)} of {len(pairs)} seeds"


def row(name, results, none):
    none_by_seed = {r.seed: r for r in none}
    ratios = [r.ms_per_step / none_by_seed[r.seed].ms_per_step
              for r in results if r.seed in none_by_seed]
    return (
        name,
        f"{results[0].lr:g}",
        mean_and_range([100 * r.test for r in results], 2),
        mean_and_range([100 * r.best_test for r in results], 2),
        mean_and_range([100 * r.train for r in results], 2),
        f"{statistics.mean(r.ms_per_step for r in results):.2f}",
        f"{statistics.mean(ratios):.2f}" if ratios else "",
        seconds_text([r.seconds for r in results]),
        seconds_text([r.seconds_to_best for r in results]),
        reaching(results, none_by_seed),
    )  # fmt: skip


def environment(result):
    found = result.environment
    return (f"{found['cpu']}, {found['isa']}, threads: {found['threads']}, {found['compiler']}, "
            f"simdrop {found['version']}")


def print_table(images, width, groups):
    seeds = sorted({r.seed for results in groups.values() for r in results})
    epochs = {r.epochs[-1]["epoch"] for results in groups.values() for r in results}
    print(f"\n{images:,} training images, 784-{width}-{width}-10, "
          f"{'/'.join(map(str, sorted(epochs)))} epochs, seeds {', '.join(map(str, seeds))}\n")
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + " --- |" + " ---: |" * (len(COLUMNS) - 1))
    for setting in SETTINGS:
        if setting.name in groups:
            print("| " + " | ".join(row(setting.name, groups[setting.name],
                                        groups.get(NONE, []))) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", help="what study.py wrote (--out)")
    groups = load(parser.parse_args().directory)
    for machine in sorted({environment(r) for results in groups.values() for r in results}):
        print(machine)
    for images, width in sorted({key[:2] for key in groups}):
        print_table(images, width,
                    {key[2]: results for key, results in groups.items()
                     if key[:2] == (images, width)})


if __name__ == "__main__":
    main()
