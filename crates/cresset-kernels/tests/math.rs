//! The vocabulary's functions against f64 and high-precision numbers, at every level that the processor has.

use cresset_kernels::lane::{Binary, Lane, LaneOps, Unary};
use cresset_kernels::level::{Level, level, set_level};
use cresset_kernels::map;
use std::sync::Mutex;

/// The level is one for the process.
static LEVEL: Mutex<()> = Mutex::new(());

fn at_all_levels(mut f: impl FnMut(Level)) {
    let _one = LEVEL.lock().unwrap_or_else(|e| e.into_inner());
    let best = level();
    for l in [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512] {
        if set_level(l) {
            f(l);
        }
    }
    set_level(best);
}

macro_rules! function {
    ($($name:ident = $f:ident),*) => { $(
        #[derive(Clone, Copy)]
        struct $name;
        impl Unary for $name {
            type Loop = cresset_kernels::lane::InWideRegisters;
            #[inline(always)]
            fn eval<L: Lane>(&self, x: &L) -> L {
                x.$f()
            }
            #[inline(always)]
            fn derivative<L: Lane>(&self, x: &L, _: &L) -> L {
                x.one()
            }
        }
    )* };
}
function!(
    Exp = exp,
    Exp2 = exp2,
    Expm1 = expm1,
    Ln = ln,
    Log2 = log2,
    Log10 = log10,
    Log1p = log1p,
    Sin = sin,
    Cos = cos,
    Tan = tan,
    Sinh = sinh,
    Cosh = cosh,
    Tanh = tanh,
    Sigmoid = sigmoid,
    Erf = erf,
    Erfc = erfc,
    Gaussian = gaussian,
    Erfinv = erfinv,
    Lgamma = lgamma,
    Digamma = digamma,
    Asinh = asinh,
    Softplus = softplus,
    Cdf = normal_cdf,
    Floor = floor,
    Ceil = ceil,
    Round = round,
    Trunc = trunc,
    Sign = sign,
    Rsqrt = rsqrt
);

fn f32s<U: Unary>(f: U, x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    map::unary(f, &[x.len()], (x, &[1]), (&mut y, &[1]));
    y
}
fn f64s<U: Unary>(f: U, x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; x.len()];
    map::unary(f, &[x.len()], (x, &[1]), (&mut y, &[1]));
    y
}

/// The distance of `got` from `want` in units of the last place of `want` as an f32, denormals included.
fn ulps(got: f32, want: f64) -> f64 {
    if got.is_nan() && want.is_nan() {
        return 0.0;
    }
    let w = want as f32;
    if got == w {
        return if w.is_infinite() { 0.0 } else { (got as f64 - want).abs() / unit(w) };
    }
    if w.is_infinite() && got.is_finite() {
        return (got as f64 - want.clamp(-3.5e38, 3.5e38)).abs() / unit(f32::MAX);
    }
    (got as f64 - want).abs() / unit(w)
}
fn unit(w: f32) -> f64 {
    let a = w.abs().max(f32::MIN_POSITIVE);
    f32::from_bits(a.to_bits() & 0x7f80_0000) as f64 / 8_388_608.0
}
fn ulps64(got: f64, want: f64) -> f64 {
    if got == want || got.is_nan() && want.is_nan() {
        return 0.0;
    }
    let a = want.abs().max(f64::MIN_POSITIVE);
    (got - want).abs() / (f64::from_bits(a.to_bits() & 0x7ff0_0000_0000_0000) * f64::EPSILON)
}

/// Every 1009th f32 of the whole range, both signs, then a dense sweep of `lo .. hi`.
fn samples(lo: f32, hi: f32) -> Vec<f32> {
    let mut x: Vec<f32> = (0..u32::MAX / 4099).map(|i| f32::from_bits(i * 4099)).collect();
    x.extend((0..400_000).map(|i| lo + (hi - lo) * (i as f32 / 400_000.0)));
    x
}

fn check<U: Unary>(name: &str, f: U, lo: f32, hi: f32, bound: f64, want: impl Fn(f64) -> f64) {
    let x = samples(lo, hi);
    at_all_levels(|l| {
        let y = f32s(f, &x);
        // Two roundings where there is one instruction: a little more is lost.
        let bound = if l == Level::Scalar { bound + 0.75 } else { bound };
        let (mut worst, mut at) = (0.0, 0.0);
        for (x, y) in x.iter().zip(&y) {
            let w = want(*x as f64);
            assert_eq!(y.is_nan(), w.is_nan(), "{name}({x:e}) = {y:e}, not {w:e} at {l:?}");
            let u = ulps(*y, w);
            if u > worst {
                (worst, at) = (u, *x);
            }
        }
        println!("{name} {l:?}: {worst:.2} ulp at {at:e}");
        assert!(worst <= bound, "{name} is off by {worst:.2} ulp at {at:e}, {l:?}");
    });
}

