//! The optimizer's way in: a tensor's numbers, open for writing, beside those of its gradient.

use crate::array::{Array, Meta};
use crate::dtype::DType;
use crate::storage::{Reading, Writing};
use crate::tensor::Tensor;
use cresset_kernels::buffer::Element;

/// The numbers of a tensor and of its gradient while [`Tensor::update_from_grad`] runs: both row-major, of one dtype and shape.
pub struct Update<'a> {
    meta: &'a Meta,
    values: Writing<'a>,
    offset: usize,
    grad: Reading<'a>,
    grad_offset: usize,
}

impl Update<'_> {
    /// dtype and shape.
    #[inline]
    pub fn meta(&self) -> &Meta {
        self.meta
    }
    /// The element type.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.meta.dtype
    }
    /// The tensor's elements, to be changed, and the gradient's.
    ///
    /// # Panics
    /// If `T` is not how the dtype is stored.
    #[inline]
    pub fn slices<T: Element>(&mut self) -> (&mut [T], &[T]) {
        let n = self.meta.numel();
        assert_eq!(size_of::<T>(), self.meta.dtype.size(), "the elements of {:?} are of another size", self.meta);
        if n == 0 {
            return (&mut [], &[]);
        }
        (
            &mut self.values.slice::<T>()[self.offset..self.offset + n],
            &self.grad.slice::<T>()[self.grad_offset..self.grad_offset + n],
        )
    }
}

/// The memory of a tensor and of its gradient, for a change that is made together with those of other tensors; see [`Tensor::hold_with_grad`].
pub struct Held {
    meta: Meta,
    values: Array,
    grad: Array,
    /// Where they begin; none unless both are row-major.
    offsets: Option<(usize, usize)>,
}

impl Held {
    /// dtype and shape.
    #[inline]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }
    /// Opens both without waiting, so that several may be open at a time: `None` unless both are row-major and nobody else uses them.
    pub fn open(&self) -> Option<Update<'_>> {
        let (offset, grad_offset) = self.offsets?;
        let (values, grad) = (self.values.storage().try_write()?, self.grad.storage().try_read()?);
        Some(Update { meta: &self.meta, values, offset, grad, grad_offset })
    }
    /// Counts the change.
    #[inline]
    pub fn changed(&self) {
        self.values.storage().bump();
    }
}

impl Tensor {
    /// The memory of the tensor and of its gradient, to be opened together with those of other tensors: as [`update_from_grad`](Tensor::update_from_grad),
    /// in two steps. `None` without a gradient.
    pub fn hold_with_grad(&self) -> Option<Held> {
        self.with_array_and_grad(|array, grad| Held {
            meta: *array.meta(),
            values: array.clone(),
            grad: grad.clone(),
            offsets: (array.is_contiguous() && grad.is_contiguous()).then(|| (array.offset(), grad.offset())),
        })
    }

    /// Runs `f` over the tensor's numbers and those of its gradient, and counts an in-place change; without a gradient nothing happens and
    /// the answer is `None`. Records no history, whatever the mode: this is how an optimizer's step writes.
    ///
    /// `f` must not use the tensor or its gradient otherwise.
    ///
    /// ```
    /// use cresset_tensor::Tensor;
    /// let w = Tensor::from_slice(&[1.0f32, 2.0]).requires_grad_(true);
    /// (&w * &w).sum().backward();
    /// w.update_from_grad(|mut u| {
    ///     let (w, g) = u.slices::<f32>();
    ///     w.iter_mut().zip(g).for_each(|(w, g)| *w -= 0.5 * g);
    /// });
    /// assert_eq!(w.to_vec::<f32>(), [0.0, 0.0]);
    /// ```
    #[inline]
    pub fn update_from_grad<R>(&self, f: impl FnOnce(Update) -> R) -> Option<R> {
        self.with_array_and_grad(|array, grad| {
            if array.is_contiguous() && grad.is_contiguous() && !array.same_storage(grad) {
                let out = f(open(array, grad));
                array.storage().bump();
                return out;
            }
            let (row_major, grad) = (array.copy(), grad.contiguous());
            let out = f(open(&row_major, &grad));
            crate::kernels::write_into(array, &row_major);
            array.storage().bump();
            out
        })
    }
}

#[inline]
fn open<'a>(array: &'a Array, grad: &'a Array) -> Update<'a> {
    Update {
        meta: array.meta(),
        values: array.storage().write(),
        offset: array.offset(),
        grad: grad.read(),
        grad_offset: grad.offset(),
    }
}
