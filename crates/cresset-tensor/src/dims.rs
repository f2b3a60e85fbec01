//! A short list of sizes or strides that lives in place: shapes are copied on every op and must not touch the heap.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// The largest number of dimensions a tensor may have.
pub const MAX_DIMS: usize = 10;

/// Up to [`MAX_DIMS`] sizes or strides; a slice in every other respect. Prints like `torch.Size`.
#[derive(Clone, Copy)]
pub struct Dims {
    len: u8,
    items: [usize; MAX_DIMS],
}

impl Dims {
    /// No dimensions: the shape of a 0-d tensor.
    pub const EMPTY: Dims = Dims { len: 0, items: [0; MAX_DIMS] };

    /// The items of a slice.
    ///
    /// # Panics
    /// If there are more than [`MAX_DIMS`].
    #[inline]
    #[track_caller]
    pub fn new(items: &[usize]) -> Dims {
        if items.len() > MAX_DIMS {
            crate::error::fail("shape", format!("a tensor has at most {MAX_DIMS} dimensions, got {}", items.len()));
        }
        let mut d = Dims { len: items.len() as u8, items: [0; MAX_DIMS] };
        d.items[..items.len()].copy_from_slice(items);
        d
    }

    /// `len` times `value`.
    #[track_caller]
    pub fn filled(len: usize, value: usize) -> Dims {
        let mut d = Dims::new(&[value; MAX_DIMS][..len.min(MAX_DIMS)]);
        if len > MAX_DIMS {
            d = Dims::new(&vec![value; len]);
        }
        d
    }

    /// Appends an item.
    #[track_caller]
    pub fn push(&mut self, item: usize) {
        let len = self.len as usize;
        if len == MAX_DIMS {
            crate::error::fail("shape", format!("a tensor has at most {MAX_DIMS} dimensions, got {}", len + 1));
        }
        self.items[len] = item;
        self.len += 1;
    }

    /// Removes and returns the item at `at`.
    pub fn remove(&mut self, at: usize) -> usize {
        let len = self.len as usize;
        assert!(at < len);
        let item = self.items[at];
        self.items.copy_within(at + 1..len, at);
        self.items[len - 1] = 0;
        self.len -= 1;
        item
    }

    /// Puts `item` before position `at`.
    #[track_caller]
    pub fn insert(&mut self, at: usize, item: usize) {
        let len = self.len as usize;
        assert!(at <= len);
        self.push(0);
        self.items.copy_within(at..len, at + 1);
        self.items[at] = item;
    }

    /// The product of all items: how many elements a shape has.
    #[inline]
    pub fn numel(&self) -> usize {
        self.iter().product()
    }

    /// The strides of a contiguous tensor of this shape, in elements.
    #[inline]
    pub fn contiguous_strides(&self) -> Dims {
        let mut strides = *self;
        strides.become_strides();
        strides
    }

    /// The sizes become the strides of a contiguous tensor.
    #[inline]
    pub(crate) fn become_strides(&mut self) {
        let mut step = 1;
        for item in self.iter_mut().rev() {
            let size = std::mem::replace(item, step);
            step *= size.max(1);
        }
    }
}

impl Deref for Dims {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        &self.items[..self.len as usize]
    }
}
impl DerefMut for Dims {
    #[inline]
    fn deref_mut(&mut self) -> &mut [usize] {
        &mut self.items[..self.len as usize]
    }
}
impl PartialEq for Dims {
    #[inline]
    fn eq(&self, other: &Dims) -> bool {
        same(self, other)
    }
}
impl Eq for Dims {}
impl PartialEq<[usize]> for Dims {
    fn eq(&self, other: &[usize]) -> bool {
        self[..] == *other
    }
}
impl<const N: usize> PartialEq<[usize; N]> for Dims {
    fn eq(&self, other: &[usize; N]) -> bool {
        self[..] == *other
    }
}
impl PartialEq<Vec<usize>> for Dims {
    fn eq(&self, other: &Vec<usize>) -> bool {
        self[..] == other[..]
    }
}
impl From<&[usize]> for Dims {
    #[track_caller]
    fn from(items: &[usize]) -> Dims {
        Dims::new(items)
    }
}
impl<const N: usize> From<[usize; N]> for Dims {
    #[track_caller]
    fn from(items: [usize; N]) -> Dims {
        Dims::new(&items)
    }
}
impl<const N: usize> From<&[usize; N]> for Dims {
    #[track_caller]
    fn from(items: &[usize; N]) -> Dims {
        Dims::new(items)
    }
}
impl From<Vec<usize>> for Dims {
    #[track_caller]
    fn from(items: Vec<usize>) -> Dims {
        Dims::new(&items)
    }
}
impl From<&Vec<usize>> for Dims {
    #[track_caller]
    fn from(items: &Vec<usize>) -> Dims {
        Dims::new(items)
    }
}
impl From<&Dims> for Dims {
    fn from(items: &Dims) -> Dims {
        *items
    }
}
impl From<usize> for Dims {
    fn from(item: usize) -> Dims {
        Dims::new(&[item])
    }
}
impl From<()> for Dims {
    fn from((): ()) -> Dims {
        Dims::EMPTY
    }
}
impl FromIterator<usize> for Dims {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = usize>>(items: I) -> Dims {
        let mut d = Dims::EMPTY;
        for item in items {
            d.push(item);
        }
        d
    }
}
impl<'a> IntoIterator for &'a Dims {
    type Item = &'a usize;
    type IntoIter = std::slice::Iter<'a, usize>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
impl fmt::Display for Dims {
    /// `torch.Size([2, 3])`, as Python prints a shape.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "torch.Size({:?})", &self[..])
    }
}
impl fmt::Debug for Dims {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Debug::fmt(&self[..], f)
    }
}

