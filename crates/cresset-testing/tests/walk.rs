//! The walk over the table of ops, and faults planted to see that it catches them.

use cresset_tensor::autograd::{gradcheck, gradgradcheck};
use cresset_tensor::op::{Context, Few, Op, Saves, apply1};
use cresset_tensor::ops::table::{OpInfo, Sample, numbers, table};
use cresset_tensor::{Array, Meta, Tensor};
use cresset_testing::walk_ops;

#[test]
fn every_op_keeps_the_rules() {
    let faults = walk_ops(table());
    assert!(faults.is_empty(), "{} rules broken:\n{}", faults.len(), faults.join("\n"));
}

/// x³, with a choice of mistakes.
#[derive(Debug, Clone, Copy)]
struct Cube {
    /// What backward multiplies the right gradient with.
    factor: f64,
    /// Does backward give only numbers, cut off from the graph?
    detached: bool,
    /// Does forward ignore strides?
    careless: bool,
}
const RIGHT: Cube = Cube { factor: 1.0, detached: false, careless: false };

impl Op for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], outputs: &[Meta]) -> Few<Array> {
        let cube = |x: &Array| -> Array {
            let x = x.to(cresset_tensor::DType::F64);
            let values: Vec<f64> =
                if self.careless { x.read().slice::<f64>()[..x.numel()].to_vec() } else { x.to_vec::<f64>() };
            let cubes: Vec<f64> = values.iter().map(|x| x * x * x).collect();
            Array::from_slice(&cubes, outputs[0].shape)
        };
        [cube(inputs[0]).to(outputs[0].dtype)].into()
    }
    fn saves(&self) -> Saves {
        Saves::inputs(0b1)
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let x = if self.detached { ctx.input(0).detach() } else { ctx.input(0) };
        [grads[0].as_ref().map(|g| g * &(&(&x * &x) * (3.0 * self.factor)))].into()
    }
}

fn cube(fault: Cube) -> impl Fn(&[Tensor]) -> Vec<Tensor> + Send + Sync + 'static {
    move |x| vec![apply1(fault, [&x[0]])]
}

#[test]
fn a_right_gradient_passes() {
    let x = [numbers(&[2, 3], 1)];
    gradcheck(&cube(RIGHT), &x).unwrap();
    gradgradcheck(&cube(RIGHT), &x).unwrap();
}

#[test]
fn a_wrong_gradient_is_caught() {
    let wrong = Cube { factor: 1.001, ..RIGHT };
    let error = gradcheck(&cube(wrong), &[numbers(&[2, 3], 1)]).unwrap_err();
    assert!(error.contains("finite differences"), "{error}");
    // Also where the input is too large for every element to be tried.
    assert!(gradcheck(&cube(wrong), &[numbers(&[20, 30], 1)]).is_err());
}

#[test]
fn a_wrong_second_derivative_is_caught() {
    let cut = Cube { detached: true, ..RIGHT };
    let x = [numbers(&[2, 3], 1)];
    gradcheck(&cube(cut), &x).unwrap();
    assert!(gradgradcheck(&cube(cut), &x).is_err());
}

static PLANTED: [OpInfo; 4] = [
    OpInfo {
        name: "planted: a wrong gradient",
        torch: "x ** 3",
        samples: || vec![Sample::many(&[numbers(&[2, 3], 1)], cube(Cube { factor: 0.99, ..RIGHT }))],
        refused: Vec::new,
    },
    OpInfo {
        name: "planted: strides ignored",
        torch: "x ** 3",
        samples: || vec![Sample::many(&[numbers(&[2, 3], 1)], cube(Cube { careless: true, ..RIGHT }))],
        refused: Vec::new,
    },
    OpInfo {
        name: "planted: nothing refused",
        torch: "x ** 3",
        samples: Vec::new,
        refused: || vec![Sample::many(&[numbers(&[2, 3], 1)], cube(RIGHT))],
    },
    OpInfo {
        name: "planted: an accident instead of a refusal",
        torch: "x ** 3",
        samples: Vec::new,
        refused: || vec![Sample::new(&[numbers(&[2, 3], 1)], |x| x[7].clone())],
    },
];

#[test]
fn the_walk_catches_planted_faults() {
    let faults = walk_ops(&PLANTED);
    let caught = |name: &str, what: &str| faults.iter().any(|f| f.contains(name) && f.contains(what));
    assert!(caught("a wrong gradient", "gradcheck"), "{faults:#?}");
    assert!(caught("strides ignored", "layouts"), "{faults:#?}");
    assert!(caught("nothing refused", "went through"), "{faults:#?}");
    assert!(caught("an accident", "an ordinary panic"), "{faults:#?}");
}
