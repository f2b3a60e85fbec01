//! Pointwise functions written down as steps: the same text that the kernels compile ([`Lane`]), run over [`Expr`]s, becomes a list of
//! [`Step`]s that a compiler can join with others.

use cresset_kernels::lane::Lane;
use cresset_kernels::map::fused::Step;
use cresset_kernels::map::{Ask, One, Two};
use std::cell::RefCell;
use std::collections::HashMap;

/// An op that is a pointwise function of its inputs, in f32 or f64 (a compiler asks for it only where all numbers have one of these dtypes).
pub trait Pointwise {
    /// The result. An input of dtype bool comes as a truth value, all others as numbers.
    fn eval(&self, inputs: &[Term]) -> Term;
    /// The gradient of input `i` from that of the output, `g`; before broadcasting is undone. `None` if it has none.
    fn gradient(&self, i: usize, g: &Expr, inputs: &[Term], output: &Term) -> Option<Expr>;
}

/// A number or a truth value of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// A number.
    Number(Expr),
    /// A truth value.
    Truth(Truth),
}

impl Term {
    /// The number; a truth value counts as 0 or 1.
    pub fn number(&self) -> Expr {
        match self {
            Term::Number(x) => *x,
            Term::Truth(t) => Lane::select(t, &constant(1.0), &constant(0.0)),
        }
    }
    /// The truth value; a number is true if it is not zero.
    pub fn truth(&self) -> Truth {
        match self {
            Term::Number(x) => Lane::ne(x, &constant(0.0)),
            Term::Truth(t) => *t,
        }
    }
}

/// A number in the expression that is being written on this thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expr(pub usize);
/// A truth value in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth(pub usize);

/// An expression in the making. The same step is written once.
#[derive(Default, Debug)]
pub struct Tape {
    steps: Vec<Step>,
    places: HashMap<String, usize>,
}

thread_local! {
    static TAPE: RefCell<Tape> = RefCell::new(Tape::default());
}

impl Tape {
    /// Runs `f` with this tape as the one that [`Expr`]s are written on.
    pub fn write<R>(&mut self, f: impl FnOnce() -> R) -> R {
        struct Swap<'a>(&'a mut Tape);
        impl Drop for Swap<'_> {
            fn drop(&mut self) {
                TAPE.with(|t| std::mem::swap(&mut *t.borrow_mut(), self.0));
            }
        }
        TAPE.with(|t| std::mem::swap(&mut *t.borrow_mut(), self));
        let _back = Swap(self);
        f()
    }
    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
    fn push(&mut self, step: Step) -> usize {
        // Numbers print with all their digits, and 0 and -0 differently; NaN is NaN.
        let key = format!("{step:?}");
        if let Some(&place) = self.places.get(&key) {
            return place;
        }
        self.steps.push(step);
        self.places.insert(key, self.steps.len() - 1);
        self.steps.len() - 1
    }
}

fn push(step: Step) -> usize {
    TAPE.with(|t| t.borrow_mut().push(step))
}
fn known(e: Expr) -> Option<f64> {
    TAPE.with(|t| match t.borrow().steps[e.0] {
        Step::Const(v) => Some(v),
        _ => None,
    })
}

/// Input `k` of the expression.
pub fn input(k: usize, truth: bool) -> Term {
    if truth { Term::Truth(Truth(push(Step::Truth(k)))) } else { Term::Number(Expr(push(Step::Input(k)))) }
}
/// A constant.
pub fn constant(v: f64) -> Expr {
    Expr(push(Step::Const(v)))
}

macro_rules! lane {
    (one: $($one:ident = $One:ident)*; two: $($two:ident = $Two:ident)*; ask: $($ask:ident = $Ask:ident)*) => {
        impl Lane for Expr {
            type Mask = Truth;
            fn splat(&self, v: f64) -> Expr {
                constant(v)
            }
            fn fma(&self, b: &Expr, c: &Expr) -> Expr {
                Expr(push(Step::Fma(self.0, b.0, c.0)))
            }
            // x * 1 and x / 1 are x to the last bit.
            fn mul(&self, b: &Expr) -> Expr {
                match (known(*self), known(*b)) {
                    (_, Some(1.0)) => *self,
                    (Some(1.0), _) => *b,
                    _ => Expr(push(Step::Two(Two::Mul, self.0, b.0))),
                }
            }
            fn div(&self, b: &Expr) -> Expr {
                if known(*b) == Some(1.0) { *self } else { Expr(push(Step::Two(Two::Div, self.0, b.0))) }
            }
            $(fn $one(&self) -> Expr {
                Expr(push(Step::One(One::$One, self.0)))
            })*
            $(fn $two(&self, b: &Expr) -> Expr {
                Expr(push(Step::Two(Two::$Two, self.0, b.0)))
            })*
            $(fn $ask(&self, b: &Expr) -> Truth {
                Truth(push(Step::Ask(Ask::$Ask, self.0, b.0)))
            })*
            fn is_nan(&self) -> Truth {
                Lane::ne(self, self)
            }
            fn and(a: &Truth, b: &Truth) -> Truth {
                Truth(push(Step::And(a.0, b.0)))
            }
            fn or(a: &Truth, b: &Truth) -> Truth {
                Truth(push(Step::Or(a.0, b.0)))
            }
            fn not(a: &Truth) -> Truth {
                Truth(push(Step::Not(a.0)))
            }
            fn select(mask: &Truth, yes: &Expr, no: &Expr) -> Expr {
                if yes == no {
                    return *yes;
                }
                Expr(push(Step::Select(mask.0, yes.0, no.0)))
            }
        }
    };
}
lane!(
    one: neg = Neg abs = Abs sign = Sign sqrt = Sqrt rsqrt = Rsqrt recip = Recip floor = Floor ceil = Ceil round = Round trunc = Trunc
        exp = Exp exp2 = Exp2 expm1 = Expm1 ln = Ln log2 = Log2 log10 = Log10 log1p = Log1p sin = Sin cos = Cos tan = Tan asin = Asin
        acos = Acos atan = Atan sinh = Sinh cosh = Cosh tanh = Tanh asinh = Asinh acosh = Acosh atanh = Atanh sigmoid = Sigmoid
        erf = Erf erfc = Erfc gaussian = Gaussian erfinv = Erfinv lgamma = Lgamma digamma = Digamma;
    two: add = Add sub = Sub min = Min max = Max copysign = Copysign fmod = Fmod rem = Rem pow = Pow atan2 = Atan2;
    ask: lt = Lt le = Le gt = Gt ge = Ge eq = Eq ne = Ne
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_step_is_written_once() {
        let mut tape = Tape::default();
        let (a, b) = tape.write(|| {
            let x = input(0, false).number();
            (x.exp().mul(&x.exp()), x.exp().mul(&constant(1.0)))
        });
        assert_eq!(tape.steps(), [Step::Input(0), Step::One(One::Exp, 0), Step::Two(Two::Mul, 1, 1), Step::Const(1.0)]);
        assert_eq!((a, b), (Expr(2), Expr(1)));
    }
}
