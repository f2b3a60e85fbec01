//! A storage and how it is seen: what an array points to.

use super::Storage;
use crate::array::{Array, Meta};
use crate::dims::Dims;
use std::sync::Arc;

/// Memory, and how it is seen.
pub(crate) struct Seen {
    pub memory: Memory,
    pub meta: Meta,
    pub strides: Dims,
    pub offset: usize,
}

// A storage lies in the array that was first made of it, so that one allocation serves both.
pub(crate) enum Memory {
    Own(Storage),
    /// That of an array, whose own it is.
    Of(Array),
}

impl Seen {
    /// `Arc::new`, with every field written where it stays: made on the stack it would be copied twice, in pieces other than those it was written in,
    /// for which a processor waits. (An op on one number took 1.15 times as long.) Without strides it is contiguous.
    #[inline]
    pub fn shared(memory: Memory, meta: &Meta, strides: Option<&Dims>, offset: usize) -> Arc<Seen> {
        let new = Arc::<Seen>::new_uninit();
        let place: *mut Seen = Arc::as_ptr(&new).cast_mut().cast();
        // SAFETY: nobody else has the new memory yet, and all four fields are written.
        unsafe {
            (&raw mut (*place).memory).write(memory);
            (&raw mut (*place).meta).write(*meta);
            (&raw mut (*place).strides).write(*strides.unwrap_or(&meta.shape));
            if strides.is_none() {
                (*place).strides.become_strides();
            }
            (&raw mut (*place).offset).write(offset);
            new.assume_init()
        }
    }
}
