//! `load_state_dict` of optimizers and schedulers is all or nothing: every value of a saved state is taken out, and exchanged for values of
//! every other kind; what is refused has changed nothing, bit for bit.

use cresset_optim::*;
use cresset_tensor::{DType, Tensor, attempt};

/// A saved value with all of its bits.
fn bits(value: &StateValue, out: &mut Vec<u8>) {
    match value {
        StateValue::Float(x) => out.extend(x.to_bits().to_le_bytes()),
        StateValue::Tensor(t) => {
            out.extend(format!("{:?}", t.meta()).bytes());
            out.extend_from_slice(t.array().contiguous().copy().storage().read().slice::<u8>());
        }
        StateValue::List(v) | StateValue::Tuple(v) => {
            out.push(v.len() as u8);
            v.iter().for_each(|v| bits(v, out));
        }
        StateValue::Dict(d) => {
            out.push(d.len() as u8);
            for (k, v) in d {
                bits(k, out);
                bits(v, out);
            }
        }
        other => out.extend(format!("{other:?}").bytes()),
    }
}

fn children(value: &mut StateValue) -> Vec<&mut StateValue> {
    match value {
        StateValue::List(v) | StateValue::Tuple(v) => v.iter_mut().collect(),
        StateValue::Dict(d) => d.iter_mut().map(|(_, v)| v).collect(),
        _ => Vec::new(),
    }
}

fn nodes(value: &mut StateValue) -> usize {
    1 + children(value).into_iter().map(nodes).sum::<usize>()
}

/// Applies `change` to node number `n`, counted from the root downwards.
fn at(value: &mut StateValue, n: usize, change: &dyn Fn(&mut StateValue)) -> usize {
    if n == 0 {
        change(value);
        return 0;
    }
    let mut left = n - 1;
    for child in children(value) {
        let size = nodes(child);
        if left < size {
            return at(child, left, change);
        }
        left -= size;
    }
    left
}

/// The tree with each node changed in each way.
fn broken(whole: &StateValue) -> Vec<(String, StateValue)> {
    let others = || {
        vec![
            StateValue::None,
            StateValue::Int(-1),
            StateValue::Int(99),
            StateValue::Float(0.25),
            StateValue::Str("x".into()),
            StateValue::List(vec![]),
            StateValue::Tuple(vec![StateValue::Float(0.5)]),
            StateValue::List(vec![StateValue::Int(0), StateValue::Int(0), StateValue::Str("y".into())]),
            StateValue::Dict(vec![]),
            StateValue::Dict(vec![(StateValue::Int(0), StateValue::None)]),
            StateValue::Tensor(Tensor::zeros([7])),
            StateValue::Tensor(Tensor::zeros([0, 2])),
            StateValue::Tensor(Tensor::zeros([2, 2]).to_dtype(DType::Bool)),
        ]
    };
    let mut all = Vec::new();
    for n in 0..nodes(&mut whole.deep_copy()) {
        for other in others() {
            let mut tree = whole.deep_copy();
            at(&mut tree, n, &|v| *v = other.clone());
            all.push((format!("node {n} is {other:?}"), tree));
        }
        for last in [false, true] {
            let mut tree = whole.deep_copy();
            at(&mut tree, n, &|v| match v {
                StateValue::List(v) | StateValue::Tuple(v) if !v.is_empty() => {
                    v.remove(if last { v.len() - 1 } else { 0 });
                }
                StateValue::Dict(d) if !d.is_empty() => {
                    d.remove(if last { d.len() - 1 } else { 0 });
                }
                _ => {}
            });
            all.push((format!("node {n} lacks one"), tree));
        }
        let mut tree = whole.deep_copy();
        at(&mut tree, n, &|v| match v {
            StateValue::List(v) | StateValue::Tuple(v) if !v.is_empty() => v.push(v[0].clone()),
            StateValue::Dict(d) if !d.is_empty() => d.push((StateValue::Int(77), d[0].1.clone())),
            _ => {}
        });
        all.push((format!("node {n} has one more"), tree));
    }
    all
}

