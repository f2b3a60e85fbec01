//! Between arrays and the kernels: copies, casts and the few loops that need no op.

use crate::array::{Array, Meta, with_bits};
use crate::dims::Dims;
use crate::dtype::{DType, Element, Scalar};
use crate::{with_element, with_float};
use cresset_kernels::buffer::Buffer;
use cresset_kernels::map;
use cresset_kernels::strided::is_injective;
use half::{bf16, f16};

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

/// A row-major copy. Bits are copied, so four element sizes serve all dtypes.
pub(crate) fn copy(a: &Array) -> Array {
    let mut buffer = Array::buffer_for(a.meta());
    let strides = a.shape().contiguous_strides();
    let reading = a.read();
    copy_bits(a.dtype().size(), a.shape(), (&reading, a), (&mut buffer, &strides, 0));
    drop(reading);
    Array::from_buffer(buffer, *a.meta())
}

/// Contiguous arrays of `meta`'s dtype side by side: `rows` rows of each, row by row.
pub(crate) fn side_by_side(rows: usize, parts: &[Array], meta: Meta) -> Array {
    let mut buffer = Array::buffer_for(&meta);
    let size = meta.dtype.size();
    let readings: Vec<_> = parts.iter().map(|a| (a.read(), a.offset() * size, a.numel() * size)).collect();
    let bytes: Vec<&[u8]> =
        readings.iter().filter(|x| x.2 > 0).map(|(r, start, len)| &r.slice::<u8>()[*start..][..*len]).collect();
    map::side_by_side(rows, &bytes, &mut buffer.as_mut_slice::<u8>()[..meta.numel() * size]);
    Array::from_buffer(buffer, meta)
}

fn copy_bits(
    size: usize,
    shape: &[usize],
    (from, a): (&Buffer, &Array),
    (to, strides, offset): (&mut Buffer, &[usize], usize),
) {
    fn go<T: map::Element + cresset_kernels::buffer::Element>(
        shape: &[usize],
        (from, a): (&Buffer, &Array),
        (to, strides, offset): (&mut Buffer, &[usize], usize),
    ) {
        if shape.contains(&0) {
            return;
        }
        let to = &mut to.as_mut_slice::<T>()[offset..];
        map::copy::<T>(shape, (&from.as_slice::<T>()[a.offset()..], a.strides()), (to, strides));
    }
    match size {
        1 => go::<u8>(shape, (from, a), (to, strides, offset)),
        2 => go::<i16>(shape, (from, a), (to, strides, offset)),
        4 => go::<i32>(shape, (from, a), (to, strides, offset)),
        _ => go::<i64>(shape, (from, a), (to, strides, offset)),
    }
}

/// A row-major copy with the elements converted. Pairs that no network converts in its hot path go through a wider type, so that not each of a
/// hundred pairs needs a loop of its own.
pub(crate) fn cast(a: &Array, to: DType) -> Array {
    let n = a.numel();
    if !a.is_contiguous() && n > 0 && crate::random::dense_like(a).0 == *a.strides() {
        // Dense in another order, which is kept: converted as it lies in memory.
        let flat = a.view(Dims::new(&[n]), Dims::new(&[1]), a.offset());
        return cast_rows(&flat, to).view(*a.shape(), *a.strides(), 0);
    }
    cast_rows(a, to)
}

fn cast_rows(a: &Array, to: DType) -> Array {
    use DType::{BF16, Bool, F16, F32, F64, I32, I64, U8};
    fn go<A, B>(a: &Array, to: DType) -> Array
    where
        A: map::Element + cresset_kernels::buffer::Element,
        B: map::Element + cresset_kernels::buffer::Element,
    {
        let reading = a.read();
        Array::build::<B>(Meta::new(to, *a.shape()), |out| {
            if !out.is_empty() {
                let strides = a.shape().contiguous_strides();
                map::cast::<A, B>(a.shape(), (&reading.slice::<A>()[a.offset()..], a.strides()), (out, &strides));
            }
        })
    }
    match (a.dtype(), to) {
        (from, to) if from == to => a.copy(),
        (_, Bool) => truth(a),
        (F32, F64) => go::<f32, f64>(a, to),
        (F64, F32) => go::<f64, f32>(a, to),
        (F32, F16) => go::<f32, f16>(a, to),
        (F16, F32) => go::<f16, f32>(a, to),
        (F32, BF16) => go::<f32, bf16>(a, to),
        (BF16, F32) => go::<bf16, f32>(a, to),
        (F32, I64) => go::<f32, i64>(a, to),
        (I64, F32) => go::<i64, f32>(a, to),
        (F64, I64) => go::<f64, i64>(a, to),
        (I64, F64) => go::<i64, f64>(a, to),
        (U8 | Bool, F32) => go::<u8, f32>(a, to),
        (U8 | Bool, I64) => go::<u8, i64>(a, to),
        (I32, F32) => go::<i32, f32>(a, to),
        (I32, I64) => go::<i32, i64>(a, to),
        (I64, I32) => go::<i64, i32>(a, to),
        (DType::I16, I64) => go::<i16, i64>(a, to),
        (I64, DType::I16) => go::<i64, i16>(a, to),
        (DType::I8, I64) => go::<i8, i64>(a, to),
        (I64, DType::I8) => go::<i64, i8>(a, to),
        (I64, U8) => go::<i64, u8>(a, to),
        // To and from half precision through f32, to and from a small integer through i64. (f64 reaches half precision through f32 in
        // PyTorch too.)
        (F16 | BF16, _) => cast(&cast(a, F32), to),
        (_, F16 | BF16) => cast(&cast(a, F32), to),
        _ => cast(&cast(a, I64), to),
    }
}

