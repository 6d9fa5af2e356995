"""JAX's worker of steps.py: one jitted step whose parameters are updated in place."""

import functools
import os

import peers_common
import steps_common

THREADS = steps_common.threads()
os.environ.setdefault("JAX_PLATFORMS", "cpu")
if THREADS == 1:
    os.environ["XLA_FLAGS"] = (
        "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
    )

np = peers_common.module("numpy")
jax = peers_common.module("jax")
jnp = jax.numpy


def softmax_loss(z, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), labels[:, None], axis=1))


def sigmoid_loss(z, y):
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


def mse_loss(z, y):
    return jnp.mean((z - y) ** 2)


LOSSES = {"softmax": softmax_loss, "sigmoid": sigmoid_loss, "mse": mse_loss}


def loss_of(parameters, key, x, y, loss, keep_prob):
    a = x
    for l, (weight, bias) in enumerate(parameters):
        z = a @ weight.T + bias
        if l + 1 == len(parameters):
            return LOSSES[loss](z, y)
        a = jax.nn.relu(z)
        if keep_prob < 1:
            key, now = jax.random.split(key)
            a = jnp.where(jax.random.bernoulli(now, keep_prob, a.shape), a / keep_prob, 0)


@functools.partial(
    jax.jit, static_argnames=("loss", "keep_prob", "momentum"), donate_argnums=(0, 1, 2)
)
def train_step(parameters, velocity, key, x, y, learning_rate, loss, keep_prob, momentum):
    key, now = jax.random.split(key)
    value, gradient = jax.value_and_grad(loss_of)(parameters, now, x, y, loss, keep_prob)
    if momentum > 0:
        velocity = jax.tree.map(lambda v, g: momentum * v + g, velocity, gradient)
        gradient = velocity
    parameters = jax.tree.map(lambda w, g: w - learning_rate * g, parameters, gradient)
    return parameters, velocity, key, value


class Network:
    def __init__(self, problem, drops):
        parameters = jax.tree.map(jnp.asarray, problem.initial_weights(np))
        velocity = jax.tree.map(jnp.zeros_like, parameters) if problem.momentum > 0 else None
        self.state = (parameters, velocity, jax.random.key(1))
        self.pool = [tuple(map(jnp.asarray, batch)) for batch in problem.pool(np)]
        self.learning_rate = problem.learning_rate
        self.options = {
            "loss": problem.loss,
            "keep_prob": problem.keep_prob if drops else 1.0,
            "momentum": problem.momentum,
        }

    def step(self, batch):
        x, y = self.pool[batch]
        *self.state, loss = train_step(*self.state, x, y, self.learning_rate, **self.options)
        return loss

    def finish(self, loss):
        jax.block_until_ready(self.state)
        return loss


if __name__ == "__main__":
    steps_common.serve("JAX jit", jax.__version__, Network)