/// Two groups, three parameters of different shapes, after some steps.
fn trained(make: impl Fn(Vec<Tensor>, f64) -> Optimizer, seed: f32) -> (Optimizer, Vec<Tensor>) {
    let numbers = |n: usize| (0..n).map(|i| (i as f32 + seed).sin()).collect::<Vec<f32>>();
    let params: Vec<Tensor> = [&[3][..], &[2, 2], &[1]]
        .iter()
        .map(|shape| Tensor::from_vec(numbers(shape.iter().product()), *shape).requires_grad_(true))
        .collect();
    let optimizer = make(params.clone(), 0.01 + f64::from(seed) / 100.0);
    for step in 0..3 {
        for p in &params {
            let g: Vec<f32> = numbers(p.numel()).iter().map(|x| x * (step as f32 + 0.5)).collect();
            p.set_grad(Some(Tensor::from_vec(g, p.shape())));
        }
        optimizer.step();
    }
    (optimizer, params)
}

fn all_of(optimizer: &Optimizer, params: &[Tensor]) -> Vec<u8> {
    let mut out = Vec::new();
    bits(&optimizer.state_dict().to_value(), &mut out);
    params.iter().for_each(|p| bits(&StateValue::Tensor(p.detach()), &mut out));
    out
}

fn two_groups<R: Rule>(params: Vec<Tensor>, rule: impl Fn(f64) -> R, lr: f64) -> Optimizer {
    let optimizer = OptimizerFor::with(&params[..2], rule(lr));
    optimizer.add_param_group(ParamGroup::new(&params[2..], rule(2.0 * lr)));
    Optimizer::clone(&optimizer)
}

#[test]
fn optimizers_change_whole_or_not_at_all() {
    macro_rules! of {
        ($($type:ident { $($field:ident: $value:expr),* }),*) => {
            vec![$(|params: Vec<Tensor>, lr: f64| {
                two_groups(params, |lr| $type { lr, $($field: $value,)* ..Default::default() }, lr)
            }),*] as Vec<fn(Vec<Tensor>, f64) -> Optimizer>
        };
    }
    let makers = of![
        SgdOptions { momentum: 0.9 },
        AdamOptions { amsgrad: true },
        AdamWOptions {},
        AdamaxOptions {},
        NAdamOptions {},
        RAdamOptions {},
        RMSpropOptions { centered: true, momentum: 0.5 },
        AdagradOptions {},
        AdadeltaOptions {},
        RpropOptions {},
        AsgdOptions {}
    ];
    let (mut refused, mut taken) = (0, 0);
    for make in makers {
        let saved = trained(make, 1.0).0.state_dict().to_value();
        let (optimizer, params) = trained(make, 2.0);
        let own = optimizer.state_dict();
        let before = all_of(&optimizer, &params);
        for (what, tree) in broken(&saved) {
            let Ok(state) = OptimizerState::from_value(&tree) else { continue };
            match attempt(|| optimizer.load_state_dict(&state)).unwrap_or_else(|e| panic!("{what}: panic: {e}")) {
                Err(_) => {
                    refused += 1;
                    assert!(all_of(&optimizer, &params) == before, "{optimizer}: {what}: changed");
                }
                Ok(()) => {
                    taken += 1;
                    optimizer.load_state_dict(&own).unwrap();
                    assert!(all_of(&optimizer, &params) == before, "{optimizer}: {what}: the way back");
                }
            }
        }
    }
    assert!(refused > 2000 && taken > 500, "{refused} refused, {taken} taken");
}

