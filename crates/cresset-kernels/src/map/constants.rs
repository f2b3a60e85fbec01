//! A small value of any type behind one type: what a pointwise function knows besides its text.

use std::any::TypeId;
use std::mem::MaybeUninit;

/// The most that fits, in words of 8 bytes.
const WORDS: usize = 6;

/// A copied value of any `Copy` type of at most 48 bytes.
#[derive(Clone, Copy)]
pub(super) struct Constants {
    words: MaybeUninit<[u64; WORDS]>,
}

impl Constants {
    pub(super) const fn new<T: Copy + Send + Sync + 'static>(value: T) -> Constants {
        const { assert!(size_of::<T>() <= 8 * WORDS && align_of::<T>() <= 8) };
        let mut words = MaybeUninit::<[u64; WORDS]>::uninit();
        // SAFETY: the value fits, as was just asserted.
        unsafe { words.as_mut_ptr().cast::<T>().write(value) };
        Constants { words }
    }
    /// The value, whose type `id` tells.
    ///
    /// # Safety
    /// `id` is that of the type it was made from.
    ///
    /// # Panics
    /// If it is of another type than T.
    #[inline]
    pub(super) unsafe fn get<T: Copy + Send + Sync + 'static>(&self, id: TypeId) -> &T {
        if id != TypeId::of::<T>() {
            other_type();
        }
        // SAFETY: the words hold a T.
        unsafe { &*self.as_ptr().cast::<T>() }
    }
    pub(super) fn as_ptr(&self) -> *const () {
        self.words.as_ptr().cast()
    }
}

#[cold]
#[inline(never)]
fn other_type() -> ! {
    panic!("a function of another type")
}
