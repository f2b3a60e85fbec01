//! Rows that go through several layers at once: products with weights, and pointwise steps between them.
//!
//! A layer writes its result for all rows before the next one reads it, by then from the third-level cache or from memory. A chain takes as many
//! rows as stay in the second-level cache through all its layers, and threads take different rows. Where nothing is kept on the way, the rows
//! go as lanes of vectors ([`cresset_kernels::gemm::lanes`]): then no product packs anything, and a layer of 100 outputs leaves no lane
//! idle.

use crate::graph::{RowChain, RowStage};
use cresset_kernels::buffer::{Buffer, bytes_of, bytes_of_mut, numbers_of, numbers_of_mut};
use cresset_kernels::gemm::{self, Epilogue, Mat, Packable, Packed};
use cresset_kernels::map::fused::{End, Program};
use cresset_kernels::threads;
use cresset_tensor::{Array, DType, Element, Meta};
use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// One layer, ready to run. Inputs are numbers of the node's inputs.
enum Stage {
    Product {
        weight: usize,
        bias: Option<usize>,
        transposed: bool,
        relu: bool,
        width: usize,
        stored: Option<usize>,
        packed: Mutex<Option<Cached>>,
    },
    /// Steps over the rows that come along, input 0, and over rows and numbers that are the same for all of them.
    Steps { program: Program, others: Vec<usize>, width: usize, stored: Vec<Option<usize>>, along: usize },
}

impl Stage {
    /// Is its result for the next stage alone?
    fn keeps_nothing(&self) -> bool {
        match self {
            Stage::Product { stored, .. } => stored.is_none(),
            Stage::Steps { stored, .. } => stored.len() == 1 && stored[0].is_none(),
        }
    }
    /// Has it one result, which is an output?
    fn gives_one(&self) -> bool {
        match self {
            Stage::Product { stored, .. } => stored.is_some(),
            Stage::Steps { stored, .. } => stored.len() == 1 && stored[0].is_some(),
        }
    }
    fn width(&self) -> usize {
        match self {
            Stage::Product { width, .. } | Stage::Steps { width, .. } => *width,
        }
    }
}

/// A packed weight of either type.
type Packing = Arc<dyn Any + Send + Sync>;

/// A packed weight, and the version of what it was packed from. (That is held: its memory must not become another's meanwhile.)
struct Cached {
    of: Array,
    version: u32,
    packed: Packing,
}

/// A chain ready to run.
pub struct Chain {
    stages: Vec<Stage>,
    rows: usize,
    width: usize,
    dtype: DType,
    /// Rows that go through together, unless they go as lanes.
    together: usize,
    /// Whether they go as lanes.
    turned: bool,
}

/// Bytes of rows, read and written, that are in work at once: with the weights they fit a second-level cache of half a megabyte.
const IN_WORK: usize = 160 << 10;
/// The fewest rows that repay a round through the layers, and the number that tiles of products divide.
const FEWEST: usize = 48;

impl Chain {
    /// Makes a chain ready.
    pub fn of(chain: &RowChain) -> Chain {
        let stages: Vec<Stage> = chain
            .stages
            .iter()
            .map(|s| match s {
                RowStage::Product { weight, bias, product, width, stored } => Stage::Product {
                    weight: *weight,
                    bias: *bias,
                    transposed: product.transposed,
                    relu: product.relu,
                    width: *width,
                    stored: *stored,
                    packed: Mutex::new(None),
                },
                RowStage::Steps { fused, others, width, stored, along } => Stage::Steps {
                    program: Program::new(
                        crate::backward::kind_of(Some(chain.dtype)),
                        fused.steps.clone(),
                        fused.ends.iter().map(|e| (*e, End::Store)).collect(),
                    ),
                    others: others.clone(),
                    width: *width,
                    stored: stored.clone(),
                    along: *along,
                },
            })
            .collect();
        let widths = stages.iter().map(Stage::width);
        let widest = std::iter::once(chain.width).chain(widths.clone()).zip(widths).map(|(a, b)| a + b).max();
        let together = IN_WORK / (widest.unwrap_or(1).max(1) * chain.dtype.size());
        let together = (together / FEWEST).max(1) * FEWEST;
        let (last, before) = stages.split_last().expect("a chain has stages");
        let turned = before.iter().all(Stage::keeps_nothing) && last.gives_one();
        Chain { stages, rows: chain.rows, width: chain.width, dtype: chain.dtype, together, turned }
    }

