"""Dropout in JAX, compiled, with each of its generators."""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import peers_common as common

common.use_cores(1)
np = common.module("numpy")
jax = common.module("jax")
jnp = jax.numpy


def dropout(key, x, keep_prob):
    return jnp.where(jax.random.bernoulli(key, keep_prob, x.shape), x / keep_prob, 0)


def caller(function, implementation, x, keep_prob):
    """Calls with another key each time, split off in the same compiled function."""

    @jax.jit
    def step(key, values):
        key, now = jax.random.split(key)
        return key, function(now, values, keep_prob)

    key = jax.random.key(1, impl=implementation)

    def run():
        nonlocal key
        key, y = step(key, x)
        return y.block_until_ready()

    return run


def cases(x, keep_prob):
    def relu_dropout(key, values, keep):
        return dropout(key, jax.nn.relu(values), keep)

    return [
        (operation, f"jit, {name}", caller(function, name, x, keep_prob))
        for operation, function in (("dropout", dropout), ("ReLU + dropout", relu_dropout))
        for name in ("threefry2x32", "rbg")
    ]


def main():
    options = common.arguments()
    common.print_header(f"JAX {jax.__version__}")
    for n in options.sizes:
        # JAX has no copy into memory that is there already: NumPy's serves.
        source = np.random.default_rng(2).random(n, dtype=np.float32) * 2 - 1
        x = jnp.asarray(source)
        copied = np.zeros_like(source)
        for keep_prob in common.KEEP_PROBS:
            right = common.checked(np, cases(x, keep_prob), x, keep_prob)
            common.compare(right, lambda: np.copyto(copied, source), n, keep_prob, options)


if __name__ == "__main__":
    main()
