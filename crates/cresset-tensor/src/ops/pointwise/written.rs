//! The pointwise ops as expressions, for compilers.

use super::UnaryOp;
use super::binary::{BinaryOp, ScalarOp, Slope};
use crate::expr::{self, Expr, Pointwise, Term};
use cresset_kernels::lane::Lane;
use cresset_kernels::map::Part;

impl Pointwise for UnaryOp {
    fn eval(&self, x: &[Term]) -> Term {
        Term::Number(self.f.replay(Part::Value, &[&x[0].number()]))
    }
    fn gradient(&self, _i: usize, g: &Expr, x: &[Term], y: &Term) -> Option<Expr> {
        if self.rules.flat {
            return Some(expr::constant(0.0));
        }
        Some(self.f.replay(Part::Gradient(0), &[g, &x[0].number(), &y.number()]))
    }
}

impl Pointwise for BinaryOp {
    fn eval(&self, x: &[Term]) -> Term {
        Term::Number(self.f.replay(Part::Value, &[&x[0].number(), &x[1].number()]))
    }
    fn gradient(&self, i: usize, g: &Expr, x: &[Term], y: &Term) -> Option<Expr> {
        Some(self.slope(i, g, &x[0].number(), &x[1].number(), y))
    }
}

impl BinaryOp {
    /// The gradient of operand `i`.
    fn slope(&self, i: usize, g: &Expr, a: &Expr, b: &Expr, y: &Term) -> Expr {
        match self.rules.slopes[i] {
            Slope::One => *g,
            Slope::MinusOne => g.neg(),
            Slope::Zero => expr::constant(0.0),
            Slope::General => self.f.replay(Part::Gradient(i), &[g, a, b, &y.number()]),
        }
    }
}

impl Pointwise for ScalarOp {
    fn eval(&self, x: &[Term]) -> Term {
        let number = expr::constant(self.scalar.f64());
        let (a, b) = self.order(x[0].number(), number);
        Term::Number(self.op.f.replay(Part::Value, &[&a, &b]))
    }
    fn gradient(&self, _i: usize, g: &Expr, x: &[Term], y: &Term) -> Option<Expr> {
        let number = expr::constant(self.scalar.f64());
        let (a, b) = self.order(x[0].number(), number);
        Some(self.op.slope(usize::from(self.left), g, &a, &b, y))
    }
}