fn sigmoid64(x: f64) -> f64 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

#[test]
fn exponentials() {
    check("exp", Exp, -105.0, 90.0, 1.0, f64::exp);
    check("exp2", Exp2, -151.0, 129.0, 1.5, f64::exp2);
    check("expm1", Expm1, -20.0, 90.0, 2.0, f64::exp_m1);
    check("sigmoid", Sigmoid, -105.0, 20.0, 2.5, sigmoid64);
}

#[test]
fn logarithms() {
    check("ln", Ln, 0.0, 4.0, 1.5, f64::ln);
    check("log2", Log2, 0.0, 4.0, 2.0, f64::log2);
    check("log10", Log10, 0.0, 4.0, 2.0, f64::log10);
    check("log1p", Log1p, -1.0, 3.0, 1.75, f64::ln_1p);
}

#[test]
fn hyperbolic_functions() {
    check("tanh", Tanh, -10.0, 10.0, 1.75, f64::tanh);
    check("sinh", Sinh, -90.0, 90.0, 2.0, f64::sinh);
    check("cosh", Cosh, -90.0, 90.0, 2.0, f64::cosh);
    check("asinh", Asinh, -90.0, 90.0, 1.0, f64::asinh);
}

#[test]
fn circular_functions() {
    check("sin", Sin, -100.0, 100.0, 1.75, f64::sin);
    check("cos", Cos, -100.0, 100.0, 1.75, f64::cos);
    check("tan", Tan, -100.0, 100.0, 1.0, f64::tan);
}

#[test]
fn error_functions() {
    // The references are our own f64 functions, which `spots` pins.
    let xs = samples(-5.0, 11.0);
    let wide: Vec<f64> = xs.iter().map(|x| *x as f64).collect();
    let (e, c) = (f64s(Erf, &wide), f64s(Erfc, &wide));
    let find = |v: &'_ [f64]| -> std::collections::HashMap<u64, f64> {
        wide.iter().map(|x| x.to_bits()).zip(v.iter().copied()).collect()
    };
    let (e, c) = (find(&e), find(&c));
    check("erf", Erf, -5.0, 11.0, 1.5, |x| e[&x.to_bits()]);
    check("erfc", Erfc, -5.0, 11.0, 3.0, |x| c[&x.to_bits()]);
}

#[test]
fn double_precision() {
    let mut x: Vec<f64> = (0..200_000u64).map(|i| f64::from_bits(i.wrapping_mul(0x0000_5a3b_79d1_1c2f))).collect();
    x.extend(x.clone().iter().map(|v| -v));
    x.extend((0..200_000).map(|i| -50.0 + i as f64 * 5e-4));
    x.extend((0..20_000).map(|i| -746.0 + i as f64 * 0.073));
    fn one<U: Unary>(name: &str, f: U, x: &[f64], bound: f64, want: impl Fn(f64) -> f64) {
        at_all_levels(|l| {
            let y = f64s(f, x);
            let (mut worst, mut at) = (0.0, 0.0);
            for (x, y) in x.iter().zip(&y) {
                let w = want(*x);
                assert_eq!(y.is_nan(), w.is_nan(), "{name}({x:e}) = {y:e}, not {w:e}");
                if ulps64(*y, w) > worst {
                    (worst, at) = (ulps64(*y, w), *x);
                }
            }
            println!("{name} f64 {l:?}: {worst:.2} ulp at {at:e}");
            assert!(worst <= bound, "{name} is off by {worst:.2} ulp at {at:e}");
        });
    }
    one("exp", Exp, &x, 2.0, f64::exp);
    one("expm1", Expm1, &x, 3.0, f64::exp_m1);
    one("ln", Ln, &x, 2.0, f64::ln);
    one("log1p", Log1p, &x, 3.0, f64::ln_1p);
    one("tanh", Tanh, &x, 4.0, f64::tanh);
    one("sinh", Sinh, &x, 4.0, f64::sinh);
    one("cosh", Cosh, &x, 3.0, f64::cosh);
}