    /// Runs all rows. The inputs are those of the node: the rows, then what the stages name; `metas` are those of its outputs.
    pub fn run(&self, inputs: &[&Array], metas: &[Meta]) -> Vec<Array> {
        match self.dtype {
            DType::F64 => self.typed::<f64>(inputs, metas),
            _ => self.typed::<f32>(inputs, metas),
        }
    }

    fn typed<T: Packable + Element>(&self, inputs: &[&Array], metas: &[Meta]) -> Vec<Array> {
        let inputs: Vec<Array> = inputs.iter().map(|a| a.contiguous()).collect();
        let readings: Vec<_> = inputs.iter().map(Array::read).collect();
        let numbers: Vec<&[T]> =
            inputs.iter().zip(&readings).map(|(a, r)| &r.slice::<T>()[a.offset()..][..a.numel()]).collect();
        let each = self.stages.iter().enumerate();
        let packed: Vec<Option<Packing>> =
            each.map(|(i, s)| self.packed::<T>(s, self.width_before(i), &inputs, &numbers)).collect();
        let mut buffers: Vec<Buffer> = metas.iter().map(Array::buffer_for).collect();
        let together = if self.turned { gemm::lanes::<T>() } else { self.together };
        let pieces = threads::pieces(self.rows, together);
        // The rows of each output that a piece writes, to be taken by whoever runs the piece.
        let mut parts: Vec<Vec<&mut [u8]>> = (0..pieces).map(|_| Vec::with_capacity(metas.len())).collect();
        for (buffer, meta) in buffers.iter_mut().zip(metas) {
            let row = meta.numel() / self.rows * meta.dtype.size();
            let bytes = &mut buffer.as_mut_slice::<u8>()[..row * self.rows];
            parts.iter_mut().zip(bytes.chunks_mut(row * together)).for_each(|(p, chunk)| p.push(chunk));
        }
        let parts: Vec<Mutex<Vec<&mut [u8]>>> = parts.into_iter().map(Mutex::new).collect();
        threads::run_ranges(self.rows, together, &|range| {
            let mut part = parts[range.start / together].lock().unwrap_or_else(PoisonError::into_inner);
            let x = &numbers[0][range.start * self.width..range.end * self.width];
            if self.turned {
                self.turned_piece::<T>(x, range.len(), &numbers, part[0]);
            } else {
                self.piece::<T>(x, range.len(), &numbers, &packed, &mut part);
            }
        });
        drop(parts);
        drop(readings);
        buffers.into_iter().zip(metas).map(|(b, m)| Array::from_buffer(b, *m)).collect()
    }

    fn width_before(&self, stage: usize) -> usize {
        if stage == 0 { self.width } else { self.stages[stage - 1].width() }
    }

    /// The weight of a product, packed once for each version of it. One output alone is a row of dot products, which need no packing.
    fn packed<T: Packable + Element>(
        &self,
        stage: &Stage,
        inner: usize,
        inputs: &[Array],
        numbers: &[&[T]],
    ) -> Option<Packing> {
        let Stage::Product { weight, transposed, width, packed, .. } = stage else { return None };
        if *width == 1 || self.turned {
            return None;
        }
        let of = &inputs[*weight];
        let version = of.storage().version();
        let mut cached = packed.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |c: &&Cached| c.of.same_storage(of) && c.of.offset() == of.offset() && c.version == version;
        if let Some(c) = cached.as_ref().filter(same) {
            return Some(c.packed.clone());
        }
        let w = numbers[*weight];
        let mat = if *transposed { Mat::row_major(w, inner).t() } else { Mat::row_major(w, *width) };
        let fresh: Packing = Arc::new(Packed::new(inner, *width, mat));
        *cached = Some(Cached { of: of.clone(), version, packed: fresh.clone() });
        Some(fresh)
    }

