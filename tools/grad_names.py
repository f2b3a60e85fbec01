#!/usr/bin/env python3
"""Writes goldens/api/grad_names.json: what PyTorch calls the node that a call records (`y.grad_fn.name()`).

    python tools/grad_names.py        (PyTorch 2.15.0)

The calls stand again in crates/cresset-profile/tests/grad_names.rs.
"""
import json
import os

import torch
import torch.nn.functional as F

assert torch.__version__.startswith("2.15."), torch.__version__
x = torch.randn(4, 6, requires_grad=True)
y = torch.randn(4, 6, requires_grad=True)
w = torch.randn(3, 6, requires_grad=True)
b = torch.randn(3, requires_grad=True)
image = torch.randn(2, 3, 8, 8, requires_grad=True)
kernel = torch.randn(5, 3, 3, 3, requires_grad=True)
classes = torch.tensor([0, 1, 2, 3])
table = torch.randn(10, 4, requires_grad=True)
mean, var, one = torch.zeros(6), torch.ones(6), torch.ones(6, requires_grad=True)
CALLS = """
x + y
x - y
x * y
x / y
x + 2
2 - x
x * 2
-x
x ** 2
x.exp()
x.log()
x.sqrt()
x.abs()
x.sin()
x.clamp(0, 1)
x.relu()
x.sigmoid()
x.tanh()
F.gelu(x)
F.silu(x)
F.leaky_relu(x)
F.elu(x)
F.softplus(x)
x.softmax(1)
x.log_softmax(1)
x.sum()
x.sum(1)
x.mean()
x.mean(1)
x.var()
x.std()
x.max()
x.prod()
x.norm()
x.logsumexp(1)
x.cumsum(1)
x @ y.t()
image @ image
F.linear(x, w, b)
F.conv2d(image, kernel)
F.max_pool2d(image, 2)
F.avg_pool2d(image, 2)
F.batch_norm(x, mean, var, one, one, True)
F.layer_norm(x, [6], one, one)
F.embedding(classes, table)
F.cross_entropy(x, classes)
F.mse_loss(x, y)
F.l1_loss(x, y)
F.smooth_l1_loss(x, y)
F.binary_cross_entropy(x.sigmoid(), y.sigmoid())
F.dropout(x, 0.5)
x.t()
x.transpose(0, 1)
x.permute(1, 0)
x.view(6, 4)
x.t().reshape(24)
x.unsqueeze(0)
x.unsqueeze(0).squeeze(0)
x.expand(2, 4, 6)
x[1]
x[1:3]
x.gather(1, classes.unsqueeze(1))
torch.cat([x, y])
torch.stack([x, y])
torch.where(x > 0, x, y)
x.masked_fill(x > 0, 1.0)
x.clone()
x.double()
torch.maximum(x, y)
torch.einsum("ij,kj->ik", x, y)
x.rsqrt()
x.reciprocal()
x.log1p()
x.expm1()
x.erf()
x.cos()
x.tan()
x.atan()
x.sinh()
x.floor()
x.sign()
x.square()
x ** y
x.min()
x.amax(1)
x.max(1)[0]
x.median()
x.nansum()
x.sort(1)[0]
x.topk(2, 1)[0]
x.cumprod(1)
x.logcumsumexp(1)
x.norm(dim=1)
x.flip(0)
x.roll(1, 0)
x.tril()
x.triu()
x.repeat(2, 1)
x.narrow(0, 0, 2)
x.chunk(2, 0)[0]
x.unbind(0)[0]
x.diagonal()
x.swapaxes(0, 1)
image.flatten(1)
x.index_select(0, classes)
x.masked_select(x > 0)
x.scatter_add(1, classes.unsqueeze(1), y)
x.index_add(0, classes, y)
x.addcmul(x, y)
torch.addmm(y, x, x.t() @ x)
torch.minimum(x, y)
torch.logaddexp(x, y)
torch.bmm(image[0], image[1])
torch.outer(one, one)
x.mv(one)
x[0].dot(one)
F.mish(x)
F.hardswish(x)
F.hardsigmoid(x)
F.hardtanh(x)
F.selu(x)
F.celu(x)
F.relu6(x)
F.logsigmoid(x)
F.softsign(x)
F.glu(x, 1)
F.threshold(x, 0.1, 2.0)
F.nll_loss(x.log_softmax(1), classes)
F.group_norm(image, 3)
F.conv_transpose2d(image, kernel.transpose(0, 1))
F.adaptive_avg_pool2d(image, 2)
F.adaptive_max_pool2d(image, 2)
F.pad(x, (1, 1))
F.unfold(image, 3)
""".strip().splitlines()

names = {call: eval(call).grad_fn.name() for call in CALLS}
path = os.path.join(os.path.dirname(__file__), "..", "goldens", "api", "grad_names.json")
with open(path, "w") as f:
    json.dump(names, f, indent=1)
    f.write("\n")