const ERF: &[(f64, f64)] = &[
    (1e-10, 1.1283791670955126e-10),
    (0.1, 0.1124629160182849),
    (0.5, 0.5204998778130465),
    (0.84375, 0.7672256612323416),
    (0.99, 0.8385080695553698),
    (1.01, 0.8468104962282768),
    (1.5, 0.9661051464753108),
    (2.0, 0.9953222650189527),
    (3.0, 0.9999779095030014),
    (4.5, 0.9999999998033839),
    (5.9, 0.9999999999999999),
];
const ERFC: &[(f64, f64)] = &[
    (-3.0, 1.9999779095030015),
    (-0.5, 1.5204998778130465),
    (1e-05, 0.9999887162083294),
    (0.3, 0.6713732405408726),
    (0.9, 0.20309178757716786),
    (1.2, 0.08968602177036464),
    (2.0, 0.004677734981047266),
    (3.3, 3.0577097964381654e-06),
    (5.0, 1.537459794428035e-12),
    (8.0, 1.1224297172982926e-29),
    (13.0, 1.7395573154667246e-75),
    (20.0, 5.395865611607901e-176),
    (26.0, 5.663192408856143e-296),
    (26.6, 1.088512588544227e-309),
];
const ERFINV: &[(f64, f64)] = &[
    (1e-12, 8.86226925452758e-13),
    (0.01, 0.008862501280950598),
    (0.3, 0.2724627147267543),
    (0.49, 0.46586860023505733),
    (0.51, 0.4881220505159588),
    (0.7, 0.7328690779592167),
    (0.9, 1.1630871536766743),
    (0.99, 1.8213863677184494),
    (0.9999, 2.75106390571208),
    (0.999999999, 4.320005388105362),
    (-0.25, -0.2253120550121781),
];
const LGAMMA: &[(f64, f64)] = &[
    (1e-25, 57.564627324851145),
    (1e-05, 11.512919692895826),
    (0.1, 2.252712651734206),
    (0.5, 0.5723649429247001),
    (0.99, 0.005854806764709781),
    (1.0000001, -5.772155829918507e-08),
    (1.3, -0.10817480950786047),
    (1.9999, -4.227520877215346e-05),
    (2.0001, 4.2281658112919945e-05),
    (2.5, 0.2846828704729192),
    (3.1, 0.7873750832738625),
    (5.5, 3.9578139676187165),
    (9.9, 12.57717990421988),
    (10.1, 13.027526738633236),
    (100.0, 359.1342053695754),
    (1000000.0, 12815504.569147611),
    (-0.5, 1.2655121234846454),
    (-1.5, 0.860047015376481),
    (-2.7, -0.07140708531564569),
    (-10.3, -14.457515440024208),
];
const DIGAMMA: &[(f64, f64)] = &[
    (0.1, -10.423754940411076),
    (0.5, -1.9635100260214235),
    (1.0, -0.5772156649015329),
    (1.4, -0.06138454458511624),
    (2.0, 0.42278433509846713),
    (5.5, 1.6110931485817512),
    (9.9, 2.2411803166063815),
    (10.1, 2.262214357094148),
    (1000.0, 6.907255195648812),
    (-0.5, 0.03648997397857652),
    (-1.3, 2.8825405488661673),
    (-7.6, 1.071732116277544),
];

#[test]
fn spots() {
    fn one<U: Unary>(name: &str, f: U, table: &[(f64, f64)], tolerance: f64) {
        at_all_levels(|_| {
            for (x, w) in table {
                let y = f64s(f, &[*x])[0];
                assert!((y - w).abs() <= tolerance * w.abs(), "{name}({x}) = {y:e}, not {w:e}");
            }
        });
    }
    one("erf", Erf, ERF, 4e-16);
    one("erfc", Erfc, ERFC, 1.5e-15);
    one("erfinv", Erfinv, ERFINV, 1e-15);
    one("lgamma", Lgamma, LGAMMA, 3e-15);
    one("digamma", Digamma, DIGAMMA, 2e-14);
}

