#!/usr/bin/env python3
"""Makes torch_sequential.safetensors, a network as PyTorch saves it, and torch_sequential.txt: inputs,
and what PyTorch computes of them in double precision, as logits and after softmax.

Needs torch and safetensors. Run in this folder.
"""
import torch
from safetensors.torch import save_file

torch.manual_seed(7)
model = torch.nn.Sequential(
    torch.nn.Linear(20, 32), torch.nn.ReLU(), torch.nn.Dropout(0.5),
    torch.nn.Linear(32, 16), torch.nn.ReLU(), torch.nn.Dropout(0.25),
    torch.nn.Linear(16, 5))
with torch.no_grad():
    for parameter in model.parameters():
        parameter.mul_(2.0)  # outputs of a size that tells the classes apart
save_file(model.state_dict(), "torch_sequential.safetensors")

inputs = torch.randn(12, 20)
with torch.no_grad():
    logits = model.double().eval()(inputs.double())


def lines(name, tensor, digits):
    rows, cols = tensor.shape
    yield f"{name} {rows} {cols}\n"
    for row in tensor.tolist():
        yield " ".join(f"{value:.{digits}g}" for value in row) + "\n"


with open("torch_sequential.txt", "w", encoding="ascii") as out:
    out.writelines(lines("inputs", inputs, 9))
    out.writelines(lines("identity", logits, 17))
    out.writelines(lines("softmax", torch.softmax(logits, dim=1), 17))
