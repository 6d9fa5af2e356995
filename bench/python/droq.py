"""What dropout adds to a step of DroQ's critic: 23-256-256-1, dropout .01, LayerNorm, ReLU."""

import torch
from torch import nn

import simdrop.torch as S
from harness import Report, options
from training import Negation, NegationInPython, Step, adam

BATCH = 256


def critic(dropout):
    torch.manual_seed(0)
    layers = []
    for width, following in ((23, 256), (256, 256)):
        layers.append(nn.Linear(width, following))
        if dropout is not None:
            layers.append(dropout(0.01))
        layers += [nn.LayerNorm(following), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(256, 1))


def main():
    args = options(__doc__, milliseconds=20000).parse_args()
    torch.set_num_threads(1)
    report = Report(args)
    batches = [torch.randn(BATCH, 23) for _ in range(4)]
    kinds = {"without dropout": None, "nn.Dropout": nn.Dropout, "simdrop.torch.Dropout": S.Dropout,
             "torch.neg in its place": Negation,
             "torch.neg in an autograd.Function": NegationInPython}
    rivals = {name: Step(critic(kind), batches, adam) for name, kind in kinds.items()}
    report.added("critic", rivals, {"simdrop.torch.Dropout": 8})
    report.finish()


if __name__ == "__main__":
    main()
