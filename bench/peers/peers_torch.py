"""Dropout in PyTorch from Python: eager, and ReLU + dropout compiled."""

import os

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")  # no worker processes on this core

import peers_common as common

common.use_cores(1)
np = common.module("numpy")
torch = common.module("torch")


def relu_dropout(x, drop_prob):
    return torch.nn.functional.dropout(torch.relu(x), drop_prob)


def cases(x, keep_prob):
    drop_prob = 1 - keep_prob
    compiled = torch.compile(relu_dropout)
    return [
        ("dropout", "F.dropout", lambda: torch.nn.functional.dropout(x, drop_prob)),
        ("ReLU + dropout", "eager", lambda: relu_dropout(x, drop_prob)),
        ("ReLU + dropout", "torch.compile", lambda: compiled(x, drop_prob)),
    ]


def main():
    options = common.arguments()
    torch.set_num_threads(1)
    common.print_header(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    with torch.no_grad():
        for n in options.sizes:
            x = torch.rand(n) * 2 - 1
            copied = torch.zeros_like(x)
            for keep_prob in common.KEEP_PROBS:
                right = common.checked(np, cases(x, keep_prob), x, keep_prob)
                common.compare(right, lambda: copied.copy_(x), n, keep_prob, options)


if __name__ == "__main__":
    main()
