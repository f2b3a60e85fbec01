//! Lanes of 64 numbers. A pointwise function run over them is a row of calls, one for each of its steps, so its text costs next to nothing to
//! compile: the loops behind the steps exist once for the whole library. Functions in the hot path are compiled in one piece
//! instead (see [`Unary::Loop`](crate::lane::Unary::Loop)).

use crate::lane::Lane;
use crate::level::{Kernel, Simd, dispatch};
use crate::math::Wide;

/// Numbers in a block: 256 or 512 bytes, so that the blocks of one function stay in the first-level cache.
pub(super) const LEN: usize = 64;

/// 64 numbers that are computed with in step.
#[derive(Clone)]
#[repr(align(64))]
pub struct Block<W>(pub(super) [W; LEN]);

/// 64 truth values: 0 or 1.
#[derive(Clone)]
#[repr(align(64))]
pub struct Mask([u32; LEN]);

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

impl<W: Wide> Block<W> {
    #[inline(always)]
    fn one<F: Step1>(&self, f: F) -> Self {
        let mut out = Block([W::default(); LEN]);
        dispatch(Run1(&self.0, &mut out.0, f));
        out
    }
    #[inline(always)]
    fn two<F: Step2>(&self, b: &Self, f: F) -> Self {
        let mut out = Block([W::default(); LEN]);
        dispatch(Run2(&self.0, &b.0, &mut out.0, f));
        out
    }
    #[inline(always)]
    fn test<F: Test>(&self, b: &Self, f: F) -> Mask {
        let mut out = Mask([0; LEN]);
        dispatch(RunTest(&self.0, &b.0, &mut out.0, f));
        out
    }
}

// Each method is one step over the block, never inlined: that is the point of blocks.
macro_rules! block_lane {
    (one: $($one:ident)*; two: $($two:ident)*; tests: $($test:ident $op:tt)*) => {
        impl<W: Wide> Lane for Block<W> {
            type Mask = Mask;
            #[inline(never)]
            fn splat(&self, v: f64) -> Self {
                Block([W::of_f64(v); LEN])
            }
            #[inline(never)]
            fn fma(&self, b: &Self, c: &Self) -> Self {
                let mut out = Block([W::default(); LEN]);
                dispatch(RunFma(&self.0, &b.0, &c.0, &mut out.0));
                out
            }
            $(
            #[inline(never)]
            fn $one(&self) -> Self {
                #[derive(Clone, Copy)]
                struct Step;
                impl Step1 for Step {
                    #[inline(always)]
                    fn f<L: Lane>(x: &L) -> L {
                        x.$one()
                    }
                }
                self.one(Step)
            }
            )*
            $(
            #[inline(never)]
            fn $two(&self, b: &Self) -> Self {
                #[derive(Clone, Copy)]
                struct Step;
                impl Step2 for Step {
                    #[inline(always)]
                    fn f<L: Lane>(a: &L, b: &L) -> L {
                        a.$two(b)
                    }
                }
                self.two(b, Step)
            }
            )*
            $(
            #[inline(never)]
            fn $test(&self, b: &Self) -> Mask {
                #[derive(Clone, Copy)]
                struct Step;
                impl Test for Step {
                    #[inline(always)]
                    fn f<W: PartialOrd>(a: W, b: W) -> bool {
                        a $op b
                    }
                }
                self.test(b, Step)
            }
            )*
            #[inline(never)]
            fn is_nan(&self) -> Mask {
                self.ne(self)
            }
            #[inline(never)]
            fn and(a: &Mask, b: &Mask) -> Mask {
                Mask(std::array::from_fn(|i| a.0[i] & b.0[i]))
            }
            #[inline(never)]
            fn or(a: &Mask, b: &Mask) -> Mask {
                Mask(std::array::from_fn(|i| a.0[i] | b.0[i]))
            }
            #[inline(never)]
            fn not(a: &Mask) -> Mask {
                Mask(std::array::from_fn(|i| a.0[i] ^ 1))
            }
            #[inline(never)]
            fn select(mask: &Mask, yes: &Self, no: &Self) -> Self {
                let mut out = Block([W::default(); LEN]);
                dispatch(RunSelect(&mask.0, &yes.0, &no.0, &mut out.0));
                out
            }
        }
    };
}
block_lane!(
    one: neg abs sign sqrt rsqrt recip floor ceil round trunc exp exp2 expm1 ln log2 log10 log1p sin cos tan asin acos atan
        sinh cosh tanh asinh acosh atanh sigmoid erf erfc erfinv lgamma digamma;
    two: add sub mul div min max copysign fmod rem pow atan2;
    tests: lt < le <= gt > ge >= eq == ne !=
);
