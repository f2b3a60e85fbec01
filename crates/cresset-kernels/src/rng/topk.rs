//! The k largest in the order in which PyTorch's `topk` gives them on a CPU.
//!
//! Only equal values depend on the algorithm, but those do (the zero weights of a multinomial, coarse f16 scores), so the steps
//! are those of the GNU C++ library that PyTorch is built with: `partial_sort` where k is small, else `nth_element` and `sort`.

/// Indices of the `k` largest of `values`, largest first, NaN before all; `1 <= k <= values.len()`.
pub fn topk_descending(values: &[f64], k: usize) -> Vec<usize> {
    let mut queue = Queue(values.iter().copied().zip(0..).collect());
    let n = values.len();
    if k * 64 <= n {
        queue.heap_select(0, k, n);
        queue.sort_heap(0, k);
    } else {
        queue.nth_element(k - 1);
        if k > 1 {
            let last = k - 1;
            queue.intro_sort(0, last, 2 * last.ilog2());
            queue.insertion_sort(0, last.min(SMALL));
            for i in SMALL..last {
                queue.insert_unguarded(i);
            }
        }
    }
    queue.0[..k].iter().map(|&(_, index)| index).collect()
}

/// Ranges up to this length are left to insertion.
const SMALL: usize = 16;

type Item = (f64, usize);

struct Queue(Vec<Item>);

/// Whether `a` goes before `b`.
fn before(a: Item, b: Item) -> bool {
    (a.0.is_nan() && !b.0.is_nan()) || a.0 > b.0
}

impl Queue {
    fn nth_element(&mut self, nth: usize) {
        let (mut low, mut high) = (0, self.0.len());
        let mut depth = 2 * high.ilog2();
        while high - low > 3 {
            if depth == 0 {
                self.heap_select(low, nth + 1, high);
                self.0.swap(low, nth);
                return;
            }
            depth -= 1;
            let cut = self.partition(low, high);
            if cut <= nth {
                low = cut;
            } else {
                high = cut;
            }
        }
        self.insertion_sort(low, high);
    }

    fn intro_sort(&mut self, low: usize, mut high: usize, mut depth: u32) {
        while high - low > SMALL {
            if depth == 0 {
                self.heap_select(low, high, high);
                self.sort_heap(low, high);
                return;
            }
            depth -= 1;
            let cut = self.partition(low, high);
            self.intro_sort(cut, high, depth);
            high = cut;
        }
    }

    fn insertion_sort(&mut self, low: usize, high: usize) {
        for i in low + 1..high {
            if before(self.0[i], self.0[low]) {
                self.0[low..=i].rotate_right(1);
            } else {
                self.insert_unguarded(i);
            }
        }
    }

    /// Moves item `i` down to its place; something before it is known not to go after it.
    fn insert_unguarded(&mut self, mut i: usize) {
        let item = self.0[i];
        while before(item, self.0[i - 1]) {
            self.0[i] = self.0[i - 1];
            i -= 1;
        }
        self.0[i] = item;
    }

    /// Cuts a range of four or more around the median of three of its items.
    fn partition(&mut self, low: usize, high: usize) -> usize {
        let (a, b, c) = (low + 1, low + (high - low) / 2, high - 1);
        let q = &mut self.0;
        let goes = |x: usize, y: usize| before(q[x], q[y]);
        let median = match goes(a, b) {
            true if goes(b, c) => b,
            true if goes(a, c) => c,
            true => a,
            false if goes(a, c) => a,
            false if goes(b, c) => c,
            false => b,
        };
        q.swap(low, median);
        let pivot = q[low];
        let (mut i, mut j) = (low + 1, high);
        loop {
            while before(q[i], pivot) {
                i += 1;
            }
            j -= 1;
            while before(pivot, q[j]) {
                j -= 1;
            }
            if i >= j {
                return i;
            }
            q.swap(i, j);
            i += 1;
        }
    }

    /// The first of `low..high` move to `low..middle`, as a heap with the last of them at `low`.
    fn heap_select(&mut self, low: usize, middle: usize, high: usize) {
        let length = middle - low;
        if length > 1 {
            for parent in (0..=(length - 2) / 2).rev() {
                self.sift(low, parent, length, self.0[low + parent]);
            }
        }
        for i in middle..high {
            if before(self.0[i], self.0[low]) {
                let item = self.0[i];
                self.0[i] = self.0[low];
                self.sift(low, 0, length, item);
            }
        }
    }

    fn sort_heap(&mut self, low: usize, mut high: usize) {
        while high - low > 1 {
            high -= 1;
            let item = self.0[high];
            self.0[high] = self.0[low];
            self.sift(low, 0, high - low, item);
        }
    }

    /// Puts `item` into the heap of `length` at `low`, whose place `hole` is free.
    fn sift(&mut self, low: usize, mut hole: usize, length: usize, item: Item) {
        let heap = &mut self.0[low..low + length];
        let top = hole;
        let mut child = hole;
        while child < (length - 1) / 2 {
            child = 2 * (child + 1);
            if before(heap[child], heap[child - 1]) {
                child -= 1;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        if length.is_multiple_of(2) && child == (length - 2) / 2 {
            child = 2 * child + 1;
            heap[hole] = heap[child];
            hole = child;
        }
        while hole > top && before(heap[(hole - 1) / 2], item) {
            heap[hole] = heap[(hole - 1) / 2];
            hole = (hole - 1) / 2;
        }
        heap[hole] = item;
    }
}
