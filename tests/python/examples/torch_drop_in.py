import torch
from torch import nn

import simdrop.torch

model = nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Dropout(0.5), nn.Linear(1024, 10))
simdrop.torch.replace_(model)  # its parameters, its names, its state_dict: all as they were

optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
x, labels = torch.randn(128, 784), torch.randint(10, (128,))
for _ in range(3):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), labels).backward()
    optimizer.step()
print(model)