/// Where an element is not zero (NaN is not), as bool.
fn truth(a: &Array) -> Array {
    fn go<T: map::Element<Block: map::Number> + cresset_kernels::buffer::Element>(a: &Array) -> Array {
        let reading = a.read();
        Array::build::<u8>(Meta::new(DType::Bool, *a.shape()), |out| {
            if !out.is_empty() {
                let strides = a.shape().contiguous_strides();
                let x = (&reading.slice::<T>()[a.offset()..], &a.strides()[..]);
                map::map1::<T, u8>(a.shape(), |v| map::Number::as_bool(v) as u8, x, (out, &strides));
            }
        })
    }
    match a.dtype() {
        DType::F64 => go::<f64>(a),
        DType::F32 => go::<f32>(a),
        DType::F16 | DType::BF16 => go::<f32>(&cast(a, DType::F32)),
        DType::Bool | DType::U8 => go::<u8>(a),
        DType::I64 => go::<i64>(a),
        _ => go::<i64>(&cast(a, DType::I64)),
    }
}

/// Writes `result` over the elements of `target`, converted to its dtype, and counts the change. The result's memory moves into the target's storage
/// where it fits as a whole.
pub(crate) fn overwrite(target: &Array, result: Array) {
    let result = result.to(target.dtype());
    let whole = target.offset() == 0
        && target.is_contiguous()
        && result.is_contiguous()
        && result.offset() == 0
        && target.storage().len() == result.storage().len();
    if whole && !target.same_storage(&result) {
        match result.into_storage() {
            Ok(storage) => {
                target.storage().replace(storage.into_buffer());
                target.storage().bump();
                return;
            }
            Err(shared) => write_into(target, &shared.view(*target.shape(), *target.strides(), 0)),
        }
    } else {
        write_into(target, &result);
    }
    target.storage().bump();
}

/// Writes the elements of `source` over those of `target`, of one shape and dtype. Does not count the change.
pub(crate) fn write_into(target: &Array, source: &Array) {
    if target.numel() == 0 {
        return;
    }
    fn one_by_one<T: cresset_kernels::buffer::Element>(target: &Array, source: &Array) {
        let from = source.contiguous().with_slice::<T, _>(<[T]>::to_vec);
        let mut writing = target.storage().write();
        let to = writing.slice::<T>();
        let mut from = from.into_iter();
        for_each_position(target, |p| to[p] = from.next().expect("one shape"));
    }
    if !is_injective(target.shape(), target.strides()) {
        // Several elements share a place: the last one stays.
        return with_bits!(target.dtype(), T => one_by_one::<T>(target, source));
    }
    let source = if target.same_storage(source) { source.copy() } else { source.clone() };
    let reading = source.read();
    let mut writing = target.storage().write();
    let to = (&mut *writing, &target.strides()[..], target.offset());
    copy_bits(target.dtype().size(), target.shape(), (&reading, &source), to);
}

/// `sum += g` for two arrays of one dtype and shape; counts the change. Where elements of `sum` share a place, all are added there.
pub(crate) fn accumulate(sum: &Array, g: &Array) {
    fn go<T: map::Float + cresset_kernels::buffer::Element>(sum: &Array, g: &Array) {
        let reading = g.read();
        let mut writing = sum.storage().write();
        let to = &mut writing.slice::<T>()[sum.offset()..];
        let from = &reading.slice::<T>()[g.offset()..];
        map::binary_(crate::ops::pointwise::arith::Add, sum.shape(), (to, sum.strides()), (from, g.strides()));
    }
    fn one_by_one<T: Element + std::ops::Add<Output = T>>(sum: &Array, g: &Array) {
        let from = g.to_vec::<T>();
        let mut writing = sum.storage().write();
        let to = writing.slice::<T::Stored>();
        let mut from = from.into_iter();
        for_each_position(sum, |p| to[p] = (T::load(to[p]) + from.next().expect("one shape")).store());
    }
    let g = if sum.same_storage(g) { g.copy() } else { g.clone() };
    if !is_injective(sum.shape(), sum.strides()) {
        with_float!(sum.dtype(), T => one_by_one::<T>(sum, &g));
    } else if sum.numel() > 0 {
        with_float!(sum.dtype(), T => go::<T>(sum, &g));
    }
    sum.storage().bump();
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

/// Calls `f` with the storage positions of every element of two arrays of one shape, in row-major order.
pub(crate) fn for_each_pair(a: &Array, b: &Array, mut f: impl FnMut(usize, usize)) {
    let mut places = Vec::with_capacity(b.numel());
    for_each_position(b, |q| places.push(q));
    let mut q = places.into_iter();
    for_each_position(a, |p| f(p, q.next().expect("one shape")));
}
