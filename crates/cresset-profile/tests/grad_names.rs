//! Nodes of the graph have PyTorch's names (goldens/api/grad_names.json, from PyTorch 2.15.0 by tools/grad_names.py).

use cresset_tensor::functional as F;
use cresset_tensor::{Approximate, DType, Pad, Tensor, cat, einsum, s, stack, where_};
use std::collections::BTreeMap;

type Call = fn(&Leaves) -> Tensor;

struct Leaves {
    x: Tensor,
    y: Tensor,
    w: Tensor,
    b: Tensor,
    image: Tensor,
    kernel: Tensor,
    classes: Tensor,
    table: Tensor,
    one: Tensor,
}

fn leaves() -> Leaves {
    let leaf = |shape: &[usize]| Tensor::rand(shape).requires_grad_(true);
    Leaves {
        x: leaf(&[4, 6]),
        y: leaf(&[4, 6]),
        w: leaf(&[3, 6]),
        b: leaf(&[3]),
        image: leaf(&[2, 3, 8, 8]),
        kernel: leaf(&[5, 3, 3, 3]),
        classes: Tensor::from_slice(&[0i64, 1, 2, 3]),
        table: leaf(&[10, 4]),
        one: leaf(&[6]),
    }
}

/// A call of PyTorch, and the same here.
const CALLS: &[(&str, Call)] = &[
    ("x + y", |l| &l.x + &l.y),
    ("x - y", |l| &l.x - &l.y),
    ("x * y", |l| &l.x * &l.y),
    ("x / y", |l| &l.x / &l.y),
    ("x + 2", |l| &l.x + 2),
    ("2 - x", |l| 2 - &l.x),
    ("x * 2", |l| &l.x * 2),
    ("-x", |l| -&l.x),
    ("x ** 2", |l| l.x.pow(2)),
    ("x.exp()", |l| l.x.exp()),
    ("x.log()", |l| l.x.log()),
    ("x.sqrt()", |l| l.x.sqrt()),
    ("x.abs()", |l| l.x.abs()),
    ("x.sin()", |l| l.x.sin()),
    ("x.clamp(0, 1)", |l| l.x.clamp(0, 1)),
    ("x.relu()", |l| l.x.relu()),
    ("x.sigmoid()", |l| l.x.sigmoid()),
    ("x.tanh()", |l| l.x.tanh()),
    ("F.gelu(x)", |l| l.x.gelu(Approximate::None)),
    ("F.silu(x)", |l| l.x.silu()),
    ("F.leaky_relu(x)", |l| l.x.leaky_relu(0.01)),
    ("F.elu(x)", |l| l.x.elu(1.0)),
    ("F.softplus(x)", |l| l.x.softplus(1.0, 20.0)),
    ("x.softmax(1)", |l| l.x.softmax(1)),
    ("x.log_softmax(1)", |l| l.x.log_softmax(1)),
    ("x.sum()", |l| l.x.sum()),
    ("x.sum(1)", |l| l.x.sum_dim(1, false)),
    ("x.mean()", |l| l.x.mean()),
    ("x.mean(1)", |l| l.x.mean_dim(1, false)),
    ("x.var()", |l| l.x.var()),
    ("x.std()", |l| l.x.std()),
    ("x.max()", |l| l.x.max()),
    ("x.prod()", |l| l.x.prod()),
    ("x.norm()", |l| l.x.norm()),
    ("x.logsumexp(1)", |l| l.x.logsumexp(1, false)),
    ("x.cumsum(1)", |l| l.x.cumsum(1)),
    ("x @ y.t()", |l| l.x.matmul(&l.y.t())),
    ("F.linear(x, w, b)", |l| F::linear(&l.x, &l.w, Some(&l.b))),
    ("F.conv2d(image, kernel)", |l| F::conv2d(&l.image, &l.kernel, None, Default::default())),
    ("F.max_pool2d(image, 2)", |l| F::max_pool2d(&l.image, 2, Default::default())),
    ("F.avg_pool2d(image, 2)", |l| F::avg_pool2d(&l.image, 2, Default::default())),
    ("F.batch_norm(x, mean, var, one, one, True)", |l| {
        F::batch_norm(&l.x, None, None, Some(&l.one), Some(&l.one), true, 0.1, 1e-5)
    }),
    ("F.layer_norm(x, [6], one, one)", |l| F::layer_norm(&l.x, [6], Some(&l.one), Some(&l.one), 1e-5)),
    ("F.embedding(classes, table)", |l| F::embedding(&l.classes, &l.table, Default::default())),
    ("F.cross_entropy(x, classes)", |l| F::cross_entropy(&l.x, &l.classes)),
    ("F.l1_loss(x, y)", |l| F::l1_loss(&l.x, &l.y, F::Reduction::Mean)),
    ("F.dropout(x, 0.5)", |l| F::dropout(&l.x, 0.5, true)),
    ("torch.einsum(\"ij,kj->ik\", x, y)", |l| einsum("ij,kj->ik", &[&l.x, &l.y])),
    ("x.t()", |l| l.x.t()),
    ("x.transpose(0, 1)", |l| l.x.transpose(0, 1)),
    ("x.permute(1, 0)", |l| l.x.permute([1, 0])),
    ("x.view(6, 4)", |l| l.x.view([6, 4])),
    ("x.t().reshape(24)", |l| l.x.t().reshape([24])),
    ("x.unsqueeze(0)", |l| l.x.unsqueeze(0)),
    ("x.unsqueeze(0).squeeze(0)", |l| l.x.unsqueeze(0).squeeze_dim(0)),
    ("x.expand(2, 4, 6)", |l| l.x.expand([2, 4, 6])),
    ("x[1]", |l| l.x.i(1)),
    ("x[1:3]", |l| l.x.i(s(1..3))),
    ("x.gather(1, classes.unsqueeze(1))", |l| l.x.gather(1, &l.classes.unsqueeze(1))),
    ("torch.cat([x, y])", |l| cat(&[&l.x, &l.y], 0)),
    ("torch.stack([x, y])", |l| stack(&[&l.x, &l.y], 0)),
    ("torch.where(x > 0, x, y)", |l| where_(&l.x.gt(0), &l.x, &l.y)),
    ("x.masked_fill(x > 0, 1.0)", |l| l.x.masked_fill(&l.x.gt(0), 1.0)),
    ("x.clone()", |l| l.x.duplicate()),
    ("x.double()", |l| l.x.to_dtype(DType::F64)),
    ("torch.maximum(x, y)", |l| l.x.maximum(&l.y)),
    ("x.rsqrt()", |l| l.x.rsqrt()),
    ("x.reciprocal()", |l| l.x.reciprocal()),
    ("x.log1p()", |l| l.x.log1p()),
    ("x.expm1()", |l| l.x.expm1()),
    ("x.erf()", |l| l.x.erf()),
    ("x.cos()", |l| l.x.cos()),
    ("x.tan()", |l| l.x.tan()),
    ("x.atan()", |l| l.x.atan()),
    ("x.sinh()", |l| l.x.sinh()),
    ("x.floor()", |l| l.x.floor()),
    ("x.sign()", |l| l.x.sign()),
    ("x.square()", |l| l.x.square()),
    ("x ** y", |l| l.x.pow(&l.y)),
    ("x.min()", |l| l.x.min()),
    ("x.amax(1)", |l| l.x.amax_dim(1, false)),
    ("x.max(1)[0]", |l| l.x.max_dim(1, false).0),
    ("x.nansum()", |l| l.x.nansum()),
    ("x.sort(1)[0]", |l| l.x.sort(1, false).0),
    ("x.topk(2, 1)[0]", |l| l.x.topk(2, 1, true).0),
    ("x.cumprod(1)", |l| l.x.cumprod(1)),
    ("x.logcumsumexp(1)", |l| l.x.logcumsumexp(1)),
    ("x.norm(dim=1)", |l| l.x.norm_dim(2.0, 1, false)),
    ("x.flip(0)", |l| l.x.flip(0)),
    ("x.roll(1, 0)", |l| l.x.roll(1, 0)),
    ("x.tril()", |l| l.x.tril(0)),
    ("x.triu()", |l| l.x.triu(0)),
    ("x.narrow(0, 0, 2)", |l| l.x.narrow(0, 0, 2)),
    ("x.chunk(2, 0)[0]", |l| l.x.chunk(2, 0).swap_remove(0)),
    ("x.unbind(0)[0]", |l| l.x.unbind(0).swap_remove(0)),
    ("x.diagonal()", |l| l.x.diagonal()),
    ("x.swapaxes(0, 1)", |l| l.x.swapaxes(0, 1)),
    ("image.flatten(1)", |l| l.image.flatten(1, -1)),
    ("x.index_select(0, classes)", |l| l.x.index_select(0, &l.classes)),
    ("x.scatter_add(1, classes.unsqueeze(1), y)", |l| l.x.scatter_add(1, &l.classes.unsqueeze(1), &l.y)),
    ("x.index_add(0, classes, y)", |l| l.x.index_add(0, &l.classes, &l.y, 1)),
    ("torch.minimum(x, y)", |l| l.x.minimum(&l.y)),
    ("torch.logaddexp(x, y)", |l| l.x.logaddexp(&l.y)),
    ("torch.bmm(image[0], image[1])", |l| l.image.i(0).bmm(&l.image.i(1))),
    ("torch.outer(one, one)", |l| l.one.outer(&l.one)),
    ("x.mv(one)", |l| l.x.mv(&l.one)),
    ("x[0].dot(one)", |l| l.x.i(0).dot(&l.one)),
    ("F.mish(x)", |l| l.x.mish()),
    ("F.hardswish(x)", |l| l.x.hardswish()),
    ("F.hardsigmoid(x)", |l| l.x.hardsigmoid()),
    ("F.hardtanh(x)", |l| l.x.hardtanh(-1.0, 1.0)),
    ("F.selu(x)", |l| l.x.selu()),
    ("F.relu6(x)", |l| l.x.relu6()),
    ("F.logsigmoid(x)", |l| l.x.logsigmoid()),
    ("F.softsign(x)", |l| l.x.softsign()),
    ("F.threshold(x, 0.1, 2.0)", |l| l.x.threshold(0.1, 2.0)),
    ("F.nll_loss(x.log_softmax(1), classes)", |l| F::nll_loss(&l.x.log_softmax(1), &l.classes)),
    ("F.group_norm(image, 3)", |l| F::group_norm(&l.image, 3, None, None, 1e-5)),
    ("F.conv_transpose2d(image, kernel.transpose(0, 1))", |l| {
        F::conv_transpose2d(&l.image, &l.kernel.transpose(0, 1), None, Default::default())
    }),
    ("F.adaptive_avg_pool2d(image, 2)", |l| F::adaptive_avg_pool2d(&l.image, 2)),
    ("F.adaptive_max_pool2d(image, 2)", |l| F::adaptive_max_pool2d(&l.image, 2)),
    ("F.pad(x, (1, 1))", |l| l.x.pad([1, 1], Pad::Constant(0.0.into()))),
    ("F.unfold(image, 3)", |l| F::unfold(&l.image, 3, Default::default())),
    // What PyTorch composes of several nodes here is one, or the other way round: the loss of each element, and its mean.
    ("F.mse_loss(x, y)", |l| F::mse_loss(&l.x, &l.y, F::Reduction::None)),
    ("F.smooth_l1_loss(x, y)", |l| F::smooth_l1_loss(&l.x, &l.y, F::Reduction::None, 1.0)),
    ("F.binary_cross_entropy(x.sigmoid(), y.sigmoid())", |l| {
        F::binary_cross_entropy(&l.x.sigmoid(), &l.y.sigmoid(), None, F::Reduction::None)
    }),
];

