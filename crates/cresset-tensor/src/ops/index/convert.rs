//! What may be written as an index.

use super::Index;
use crate::dims::Integer;
use crate::tensor::Tensor;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// `...`: as many whole dimensions as are left.
#[derive(Clone, Copy, Debug)]
pub struct Ellipsis;

/// `None`: a new dimension of size 1.
#[derive(Clone, Copy, Debug)]
pub struct NewAxis;

/// A range of positions with a step; see [`s`].
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    start: Option<isize>,
    stop: Option<isize>,
    step: isize,
}

impl Slice {
    /// Takes every `step`-th position only.
    pub fn step(self, step: isize) -> Slice {
        Slice { step, ..self }
    }
}

/// A range as an index, so that it can have a step: `s(1..-1).step(2)` is Python's `1:-1:2`.
pub fn s(range: impl ToIndex) -> Slice {
    match range.to_index() {
        Index::Slice { start, stop, step } => Slice { start, stop, step },
        other => panic!("a slice is made of a range, got {other:?}"),
    }
}

/// One place of an index: an integer, a range, a truth value, a list of integers or truth values, a tensor, [`NewAxis`], [`Ellipsis`].
pub trait ToIndex {
    /// As an [`Index`].
    fn to_index(self) -> Index;
}

fn range(start: Option<isize>, stop: Option<isize>) -> Index {
    Index::Slice { start, stop, step: 1 }
}
/// The position after one that is included: after -1 comes the end.
fn after(i: isize) -> Option<isize> {
    (i != -1).then_some(i + 1)
}

impl<I: Integer> ToIndex for I {
    fn to_index(self) -> Index {
        Index::Int(self.as_isize())
    }
}
impl<I: Integer> ToIndex for Range<I> {
    fn to_index(self) -> Index {
        range(Some(self.start.as_isize()), Some(self.end.as_isize()))
    }
}
impl<I: Integer> ToIndex for RangeInclusive<I> {
    fn to_index(self) -> Index {
        range(Some(self.start().as_isize()), after(self.end().as_isize()))
    }
}
impl<I: Integer> ToIndex for RangeFrom<I> {
    fn to_index(self) -> Index {
        range(Some(self.start.as_isize()), None)
    }
}
impl<I: Integer> ToIndex for RangeTo<I> {
    fn to_index(self) -> Index {
        range(None, Some(self.end.as_isize()))
    }
}
impl<I: Integer> ToIndex for RangeToInclusive<I> {
    fn to_index(self) -> Index {
        range(None, after(self.end.as_isize()))
    }
}
impl ToIndex for RangeFull {
    fn to_index(self) -> Index {
        range(None, None)
    }
}
impl ToIndex for Slice {
    fn to_index(self) -> Index {
        Index::Slice { start: self.start, stop: self.stop, step: self.step }
    }
}
impl ToIndex for Ellipsis {
    fn to_index(self) -> Index {
        Index::Ellipsis
    }
}
impl ToIndex for NewAxis {
    fn to_index(self) -> Index {
        Index::NewAxis
    }
}
impl ToIndex for bool {
    fn to_index(self) -> Index {
        Index::Bool(self)
    }
}
impl ToIndex for Tensor {
    fn to_index(self) -> Index {
        Index::Tensor(self)
    }
}
impl ToIndex for &Tensor {
    fn to_index(self) -> Index {
        Index::Tensor(self.clone())
    }
}
impl ToIndex for Index {
    fn to_index(self) -> Index {
        self
    }
}

fn positions<I: Integer>(list: &[I]) -> Index {
    let list: Vec<i64> = list.iter().map(|i| i.as_isize() as i64).collect();
    Index::Tensor(Tensor::from_slice(&list))
}
impl<I: Integer, const N: usize> ToIndex for [I; N] {
    fn to_index(self) -> Index {
        positions(&self)
    }
}
impl<I: Integer> ToIndex for &[I] {
    fn to_index(self) -> Index {
        positions(self)
    }
}
impl<I: Integer> ToIndex for &Vec<I> {
    fn to_index(self) -> Index {
        positions(self)
    }
}

/// An index of several places: one [`ToIndex`], a tuple of up to six, or a list of [`Index`].
pub trait Indices {
    /// The places.
    fn list(self) -> Vec<Index>;
}
impl<T: ToIndex> Indices for T {
    fn list(self) -> Vec<Index> {
        vec![self.to_index()]
    }
}
impl Indices for () {
    fn list(self) -> Vec<Index> {
        Vec::new()
    }
}
impl Indices for Vec<Index> {
    fn list(self) -> Vec<Index> {
        self
    }
}
impl Indices for &[Index] {
    fn list(self) -> Vec<Index> {
        self.to_vec()
    }
}
/// For tuples of places.
macro_rules! tuple {
    ($($t:ident $i:tt),+) => {
        impl<$($t: ToIndex),+> Indices for ($($t,)+) {
            fn list(self) -> Vec<Index> {
                vec![$(self.$i.to_index()),+]
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
