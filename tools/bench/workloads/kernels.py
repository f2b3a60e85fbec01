"""Group 2: single operations."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .registry import add, workload


def forward(f):
    def step():
        with torch.no_grad():
            return f()

    return step


def forward_backward(inputs, f):
    with torch.no_grad():
        gradient = torch.randn_like(f(*inputs))
    for input in inputs:
        input.requires_grad_()

    def step():
        for input in inputs:
            input.grad = None
        f(*inputs).backward(gradient)
        return inputs[0].grad

    return step


# Rows, contracted length, columns.
SHAPES = [(32, 784, 512), (128, 784, 512), (1000, 100, 200), (512,) * 3, (1024,) * 3, (2048,) * 3]
LINEAR = [(32, 784, 512), (1000, 100, 200), (1000, 100, 1)]


def shape_name(m, k, n):
    return str(m) if m == k == n else f"{m}x{k}x{n}"


for shape in SHAPES:

    def gemm_nn(setup, shape=shape):
        m, k, n = shape
        a, b = torch.randn(m, k), torch.randn(k, n)
        return forward(lambda: a @ b)

    def gemm_nt(setup, shape=shape):
        m, k, n = shape
        x, w = torch.randn(m, k), torch.randn(n, k)
        return forward(lambda: x @ w.t())

    def gemm_tn(setup, shape=shape):
        m, k, n = shape
        y, x = torch.randn(m, n), torch.randn(m, k)
        return forward(lambda: y.t() @ x)

    add(2, f"gemm_nn_{shape_name(*shape)}", gemm_nn)
    add(2, f"gemm_nt_{shape_name(*shape)}", gemm_nt)
    add(2, f"gemm_tn_{shape_name(*shape)}", gemm_tn)

for shape in LINEAR:

    def linear(setup, shape=shape):
        m, k, n = shape
        x, weight, bias = torch.randn(m, k), torch.randn(n, k), torch.randn(n)
        return forward(lambda: F.linear(x, weight, bias))

    add(2, f"linear_{shape_name(*shape)}", linear)

N = 1_000_000
UNARY = {
    "relu": torch.relu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "exp": torch.exp,
    "silu": F.silu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
}
BINARY = {"add": torch.add, "mul": torch.mul, "div": torch.div}

for name, f in UNARY.items():

    def unary(setup, f=f):
        x = torch.randn(N)
        return forward(lambda: f(x))

    add(2, f"map_{name}_1m", unary)
    add(2, f"map_{name}_1m_bwd", lambda setup, f=f: forward_backward([torch.randn(N)], f))

for name, f in BINARY.items():

    def binary(setup, f=f):
        a, b = torch.randn(N), torch.rand(N) + 0.5
        return forward(lambda: f(a, b))

    add(2, f"map_{name}_1m", binary)
    add(2, f"map_{name}_1m_bwd", lambda setup, f=f: forward_backward([torch.randn(N), torch.rand(N) + 0.5], f))


@workload(2, "map_add_bcast")
def map_add_bcast(setup):
    a, b = torch.randn(1000, 1000), torch.randn(1000)
    return forward(lambda: a + b)


@workload(2, "map_add_column")
def map_add_column(setup):
    a, b = torch.randn(1000, 1000), torch.randn(1000, 1)
    return forward(lambda: a + b)


@workload(2, "map_strided")
def map_strided(setup):
    x = torch.randn(1000, 1000).t()
    return forward(lambda: x.relu())


WHOLE = {"sum": torch.sum, "mean": torch.mean, "var": torch.var, "max": torch.max}
ALONG = {**WHOLE, "max": lambda x, dim: torch.max(x, dim)[0]}

for name, f in WHOLE.items():

    def whole(setup, f=f):
        x = torch.randn(1000, 1000)
        return forward(lambda: f(x))

    add(2, f"reduce_{name}_all", whole)

for name, f in ALONG.items():
    for dim in (0, 1):

        def along(setup, f=f, dim=dim):
            x = torch.randn(1000, 1000)
            return forward(lambda: f(x, dim=dim))

        add(2, f"reduce_{name}_dim{dim}", along)

for rows, classes in ((128, 10), (1000, 1000)):

    def softmax(setup, rows=rows, classes=classes):
        return forward_backward([torch.randn(rows, classes)], lambda x: x.softmax(1))

    def log_softmax(setup, rows=rows, classes=classes):
        return forward_backward([torch.randn(rows, classes)], lambda x: x.log_softmax(1))

    add(2, f"softmax_{rows}x{classes}", softmax)
    add(2, f"log_softmax_{rows}x{classes}", log_softmax)

for rows, classes in ((512, 10), (64, 10000)):

    def cross_entropy(setup, rows=rows, classes=classes):
        target = torch.randint(0, classes, (rows,))
        return forward_backward([torch.randn(rows, classes)], lambda x: F.cross_entropy(x, target))

    add(2, f"cross_entropy_{rows}x{classes}", cross_entropy)


def run_layer(layer, input, gradient):
    input.requires_grad_()

    def step():
        layer.zero_grad()
        input.grad = None
        layer(input).backward(gradient)
        return input.grad

    return step


@workload(2, "layer_norm_1000x768")
def layer_norm(setup):
    input = torch.randn(1000, 768)
    return run_layer(nn.LayerNorm([768]), input, torch.randn_like(input))


@workload(2, "batch_norm_512x256")
def batch_norm(setup):
    input = torch.randn(512, 256)
    return run_layer(nn.BatchNorm1d(256), input, torch.randn_like(input))


@workload(2, "dropout_1m")
def dropout(setup):
    x = torch.randn(N)
    return forward(lambda: F.dropout(x, 0.5, True))


add(2, "rand_1m", lambda setup: forward(lambda: torch.rand(N)))
add(2, "randn_1m", lambda setup: forward(lambda: torch.randn(N)))


def optimizer_steps(make, setup):
    """With all parameters in a few calls, and with one kernel for the whole step: the faster counts."""

    def step(**how):
        torch.manual_seed(0)
        parameters = [torch.randn(500, 1000, requires_grad=True) for _ in range(20)]
        for p in parameters:
            p.grad = torch.randn_like(p)
        optimizer = make(parameters, **how)

        def run():
            optimizer.step()
            return parameters[0].detach()

        return run

    return {"foreach": step(foreach=True), "fused": step(fused=True)}


@workload(2, "adam_10m")
def adam(setup):
    return optimizer_steps(lambda p, **how: torch.optim.Adam(p, lr=1e-3, **how), setup)


@workload(2, "sgd_momentum_10m")
def sgd_momentum(setup):
    return optimizer_steps(lambda p, **how: torch.optim.SGD(p, lr=1e-3, momentum=0.9, **how), setup)


@workload(2, "cat")
def cat(setup):
    pieces = [torch.randn(128, 512) for _ in range(8)]
    return forward(lambda: torch.cat(pieces, 1))


@workload(2, "transpose_copy_1000")
def transpose_copy(setup):
    x = torch.randn(1000, 1000)
    return forward(lambda: x.t().contiguous())


@workload(2, "index_select")
def index_select(setup):
    x, index = torch.randn(10_000, 128), torch.randint(0, 10_000, (8192,))
    return forward(lambda: x.index_select(0, index))


@workload(2, "gather")
def gather(setup):
    x, index = torch.randn(1000, 1000), torch.randint(0, 1000, (1000, 1000))
    return forward(lambda: x.gather(1, index))


@workload(2, "embedding_fwd_bwd")
def embedding(setup):
    layer = nn.Embedding(10_000, 128)
    words = torch.randint(0, 10_000, (32, 100))
    gradient = torch.randn(32, 100, 128)

    def step():
        layer.zero_grad()
        layer(words).backward(gradient)
        return layer.weight.grad

    return step


@workload(2, "topk")
def topk(setup):
    x = torch.randn(1000, 1000)
    return forward(lambda: x.topk(10, 1)[0])


@workload(2, "sort_1m")
def sort(setup):
    x = torch.randn(N)
    return forward(lambda: x.sort()[0])
