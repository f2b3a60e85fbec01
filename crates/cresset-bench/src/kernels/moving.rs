//! Operations that move numbers about: joining, copying, looking up, ordering.

use super::forward;
use crate::{Step, Workload};
use cresset::Backward;
use cresset::cat;
use cresset::prelude::*;

/// Looks 32 x 100 words of 10,000 up in a table of rows of 128 numbers, and sends a gradient back; gives the table's gradient.
fn embedding() -> Step {
    let layer = Embedding::new(10_000, 128);
    let words = Tensor::randint(0, 10_000, [32, 100]);
    let gradient = Tensor::randn([32, 100, 128]);
    Box::new(move || {
        layer.zero_grad();
        layer.call(&words).backward_with(Some(&gradient), Backward::default());
        layer.weight.grad().expect("backward gave a gradient")
    })
}

pub fn workloads() -> Vec<Workload> {
    vec![
        // Eight pieces of 128 x 512 side by side.
        Workload::new("cat", || {
            let pieces: Vec<Tensor> = (0..8).map(|_| Tensor::randn([128, 512])).collect();
            forward(move || cat(&pieces, 1))
        }),
        Workload::new("transpose_copy_1000", || {
            let x = Tensor::randn([1000, 1000]);
            forward(move || x.t().contiguous())
        }),
        // 8192 rows of 128 numbers out of 10,000.
        Workload::new("index_select", || {
            let (x, index) = (Tensor::randn([10_000, 128]), Tensor::randint(0, 10_000, [8192]));
            forward(move || x.index_select(0, &index))
        }),
        Workload::new("gather", || {
            let (x, index) = (Tensor::randn([1000, 1000]), Tensor::randint(0, 1000, [1000, 1000]));
            forward(move || x.gather(1, &index))
        }),
        Workload::new("embedding_fwd_bwd", embedding),
        // The ten largest of each row.
        Workload::new("topk", || {
            let x = Tensor::randn([1000, 1000]);
            forward(move || x.topk(10, 1, true).0)
        }),
        Workload::new("sort_1m", || {
            let x = Tensor::randn([1_000_000]);
            forward(move || x.sort(0, false).0)
        }),
    ]
}
