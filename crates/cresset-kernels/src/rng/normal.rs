//! Normal numbers: one at a time with a pending value, or in groups of 16.

use super::box_muller::{BoxMuller, GROUP};
use super::generator::GeneratorState;
use super::number::Float;
use crate::level::dispatch;
use std::f64::consts::TAU;

/// Elements drawn and then transformed while they are in the first-level cache; whole groups.
const CHUNK: usize = 1024;

impl GeneratorState {
    /// Fills with normal numbers: PyTorch's `normal_(mean, std)`; `randn` is `(0, 1)`.
    ///
    /// `contiguous` says whether the tensor is contiguous in the default, row-major sense (channels-last is not). If it is
    /// and has 16 elements or more, groups of 16 uniforms are transformed together; otherwise elements come one by one, in f64, and the
    /// second value of an unfinished pair waits for the next such call.
    pub fn normal<T: Float>(&mut self, out: &mut [T], mean: f64, std: f64, contiguous: bool) {
        if contiguous && out.len() >= GROUP {
            T::normal_block(self, out, mean, std);
        } else {
            for x in out {
                *x = T::from_f64(self.standard_normal().mul_add(std, mean));
            }
        }
    }

    /// Fills with `exp` of normal numbers, drawn one by one whatever the size: PyTorch's `log_normal_(mean, std)`.
    pub fn log_normal<T: Float>(&mut self, out: &mut [T], mean: f64, std: f64) {
        for x in out {
            *x = T::from_f64(self.standard_normal().mul_add(std, mean).exp());
        }
    }

    /// A standard normal by Box and Muller: the pending value, or the first of a new pair (four words).
    fn standard_normal(&mut self) -> f64 {
        if let Some(normal) = self.pending.take() {
            return normal;
        }
        let (u1, u2) = (self.u53(), self.u53());
        let radius = (-2.0 * (-u2).ln_1p()).sqrt();
        let (sin, cos) = (TAU * u1).sin_cos();
        self.pending = Some(radius * sin);
        radius * cos
    }
}

/// A group's worth of elements or more. What does not fill a group is transformed with the elements before it, after drawing the
/// last 16 anew.
pub(super) fn block_f32(generator: &mut GeneratorState, out: &mut [f32], mean: f32, std: f32) {
    let rest = out.len() % GROUP;
    let whole = out.len() - rest;
    let (groups, tail) = out.split_at_mut(whole);
    for data in groups.chunks_mut(CHUNK) {
        generator.uniform(data, 0.0, 1.0);
        dispatch(BoxMuller { data, mean, std });
    }
    if rest > 0 {
        // Their numbers are drawn and replaced.
        generator.uniform(tail, 0.0, 1.0);
        let data = &mut out[whole + rest - GROUP..];
        generator.uniform(data, 0.0, 1.0);
        dispatch(BoxMuller { data, mean, std });
    }
}

/// f16 and bf16: as f32, rounded at the end, but what does not fill a group is not drawn twice.
pub(super) fn block_narrow<T: Float>(generator: &mut GeneratorState, out: &mut [T], mean: f32, std: f32) {
    let mut wide = [0f32; CHUNK];
    let mut fill = |out: &mut [T]| {
        let data = &mut wide[..out.len()];
        generator.uniform(data, 0.0, 1.0);
        dispatch(BoxMuller { data, mean, std });
        T::narrow(data, out);
    };
    let whole = out.len() / GROUP * GROUP;
    out[..whole].chunks_mut(CHUNK).for_each(&mut fill);
    if whole < out.len() {
        let last = out.len() - GROUP;
        fill(&mut out[last..]);
    }
}

pub(super) fn block_f64(generator: &mut GeneratorState, out: &mut [f64], mean: f64, std: f64) {
    generator.uniform(out, 0.0, 1.0);
    let (groups, rest) = out.as_chunks_mut::<GROUP>();
    for group in groups {
        transform_f64(group, mean, std);
    }
    if !rest.is_empty() {
        let last = out.last_chunk_mut::<GROUP>().expect("a block has a group or more");
        generator.uniform(&mut last[..], 0.0, 1.0);
        transform_f64(last, mean, std);
    }
}

fn transform_f64(group: &mut [f64; GROUP], mean: f64, std: f64) {
    let (first, second) = group.split_at_mut(GROUP / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let radius = (-2.0 * (1.0 - *a).ln()).sqrt();
        let (sin, cos) = (TAU * *b).sin_cos();
        *a = (radius * cos).mul_add(std, mean);
        *b = (radius * sin).mul_add(std, mean);
    }
}
