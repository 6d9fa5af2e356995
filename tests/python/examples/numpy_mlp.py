import numpy as np

import simdrop

rng = np.random.default_rng(0)
centers = rng.normal(size=(10, 64)).astype(np.float32)
labels = rng.integers(0, 10, 6400)
x = centers[labels] + rng.normal(size=(6400, 64)).astype(np.float32)

mlp = simdrop.Mlp([64, 256, 256, 10], keep_prob=0.5, input_keep_prob=0.9, seed=1, max_batch=128)
adam = simdrop.Optimizer(mlp, kind="adam", learning_rate=1e-3)
for begin in range(0, 6400, 128):
    rows = slice(begin, begin + 128)
    loss = mlp.train_step(x[rows], labels[rows], adam)

mean, variance = mlp.predict_monte_carlo(x[:8], samples=50)  # how sure it is
simdrop.save("mlp.safetensors", mlp, adam)
mlp, adam = simdrop.load("mlp.safetensors", max_batch=128)  # goes on bit for bit
right = (mlp.predict(x).argmax(axis=1) == labels).mean()
print(f"step {adam.step_count}: {100 * right:.0f} % right")