#[test]
fn schedulers_change_whole_or_not_at_all() {
    let (optimizer, _) =
        trained(|p, lr| two_groups(p, |lr| SgdOptions { lr, momentum: 0.9, ..Default::default() }, lr), 1.0);
    let o = &optimizer;
    let makers: Vec<(&str, Box<dyn Fn() -> Box<dyn Scheduler> + '_>)> = vec![
        ("StepLR", Box::new(|| Box::new(StepLR::new(o, 2, 0.5)))),
        ("MultiStepLR", Box::new(|| Box::new(MultiStepLR::new(o, [2, 4], 0.5)))),
        ("ConstantLR", Box::new(|| Box::new(ConstantLR::new(o, 0.5, 3)))),
        ("LinearLR", Box::new(|| Box::new(LinearLR::new(o, 0.5, 1.0, 3)))),
        ("ExponentialLR", Box::new(|| Box::new(ExponentialLR::new(o, 0.9)))),
        ("PolynomialLR", Box::new(|| Box::new(PolynomialLR::new(o, 5, 1.0)))),
        ("CosineAnnealingLR", Box::new(|| Box::new(CosineAnnealingLR::new(o, 5, 0.0)))),
        ("CosineAnnealingWarmRestarts", Box::new(|| Box::new(CosineAnnealingWarmRestarts::new(o, 5, 2, 0.0)))),
        ("LambdaLR", Box::new(|| Box::new(LambdaLR::new(o, |e| 0.9f64.powi(e as i32))))),
        ("CyclicLR", Box::new(|| Box::new(CyclicLR::new(o, 0.01, 0.1)))),
        ("OneCycleLR", Box::new(|| Box::new(OneCycleLR::new(o, 0.1, 10)))),
        (
            "SequentialLR",
            Box::new(|| {
                let parts: Vec<Box<dyn Scheduler>> = vec![
                    Box::new(LinearLR::new(o, 0.5, 1.0, 2)),
                    Box::new(StepLR::new(o, 2, 0.5)),
                    Box::new(StepLR::new(o, 3, 0.5)),
                ];
                Box::new(SequentialLR::new(o, parts, [2, 4]))
            }),
        ),
        (
            "ChainedScheduler",
            Box::new(|| {
                let inner: Vec<Box<dyn Scheduler>> =
                    vec![Box::new(StepLR::new(o, 2, 0.5)), Box::new(ExponentialLR::new(o, 0.9))];
                let parts: Vec<Box<dyn Scheduler>> = vec![
                    Box::new(ConstantLR::new(o, 0.5, 3)),
                    Box::new(ChainedScheduler::new(inner)),
                    Box::new(StepLR::new(o, 5, 0.5)),
                ];
                Box::new(ChainedScheduler::new(parts))
            }),
        ),
    ];
    let all = |s: &dyn Scheduler| {
        let mut out = Vec::new();
        bits(&s.state_dict(), &mut out);
        bits(&o.state_dict().to_value(), &mut out);
        out
    };
    let mut refused = 0;
    for (name, make) in makers {
        let mut other = make();
        (0..3).for_each(|_| other.step());
        let saved = other.state_dict();
        let mut scheduler = make();
        scheduler.step();
        let (own, before) = (scheduler.state_dict(), all(&*scheduler));
        let mut of_this = 0;
        for (what, tree) in broken(&saved) {
            match attempt(|| scheduler.load_state_dict(&tree)).unwrap_or_else(|e| panic!("{name}: {what}: panic: {e}"))
            {
                Err(_) => {
                    of_this += 1;
                    assert!(all(&*scheduler) == before, "{name}: {what}: changed");
                }
                Ok(()) => {
                    scheduler.load_state_dict(&own).unwrap();
                    assert!(all(&*scheduler) == before, "{name}: {what}: the way back");
                }
            }
        }
        assert!(of_this > 10, "{name}: {of_this}");
        refused += of_this;
    }
    let mut plateau = ReduceLROnPlateau::new(o);
    plateau.step(1.0);
    let saved = plateau.state_dict();
    let before = format!("{saved:?}");
    for (what, tree) in broken(&saved) {
        match attempt(|| plateau.load_state_dict(&tree)).unwrap_or_else(|e| panic!("plateau: {what}: panic: {e}")) {
            Err(_) => {
                refused += 1;
                assert!(format!("{:?}", plateau.state_dict()) == before, "plateau: {what}: changed");
            }
            Ok(()) => plateau.load_state_dict(&saved).unwrap(),
        }
    }
    assert!(refused > 1000, "{refused} refused");
}
