//! Traces: what is noted, where it belongs, what it costs.

use cresset_tensor::error::ModuleScope;
use cresset_tensor::trace::{Event, Kind, Trace, Tracing, is_tracing, span, trace};
use cresset_tensor::{Tensor, attempt, functional, no_grad, no_grad_guard, set_num_threads};

fn all<'a>(t: &'a Trace, name: &str) -> Vec<&'a Event> {
    t.events.iter().filter(|e| e.name == name).collect()
}

#[test]
fn events_nest_and_their_own_times_add_up() {
    let x = Tensor::randn([64, 64]).requires_grad_(true);
    let ((), t) = trace(|| {
        let _outer = span("outer");
        let y = (&x * 2.0).relu();
        y.matmul(&x).sum().backward();
    });
    assert!(!is_tracing());
    let names: Vec<&str> = t.events.iter().map(|e| &*e.name).collect();
    assert_eq!(names[..5], ["outer", "mul", "relu", "mm", "sum"]);
    for e in &t.events {
        assert!(e.begin <= e.end && e.end <= t.length);
        let Some(p) = e.parent else { continue };
        let p = &t.events[p as usize];
        assert!(p.begin <= e.begin && e.end <= p.end);
    }
    assert!(t.events.windows(2).all(|w| w[0].begin <= w[1].begin));
    assert_eq!(t.events.iter().map(|e| e.own).sum::<u64>(), t.events[0].total());
}

#[test]
fn products_cost_two_operations_for_each_pair() {
    let (x, w) = (Tensor::randn([5, 3]), Tensor::randn([4, 3]).requires_grad_(true));
    let b = Tensor::randn([4]).requires_grad_(true);
    let (_, t) = trace(|| functional::linear(&x, &w, Some(&b)).sum().backward());
    let e = all(&t, "linear")[0];
    assert_eq!((e.cost.flops, e.cost.bytes), (2 * 5 * 3 * 4 + 20, 4 * (15 + 12 + 4 + 20)));
    assert_eq!(
        format!("{:?} {:?}", t.inputs(e), t.outputs(e)),
        format!("{:?} {:?}", [x.meta(), w.meta(), b.meta()], {
            [cresset_tensor::Meta::new(cresset_tensor::DType::F32, [5, 4])]
        })
    );
    // Only the weight wants a gradient of the two.
    let e = all(&t, "AddmmBackward0")[0];
    assert_eq!((e.kind, e.cost.flops), (Kind::Backward, 2 * 5 * 3 * 4 + 20));

    let image = Tensor::randn([2, 3, 8, 8]).requires_grad_(true);
    let kernel = Tensor::randn([6, 3, 3, 3]).requires_grad_(true);
    let (_, t) = trace(|| functional::conv2d(&image, &kernel, None, Default::default()).sum().backward());
    let flops = 2 * (2 * 6 * 6 * 6) * (3 * 3 * 3);
    assert_eq!(all(&t, "conv2d").iter().map(|e| e.cost.flops).collect::<Vec<_>>(), [flops; 3]);
    // Its backward runs two convolutions, which count for themselves.
    assert_eq!(all(&t, "ConvolutionBackward0")[0].cost.flops, 0);

    let (_, t) = trace(|| no_grad(|| (x.t(), x.expand([2, 5, 3]) + 1.0, &Tensor::ones(()) + &x)));
    assert_eq!(all(&t, "transpose").iter().chain(&all(&t, "permute")).map(|e| e.cost.bytes).sum::<u64>(), 0);
    let adds: Vec<_> = all(&t, "add").iter().map(|e| (e.cost.flops, e.cost.bytes)).collect();
    assert_eq!(adds, [(30, 4 * (15 + 30)), (15, 4 * (15 + 15 + 1))]);
}

#[test]
fn nodes_belong_to_the_modules_that_made_them() {
    let w = Tensor::ones([3]).requires_grad_(true);
    let ((), t) = trace(|| {
        let y = {
            let (_outer, outermost) = ModuleScope::enter(7);
            assert!(outermost);
            let (_inner, _) = ModuleScope::enter(8);
            &w * 2.0
        };
        y.sum().backward();
    });
    let place = |name: &str| {
        let mut at = all(&t, name)[0].scope;
        let mut ids = vec![];
        while at != 0 {
            ids.push(t.modules[t.scopes[at as usize].module as usize].id);
            at = t.scopes[at as usize].parent;
        }
        ids
    };
    assert_eq!((place("mul"), place("MulBackward0")), (vec![8, 7], vec![8, 7]));
    assert!(place("sum").is_empty() && place("SumBackward0").is_empty() && place("AccumulateGrad").is_empty());
}

#[test]
fn memory_is_counted() {
    set_num_threads(1);
    let x = Tensor::ones([1 << 20]);
    let (y, t) = trace(|| &(&x * 2.0) * 3.0);
    let muls = all(&t, "mul");
    assert!(muls.iter().all(|e| e.allocated >= 4 << 20 && e.peak >= e.allocated as u64));
    drop(y);
}

#[test]
fn modes_and_panics_leave_nothing_behind() {
    let x = Tensor::ones([2]);
    let tracing = {
        let _guard = no_grad_guard();
        Tracing::start()
    };
    assert!(is_tracing());
    let broken = attempt(|| {
        let _span = span("broken");
        &x + &Tensor::ones([3])
    });
    assert!(broken.is_err());
    let _ = &x + 1.0;
    let error = attempt(|| trace(|| ())).expect_err("one trace at a time");
    assert!(error.to_string().contains("under way"));
    let t = no_grad(|| tracing.stop());
    assert!(!is_tracing());
    assert_eq!(
        t.events.iter().map(|e| (&*e.name, e.parent)).collect::<Vec<_>>(),
        [("broken", None), ("add", Some(0)), ("add", None)]
    );
    assert!(attempt(|| trace(|| panic!("no"))).is_err());
    assert!(!is_tracing());
    // What is open when a trace ends is ended, and what belonged to an older trace does not disturb a new one.
    let tracing = Tracing::start();
    let open = span("open");
    let t = tracing.stop();
    assert_eq!(t.events[0].end, t.events[0].begin + t.events[0].own);
    let (_, t) = trace(|| drop(open));
    assert!(t.events.is_empty());
}
