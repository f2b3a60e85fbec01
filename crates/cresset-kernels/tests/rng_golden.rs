//! The random streams against PyTorch 2.15.0, bit for bit: `goldens/rng/cpu_streams.json`, written by `tools/rng_golden.py`.
//!
//! On every level of the processor. Fills that go through the system's mathematical library (f64 `log`, `sin` and so on) are exact
//! where that is the GNU one, so elsewhere their values are not compared, but the draws are.

use cresset_kernels::level::{self, Level};
use cresset_kernels::rng::{AlphaDropout, Float, GeneratorState, Number, dropout_scale};
use half::{bf16, f16};
use serde_json::Value;

const GNU: bool = cfg!(all(target_os = "linux", target_env = "gnu"));

/// A type's little-endian bytes.
trait Bytes: Number {
    fn put(self, bytes: &mut Vec<u8>);
    fn get(bytes: &[u8]) -> Self;
}

macro_rules! bytes {
    ($($t:ty)*) => {$(
        impl Bytes for $t {
            fn put(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
            fn get(bytes: &[u8]) -> Self {
                <$t>::from_le_bytes(bytes.try_into().unwrap())
            }
        }
    )*};
}
bytes!(f32 f64 f16 bf16 i64 i32 i16 i8 u8);
impl Bytes for bool {
    fn put(self, bytes: &mut Vec<u8>) {
        bytes.push(self as u8);
    }
    fn get(bytes: &[u8]) -> Self {
        bytes[0] != 0
    }
}

fn fnv(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, &b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    format!("{hash:016x}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

fn all_bytes<T: Bytes>(values: &[T]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|&x| x.put(&mut bytes));
    bytes
}

struct Call<'a>(&'a Value);

impl Call<'_> {
    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap()
    }
    fn number(&self, key: &str) -> f64 {
        self.0[key].as_f64().unwrap()
    }
    fn size(&self, key: &str) -> usize {
        self.0[key].as_u64().unwrap() as usize
    }
    fn input<T: Bytes>(&self, key: &str) -> Vec<T> {
        unhex(self.text(key)).chunks_exact(size_of::<T>()).map(T::get).collect()
    }
    fn fill<T: Bytes>(&self, fill: impl FnOnce(&mut [T])) -> Vec<u8> {
        let mut out = vec![T::ZERO; self.size("n")];
        fill(&mut out);
        all_bytes(&out)
    }
}

/// Calls a generic function with the type that a dtype's name means.
macro_rules! with_type {
    ($name:expr, [$($dtype:literal $t:ty),*], $function:ident($call:expr, $generator:expr)) => {
        match $name {
            $($dtype => $function::<$t>($call, $generator),)*
            other => panic!("no dtype {other}"),
        }
    };
}

fn any_number<T: Bytes>(call: &Call, g: &mut GeneratorState) -> Vec<u8> {
    match call.text("op") {
        "random" => call.fill::<T>(|out| g.random(out)),
        "random_range" => {
            let to = call.0["to"].as_str().map(|to| to.parse().unwrap());
            call.fill::<T>(|out| g.random_range(out, call.text("from").parse().unwrap(), to))
        }
        "randperm" => call.fill::<T>(|out| g.randperm(out)),
        "bernoulli" => call.fill::<T>(|out| g.bernoulli(out, call.number("p"))),
        "bernoulli_each" => call.fill::<T>(|out| match call.text("p_dtype") {
            "float32" => g.bernoulli_each(out, &call.input::<f32>("p")),
            "float64" => g.bernoulli_each(out, &call.input::<f64>("p")),
            "float16" => g.bernoulli_each(out, &call.input::<f16>("p")),
            _ => g.bernoulli_each(out, &call.input::<bf16>("p")),
        }),
        "geometric" => call.fill::<T>(|out| g.geometric(out, call.number("p"))),
        other => panic!("no op {other}"),
    }
}

fn floats<T: Bytes + Float>(call: &Call, g: &mut GeneratorState) -> Vec<u8> {
    let number = |key| call.number(key);
    match call.text("op") {
        "uniform" => call.fill::<T>(|out| g.uniform(out, number("from"), number("to"))),
        "normal" => {
            let contiguous = call.0["contiguous"].as_bool().unwrap();
            call.fill::<T>(|out| g.normal(out, number("mean"), number("std"), contiguous))
        }
        "log_normal" => call.fill::<T>(|out| g.log_normal(out, number("mean"), number("std"))),
        "exponential" => call.fill::<T>(|out| g.exponential(out, number("lambda"))),
        "cauchy" => call.fill::<T>(|out| g.cauchy(out, number("median"), number("sigma"))),
        "dropout" => {
            let x: Vec<T> = call.input("x");
            let (mut out, mut mask, p) = (x.clone(), vec![0u8; x.len()], number("p"));
            let mut again = g.clone();
            g.dropout(&x, p, &mut out, &mut mask);
            if 0.0 < p && p < 1.0 {
                let mut noise = x.clone();
                again.dropout_noise(&mut noise, p);
                assert_eq!(again.get_state(), g.get_state());
                for (noise, keep) in noise.iter().zip(mask) {
                    assert!(*noise == if keep != 0 { dropout_scale::<T>(p) } else { T::ZERO });
                }
            }
            all_bytes(&out)
        }
        "alpha_dropout" => {
            let mut x: Vec<T> = call.input("x");
            let mut mask = vec![false; x.len()];
            g.bernoulli(&mut mask, 1.0 - number("p"));
            let a = AlphaDropout::<T>::new(number("p"));
            for (x, keep) in x.iter_mut().zip(mask) {
                let (factor, shift) = if keep { (a.scale, a.shift_kept) } else { (T::ZERO, a.shift_dropped) };
                // Products and sums of f16 and bf16 are exact enough in f64 to be rounded as from f32.
                *x = if size_of::<T>() == 8 {
                    T::from_f64(x.to_f64() * factor.to_f64() + shift.to_f64())
                } else {
                    T::from_f32(x.times(factor).to_f32() + shift.to_f32())
                };
            }
            all_bytes(&x)
        }
        "rrelu" => {
            let x: Vec<T> = call.input("x");
            let mut slopes = x.clone();
            g.rrelu_slopes(&x, number("lower"), number("upper"), &mut slopes);
            all_bytes(&x.iter().zip(slopes).map(|(x, slope)| x.times(slope)).collect::<Vec<T>>())
        }
        "multinomial" => {
            let weights: Vec<T> = call.input("weights");
            let (columns, samples) = (call.size("columns"), call.size("samples"));
            let mut out = vec![0; weights.len() / columns * samples];
            g.multinomial(&weights, columns, samples, call.0["replacement"].as_bool().unwrap(), &mut out);
            all_bytes(&out)
        }
        _ => any_number::<T>(call, g),
    }
}

