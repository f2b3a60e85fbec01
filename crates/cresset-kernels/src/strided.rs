//! Walking several tensors of one shape in step, whatever their strides.

/// The most dimensions a walk may have.
pub const MAX_DIMS: usize = 16;
/// The most tensors that walk in step, the output included.
pub const MAX_OPERANDS: usize = 6;

/// An order in which to visit the elements of up to [`MAX_OPERANDS`] tensors of one shape: dimensions of size 1 are dropped, the rest
/// sorted so that the first operand (the output) moves as little as possible, and neighbours merged where every operand
/// allows it. A plan over contiguous tensors is one row.
///
/// ```
/// use cresset_kernels::strided::Plan;
/// // A [2, 3] tensor, its transpose's strides beside it.
/// let plan = Plan::new(&[2, 3], &[&[3, 1], &[1, 2]]);
/// let mut seen = vec![];
/// plan.walk(0..plan.len(), |at, len, step| seen.extend((0..len).map(|i| (at[0] + i * step[0], at[1] + i * step[1]))));
/// assert_eq!(seen, [(0, 0), (1, 2), (2, 4), (3, 1), (4, 3), (5, 5)]);
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    dims: usize,
    operands: usize,
    len: usize,
    /// Innermost dimension first.
    shape: [usize; MAX_DIMS],
    strides: [[usize; MAX_OPERANDS]; MAX_DIMS],
}

impl Plan {
    /// The plan for tensors of `shape` with the given strides, in elements; the output's first.
    ///
    /// # Panics
    /// If there are more than [`MAX_DIMS`] dimensions that are not 1, or more than [`MAX_OPERANDS`] operands.
    pub fn new(shape: &[usize], strides: &[&[usize]]) -> Plan {
        assert!(strides.len() <= MAX_OPERANDS, "at most {MAX_OPERANDS} tensors walk in step");
        let mut p = Plan {
            dims: 0,
            operands: strides.len(),
            len: shape.iter().product(),
            shape: [1; MAX_DIMS],
            strides: [[0; MAX_OPERANDS]; MAX_DIMS],
        };
        for d in (0..shape.len()).rev() {
            if shape[d] != 1 {
                assert!(p.dims < MAX_DIMS, "at most {MAX_DIMS} dimensions");
                p.shape[p.dims] = shape[d];
                for (k, s) in strides.iter().enumerate() {
                    p.strides[p.dims][k] = s[d];
                }
                p.dims += 1;
            }
        }
        p.sort();
        p.merge();
        p
    }

    /// Insertion sort by the first operand's stride, then the next one's: stable, and free when nothing is out of order.
    fn sort(&mut self) {
        for i in 1..self.dims {
            let mut j = i;
            while j > 0 && self.strides[j] < self.strides[j - 1] {
                self.strides.swap(j, j - 1);
                self.shape.swap(j, j - 1);
                j -= 1;
            }
        }
    }

