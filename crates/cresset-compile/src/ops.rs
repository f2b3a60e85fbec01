//! Ops that only compiled graphs have.

use cresset_kernels::lane::Lane;
use cresset_tensor::expr::{Expr, Pointwise, Term};
use cresset_tensor::op::{Context, Few, Op};
use cresset_tensor::{Array, Dims, Meta, Tensor, no_grad};

/// The sum of two gradients of one shape.
#[derive(Debug)]
pub struct Add;
impl Op for Add {
    fn name(&self) -> &'static str {
        "add"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([*inputs[0]].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let [a, b] = [inputs[0], inputs[1]].map(|a| Tensor::from_array(a.clone()));
        [no_grad(|| &a + &b).array()].into()
    }
    fn backward(&self, _ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        [grads[0].clone(), grads[0].clone()].into_iter().collect()
    }
    fn pointwise(&self) -> Option<&dyn Pointwise> {
        Some(self)
    }
}
impl Pointwise for Add {
    fn eval(&self, x: &[Term]) -> Term {
        Term::Number(x[0].number().add(&x[1].number()))
    }
    fn gradient(&self, _i: usize, g: &Expr, _x: &[Term], _y: &Term) -> Option<Expr> {
        Some(*g)
    }
}

/// Undoes broadcasting: sums to a shape.
#[derive(Debug)]
pub struct SumTo(pub Dims);
impl Op for SumTo {
    fn name(&self) -> &'static str {
        "sum_to_size"
    }
    fn infer(&self, inputs: &[&Meta]) -> Result<Few<Meta>, String> {
        Ok([Meta { shape: self.0, ..*inputs[0] }].into())
    }
    fn forward(&self, inputs: &[&Array], _outputs: &[Meta]) -> Few<Array> {
        let x = Tensor::from_array(inputs[0].clone());
        [no_grad(|| x.sum_to_size(&self.0[..])).array()].into()
    }
    fn backward(&self, ctx: &Context, grads: &[Option<Tensor>]) -> Few<Option<Tensor>> {
        let shape = ctx.input_meta(0).shape;
        [grads[0].as_ref().map(|g| g.broadcast_to(shape))].into()
    }
}