fn run(call: &Call, g: &mut GeneratorState, saved: &mut Vec<u8>) -> Option<Vec<u8>> {
    match call.text("op") {
        "manual_seed" => g.manual_seed(seed(call.text("seed"))),
        "get_state" => return Some(g.get_state().to_vec()),
        "save_state" => *saved = g.get_state().to_vec(),
        "restore_state" => g.set_state(saved).unwrap(),
        _ => {
            let dtype = call.text("dtype");
            let bytes = if dtype.contains("float") {
                with_type!(dtype, ["float32" f32, "float64" f64, "float16" f16, "bfloat16" bf16], floats(call, g))
            } else {
                with_type!(
                    dtype,
                    ["int64" i64, "int32" i32, "int16" i16, "int8" i8, "uint8" u8, "bool" bool],
                    any_number(call, g)
                )
            };
            return Some(bytes);
        }
    }
    None
}

fn seed(text: &str) -> u64 {
    text.parse::<i128>().unwrap() as u64
}

/// Whether a fill's values depend on the system's f64 functions.
fn by_library(call: &Call) -> bool {
    match call.text("op") {
        "log_normal" | "exponential" | "cauchy" | "geometric" | "multinomial" => true,
        "normal" => {
            let serial = call.0["contiguous"].as_bool() == Some(false) || call.size("n") < 16;
            serial || call.text("dtype") == "float64"
        }
        _ => false,
    }
}

fn check(cases: &[Value]) {
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let mut g = GeneratorState::new(seed(case["seed"].as_str().unwrap()));
        let mut saved = Vec::new();
        for (i, call) in case["calls"].as_array().unwrap().iter().enumerate() {
            let call = Call(call);
            let Some(bytes) = run(&call, &mut g, &mut saved) else { continue };
            if GNU || !by_library(&call) {
                let head = hex(&bytes[..bytes.len().min(call.text("first").len() / 2)]);
                assert_eq!(head, call.text("first"), "{name}, call {i}: first values, level {:?}", level::level());
                assert_eq!(fnv(&bytes), call.text("fnv"), "{name}, call {i}: all values, level {:?}", level::level());
            }
        }
        let (state, end) = (g.get_state(), &case["end"]);
        let left = i32::from_le_bytes(state[8..12].try_into().unwrap());
        let next = u64::from_le_bytes(state[16..24].try_into().unwrap());
        let expected = (end["left"].as_i64(), end["next"].as_u64());
        assert_eq!((Some(i64::from(left)), Some(next)), expected, "{name}: position");
        assert_eq!(state[5040] == 1, end["pending"].is_string(), "{name}: a pending normal");
        if GNU && let Some(pending) = end["pending"].as_str() {
            assert_eq!(hex(&state[5024..5032]), pending, "{name}: pending normal");
        }
        assert_eq!(g.draw_seed().to_string(), end["draw_seed"].as_str().unwrap(), "{name}: next draw");
    }
}

#[test]
fn streams_are_those_of_pytorch_on_every_level() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../goldens/rng/cpu_streams.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for wanted in [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512] {
        if level::set_level(wanted) {
            check(golden["cases"].as_array().unwrap());
        }
    }
    level::set_level(level::best());
}

/// Dropout is its input times the noise that the same words give, and its mask says where that is not zero, whatever the length and wherever
/// in a block of words it begins.
#[test]
fn dropout_is_a_product_with_its_noise_on_every_level() {
    fn go<T: Float + std::fmt::Debug>() {
        for n in (1..70).chain([311, 312, 313, 700]) {
            for skipped in [0, 1, 2, 619, 623] {
                let mut words = GeneratorState::new(n as u64);
                (0..skipped).for_each(|_| _ = words.r32());
                let mut again = words.clone();
                let x: Vec<T> = (0..n).map(|i| T::from_f64(i as f64 - 9.5)).collect();
                let (mut out, mut mask, mut noise) = (vec![T::ZERO; n], vec![7; n], vec![T::ZERO; n]);
                words.dropout(&x, 0.3, &mut out, &mut mask);
                again.dropout_noise(&mut noise, 0.3);
                for i in 0..n {
                    assert_eq!(out[i], x[i].times(noise[i]), "element {i} of {n} behind {skipped} words");
                    assert_eq!(mask[i], u8::from(noise[i] != T::ZERO), "element {i} of {n} behind {skipped} words");
                }
                assert_eq!(words.r32(), again.r32(), "as many words");
            }
        }
    }
    for wanted in [Level::Scalar, Level::Neon, Level::Avx2, Level::Avx512] {
        if level::set_level(wanted) {
            go::<f32>();
            go::<f64>();
            go::<bf16>();
        }
    }
    level::set_level(level::best());
}