    fn merge(&mut self) {
        if self.dims == 0 {
            return;
        }
        let mut top = 0;
        for d in 1..self.dims {
            let together = (0..self.operands).all(|k| self.strides[d][k] == self.strides[top][k] * self.shape[top]);
            if together {
                self.shape[top] *= self.shape[d];
            } else {
                top += 1;
                self.shape[top] = self.shape[d];
                self.strides[top] = self.strides[d];
            }
        }
        self.dims = top + 1;
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Are there none?
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many dimensions are left; 0 or 1 means one row.
    #[inline]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// The sizes that are left, innermost first.
    #[inline]
    pub fn shape(&self) -> &[usize] {
        &self.shape[..self.dims]
    }

    /// The length of a row: the innermost size.
    #[inline]
    pub fn row(&self) -> usize {
        self.shape[0]
    }

    /// The stride of one operand in one of the dimensions that are left, innermost first.
    #[inline]
    pub fn stride(&self, dim: usize, operand: usize) -> usize {
        self.strides[dim][operand]
    }

    /// Does this operand lie in memory in the order of the walk, without gaps?
    pub fn is_linear(&self, operand: usize) -> bool {
        self.dims == 0 || (self.dims == 1 || self.follows(operand)) && self.strides[0][operand] == 1
    }

    fn follows(&self, operand: usize) -> bool {
        (1..self.dims).all(|d| self.strides[d][operand] == self.strides[d - 1][operand] * self.shape[d - 1])
    }

    /// Is this operand one element, seen everywhere?
    pub fn is_scalar(&self, operand: usize) -> bool {
        (0..self.dims).all(|d| self.strides[d][operand] == 0)
    }

    /// Is this operand one contiguous row, the same for every outer index?
    pub fn is_repeated_row(&self, operand: usize) -> bool {
        self.dims > 1 && self.strides[0][operand] == 1 && (1..self.dims).all(|d| self.strides[d][operand] == 0)
    }

    /// Are the rows of every operand contiguous?
    pub fn has_plain_rows(&self) -> bool {
        self.strides[0][..self.operands].iter().all(|s| *s == 1)
    }

    /// Visits elements `range` of the walk, a piece of a row at a time: `f(offsets, len, strides)` stands for the elements
    /// `offsets[k] + i * strides[k]` of operand k, for i below len.
    #[inline]
    pub fn walk(
        &self,
        range: std::ops::Range<usize>,
        mut f: impl FnMut(&[usize; MAX_OPERANDS], usize, &[usize; MAX_OPERANDS]),
    ) {
        debug_assert!(range.end <= self.len);
        let mut left = range.end.saturating_sub(range.start);
        if left == 0 {
            return;
        }
        let (mut index, mut at) = self.start(0, range.start);
        loop {
            let len = left.min(self.shape[0] - index[0]);
            f(&at, len, &self.strides[0]);
            left -= len;
            if left == 0 {
                return;
            }
            // The row is finished: back to its start and one step outwards.
            for k in 0..self.operands {
                at[k] -= index[0] * self.strides[0][k];
            }
            index[0] = 0;
            self.step_outwards(1, &mut index, &mut at);
        }
    }

    /// Visits whole rows, those with the numbers `rows` in the order of the walk: `f(offsets, count)` stands for `count` rows of which the first
    /// begins at `offsets[k]` in operand k, each [`stride(1, k)`](Plan::stride) from the one before.
    #[inline]
    pub fn walk_rows(&self, rows: std::ops::Range<usize>, mut f: impl FnMut(&[usize; MAX_OPERANDS], usize)) {
        debug_assert!(rows.end * self.shape[0] <= self.len);
        let mut left = rows.len();
        let (mut index, mut at) = self.start(1, rows.start);
        while left > 0 {
            let count = if self.dims > 1 { left.min(self.shape[1] - index[1]) } else { left };
            f(&at, count);
            left -= count;
            if left == 0 {
                return;
            }
            for k in 0..self.operands {
                at[k] -= index[1] * self.strides[1][k];
            }
            index[1] = 0;
            self.step_outwards(2, &mut index, &mut at);
        }
    }

    /// The indices, from dimension `first` on, and offsets of the element or row with a number.
    #[inline]
    fn start(&self, first: usize, mut number: usize) -> ([usize; MAX_DIMS], [usize; MAX_OPERANDS]) {
        let (mut index, mut at) = ([0; MAX_DIMS], [0; MAX_OPERANDS]);
        for d in first..self.dims {
            index[d] = number % self.shape[d];
            number /= self.shape[d];
            for k in 0..self.operands {
                at[k] += index[d] * self.strides[d][k];
            }
        }
        (index, at)
    }

    /// One step further in dimension `d`, or in one further outwards if it is at its end.
    #[inline]
    fn step_outwards(&self, mut d: usize, index: &mut [usize; MAX_DIMS], at: &mut [usize; MAX_OPERANDS]) {
        loop {
            index[d] += 1;
            if index[d] < self.shape[d] {
                for k in 0..self.operands {
                    at[k] += self.strides[d][k];
                }
                return;
            }
            for k in 0..self.operands {
                at[k] -= (self.shape[d] - 1) * self.strides[d][k];
            }
            index[d] = 0;
            d += 1;
        }
    }
}

/// Does a tensor of this shape and these strides lie in memory in row-major order without gaps?
#[inline]
pub fn is_contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    for d in (0..shape.len()).rev() {
        if shape[d] != 1 {
            if strides[d] != step {
                return false;
            }
            step *= shape[d];
        }
    }
    true
}

/// One more than the largest offset that a tensor of this shape and these strides reaches; 0 if it is empty.
#[inline]
pub fn extent(shape: &[usize], strides: &[usize]) -> usize {
    let mut last = 0;
    for (n, s) in shape.iter().zip(strides) {
        if *n == 0 {
            return 0;
        }
        last += (n - 1) * s;
    }
    last + 1
}

/// Is every element of such a tensor at an address of its own? (Sufficient: sorted by stride, each step clears what lies below.)
pub fn is_injective(shape: &[usize], strides: &[usize]) -> bool {
    let mut order: [(usize, usize); MAX_DIMS] = [(0, 1); MAX_DIMS];
    let mut dims = 0;
    for (n, s) in shape.iter().zip(strides) {
        match n {
            0 => return true,
            1 => {}
            _ => {
                assert!(dims < MAX_DIMS, "at most {MAX_DIMS} dimensions");
                order[dims] = (*s, *n);
                dims += 1;
            }
        }
    }
    order[..dims].sort_unstable();
    let mut reach = 0;
    order[..dims].iter().all(|&(s, n)| {
        let clear = s > reach;
        reach += s * (n - 1);
        clear
    })
}
