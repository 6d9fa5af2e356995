import numpy as np

import simdrop

x = np.random.default_rng(0).normal(size=(128, 1024)).astype(np.float32)
y = simdrop.dropout(x, keep_prob=0.9, seed=42, stream=3)  # x / 0.9 where kept, else 0
dx = simdrop.dropout_backward(y, keep_prob=0.9, seed=42, stream=3)  # the same mask, drawn again

# A batch in two parts, on any number of threads: the same bits.
halves = [simdrop.dropout(x[:64], keep_prob=0.9, seed=42, stream=3),
          simdrop.dropout(x[64:], keep_prob=0.9, seed=42, stream=3, first=64 * 1024,
                          num_threads=0)]
print(np.array_equal(np.vstack(halves), y))

# In place, and the mask as bits: one an element.
mask = np.empty(x.size // 8, np.uint8)
simdrop.dropout(x, keep_prob=0.9, seed=42, stream=3, out=x, mask_out=mask)
kept = np.unpackbits(mask, bitorder="little").reshape(x.shape)
print(f"{kept.mean():.3f} kept, {np.count_nonzero(x[kept == 0])} left where dropped")