#[test]
fn special_values_as_pytorch_has_them() {
    const INF: f32 = f32::INFINITY;
    at_all_levels(|_| {
        let x = [0.0f32, -0.0, INF, -INF, f32::NAN];
        let bits = |v: Vec<f32>| {
            v.iter().map(|v| if v.is_nan() { "nan".into() } else { format!("{v:?}") }).collect::<Vec<_>>()
        };
        assert_eq!(bits(f32s(Exp, &x)), ["1.0", "1.0", "inf", "0.0", "nan"]);
        assert_eq!(bits(f32s(Expm1, &x)), ["0.0", "-0.0", "inf", "-1.0", "nan"]);
        assert_eq!(bits(f32s(Ln, &x)), ["-inf", "-inf", "inf", "nan", "nan"]);
        assert_eq!(bits(f32s(Log1p, &x)), ["0.0", "-0.0", "inf", "nan", "nan"]);
        assert_eq!(bits(f32s(Tanh, &x)), ["0.0", "-0.0", "1.0", "-1.0", "nan"]);
        assert_eq!(bits(f32s(Sinh, &x)), ["0.0", "-0.0", "inf", "-inf", "nan"]);
        assert_eq!(bits(f32s(Cosh, &x)), ["1.0", "1.0", "inf", "inf", "nan"]);
        assert_eq!(bits(f32s(Sigmoid, &x)), ["0.5", "0.5", "1.0", "0.0", "nan"]);
        assert_eq!(bits(f32s(Erf, &x)), ["0.0", "-0.0", "1.0", "-1.0", "nan"]);
        assert_eq!(bits(f32s(Erfc, &x)), ["1.0", "1.0", "0.0", "2.0", "nan"]);
        assert_eq!(bits(f32s(Sin, &x)), ["0.0", "-0.0", "nan", "nan", "nan"]);
        assert_eq!(bits(f32s(Cos, &x)), ["1.0", "1.0", "nan", "nan", "nan"]);
        assert_eq!(bits(f32s(Sign, &x)), ["0.0", "0.0", "1.0", "-1.0", "0.0"]);
        assert_eq!(bits(f32s(Softplus, &x[2..])), ["inf", "0.0", "nan"]);
        assert_eq!(bits(f32s(Rsqrt, &x)), ["inf", "-inf", "0.0", "nan", "nan"]);
        assert_eq!(bits(f32s(Lgamma, &[0.0, -1.0, INF, -INF])), ["inf", "inf", "inf", "inf"]);
        assert_eq!(bits(f32s(Digamma, &[0.0, -0.0, -1.0, INF])), ["-inf", "inf", "nan", "inf"]);
        assert_eq!(bits(f32s(Erfinv, &[1.0, -1.0, 1.5, 0.0, -0.0])), ["inf", "-inf", "nan", "0.0", "-0.0"]);
        assert_eq!(bits(f32s(Round, &[0.5, 1.5, 2.5, -0.5, 1e10])), ["0.0", "2.0", "2.0", "-0.0", "10000000000.0"]);
        assert_eq!(f32s(Floor, &[-0.5, 1.5]), [-1.0, 1.0]);
        assert_eq!(f32s(Ceil, &[-1.5, 1.5]), [-1.0, 2.0]);
        assert_eq!(f32s(Trunc, &[-1.5, 1.5]), [-1.0, 1.0]);
        // To a rounding of 1, and exactly 0 and 1 at the ends.
        let x: Vec<f32> = (-6000..=6000).map(|i| i as f32 / 1000.0).collect();
        for (x, y) in x.iter().zip(f32s(Gaussian, &x)) {
            let want = 0.5 * f64s(Erfc, &[-f64::from(*x) * std::f64::consts::FRAC_1_SQRT_2])[0];
            // 8.4e-8 with fused multiplication and addition.
            assert!((f64::from(y) - want).abs() <= 1.3e-7, "{x}: {y} for {want}");
        }
        assert_eq!(f32s(Gaussian, &[-5.5, -INF, 5.5, INF]), [0.0, 0.0, 1.0, 1.0]);
        assert!(f32s(Gaussian, &[f32::NAN])[0].is_nan());
        // The lower tail of the normal distribution keeps its digits, where 1 + erf would have none.
        let tail = f32s(Cdf, &[-5.0, -10.0]);
        assert!(
            (tail[0] / 2.866_515_7e-7 - 1.0).abs() < 2e-5 && (tail[1] / 7.619_853e-24 - 1.0).abs() < 2e-5,
            "{tail:?}"
        );
    });
}

#[derive(Clone, Copy)]
struct Pair(u8);
impl Binary for Pair {
    type Loop = cresset_kernels::lane::InWideRegisters;
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        match self.0 {
            0 => a.max(b),
            1 => a.min(b),
            2 => a.rem(b),
            3 => L::select(&L::or(&a.gt(b), &L::not(&b.is_nan())), a, b),
            _ => a.pow(b),
        }
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _: &L, _: &L) -> L {
        a.one()
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _: &L, _: &L) -> L {
        a.one()
    }
}

#[test]
fn nan_and_selection() {
    at_all_levels(|_| {
        let nan = f32::NAN;
        let go = |k, a: &[f32], b: &[f32]| {
            let mut y = vec![0.0; a.len()];
            map::binary(Pair(k), &[a.len()], (a, &[1]), (b, &[1]), (&mut y, &[1]));
            y
        };
        let (a, b) = ([nan, 1.0, 2.0, -3.0], [1.0, nan, 1.0, 4.0]);
        let m = go(0, &a, &b);
        assert!(m[0].is_nan() && m[1].is_nan() && m[2..] == [2.0, 4.0]);
        let m = go(1, &a, &b);
        assert!(m[0].is_nan() && m[1].is_nan() && m[2..] == [1.0, -3.0]);
        assert_eq!(
            go(2, &[5.0, -5.0, 5.0, -5.0], &[-3.0, 3.0, f32::INFINITY, f32::INFINITY]),
            [-1.0, 1.0, 5.0, f32::INFINITY]
        );
        let s = go(3, &a, &b);
        assert!(s[0].is_nan() && s[1].is_nan() && s[2..] == [2.0, -3.0]);
        assert_eq!(go(4, &[2.0, -2.0, 0.0, nan], &[10.0, 3.0, 0.0, 0.0]), [1024.0, -8.0, 1.0, 1.0]);
    });
}
