#!/usr/bin/env python3
"""Trains every network of the study, one JSON file each. See README.md."""

import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

from runs import EPOCHS, IMAGES, SETTINGS, WIDTHS, Run

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse_arguments():
    names = [setting.name for setting in SETTINGS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/simdrop")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("study"), metavar="DIR")
    parser.add_argument("--images", type=int, nargs="+", default=IMAGES)
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    parser.add_argument("--settings", nargs="+", default=names, choices=names)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, help="for any number of images (default: "
                        + ", ".join(f"{e} for {i}" for i, e in EPOCHS.items()) + ")")
    parser.add_argument("--lr", type=float,
                        help="of every setting (default: 0.05, with neurons dropped 0.01)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default: 1)")
    parser.add_argument("--threads", type=int,
                        help="of each run (default: 2, with --jobs above 1 one)")
    parser.add_argument("--resume", action="store_true", help="skip runs whose results are there")
    arguments = parser.parse_args()
    if arguments.threads is None:
        arguments.threads = 2 if arguments.jobs == 1 else 1
    if min(arguments.jobs, arguments.threads) < 1:
        parser.error("--jobs, --threads: allowed: >= 1")
    if not arguments.program.exists():
        parser.error(f"{arguments.program}: not there; build the program first (--program)")
    return arguments


def list_runs(arguments):
    """Settings vary fastest: what is compared runs close together in time."""
    return [
        Run(setting, images, width, seed, arguments.epochs or EPOCHS.get(images, 10),
            arguments.lr or setting.lr)
        for images in arguments.images
        for width in arguments.widths
        for seed in arguments.seeds
        for setting in SETTINGS if setting.name in arguments.settings
    ]


def train(run, arguments):
    """The error of a run that failed (one that diverged too), or None."""
    path = arguments.out / run.file_name()
    environment = dict(os.environ)
    if arguments.jobs > 1:
        environment["OMP_WAIT_POLICY"] = "passive"
    done = subprocess.run(run.command(arguments.program, arguments.threads, path),
                          env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True)
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else None


def main():
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    runs = list_runs(arguments)
    if arguments.resume:
        runs = [run for run in runs if not (arguments.out / run.file_name()).exists()]
    start = time.monotonic()
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        futures = {pool.submit(train, run, arguments): run for run in runs}
        for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
            error = future.result()
            failed += error is not None
            print(f"[{done}/{len(runs)}] {time.monotonic() - start:6.0f} s  "
                  f"{futures[future].file_name()}  {error or ''}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
