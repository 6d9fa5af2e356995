"""What dropout adds to a training step of nn.TransformerEncoderLayer under patched()."""

import torch
from torch import nn

import simdrop.torch as S
from harness import Report, options
from training import Step, sgd

WIDTH, HEADS, HIDDEN, EXAMPLES, LENGTH = 512, 8, 2048, 8, 128


def layer(p):
    torch.manual_seed(0)
    return nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, p, batch_first=True)


def main():
    parser = options(__doc__, milliseconds=30000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    report = Report(args)
    batches = [torch.randn(EXAMPLES, LENGTH, WIDTH) for _ in range(4)]
    rivals = {"without dropout": Step(layer(0.0), batches, sgd),
              "PyTorch's dropout": Step(layer(0.1), batches, sgd),
              "patched()": Step(layer(0.1), batches, sgd, within=S.patched)}
    report.added("encoder layer", rivals, {"patched()": 5})
    report.finish()


if __name__ == "__main__":
    main()
