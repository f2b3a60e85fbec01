"""Group 4: around the edges."""

import os
import tempfile
import weakref

import torch
import torch.nn as nn

from .registry import Skip, workload


@workload(4, "op_overhead", tiny=True)
def op_overhead(setup):
    a, b = torch.randn(1), torch.randn(1)
    return lambda: a + b


@workload(4, "op_overhead_grad", tiny=True)
def op_overhead_grad(setup):
    a, b = torch.randn(1, requires_grad=True), torch.randn(1, requires_grad=True)
    return lambda: a + b


@workload(4, "linear_small", tiny=True)
def linear_small(setup):
    layer = nn.Linear(10, 20)
    input = torch.randn(32, 10)

    def step():
        layer.zero_grad()
        layer(input).sum().backward()
        return layer.weight.grad

    return step


def state():
    return {f"layers.{i}.weight": torch.randn(1000, 1000) for i in range(100)}


def temporary(step_of, ending):
    """A step that works on a file, which is removed when the step is forgotten."""
    handle, path = tempfile.mkstemp(suffix=ending, prefix="torch-bench-")
    os.close(handle)
    step = step_of(path)
    weakref.finalize(step, lambda: os.path.exists(path) and os.remove(path))
    return step


def saving(save, ending):
    tensors = state()

    def step_of(path):
        def step():
            save(tensors, path)
            return tensors["layers.99.weight"]

        return step

    return temporary(step_of, ending)


def loading(save, load, ending):
    def step_of(path):
        save(state(), path)
        return lambda: load(path)["layers.99.weight"]

    return temporary(step_of, ending)


@workload(4, "save_400mb")
def save_400mb(setup):
    return saving(torch.save, ".pth")


@workload(4, "load_400mb")
def load_400mb(setup):
    return loading(torch.save, lambda path: torch.load(path, weights_only=True), ".pth")


def safetensors():
    try:
        import safetensors.torch
    except ImportError:
        raise Skip("the package safetensors is not installed")
    return safetensors.torch


@workload(4, "save_400mb_safetensors")
def save_400mb_safetensors(setup):
    return saving(safetensors().save_file, ".safetensors")


@workload(4, "load_400mb_safetensors")
def load_400mb_safetensors(setup):
    return loading(safetensors().save_file, safetensors().load_file, ".safetensors")
