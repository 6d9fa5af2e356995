"""The runs of the study: what is trained, where its results lie, and what is read from them."""

import json
import pathlib
import statistics
from dataclasses import dataclass

IMAGES = (1000, 10000, 60000)
WIDTHS = (256, 1024, 2048)
EPOCHS = {1000: 60, 10000: 20, 60000: 6}
EVAL_EVERY = {1000: 3}  # epochs; else each
NONE = "none"


@dataclass(frozen=True)
class Setting:
    """One kind of dropout. lr: with one mask for a batch, 0.05 diverges (README)."""

    name: str
    unit: str
    keep_prob: float
    input_keep_prob: float
    lr: float
    group: int = 0  # examples that share a mask; 0: the batch


SETTINGS = (
    Setting(NONE, "element", 1.0, 1.0, 0.05),
    Setting("element", "element", 0.5, 1.0, 0.05),
    Setting("neuron", "neuron", 0.5, 1.0, 0.01),
    Setting("neuron/32", "neuron", 0.5, 1.0, 0.05, 32),
    Setting("element+input", "element", 0.5, 0.8, 0.05),
    Setting("neuron+input", "neuron", 0.5, 0.8, 0.01),
)


@dataclass(frozen=True)
class Run:
    setting: Setting
    images: int
    width: int
    seed: int
    epochs: int
    lr: float

    def file_name(self):
        name = self.setting.name.replace("/", "-")
        return (f"{self.images}-{self.width}-{name}-lr{self.lr:g}"
                f"-epochs{self.epochs}-seed{self.seed}.json")

    def command(self, program, threads, path):
        return [
            str(program), "train", "--train-limit", str(self.images),
            "--layers", f"784,{self.width},{self.width},10",
            "--keep-prob", str(self.setting.keep_prob),
            "--input-keep-prob", str(self.setting.input_keep_prob),
            "--dropout-unit", self.setting.unit, "--dropout-group", str(self.setting.group),
            "--lr", f"{self.lr:g}",
            "--momentum", "0.9", "--lr-schedule", "linear", "--init", "xavier", "--batch", "128",
            "--epochs", str(self.epochs), "--eval-every", str(EVAL_EVERY.get(self.images, 1)),
            "--eval-train", "last", "--seed", str(self.seed),
            "--threads", str(threads), "--json", str(path),
        ]  # fmt: skip


def seconds_to(epochs, accuracy):
    """Seconds of training until the test accuracy was first that good, or None."""
    for epoch in epochs:
        if epoch["test_accuracy"] >= accuracy:
            return epoch["train_seconds"]
    return None


class Result:
    """What one run found."""

    def __init__(self, results):
        config = results["config"]
        self.images = config["train_examples"]
        self.width = config["layers"][1]
        self.seed = config["seed"]
        self.lr = config["learning_rate"]
        self.setting = _setting_name(config)
        self.environment = results["environment"]
        self.epochs = results["epochs"]
        self.test = results["test_accuracy"]
        self.train = results["train_accuracy"]
        self.best_test = max(epoch["test_accuracy"] for epoch in self.epochs)
        self.seconds = results["train_seconds"]
        batch = config["batch"]
        steps = config["epochs"] * ((self.images + batch - 1) // batch)
        self.ms_per_step = 1e3 * self.seconds / steps
        self.seconds_to_best = seconds_to(self.epochs, self.best_test)

    def seconds_to(self, accuracy):
        return seconds_to(self.epochs, accuracy)


def _setting_name(config):
    for setting in SETTINGS:
        if (set(config["keep_prob"]) == {setting.keep_prob}
                and config["input_keep_prob"] == setting.input_keep_prob
                and config["dropout_unit"] == setting.unit
                and config["dropout_group"] == setting.group):
            return setting.name
    raise SystemExit(f"no setting of the study has {config}")


def load(directory):
    """{(images, width, setting): [Result by seed]}: of several learning rates, the one with the
    best mean test accuracy after the last epoch."""
    by_rate = {}
    for path in sorted(pathlib.Path(directory).glob("*.json")):
        result = Result(json.loads(path.read_text()))
        # simdrop up to 0.2.0 wrote results of training that diverged.
        if any(epoch["test_loss"] is None for epoch in result.epochs):
            raise SystemExit(f"{path}: training diverged")
        key = (result.images, result.width, result.setting)
        by_rate.setdefault(key, {}).setdefault(result.lr, []).append(result)
    if not by_rate:
        raise SystemExit(f"{directory}: no results")
    groups = {}
    for key, rates in by_rate.items():
        best = max(rates.values(), key=lambda rs: statistics.mean(r.test for r in rs))
        if len({len(result.epochs) for result in best}) > 1:
            raise SystemExit(f"{directory}: {key} was trained for different numbers of epochs")
        groups[key] = sorted(best, key=lambda r: r.seed)
    return groups
