import torch
from torch import nn

import simdrop.torch

layer = nn.TransformerEncoderLayer(d_model=64, nhead=4, dim_feedforward=256, dropout=0.1,
                                   batch_first=True)
x = torch.randn(8, 32, 64)
with simdrop.torch.patched():  # F.dropout, and attention with dropout, wherever they are called
    layer(x).square().mean().backward()

print(simdrop.torch.overhead(layer, x, seconds=0.5))
