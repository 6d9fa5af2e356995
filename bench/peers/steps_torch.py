"""PyTorch's worker of steps.py: eager, or with --compile forward and backward compiled."""

import os
import sys

os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import peers_common
import steps_common

THREADS = steps_common.threads()
np = peers_common.module("numpy")
torch = peers_common.module("torch")
COMPILE = "--compile" in sys.argv


def layers(problem, drops):
    weights = problem.initial_weights(np)
    modules = []
    for l, (weight, bias) in enumerate(weights):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        modules.append(linear)
        if l + 1 < len(weights):
            modules.append(torch.nn.ReLU())
            if drops:
                modules.append(torch.nn.Dropout(1 - problem.keep_prob))
    return torch.nn.Sequential(*modules)


class Network:
    losses = {
        "softmax": torch.nn.functional.cross_entropy,
        "sigmoid": torch.nn.functional.binary_cross_entropy_with_logits,
        "mse": torch.nn.functional.mse_loss,
    }

    def __init__(self, problem, drops):
        self.model = layers(problem, drops).train()
        loss = self.losses[problem.loss]
        self.loss_of = lambda x, y: loss(self.model(x), y)
        if COMPILE:
            self.loss_of = torch.compile(self.loss_of, dynamic=False)
        # On small networks the fastest of its three ways; on large ones they are level.
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=problem.learning_rate,
            momentum=problem.momentum,
            fused=True,
        )
        self.pool = [tuple(map(torch.from_numpy, batch)) for batch in problem.pool(np)]

    @property
    def learning_rate(self):
        return self.optimizer.param_groups[0]["lr"]

    @learning_rate.setter
    def learning_rate(self, value):
        self.optimizer.param_groups[0]["lr"] = value

    def step(self, batch):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(*self.pool[batch])
        loss.backward()
        self.optimizer.step()
        return loss

    @staticmethod
    def finish(loss):
        return loss.item()


def build(problem, drops):
    if COMPILE and not drops:  # the first of a case
        torch._dynamo.reset()
    return Network(problem, drops)


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    version = f"{torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"
    name = "PyTorch compiled" if COMPILE else "PyTorch eager"
    steps_common.serve(name, version, build)