    /// Some rows through all stages. `out` are their parts of the outputs.
    fn piece<T: Packable + Element>(
        &self,
        x: &[T],
        rows: usize,
        numbers: &[&[T]],
        packed: &[Option<Packing>],
        out: &mut [&mut [u8]],
    ) {
        let widest = self.stages.iter().map(Stage::width).max().unwrap_or(1);
        let size = size_of::<T>();
        let mut rooms = [(); 2].map(|()| Buffer::new(rows * widest * size));
        // Where the rows are now: an output, or one of the rooms.
        let mut at: Option<usize> = None;
        let mut inner = self.width;
        for (i, stage) in self.stages.iter().enumerate() {
            let width = stage.width();
            let (one, other) = rooms.split_at_mut(1);
            let (from, to) = if i % 2 == 0 { (&one[0], &mut other[0]) } else { (&other[0], &mut one[0]) };
            let mut out: Vec<Option<&mut [u8]>> = out.iter_mut().map(|o| Some(&mut **o)).collect();
            let from: &[u8] = match at {
                _ if i == 0 => bytes_of(x),
                Some(o) => out[o].take().expect("an output that is there"),
                None => &from.as_slice::<u8>()[..rows * inner * size],
            };
            let room = &mut to.as_mut_slice::<u8>()[..rows * width * size];
            match stage {
                Stage::Product { weight, bias, transposed, relu, stored, .. } => {
                    let mut ep = Epilogue::default();
                    if let Some(b) = bias {
                        ep = ep.bias(numbers[*b]);
                    }
                    if *relu {
                        ep = ep.relu();
                    }
                    at = *stored;
                    let to = numbers_of_mut::<T>(stored.and_then(|o| out[o].take()).unwrap_or(room));
                    let a = Mat::row_major(numbers_of::<T>(from), inner);
                    match packed[i].as_ref().and_then(|p| p.downcast_ref::<Packed<T>>()) {
                        Some(p) => p.product(rows, a, to, width, &ep),
                        None => {
                            let w = numbers[*weight];
                            let w = if *transposed { Mat::row_major(w, inner).t() } else { Mat::row_major(w, width) };
                            gemm::gemm(rows, width, inner, a, w, to, width, &ep);
                        }
                    }
                }
                Stage::Steps { program, others, stored, along, .. } => {
                    let row: &[usize] = &[width, 1];
                    let rest = others.iter().map(|o| {
                        let same: &[usize] = if numbers[*o].len() == 1 { &[0, 0] } else { &[0, 1] };
                        (bytes_of(numbers[*o]), same)
                    });
                    let operands: Vec<_> = std::iter::once((from, row)).chain(rest).collect();
                    at = stored[*along];
                    let mut room = Some(room);
                    let mut results: Vec<&mut [u8]> = stored
                        .iter()
                        .map(|s| s.and_then(|o| out[o].take()).or_else(|| room.take()).expect("one result goes on"))
                        .collect();
                    program.run(&[rows, width], &operands, &mut results);
                }
            }
            inner = width;
        }
    }

    /// Some rows through all stages as lanes. `out` is their part of the only output.
    fn turned_piece<T: Packable + Element>(&self, x: &[T], rows: usize, numbers: &[&[T]], out: &mut [u8]) {
        let lanes = gemm::lanes::<T>();
        let widest = self.stages.iter().map(Stage::width).max().unwrap_or(1).max(self.width);
        let mut rooms = [(); 2].map(|()| Buffer::new(lanes * widest * size_of::<T>()));
        let [from, to] = &mut rooms;
        let (mut from, mut to) = (from.as_mut_slice::<T>(), to.as_mut_slice::<T>());
        gemm::turn(x, rows, self.width, from);
        let mut inner = self.width;
        for stage in &self.stages {
            let width = stage.width();
            match stage {
                Stage::Product { weight, bias, transposed, relu, .. } => {
                    let w = numbers[*weight];
                    let w = if *transposed { Mat::row_major(w, inner) } else { Mat::row_major(w, width).t() };
                    gemm::lanes_product(width, inner, w, bias.map(|b| numbers[b]), *relu, from, to);
                }
                Stage::Steps { program, others, .. } => {
                    let row: &[usize] = &[lanes, 1];
                    let rest = others.iter().map(|o| {
                        let same: &[usize] = if numbers[*o].len() == 1 { &[0, 0] } else { &[1, 0] };
                        (bytes_of(numbers[*o]), same)
                    });
                    let along = bytes_of(&from[..width * lanes]);
                    let operands: Vec<_> = std::iter::once((along, row)).chain(rest).collect();
                    program.run(&[width, lanes], &operands, &mut [bytes_of_mut(&mut to[..width * lanes])]);
                }
            }
            std::mem::swap(&mut from, &mut to);
            inner = width;
        }
        gemm::turn_back(from, rows, inner, numbers_of_mut(out));
    }
}
