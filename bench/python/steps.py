"""What dropout adds to a training step of 784-1024-1024-10: ReLU, dropout .5, SGD momentum."""

import torch
from torch import nn

import simdrop.torch as S
from harness import Report, options, ratio
from training import Negation, Step, sgd

WIDTHS = (784, 1024, 1024, 10)
# mode: what it may add in percent
MODES = {"eager": 2, "compiled": 3, "bf16 autocast": 10, "bf16 model": 10}


def network(dropout, container=nn.Sequential):
    torch.manual_seed(0)
    layers = []
    for at, (width, following) in enumerate(zip(WIDTHS, WIDTHS[1:])):
        layers.append(nn.Linear(width, following))
        if at + 2 < len(WIDTHS):
            layers.append(nn.ReLU())
            if dropout is not None:
                layers.append(dropout(0.5))
    return container(*layers)


def step(model, mode, batch):
    dtype = torch.bfloat16 if mode == "bf16 model" else torch.float32
    batches = [torch.randn(batch, WIDTHS[0], dtype=dtype) for _ in range(4)]
    model = model.to(dtype)
    if mode == "compiled":
        model = torch.compile(model, fullgraph=True)
    return Step(model, batches, sgd, autocast=mode == "bf16 autocast")


def main():
    args = options(__doc__, milliseconds=15000).parse_args()
    report = Report(args)
    for mode, bar in MODES.items():
        for batch in (128, 256):
            for threads in (1, 2):
                if report.wants(f"{mode}, batch {batch}, threads {threads}"):
                    measure(report, mode, batch, threads, bar)
    report.finish()


def measure(report, mode, batch, threads, bar):
    torch.set_num_threads(threads)
    torch.compiler.reset()
    models = {"without dropout": network(None), "nn.Dropout": network(nn.Dropout),
              "simdrop.torch.Dropout": network(S.Dropout),
              "simdrop.torch.Sequential": network(nn.Dropout, S.Sequential)}
    if mode == "eager":
        models["torch.neg in its place"] = network(Negation)
    rivals = {name: step(model, mode, batch) for name, model in models.items()}
    rows = report.added(f"{mode}, batch {batch}", rivals, {"simdrop.torch.Dropout": bar})
    report.figure("Sequential's speed, of nn.Sequential's", ratio(rows, 1, 3), "x",
                  (">=", 1.3) if mode == "eager" else None)


if __name__ == "__main__":
    main()