/// Where one side composes what is one node on the other: PyTorch's name of the last node, and ours.
const OTHERS: &[(&str, &str, &str, Call)] = &[
    // PyTorch: bmm between two views.
    ("image @ image", "UnsafeViewBackward0", "BmmBackward0", |l| l.image.matmul(&l.image)),
    // Here: other ops one after the other.
    ("x.median()", "MedianBackward0", "MedianBackward1", |l| l.x.median()),
    ("x.repeat(2, 1)", "RepeatBackward0", "UnsafeViewBackward0", |l| l.x.repeat([2, 1])),
    ("x.masked_select(x > 0)", "MaskedSelectBackward0", "IndexBackward0", |l| l.x.masked_select(&l.x.gt(0))),
    ("x.addcmul(x, y)", "AddcmulBackward0", "AddBackward0", |l| l.x.addcmul(&l.x, &l.y, 1)),
    ("torch.addmm(y, x, x.t() @ x)", "AddmmBackward0", "AddBackward0", |l| l.y.addmm(&l.x, &l.x.t().matmul(&l.x))),
    ("F.celu(x)", "CeluBackward0", "EluBackward0", |l| l.x.celu(1.0)),
    ("F.glu(x, 1)", "GluBackward0", "MulBackward0", |l| F::glu(&l.x, 1)),
];

#[test]
fn nodes_are_named_as_in_pytorch() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../goldens/api/grad_names.json");
    let mut golden: BTreeMap<String, String> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let leaves = leaves();
    let mut wrong = Vec::new();
    let name = |call: &Call| call(&leaves).grad_fn().map_or("none".to_string(), |(node, _)| node.name());
    for (torch, call) in CALLS {
        let want = golden.remove(*torch).unwrap_or_else(|| panic!("no golden for {torch}"));
        if name(call) != want {
            wrong.push(format!("{torch}: {want}, got {}", name(call)));
        }
    }
    for (torch, theirs, ours, call) in OTHERS {
        assert_eq!(golden.remove(*torch).as_deref(), Some(*theirs));
        if name(call) != *ours {
            wrong.push(format!("{torch}: {ours}, got {}", name(call)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(golden.is_empty(), "not looked at: {golden:?}");
}
