import torch
from torch import nn

import simdrop.torch

x = torch.randn(64, 100)
model = simdrop.torch.Sequential(nn.Linear(100, 256), nn.ReLU(), nn.Dropout(0.5),
                                 nn.Linear(256, 10))

# Each call draws from PyTorch's generator ...
torch.manual_seed(0)
first = model(x)
torch.manual_seed(0)
print(torch.equal(model(x), first))

# ... or one seed a step, for all layers: here the number of the step.
compiled = torch.compile(model, fullgraph=True)
for step in range(3):
    simdrop.torch.advance(model, step)
    y = model(x)
    print(torch.equal(model(x) == 0, y == 0), torch.allclose(compiled(x), y, atol=1e-5))

# Rank 1 of 4, each with 16 rows: the masks of the one process above.
simdrop.torch.advance(model, step, first_row=16)
print(torch.equal(model(x[16:32]), y[16:32]))
