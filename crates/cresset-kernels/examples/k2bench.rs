use cresset_kernels::lane::*;
use cresset_kernels::map;
use std::time::Instant;
macro_rules! function { ($($name:ident = $f:ident),*) => { $( #[derive(Clone, Copy)] struct $name; impl Unary for $name {
 #[inline(always)] fn eval<L: Lane>(&self, x: &L) -> L { x.$f() }
 #[inline(always)] fn derivative<L: Lane>(&self, _x: &L, y: &L) -> L { y.mul(y).rsub_c(1.0) } } )* } }
function!(
    Exp = exp,
    Expm1 = expm1,
    Ln = ln,
    Log1p = log1p,
    Log2 = log2,
    Sin = sin,
    Cos = cos,
    Tanh = tanh,
    Sigmoid = sigmoid,
    Erf = erf,
    Erfc = erfc,
    Softplus = softplus,
    Pdf = normal_pdf,
    Relu = abs,
    Sinh = sinh
);
#[derive(Clone, Copy)]
struct Gelu;
impl Unary for Gelu {
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.mul(&x.normal_cdf())
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.normal_cdf().add(&x.mul(&x.normal_pdf()))
    }
}
#[derive(Clone, Copy)]
struct Max0;
impl Unary for Max0 {
    #[inline(always)]
    fn eval<L: Lane>(&self, x: &L) -> L {
        x.max_c(0.0)
    }
    #[inline(always)]
    fn derivative<L: Lane>(&self, x: &L, _y: &L) -> L {
        x.clone()
    }
}
#[derive(Clone, Copy)]
struct Add;
impl Binary for Add {
    #[inline(always)]
    fn eval<L: Lane>(&self, a: &L, b: &L) -> L {
        a.add(b)
    }
    #[inline(always)]
    fn da<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.one()
    }
    #[inline(always)]
    fn db<L: Lane>(&self, a: &L, _b: &L, _y: &L) -> L {
        a.one()
    }
}
fn time(n: usize, mut f: impl FnMut()) -> f64 {
    let reps = (2_000_000 / n).max(3);
    let mut best = f64::MAX;
    for _ in 0..15 {
        let t = Instant::now();
        for _ in 0..reps {
            f()
        }
        best = best.min(t.elapsed().as_secs_f64() / reps as f64)
    }
    best * 1e9
}
fn one<U: Unary>(name: &str, u: U) {
    let mut s = format!("{name:8}");
    for n in [640usize, 1000, 100_000, 1_000_000] {
        let x: Vec<f32> = (0..n).map(|i| (i as f32 / n as f32 - 0.3) * 8.0).collect();
        let mut y = vec![0f32; n];
        let t = time(n, || map::unary(u, &[n], (&x, &[1]), (&mut y, &[1])));
        s += &format!("  {n}: {:.3}", t / n as f64);
    }
    let n = 100_000;
    let x: Vec<f64> = (0..n).map(|i| (i as f64 / n as f64 - 0.3) * 8.0).collect();
    let mut y = vec![0f64; n];
    let t = time(n, || map::unary(u, &[n], (&x, &[1]), (&mut y, &[1])));
    s += &format!("  f64: {:.3}", t / n as f64);
    println!("{s}");
}
fn main() {
    let th = std::env::var("T").ok().and_then(|v| v.parse().ok()).unwrap_or(1);
    cresset_kernels::threads::set_num_threads(th);
    println!("level {:?}", cresset_kernels::level::level());
    one("exp", Exp);
    one("expm1", Expm1);
    one("ln", Ln);
    one("log1p", Log1p);
    one("log2", Log2);
    one("sin", Sin);
    one("cos", Cos);
    one("tanh", Tanh);
    one("sinh", Sinh);
    one("sigmoid", Sigmoid);
    one("erf", Erf);
    one("erfc", Erfc);
    one("softplus", Softplus);
    one("gelu", Gelu);
    one("abs", Relu);
    one("max0", Max0);
    let x = vec![1f32; 1_000_000];
    let z = vec![2f32; 1_000_000];
    let mut y = vec![0f32; 1_000_000];
    let mut h = vec![half::bf16::ONE; 1_000_000];
    let mut q = vec![half::f16::ONE; 1_000_000];
    let p = |s: &str, n: usize, t: f64| println!("{s:28} {t:10.1} ns  {:.3} ns/el", t / n as f64);
    p(
        "unary max0 32x20",
        640,
        time(640, || map::unary(Max0, &[32, 20], (&x[..640], &[20, 1]), (&mut y[..640], &[20, 1]))),
    );
    p(
        "add 32x20",
        640,
        time(640, || map::binary(Add, &[32, 20], (&x[..640], &[20, 1]), (&z, &[20, 1]), (&mut y[..640], &[20, 1]))),
    );
    p("add 1", 1, time(640, || map::binary(Add, &[], (&x, &[]), (&z, &[]), (&mut y, &[]))));
    p(
        "add 32x20 + scalar",
        640,
        time(640, || map::binary(Add, &[32, 20], (&x[..640], &[20, 1]), (&z, &[0, 0]), (&mut y[..640], &[20, 1]))),
    );
    p(
        "add 32x20 + row",
        640,
        time(640, || map::binary(Add, &[32, 20], (&x[..640], &[20, 1]), (&z, &[0, 1]), (&mut y[..640], &[20, 1]))),
    );
    p(
        "add 32x20 + column",
        640,
        time(640, || map::binary(Add, &[32, 20], (&x[..640], &[20, 1]), (&z, &[1, 0]), (&mut y[..640], &[20, 1]))),
    );
    p("add_ 32x20", 640, time(640, || map::binary_(Add, &[32, 20], (&mut y[..640], &[20, 1]), (&z, &[20, 1]))));
    for n in [10_000usize, 100_000, 1_000_000] {
        p("add", n, time(n, || map::binary(Add, &[n], (&x[..n], &[1]), (&z, &[1]), (&mut y[..n], &[1]))));
        p("add scalar", n, time(n, || map::binary(Add, &[n], (&x[..n], &[1]), (&z, &[0]), (&mut y[..n], &[1]))));
        p("add_", n, time(n, || map::binary_(Add, &[n], (&mut y[..n], &[1]), (&z, &[1]))));
    }
    p(
        "add 1000x1000 + row",
        1_000_000,
        time(1_000_000, || map::binary(Add, &[1000, 1000], (&x, &[1000, 1]), (&z, &[0, 1]), (&mut y, &[1000, 1]))),
    );
    p(
        "add 10000x100 + row",
        1_000_000,
        time(1_000_000, || map::binary(Add, &[10000, 100], (&x, &[100, 1]), (&z, &[0, 1]), (&mut y, &[100, 1]))),
    );
    p(
        "add NCHW + channel",
        1_000_000,
        time(1_000_000, || {
            map::binary(
                Add,
                &[10, 100, 1000],
                (&x, &[100_000, 1000, 1]),
                (&z, &[0, 1, 0]),
                (&mut y, &[100_000, 1000, 1]),
            )
        }),
    );
    p(
        "add 1000x1000 + t",
        1_000_000,
        time(1_000_000, || map::binary(Add, &[1000, 1000], (&x, &[1000, 1]), (&z, &[1, 1000]), (&mut y, &[1000, 1]))),
    );
    p(
        "copy t 1000x1000",
        1_000_000,
        time(1_000_000, || map::copy(&[1000, 1000], (&z, &[1, 1000]), (&mut y, &[1000, 1]))),
    );
    p("copy 1e6", 1_000_000, time(1_000_000, || map::copy(&[1000, 1000], (&z, &[1000, 1]), (&mut y, &[1000, 1]))));
    p(
        "copy 1000x999 rows",
        999_000,
        time(1_000_000, || map::copy(&[1000, 999], (&z, &[1000, 1]), (&mut y, &[999, 1]))),
    );
    p("copy t 32x20", 640, time(640, || map::copy(&[32, 20], (&z, &[1, 32]), (&mut y, &[20, 1]))));
    p("fill 1e6", 1_000_000, time(1_000_000, || map::fill(&[1_000_000], 1f32, (&mut y, &[1]))));
    p("cast f32 bf16", 1_000_000, time(1_000_000, || map::cast(&[1_000_000], (&x, &[1]), (&mut h, &[1]))));
    p("cast bf16 f32", 1_000_000, time(1_000_000, || map::cast(&[1_000_000], (&h, &[1]), (&mut y, &[1]))));
    p("cast f32 f16", 1_000_000, time(1_000_000, || map::cast(&[1_000_000], (&x, &[1]), (&mut q, &[1]))));
    p("cast f16 f32", 1_000_000, time(1_000_000, || map::cast(&[1_000_000], (&q, &[1]), (&mut y, &[1]))));
    let mut l = vec![0i64; 1_000_000];
    p("cast f32 i64", 1_000_000, time(1_000_000, || map::cast(&[1_000_000], (&x, &[1]), (&mut l, &[1]))));
    p("cast i64 f32", 1_000_000, time(1_000_000, || map::cast(&[1_000_000], (&l, &[1]), (&mut y, &[1]))));
    let mut m = vec![false; 1_000_000];
    p(
        "lt",
        1_000_000,
        time(1_000_000, || {
            map::map2::<f32, f32, bool>(&[1_000_000], |a, b| a < b, (&x, &[1]), (&z, &[1]), (&mut m, &[1]))
        }),
    );
    p(
        "where",
        1_000_000,
        time(1_000_000, || {
            map::map3::<bool, f32, f32, f32>(
                &[1_000_000],
                |m, a, b| if m { a } else { b },
                (&m, &[1]),
                (&x, &[1]),
                (&z, &[1]),
                (&mut y, &[1]),
            )
        }),
    );
    let mut g = h.clone();
    p("exp bf16", 1_000_000, time(1_000_000, || map::unary(Exp, &[1_000_000], (&h, &[1]), (&mut g, &[1]))));
    p(
        "tanh grad 1e6",
        1_000_000,
        time(1_000_000, || map::unary_grad(Tanh, &[1_000_000], (&x, &[1]), None, Some((&z, &[1])), (&mut y, &[1]))),
    );
}
