"""Group 5: the same networks, compiled by torch.compile."""

import torch
import torch.nn as nn

from .dense import OptimizedModel, activation, infer, mnist_classifier, train
from .registry import workload


@workload(5, "compiled_optimized_forward")
def compiled_optimized_forward(setup):
    model = OptimizedModel(activation)
    input = torch.randn(1000, 100)
    fast = torch.compile(model)
    return lambda: fast(input)


@workload(5, "compiled_classifier_infer_32")
def compiled_classifier_infer_32(setup):
    model = mnist_classifier()
    input = torch.randn(32, 784)
    model.eval()
    return infer(torch.compile(model), input)


@workload(5, "compiled_classifier_train_128")
def compiled_classifier_train_128(setup):
    model = mnist_classifier()
    input = torch.randn(128, 784)
    target = torch.randint(0, 10, (128,))
    return train(torch.compile(model), nn.CrossEntropyLoss(), input, target)


def chain(x):
    y = x * 1.01
    y = y + 0.1
    y = y.relu()
    y = y - x
    y = y.abs()
    y = y * x
    y = y.clamp(-1.0, 1.0)
    y = y * 0.5
    y = y + x
    return -y


@workload(5, "chain_1m")
def chain_1m(setup):
    x = torch.randn(1_000_000)
    return lambda: chain(x)


@workload(5, "compiled_chain_1m")
def compiled_chain_1m(setup):
    x = torch.randn(1_000_000)
    fast = torch.compile(chain)
    return lambda: fast(x)
