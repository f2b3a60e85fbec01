"""Group 6: how the cost of a training step grows with the batch, the width and the depth of a network."""

import torch
import torch.nn as nn

from .dense import train
from .registry import add


def network(batch, width, depth):
    def prepare(setup):
        layers = []
        for _ in range(depth):
            layer = nn.Linear(width, width)
            # So that activations and gradients keep their size through a thousand layers.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            layers += [layer, nn.ReLU()]
        model = nn.Sequential(*layers)
        input, target = torch.randn(batch, width), torch.randn(batch, width)
        return train(model, nn.MSELoss(), input, target, torch.optim.SGD(model.parameters(), lr=1e-4))

    return prepare


for n in (1, 4, 16, 64, 256, 1024, 4096):
    add(6, f"scale_batch_{n}", network(n, 256, 3))
for n in (16, 64, 256, 1024, 4096):
    add(6, f"scale_width_{n}", network(128, n, 3))
for n in (1, 10, 100, 1000):
    add(6, f"scale_depth_{n}", network(32, 64, n))
