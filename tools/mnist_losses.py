#!/usr/bin/env python3
"""Writes goldens/training/first_losses.txt: the first 20 training losses of the MultiClassifier on MNIST and on the embedded digits.

    python tools/mnist_losses.py DIR        (PyTorch 2.15.0, NumPy; DIR holds MNIST's IDX files, plain or .gz)

The seed is set before the model is made; then come a shuffling DataLoader and Adam, as in any training script. In float64 the run is the same one,
seen without rounding: weights, batches and dropped units are drawn alike.
"""
import csv
import gzip
import os
import sys

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

assert torch.__version__.startswith("2.15."), torch.__version__
torch.set_num_threads(1)
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
OUT = os.path.join(ROOT, "goldens", "training", "first_losses.txt")
DIGITS = os.path.join(ROOT, "crates", "cresset-data", "data", "digits.csv.gz")
STEPS = 20


class MultiClassifier(nn.Module):
    def __init__(self, input_size, hidden_sizes, num_classes, dropout_rate):
        super().__init__()
        layers, size = [], input_size
        for hidden in hidden_sizes:
            layers += [nn.Linear(size, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(dropout_rate)]
            size = hidden
        layers.append(nn.Linear(size, num_classes))
        self.network = nn.Sequential(*layers)

    def forward(self, x):
        return self.network(x)


def losses(x, y):
    torch.manual_seed(0)
    model = MultiClassifier(x.shape[1], [512, 256, 128], 10, 0.3).to(x.dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(x, y), batch_size=128, shuffle=True)
    model.train()
    found = []
    while True:
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            found.append(loss.item())
            if len(found) == STEPS:
                return found


def read_idx(folder, name, header):
    path = os.path.join(folder, name)
    data = gzip.open(path + ".gz").read() if os.path.exists(path + ".gz") else open(path, "rb").read()
    return np.frombuffer(data, np.uint8, offset=header)


def mnist(folder):
    labels = read_idx(folder, "train-labels-idx1-ubyte", 8)
    pixels = read_idx(folder, "train-images-idx3-ubyte", 16).reshape(len(labels), 784)
    return torch.from_numpy(pixels.astype(np.float32)) / 255, torch.from_numpy(labels.astype(np.int64))


def digits():
    with gzip.open(DIGITS, "rt") as file:
        rows = torch.tensor([[int(number) for number in row] for row in csv.reader(file)])
    return rows[:, :-1].float() / 16, rows[:, -1]


def main():
    level = torch.backends.cpu.get_cpu_capability()
    lines = [f"# PyTorch {torch.__version__}, one thread, {level}; written by tools/mnist_losses.py"]
    for name, (x, y) in (("digits", digits()), ("mnist", mnist(sys.argv[1]))):
        for kind, inputs in (("float32", x), ("float64", x.double())):
            lines.append(" ".join([name, kind] + [repr(loss) for loss in losses(inputs, y)]))
    os.makedirs(os.path.dirname(OUT), exist_ok=True)
    with open(OUT, "w") as file:
        file.write("\n".join(lines) + "\n")


main()
