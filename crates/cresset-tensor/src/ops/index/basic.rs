//! The part of an index that is a view: integers, ranges, new axes.

use crate::dims::Dims;
use crate::ops::view::{Layout, Spec};
use smallvec::SmallVec;

/// What becomes of one dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    Whole,
    Select(usize),
    Slice { start: usize, len: usize, step: usize },
    New,
}

/// One item for each dimension of the tensor, and the new dimensions between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Basic(SmallVec<[Item; 5]>);

impl Basic {
    pub(super) fn whole(ndim: usize) -> Basic {
        Basic(std::iter::repeat_n(Item::Whole, ndim).collect())
    }
    pub(super) fn push(&mut self, item: Item) {
        self.0.push(item);
    }
    pub(super) fn is_whole(&self) -> bool {
        self.0.iter().all(|i| *i == Item::Whole)
    }
}

impl Spec for Basic {
    fn name(&self) -> &'static str {
        "index"
    }
    fn grad_name(&self) -> String {
        // The index that PyTorch applies last.
        match self.0.iter().rev().find(|i| **i != Item::Whole) {
            Some(Item::Select(_)) => "SelectBackward0",
            Some(Item::Slice { .. }) => "SliceBackward0",
            Some(Item::New) => "UnsqueezeBackward0",
            _ => "AliasBackward0",
        }
        .into()
    }
    fn shape(&self, from: &Dims) -> Result<Dims, String> {
        Ok(self.layout(Layout { shape: *from, strides: *from, offset: 0 }).shape)
    }
    fn layout(&self, from: Layout) -> Layout {
        let mut to = Layout { shape: Dims::EMPTY, strides: Dims::EMPTY, offset: from.offset };
        let mut d = 0;
        for item in &self.0 {
            match *item {
                Item::Whole => {
                    to.shape.push(from.shape[d]);
                    to.strides.push(from.strides[d]);
                }
                Item::Select(i) => to.offset += i * from.strides[d],
                Item::Slice { start, len, step } => {
                    to.shape.push(len);
                    to.strides.push(from.strides[d] * step);
                    to.offset += start * from.strides[d];
                }
                Item::New => {
                    to.shape.push(1);
                    to.strides.push(1);
                    continue;
                }
            }
            d += 1;
        }
        to
    }
}
