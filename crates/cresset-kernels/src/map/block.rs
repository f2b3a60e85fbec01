//! The steps of pointwise functions over blocks of 64 numbers: loops that exist once for the whole library.

use crate::lane::Lane;
use crate::level::{Kernel, Simd, dispatch};
use crate::math::Wide;

/// Numbers in a block: 256 or 512 bytes, so that the blocks of one function stay in the first-level cache.
pub(super) const LEN: usize = 64;

/// A step of one, two numbers; a question about two.
trait Step1: Copy {
    fn f<L: Lane>(x: &L) -> L;
}
trait Step2: Copy {
    fn f<L: Lane>(a: &L, b: &L) -> L;
}
trait Test: Copy {
    fn f<W: PartialOrd>(a: W, b: W) -> bool;
}

struct Run1<'a, W, F>(&'a [W; LEN], &'a mut [W; LEN], F);
impl<W: Wide, F: Step1> Kernel for Run1<'_, W, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in 0..LEN {
            self.1[i] = W::of_lane::<S>(F::f(&self.0[i].lane::<S>()));
        }
    }
}
struct Run2<'a, W, F>(&'a [W; LEN], &'a [W; LEN], &'a mut [W; LEN], F);
impl<W: Wide, F: Step2> Kernel for Run2<'_, W, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in 0..LEN {
            self.2[i] = W::of_lane::<S>(F::f(&self.0[i].lane::<S>(), &self.1[i].lane::<S>()));
        }
    }
}
struct RunTest<'a, W, F>(&'a [W; LEN], &'a [W; LEN], &'a mut [u32; LEN], F);
impl<W: Wide, F: Test> Kernel for RunTest<'_, W, F> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in 0..LEN {
            self.2[i] = F::f(self.0[i], self.1[i]) as u32;
        }
    }
}
struct RunSelect<'a, W>(&'a [u32; LEN], &'a [W; LEN], &'a [W; LEN], &'a mut [W; LEN]);
impl<W: Wide> Kernel for RunSelect<'_, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in 0..LEN {
            self.3[i] = if self.0[i] != 0 { self.1[i] } else { self.2[i] };
        }
    }
}
struct RunFma<'a, W>(&'a [W; LEN], &'a [W; LEN], &'a [W; LEN], &'a mut [W; LEN]);
impl<W: Wide> Kernel for RunFma<'_, W> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self) {
        for i in 0..LEN {
            let (a, b, c) = (self.0[i].lane::<S>(), self.1[i].lane::<S>(), self.2[i].lane::<S>());
            self.3[i] = W::of_lane::<S>(a.fma(&b, &c));
        }
    }
}

/// The steps over blocks of a computing type, compiled here and nowhere else.
#[doc(hidden)]
pub trait Steps: Sized {
    fn block_one(step: One, x: &[Self; LEN], out: &mut [Self; LEN]);
    fn block_two(step: Two, a: &[Self; LEN], b: &[Self; LEN], out: &mut [Self; LEN]);
    fn block_ask(question: Ask, a: &[Self; LEN], b: &[Self; LEN], out: &mut [u32; LEN]);
    fn block_select(mask: &[u32; LEN], yes: &[Self; LEN], no: &[Self; LEN], out: &mut [Self; LEN]);
    fn block_fma(a: &[Self; LEN], b: &[Self; LEN], c: &[Self; LEN], out: &mut [Self; LEN]);
}

// The enums of steps, and the steps of each type: one line below for each method of `Lane`.
macro_rules! steps_of_lane {
    (one: $($one:ident = $One:ident)*; two: $($two:ident = $Two:ident)*; ask: $($test:ident = $Test:ident $op:tt)*) => {
        /// A function of one number: each stands for the method of [`Lane`] of its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum One { $($One),* }
        /// A function of two numbers, as [`One`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Two { $($Two),* }
        /// A question about two numbers, as [`One`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Ask { $($Test),* }
        $(
        #[derive(Clone, Copy)]
        struct $One;
        impl Step1 for $One {
            #[inline(always)]
            fn f<L: Lane>(x: &L) -> L {
                x.$one()
            }
        }
        )*
        $(
        #[derive(Clone, Copy)]
        struct $Two;
        impl Step2 for $Two {
            #[inline(always)]
            fn f<L: Lane>(a: &L, b: &L) -> L {
                a.$two(b)
            }
        }
        )*
        $(
        #[derive(Clone, Copy)]
        struct $Test;
        impl Test for $Test {
            #[inline(always)]
            fn f<W: PartialOrd>(a: W, b: W) -> bool {
                a $op b
            }
        }
        )*
        fn one<W: Wide>(step: One, x: &[W; LEN], out: &mut [W; LEN]) {
            match step { $(One::$One => dispatch(Run1(x, out, $One))),* }
        }
        fn two<W: Wide>(step: Two, a: &[W; LEN], b: &[W; LEN], out: &mut [W; LEN]) {
            match step { $(Two::$Two => dispatch(Run2(a, b, out, $Two))),* }
        }
        fn ask<W: Wide>(question: Ask, a: &[W; LEN], b: &[W; LEN], out: &mut [u32; LEN]) {
            match question { $(Ask::$Test => dispatch(RunTest(a, b, out, $Test))),* }
        }
    };
}
steps_of_lane!(
    one: neg = Neg abs = Abs sign = Sign sqrt = Sqrt rsqrt = Rsqrt recip = Recip floor = Floor ceil = Ceil round = Round trunc = Trunc
        exp = Exp exp2 = Exp2 expm1 = Expm1 ln = Ln log2 = Log2 log10 = Log10 log1p = Log1p sin = Sin cos = Cos tan = Tan asin = Asin
        acos = Acos atan = Atan sinh = Sinh cosh = Cosh tanh = Tanh asinh = Asinh acosh = Acosh atanh = Atanh sigmoid = Sigmoid
        erf = Erf erfc = Erfc gaussian = Gaussian erfinv = Erfinv lgamma = Lgamma digamma = Digamma;
    two: add = Add sub = Sub mul = Mul div = Div min = Min max = Max copysign = Copysign fmod = Fmod rem = Rem pow = Pow atan2 = Atan2;
    ask: lt = Lt < le = Le <= gt = Gt > ge = Ge >= eq = Eq == ne = Ne !=
);

macro_rules! steps {
    ($t:ty) => {
        impl Steps for $t {
            #[inline(never)]
            fn block_one(step: One, x: &[$t; LEN], out: &mut [$t; LEN]) {
                one(step, x, out);
            }
            #[inline(never)]
            fn block_two(step: Two, a: &[$t; LEN], b: &[$t; LEN], out: &mut [$t; LEN]) {
                two(step, a, b, out);
            }
            #[inline(never)]
            fn block_ask(question: Ask, a: &[$t; LEN], b: &[$t; LEN], out: &mut [u32; LEN]) {
                ask(question, a, b, out);
            }
            #[inline(never)]
            fn block_select(mask: &[u32; LEN], yes: &[$t; LEN], no: &[$t; LEN], out: &mut [$t; LEN]) {
                dispatch(RunSelect(mask, yes, no, out));
            }
            #[inline(never)]
            fn block_fma(a: &[$t; LEN], b: &[$t; LEN], c: &[$t; LEN], out: &mut [$t; LEN]) {
                dispatch(RunFma(a, b, c, out));
            }
        }
    };
}
steps!(f32);
steps!(f64);
