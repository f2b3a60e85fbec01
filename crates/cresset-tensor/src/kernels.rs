//! Between arrays and the kernels: copies, casts and the few loops that need no op.

use crate::array::{Array, Meta};
use crate::dtype::{DType, Element, Scalar};
use crate::{with_element, with_float};

/// Calls `f` with the storage position of every element, in row-major order.
pub(crate) fn for_each_position(a: &Array, mut f: impl FnMut(usize)) {
    if a.numel() == 0 {
        return;
    }
    let (shape, strides) = (a.shape(), a.strides());
    let n = shape.len();
    if n == 0 {
        return f(a.offset());
    }
    let (inner, step) = (shape[n - 1], strides[n - 1]);
    let mut index = [0usize; crate::dims::MAX_DIMS];
    let mut base = a.offset();
    loop {
        for i in 0..inner {
            f(base + i * step);
        }
        let mut d = n - 1;
        loop {
            if d == 0 {
                return;
            }
            d -= 1;
            index[d] += 1;
            base += strides[d];
            if index[d] < shape[d] {
                break;
            }
            base -= strides[d] * shape[d];
            index[d] = 0;
        }
    }
}

/// A row-major copy.
pub(crate) fn copy(a: &Array) -> Array {
    fn go<T: Element>(a: &Array) -> Array {
        let from = a.read();
        let from = from.slice::<T::Stored>();
        Array::build::<T::Stored>(*a.meta(), |out| {
            if a.is_contiguous() {
                let n = out.len();
                if n > 0 {
                    out.copy_from_slice(&from[a.offset()..a.offset() + n]);
                }
                return;
            }
            let mut i = 0;
            for_each_position(a, |p| {
                out[i] = from[p];
                i += 1;
            });
        })
    }
    with_element!(a.dtype(), T => go::<T>(a))
}

/// A row-major copy with the elements converted.
pub(crate) fn cast(a: &Array, to: DType) -> Array {
    fn go<A: Element, B: Element>(a: &Array) -> Array {
        let from = a.read();
        let from = from.slice::<A::Stored>();
        Array::build::<B::Stored>(Meta::new(B::DTYPE, *a.shape()), |out| {
            let mut i = 0;
            for_each_position(a, |p| {
                out[i] = B::from_scalar(A::load(from[p]).into()).store();
                i += 1;
            });
        })
    }
    with_element!(a.dtype(), A => with_element!(to, B => go::<A, B>(a)))
}

/// Writes `result` over the elements of `target`, converted to its dtype, and counts the change. The result's memory moves into the target's storage
/// where it fits as a whole.
pub(crate) fn overwrite(target: &Array, result: Array) {
    let result = result.to(target.dtype());
    let whole = target.offset() == 0
        && target.is_contiguous()
        && result.is_contiguous()
        && result.offset() == 0
        && target.storage.len() == result.storage.len();
    if whole && !target.same_storage(&result) {
        match std::sync::Arc::try_unwrap(result.storage) {
            Ok(storage) => {
                target.storage.replace(storage.into_buffer());
                target.storage.bump();
                return;
            }
            Err(storage) => {
                let meta = *target.meta();
                write_into(target, &Array::from_storage(storage, meta));
            }
        }
    } else {
        write_into(target, &result);
    }
    target.storage.bump();
}

/// Writes the elements of `source` over those of `target`, of one shape and dtype. Does not count the change.
pub(crate) fn write_into(target: &Array, source: &Array) {
    if target.numel() == 0 {
        return;
    }
    fn go<T: Element>(target: &Array, source: &Array) {
        let from = source.read();
        let from = from.slice::<T::Stored>();
        let mut to = target.storage.write();
        let to = to.slice::<T::Stored>();
        let mut i = source.offset();
        for_each_position(target, |p| {
            to[p] = from[i];
            i += 1;
        });
    }
    let source = if target.same_storage(source) { source.copy() } else { source.contiguous() };
    with_element!(target.dtype(), T => go::<T>(target, &source))
}

/// `sum += g` for two arrays of one dtype and shape; counts the change.
pub(crate) fn accumulate(sum: &Array, g: &Array) {
    fn go<T: Element + std::ops::Add<Output = T>>(sum: &Array, g: &Array) {
        let from = g.read();
        let from = from.slice::<T::Stored>();
        let mut to = sum.storage.write();
        let to = to.slice::<T::Stored>();
        let mut i = g.offset();
        for_each_position(sum, |p| {
            to[p] = (T::load(to[p]) + T::load(from[i])).store();
            i += 1;
        });
    }
    let g = if sum.same_storage(g) { g.copy() } else { g.contiguous() };
    with_float!(sum.dtype(), T => go::<T>(sum, &g));
    sum.storage.bump();
}

/// Is an element NaN?
pub(crate) fn any_nan(a: &Array) -> bool {
    if !a.dtype().is_floating_point() {
        return false;
    }
    let mut found = false;
    let a = a.to(DType::F64);
    let reading = a.read();
    let s = reading.slice::<f64>();
    for_each_position(&a, |p| found |= s[p].is_nan());
    found
}

/// All elements of any dtype as plain numbers, in row-major order (printing, small inputs).
pub(crate) fn scalars(a: &Array) -> Vec<Scalar> {
    fn go<T: Element>(a: &Array) -> Vec<Scalar> {
        a.to_vec::<T>().into_iter().map(Into::into).collect()
    }
    with_element!(a.dtype(), T => go::<T>(a))
}
