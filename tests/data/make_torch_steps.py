#!/usr/bin/env python3
"""Writes torch_steps.txt: five training steps of a small MLP with given dropout masks, by PyTorch.

Everything is computed in double. Inputs are exact floats, so float code can start from them.
Usage: python3 make_torch_steps.py > torch_steps.txt
"""

import torch

WIDTHS = [4, 6, 5, 3]
BATCH = 5
STEPS = 5
KEEP = [0.8, 0.5, 0.75]  # input, hidden 1, hidden 2
CASES = [
    # name, loss, method, lr, momentum, nesterov, weight decay
    ("sgd", "softmax_ce", "sgd", 0.1, 0.9, 0, 0.01),
    ("nesterov", "sigmoid_bce", "sgd", 0.05, 0.8, 1, 0.001),
    ("adam", "identity_mse", "adam", 0.01, 0.0, 0, 0.02),
    ("adamw", "softmax_ce", "adamw", 0.02, 0.0, 0, 0.1),
]


def as_float(t):
    return t.float().double()


def show(t):
    print(" ".join(repr(v) for v in t.reshape(-1).tolist()))


def forward(params, x, masks):
    a = x * masks[0] / KEEP[0]
    for layer in range(3):
        z = a @ params[2 * layer].T + params[2 * layer + 1]
        if layer < 2:
            a = torch.relu(z) * masks[layer + 1] / KEEP[layer + 1]
    return z


def loss_of(loss, z, y):
    if loss == "softmax_ce":
        return torch.nn.functional.cross_entropy(z, y)
    if loss == "sigmoid_bce":
        f = torch.nn.functional.binary_cross_entropy_with_logits
        return f(z, y, reduction="sum") / BATCH
    return torch.nn.functional.mse_loss(z, y)


def make_optimizer(params, method, lr, momentum, nesterov, decay):
    if method == "sgd":
        return torch.optim.SGD(
            params, lr=lr, momentum=momentum, nesterov=bool(nesterov), weight_decay=decay
        )
    kind = torch.optim.Adam if method == "adam" else torch.optim.AdamW
    return kind(params, lr=lr, weight_decay=decay)


def run(index, case):
    name, loss, method, lr, momentum, nesterov, decay = case
    torch.manual_seed(index)
    params = []
    for fan_in, fan_out in zip(WIDTHS, WIDTHS[1:]):
        params.append(as_float(torch.randn(fan_out, fan_in).double()))
        params.append(as_float(0.5 * torch.randn(fan_out).double()))
    x = as_float(torch.randn(BATCH, WIDTHS[0]).double())
    y = as_float(torch.rand(BATCH, WIDTHS[3]).double())
    if loss == "softmax_ce":
        y = torch.nn.functional.one_hot(torch.arange(BATCH) % 3, 3).double()

    print(name, loss, method, lr, momentum, nesterov, decay)
    for t in [*params, x, y]:
        show(t)
    for p in params:
        p.requires_grad_(True)
    optimizer = make_optimizer(params, method, lr, momentum, nesterov, decay)
    for _ in range(STEPS):
        masks = [torch.bernoulli(torch.full((BATCH, w), k)) for w, k in zip(WIDTHS, KEEP)]
        print(" ".join("".join(str(int(b)) for b in m.reshape(-1)) for m in masks))
        optimizer.zero_grad()
        value = loss_of(loss, forward(params, x, [m.double() for m in masks]), y)
        value.backward()
        optimizer.step()
        print(repr(value.item()))
    for p in params:
        show(p.detach())


version = torch.__version__.split("+")[0]
print(f"# make_torch_steps.py, PyTorch {version}: widths, batch, steps, keep_prob; then per case")
print("# name loss method lr momentum nesterov weight_decay; weights and biases by layer; x; y;")
print("# for each step the masks of the input and the hidden layers, and the loss; weights, biases")
print(*WIDTHS, BATCH, STEPS, *KEEP)
for number, one in enumerate(CASES):
    run(number, one)
