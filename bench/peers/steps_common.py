"""What the Python workers of steps.py share: the data, the protocol (see steps.py)."""

import json
import os
import sys
import time

import peers_common

POOL_SIZE = 8
MAX_CLASSES = 10


class Problem:
    """widths batch loss momentum learning_rate keep_prob check_passes"""

    def __init__(self, words):
        self.widths = [int(width) for width in words[0].split(",")]
        self.batch = int(words[1])
        self.loss = words[2]
        self.momentum, self.learning_rate, self.keep_prob = map(float, words[3:6])
        self.check_passes = int(words[6])

    def pool(self, np):
        """Batches of examples that lie around their class's centre: (inputs, targets)."""
        rng = np.random.default_rng(1)

        def noise(*shape):
            return rng.random(shape, dtype=np.float32) * 2 - 1

        inputs, outputs = self.widths[0], self.widths[-1]
        classes = 2 if self.loss == "sigmoid" else min(outputs, MAX_CLASSES)
        labels = np.arange(self.batch) % classes
        centres, values = noise(classes, inputs), noise(classes, outputs)
        targets = {
            "softmax": labels,
            "sigmoid": labels[:, None].astype(np.float32),
            "mse": values[labels],
        }[self.loss]
        return [
            (centres[labels] + noise(self.batch, inputs) / 2, targets) for _ in range(POOL_SIZE)
        ]

    def initial_weights(self, np):
        """He's, as (outputs x inputs, bias) for each layer."""
        rng = np.random.default_rng(2)
        return [
            (
                rng.standard_normal((outs, ins), dtype=np.float32) * np.float32((2 / ins) ** 0.5),
                np.zeros(outs, dtype=np.float32),
            )
            for ins, outs in zip(self.widths, self.widths[1:])
        ]


def check(network, passes):
    """Trains: the first and the last loss, and whether masks are drawn anew.

    A network has step(batch number) and finish(what step() returned), which waits and is the
    loss before the step; learning_rate can be set."""

    def mean_loss():
        losses = [float(network.finish(network.step(b))) for b in range(POOL_SIZE)]
        return sum(losses) / POOL_SIZE

    losses = [mean_loss() for _ in range(passes)]
    learning_rate = network.learning_rate
    network.learning_rate = 0.0  # two steps that change nothing
    still = [float(network.finish(network.step(0))) for _ in range(2)]
    network.learning_rate = learning_rate
    return {"first": losses[0], "last": losses[-1], "redraws": still[0] != still[1]}


def nanoseconds_of(network, steps):
    def run(count):
        loss = None
        for s in range(count):
            loss = network.step(s % POOL_SIZE)
        network.finish(loss)

    run(steps // 8 + 1)
    start = time.perf_counter_ns()
    run(steps)
    return time.perf_counter_ns() - start


def serve(who, version, build):
    """build(problem, drops) returns a network. Answers commands until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer

    def answer(reply):
        print(json.dumps(reply), file=answers, flush=True)

    answer({"who": who, "version": version})
    networks = {}
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "build":
                problem = Problem(words[1:])
                networks = {"none": build(problem, False), "dropout": build(problem, True)}
                answer({name: check(n, problem.check_passes) for name, n in networks.items()})
            else:
                answer(nanoseconds_of(networks[words[1]], int(words[2])))
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}".splitlines()[0]})


def threads():
    """Of this worker; call it before libraries are imported."""
    count = int(sys.argv[-1])
    peers_common.use_cores(count)
    return count
