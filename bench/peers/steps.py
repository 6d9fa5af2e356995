"""Training steps of simdrop and its peers, without and with dropout, in turns. See README.md here.

Each rival is a process that answers lines on its standard input with a line of JSON each:
  (start)                    {"who": name, "version": text}
  build WIDTHS BATCH LOSS MOMENTUM LEARNING_RATE KEEP_PROB CHECK_PASSES
                             builds the network without and with dropout and trains both for some
                             passes over 8 batches: {"none": C, "dropout": C} with C = {"first":
                             loss, "last": loss, "redraws": whether a still network's loss changes}
  run none|dropout STEPS     nanoseconds of so many steps, after some that warm up
or with {"error": text}. Only one runs at a time; the others wait for their next line.
"""

import argparse
import glob
import json
import os
import random
import statistics
import subprocess
import sys
import time

import peers_common

HERE = os.path.dirname(os.path.abspath(__file__))
VARIANTS = ("none", "dropout")
# widths batch loss momentum learning_rate keep_prob check_passes
CASES = {
    "784-1024-1024-10, 128": "784,1024,1024,10 128 softmax 0.9 0.001 0.5 6",
    "784-1024-1024-10, 256": "784,1024,1024,10 256 softmax 0.9 0.001 0.5 6",
    "3x1024, 256": "1024,1024,1024,1024 256 mse 0 0.1 0.5 6",
    "64-128-64-10, 32": "64,128,64,10 32 softmax 0.9 0.001 0.5 40",
    "2-20-3-1, 211": "2,20,3,1 211 sigmoid 0 0.1 0.5 200",
}
# Idle teams of threads soon sleep; freed memory is kept, so that no step pays for fresh pages; and
# no other OpenBLAS core is forced than the one that it finds.
ENVIRONMENT = {
    "OPENBLAS_THREAD_TIMEOUT": "22",
    "KMP_BLOCKTIME": "2",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_TOP_PAD_": "67108864",
}
REMOVED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OMP_WAIT_POLICY")
PAUSE_SECONDS = 0.02
MAX_TAKES = 3
MAX_WAITING = 0.01  # of the time of a run
MAX_DISTURBED = 0.1  # of the samples: on a quiet machine hardly one is disturbed in every take