/// Are they equal? (A comparison of slices is a call of memcmp, which takes longer than the few numbers of a shape.)
#[inline]
fn same(a: &[usize], b: &[usize]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

/// The shape that two shapes broadcast to, or PyTorch's sentence about why they do not.
#[inline]
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Dims, String> {
    if same(a, b) { Ok(Dims::new(a)) } else { broadcast_differing(a, b) }
}

fn broadcast_differing(a: &[usize], b: &[usize]) -> Result<Dims, String> {
    let n = a.len().max(b.len());
    let mut out = Dims::filled(n, 1);
    for i in 0..n {
        let x = if i + a.len() >= n { a[i + a.len() - n] } else { 1 };
        let y = if i + b.len() >= n { b[i + b.len() - n] } else { 1 };
        out[i] = match (x, y) {
            _ if x == y => x,
            (1, y) => y,
            (x, 1) => x,
            _ => {
                return Err(format!(
                    "The size of tensor a ({x}) must match the size of tensor b ({y}) at non-singleton dimension {i} (shapes {a:?} and {b:?})"
                ));
            }
        };
    }
    Ok(out)
}

/// A dimension counted from the front (0..ndim) or from the back (-1 is the last). A 0-d tensor accepts 0 and -1, as in PyTorch.
pub fn wrap_dim(dim: isize, ndim: usize) -> Result<usize, String> {
    let n = ndim.max(1) as isize;
    if dim < -n || dim >= n {
        return Err(format!("Dimension out of range (expected to be in range of [{}, {}], but got {dim})", -n, n - 1));
    }
    Ok(if dim < 0 { dim + n } else { dim } as usize)
}

/// A whole number of the program, as sizes, dimensions and positions are written.
pub trait Integer: Copy {
    /// As isize.
    ///
    /// # Panics
    /// If it does not fit.
    fn as_isize(self) -> isize;
}
/// For the integer types that programs count with.
macro_rules! integer {
    ($($t:ty)*) => { $(
        impl Integer for $t {
            #[inline]
            #[track_caller]
            fn as_isize(self) -> isize {
                isize::try_from(self).expect("a size or position that fits the address space")
            }
        }
    )* };
}
integer!(i32 i64 isize u32 usize);

/// A few integers in place.
pub type Ints = smallvec::SmallVec<[isize; 8]>;

/// One or several integers, of any of the usual types: the sizes of `x.reshape([2, -1])` or `x.reshape((n, -1))`, the dims of `x.flip(0)`.
///
/// One integer, an array, slice or vector of them, [`Dims`], or a tuple whose members may be of different types.
pub trait IntList {
    /// The integers.
    fn ints(&self) -> Ints;
}
impl<I: Integer> IntList for I {
    #[inline]
    fn ints(&self) -> Ints {
        smallvec::smallvec![self.as_isize()]
    }
}
impl<I: Integer, const N: usize> IntList for [I; N] {
    #[inline]
    fn ints(&self) -> Ints {
        self[..].ints()
    }
}
impl<I: Integer, const N: usize> IntList for &[I; N] {
    #[inline]
    fn ints(&self) -> Ints {
        self[..].ints()
    }
}
impl<I: Integer> IntList for [I] {
    #[inline]
    fn ints(&self) -> Ints {
        self.iter().map(|i| i.as_isize()).collect()
    }
}
impl<I: Integer> IntList for &[I] {
    #[inline]
    fn ints(&self) -> Ints {
        (**self).ints()
    }
}
impl<I: Integer> IntList for Vec<I> {
    fn ints(&self) -> Ints {
        self[..].ints()
    }
}
impl<I: Integer> IntList for &Vec<I> {
    fn ints(&self) -> Ints {
        self[..].ints()
    }
}
impl IntList for Ints {
    fn ints(&self) -> Ints {
        self.clone()
    }
}
impl IntList for Dims {
    #[inline]
    fn ints(&self) -> Ints {
        self[..].ints()
    }
}
impl IntList for &Dims {
    #[inline]
    fn ints(&self) -> Ints {
        self[..].ints()
    }
}
impl IntList for () {
    fn ints(&self) -> Ints {
        Ints::new()
    }
}
/// For tuples of integers.
macro_rules! int_tuple {
    ($($t:ident $i:tt),+) => {
        impl<$($t: Integer),+> IntList for ($($t,)+) {
            #[inline]
            fn ints(&self) -> Ints {
                smallvec::smallvec![$(self.$i.as_isize()),+]
            }
        }
    };
}
int_tuple!(A 0);
int_tuple!(A 0, B 1);
int_tuple!(A 0, B 1, C 2);
int_tuple!(A 0, B 1, C 2, D 3);
int_tuple!(A 0, B 1, C 2, D 3, E 4);
int_tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
