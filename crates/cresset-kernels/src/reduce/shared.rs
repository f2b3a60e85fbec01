//! A result slice that several threads fill, each its own part.

/// A mutable slice seen from many threads.
pub(crate) struct Shared<'a, T> {
    ptr: *mut T,
    len: usize,
    owner: std::marker::PhantomData<&'a mut [T]>,
}

// SAFETY: parts are handed out only by `part`, whose callers promise that no two overlap.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    #[inline]
    pub fn new(slice: &'a mut [T]) -> Shared<'a, T> {
        Shared { ptr: slice.as_mut_ptr(), len: slice.len(), owner: std::marker::PhantomData }
    }

    /// `len` elements from `start`.
    ///
    /// # Safety
    ///
    /// No other part with an element in common may be in use.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, start: usize, len: usize) -> &mut [T] {
        assert!(start <= self.len && len <= self.len - start);
        // SAFETY: inside the slice, which is borrowed for 'a; not aliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.add(start), len) }
    }
}
