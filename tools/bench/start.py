"""The smallest program that runs a network with PyTorch: what a start costs. The counterpart of cresset-bench's example `start`."""

import torch
import torch.nn as nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Linear(20, 1))
print(model(torch.randn(1, 10)).item())