class Worker:
    def __init__(self, command, threads):
        environment = {k: v for k, v in os.environ.items() if k not in REMOVED} | ENVIRONMENT
        self.process = subprocess.Popen(
            [*command, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def send(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # receive() says so

    def receive(self):
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except ValueError:
            return {"error": line.strip() or "ended"}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def commands(options):
    known = {
        "simdrop": [options.simdrop],
        "eager": [sys.executable, os.path.join(HERE, "steps_torch.py")],
        "compiled": [sys.executable, os.path.join(HERE, "steps_torch.py"), "--compile"],
        "jax": [sys.executable, os.path.join(HERE, "steps_jax.py")],
        "numpy": [sys.executable, os.path.join(HERE, "steps_numpy.py")],
    }
    return [known[name] for name in options.rivals]


def start(options, threads):
    """Workers by name; says who is not there."""
    started = [Worker(command, threads) for command in commands(options)]
    workers = {}
    for worker in started:
        reply = worker.receive()
        if "error" in reply:
            print(f"{reply['error']}\n")
            continue
        workers[reply["who"]] = worker
        print(f"- {reply['who']}: {reply['version']}, {threads} thread(s)")
    print()
    return workers


def wrong_with(reply):
    """What is wrong with a worker's networks, or ''."""
    if "error" in reply:
        return reply["error"]
    for variant in VARIANTS:
        if not reply[variant]["last"] < reply[variant]["first"]:
            losses = reply[variant]["first"], reply[variant]["last"]
            return f"{variant}: the loss went from {losses[0]} to {losses[1]}"
        if reply[variant]["redraws"] != (variant == "dropout"):
            return f"{variant}: draws masks anew is {reply[variant]['redraws']}"
    return ""


def build(workers, problem):
    """(The workers whose networks learn, and drop if they should; what is wrong with the others,
    by name.) They build at the same time."""
    for worker in workers.values():
        worker.send("build " + problem)
    found = {who: wrong_with(worker.receive()) for who, worker in workers.items()}
    right = {who: worker for who, worker in workers.items() if not found[who]}
    return right, {who: wrong for who, wrong in found.items() if wrong}


def waiting_seconds(pid):
    """How long a process's threads could have run but found no core, where Linux tells it."""
    waited = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                waited += int(file.read().split()[1])
        except OSError:
            pass  # the thread has ended
    return waited * 1e-9


def seconds_of(worker, variant, steps):
    """Seconds of a run, and of its threads' waiting."""
    time.sleep(PAUSE_SECONDS)  # until the team of the one before sleeps
    waited = waiting_seconds(worker.process.pid)
    worker.send(f"run {variant} {steps}")
    reply = worker.receive()
    if not isinstance(reply, int):
        raise RuntimeError(reply)
    return reply * 1e-9, waiting_seconds(worker.process.pid) - waited


def is_disturbed(take):
    seconds, waited = take
    return waited >= MAX_WAITING * seconds


def sample(worker, variant, steps):
    """Seconds of a step, and whether somebody else's program disturbed it. A run that was is taken
    again: the least disturbed counts."""
    takes = []
    for _ in range(MAX_TAKES):
        takes.append(seconds_of(worker, variant, steps))
        if not is_disturbed(takes[-1]):
            break
    best = min(takes, key=lambda take: take[1])
    return best[0] / steps, is_disturbed(best)


def measure(workers, options):
    """Median seconds of a step by (who, variant), of rounds in which each has its turn; and what
    part of the samples was disturbed."""
    steps = {
        (who, variant): max(1, round(options.milliseconds * 1e-3 / sample(worker, variant, 2)[0]))
        for who, worker in workers.items()
        for variant in VARIANTS
    }
    samples = {key: [] for key in steps}
    for _ in range(options.rounds):
        for who in random.sample(list(workers), len(workers)):
            for variant in random.sample(VARIANTS, 2):
                key = (who, variant)
                samples[key].append(sample(workers[who], variant, steps[key]))
    medians = {
        key: statistics.median(seconds for seconds, _ in taken) for key, taken in samples.items()
    }
    return medians, disturbed_part(samples.values())


def disturbed_part(samples):
    disturbed = [is_so for taken in samples for _, is_so in taken]
    return sum(disturbed) / len(disturbed) if disturbed else 0.0


def say_if_disturbed(part):
    if part <= MAX_DISTURBED:
        return False
    print(f"The machine was busy: threads waited for a core in {part:.0%} of the samples, however "
          "often they were taken. Do not rely on these figures.")
    return True


def speed_up(medians, variant):
    """simdrop's, against the fastest other one."""
    others = [m for (who, v), m in medians.items() if v == variant and who != "simdrop"]
    own = medians.get(("simdrop", variant))
    return min(others) / own if others and own else None


def time_text(seconds):
    value, unit = (seconds * 1e3, "ms") if seconds >= 1e-3 else (seconds * 1e6, "µs")
    return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def print_rows(case, threads, medians, wrong):
    for who, what in wrong.items():
        print(f"| {case} | {threads} | {who} | FAILED CHECK: {what} | | | | |")
    for who in dict.fromkeys(who for who, _ in medians):
        none, dropout = (medians[who, variant] for variant in VARIANTS)
        ups = [speed_up(medians, variant) if who == "simdrop" else None for variant in VARIANTS]
        ups_text = " | ".join("" if up is None else f"{up:.2f}" for up in ups)
        print(
            f"| {case} | {threads} | {who} | {time_text(none)} | "
            f"{time_text(dropout)} | {dropout / none:.3f} | {ups_text} |"
        )
    sys.stdout.flush()


def arguments():
    parser = argparse.ArgumentParser(description="Training steps of simdrop and its peers")
    parser.add_argument("--simdrop", default="build/release/steps_worker")
    parser.add_argument("--cases", nargs="+", default=list(CASES), help=f"of {list(CASES)}")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--rivals", nargs="+", default=["simdrop", "eager", "compiled", "jax", "numpy"]
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--milliseconds", type=float, default=60.0)
    parser.add_argument("--json", help="file for the medians")
    parsed = parser.parse_args()
    for case in parsed.cases:
        if case not in CASES:
            parser.error(f"--cases: {case!r} is none of {list(CASES)}")
    return parsed


def run_cases(workers, threads, options):
    """Prints the rows of a number of threads; (medians as records, failed checks, if disturbed)."""
    records, failures, parts = [], 0, []
    print("| network, batch | threads | who | none | dropout | ratio | simdrop's speed-up, none "
          "| simdrop's speed-up, dropout |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for case in options.cases:
        right, wrong = build(workers, CASES[case])
        failures += len(wrong)
        medians, part = measure(right, options)
        parts.append(part)
        print_rows(case, threads, medians, wrong)
        for (who, variant), seconds in medians.items():
            records.append({"case": case, "threads": threads, "who": who, "variant": variant,
                            "seconds": seconds})
    print()
    return records, failures, say_if_disturbed(statistics.fmean(parts))


def main():
    options = arguments()
    print(f"cpu: {peers_common.cpu_name()}\n")
    results, failures, disturbed = [], 0, False
    for threads in options.threads:
        workers = start(options, threads)
        records, failed, busy = run_cases(workers, threads, options)
        results += records
        failures += failed
        disturbed = disturbed or busy
        for worker in workers.values():
            worker.close()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            report = {"cpu": peers_common.cpu_name(), "disturbed": disturbed, "medians": results}
            json.dump(report, file, indent=1)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
