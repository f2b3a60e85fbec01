#!/usr/bin/env python3
"""Writes goldens/inspect/: the tables of torchinfo, and statistics of weights, gradients and activations.

    python tools/inspect_golden.py        (PyTorch 2.15.0, torchinfo 1.8.0, NumPy)

The models stand again in crates/cresset-nn/tests/inspect.rs.
"""
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchinfo

assert torch.__version__.startswith("2.15."), torch.__version__
FOLDER = os.path.join(os.path.dirname(__file__), "..", "goldens", "inspect")


class MultiClassifier(nn.Module):
    def __init__(self, sizes, num_classes):
        super().__init__()
        layers = []
        for a, b in zip(sizes, sizes[1:]):
            layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Dropout(0.2)]
        self.network = nn.Sequential(*layers, nn.Linear(sizes[-1], num_classes))

    def forward(self, x):
        return self.network(x)


class ResidualBlock(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.fc1 = nn.Linear(hidden_size, hidden_size)
        self.fc2 = nn.Linear(hidden_size, hidden_size)
        self.bn1 = nn.BatchNorm1d(hidden_size)
        self.bn2 = nn.BatchNorm1d(hidden_size)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x):
        out = self.dropout(F.relu(self.bn1(self.fc1(x))))
        return F.relu(self.bn2(self.fc2(out)) + x)


class ResNet(nn.Module):
    def __init__(self, input_size, hidden_size, num_blocks, num_classes):
        super().__init__()
        self.input_projection = nn.Linear(input_size, hidden_size)
        self.residual_blocks = nn.ModuleList([ResidualBlock(hidden_size) for _ in range(num_blocks)])
        self.output_layer = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        x = F.relu(self.input_projection(x))
        for block in self.residual_blocks:
            x = block(x)
        return self.output_layer(x)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared_layer = nn.Linear(16, 16)
        self.input_layer = nn.Linear(8, 16)
        self.output_layer = nn.Linear(16, 1)
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        x = F.relu(self.input_layer(x))
        for _ in range(3):
            x = F.relu(self.shared_layer(x))
        return self.output_layer(x)


def cnn():
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, groups=4), nn.BatchNorm2d(16), nn.ReLU()),
        nn.Flatten(),
        nn.Sequential(nn.Linear(16 * 7 * 7, 32), nn.ReLU(), nn.Sequential(nn.Linear(32, 10), nn.Sequential(nn.Sigmoid()))),
    )


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 5)
        self.norm = nn.GroupNorm(2, 6)
        self.pool = nn.AdaptiveAvgPool1d(1)

    def forward(self, x):
        return self.pool(F.relu(self.norm(self.conv(x)))).squeeze(-1)


def frozen():
    model = Shared()
    model.shared_layer.requires_grad_(False)
    model.input_layer.bias.requires_grad_(False)
    return model


TABLES = [
    ("classifier", MultiClassifier([784, 256, 128], 10), (32, 784), {}),
    ("resnet", ResNet(100, 64, 2, 10), (16, 100), {}),
    ("shared", Shared(), (4, 8), {}),
    ("frozen, with names", frozen(), (4, 8), {"row_settings": ("depth", "var_names")}),
    ("cnn", cnn(), (4, 3, 32, 32), {}),
    ("cnn, one level", cnn(), (4, 3, 32, 32), {"depth": 1}),
    ("cnn, four levels", cnn(), (4, 3, 32, 32), {"depth": 4}),
    ("encoder", Encoder(), (2, 4, 20), {}),
    ("layer", nn.Linear(1000, 1000), (5000, 1000), {}),
]


def tables():
    with open(os.path.join(FOLDER, "summary.txt"), "w", encoding="utf-8") as out:
        for name, model, size, how in TABLES:
            columns = ("output_size", "num_params", "mult_adds")
            table = str(torchinfo.summary(model, input_size=size, col_names=columns, verbose=0, **how))
            # Python 3.11 prints the enum's name where earlier ones print its value.
            for unit, letter in [("MEGABYTES", "M"), ("GIGABYTES", "G"), ("TERABYTES", "T")]:
                table = table.replace(f"(Units.{unit})", f"({letter})")
            out.write(f"## {name}\n{table}\n")


def line(out, kind, name, x, unit_dim):
    x = x.detach()
    d = x.double()
    others = [i for i in range(x.dim()) if i != unit_dim]
    units = x.ne(0).sum(others) if others else x.ne(0)
    numbers = [d.mean(), d.std(), d.min(), d.max(), d.norm()]
    counts = np.histogram(x.numpy().ravel(), bins=50)[0]
    text = " ".join(f"{float(n):.9g}" for n in numbers)
    out.write(f"{kind} {name} {text} {int(x.eq(0).sum())} {int(units.eq(0).sum())} {len(units)} {','.join(map(str, counts))}\n")


def statistics():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 40), nn.ReLU(), nn.Linear(40, 3))
    with torch.no_grad():
        model[0].bias[4] = -10.0
        model[3].bias[7] = -10.0
        model[3].bias[8] = -10.0
    x = torch.randn(16, 2, 6, 6)
    with open(os.path.join(FOLDER, "stats.txt"), "w") as out:
        out.write("# kind name mean std min max norm zeros dead units counts-in-50-bins\n")
        for name, p in model.named_parameters():
            line(out, "weights", name, p, 0)
        y = x
        for i, layer in enumerate(model):
            y = layer(y)
            line(out, "activations", i, y, 1)
        y.square().sum().backward()
        for name, p in model.named_parameters():
            line(out, "gradients", name, p.grad, 0)


os.makedirs(FOLDER, exist_ok=True)
tables()
statistics()
