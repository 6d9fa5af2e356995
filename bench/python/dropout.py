"""simdrop.torch.Dropout beside nn.Dropout, and beside the C function that it calls."""

import ctypes as c

import torch
from torch import nn

import simdrop.torch as S
from harness import Report, in_turn, options, ratio
from simdrop._library import library
from simdrop._structures import Dropout as CDropout

SHAPES = {"1 element": (1,), "4096": (4096,), "128 x 1024": (128, 1024),
          "1048576": (1 << 20,)}
INPUTS = 4  # take turns


def forward(layer, inputs):
    return lambda number: layer(inputs[number % INPUTS])


def both(layer, inputs, gradients):
    def run(number):
        x = inputs[number % INPUTS]
        x.grad = None
        layer(x).backward(gradients[number % INPUTS])

    return run


def c_function(inputs, p, results=None):
    """The C function alone, into `results`, or into a new result each time as PyTorch's are."""
    mask = CDropout(c.sizeof(CDropout), 1 - p, 1, 0, 0, 0, 10)
    n = inputs[0].numel()
    at = [x.data_ptr() for x in inputs]

    def run(number):
        y = torch.empty_like(inputs[0]) if results is None else results[number % INPUTS]
        mask.seed = number
        if library.simdrop_dropout_forward(c.byref(mask), 0, 1, n, at[number % INPUTS], n,
                                           y.data_ptr(), n, None, None, None):
            raise RuntimeError("simdrop_dropout_forward() failed")

    return run


def main():
    parser = options(__doc__)
    parser.add_argument("--p", type=float, default=0.5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    report = Report(args)
    for name, shape in SHAPES.items():
        if not report.wants(name):
            continue
        inputs = [torch.randn(shape) for _ in range(INPUTS)]
        layers = nn.Dropout(args.p), S.Dropout(args.p)
        large = inputs[0].numel() > 4096
        rivals = [*(forward(layer, inputs) for layer in layers), c_function(inputs, args.p),
                  c_function(inputs, args.p, [torch.empty_like(x) for x in inputs])]
        rows = in_turn(rivals, args.milliseconds)
        report.group(f"{name}: forward", rows, ["nn.Dropout", "simdrop.torch.Dropout",
                                                "C function, new results",
                                                "C function, the same results"])
        report.figure("speed, of nn.Dropout's", ratio(rows, 0, 1), "x",
                      (">=", 20) if large else None)
        report.figure("speed, of the C function's (new)", ratio(rows, 2, 1), "x")
        report.figure("speed, of the C function's (same)", ratio(rows, 3, 1), "x",
                      (">=", 0.85) if large else None)

        leaves = [x.clone().requires_grad_() for x in inputs]
        gradients = [torch.randn(shape) for _ in range(INPUTS)]
        rows = in_turn([both(layer, leaves, gradients) for layer in layers], args.milliseconds)
        report.group(f"{name}: forward + backward", rows, ["nn.Dropout", "simdrop.torch.Dropout"])
        bars = {"1 element": 1 / 1.25, "4096": 1.2}
        report.figure("speed, of nn.Dropout's", ratio(rows, 0, 1), "x",
                      (">=", bars.get(name, 10)))
    report.finish()


if __name__ == "__main__":
    main()
