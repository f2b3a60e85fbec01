//! Which edges of the program ran: the counters that LLVM's sanitizer coverage puts into crates built with it (`tools/fuzz.sh` does so).
//! Without them nothing is covered, and new sentences of refusals stand for new paths.

use std::sync::Mutex;

/// The counters of the instrumented parts: start and length. They live as long as the program.
static REGIONS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, end: *mut u8) {
    let region = (start as usize, end as usize - start as usize);
    let mut regions = REGIONS.lock().unwrap();
    if region.1 > 0 && !regions.contains(&region) {
        regions.push(region);
    }
}
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_pcs_init(_start: *const usize, _end: *const usize) {}

/// What was seen so far.
pub struct Seen {
    counters: Vec<&'static mut [u8]>,
    /// For each counter the classes of counts that came.
    classes: Vec<Vec<u8>>,
    pub edges: usize,
}

impl Seen {
    pub fn new() -> Seen {
        let regions = REGIONS.lock().unwrap().clone();
        // SAFETY: the regions are the program's own counters, and only this thread runs instrumented code while it looks at them.
        let slice = |&(start, len): &(usize, usize)| unsafe { std::slice::from_raw_parts_mut(start as *mut u8, len) };
        let counters: Vec<&'static mut [u8]> = regions.iter().map(slice).collect();
        let classes = counters.iter().map(|c| vec![0; c.len()]).collect();
        Seen { counters, classes, edges: 0 }
    }
    pub fn is_there(&self) -> bool {
        !self.counters.is_empty()
    }
    pub fn total(&self) -> usize {
        self.counters.iter().map(|c| c.len()).sum()
    }
    pub fn clear(&mut self) {
        self.counters.iter_mut().for_each(|c| c.fill(0));
    }
    /// Did the input that ran since `clear` do what none did before? It is remembered.
    pub fn is_new(&mut self) -> bool {
        let mut new = false;
        for (counters, classes) in self.counters.iter().zip(&mut self.classes) {
            let (words, rest) = counters.as_chunks::<8>();
            for (i, word) in words.iter().enumerate() {
                if *word != [0; 8] {
                    for (j, &n) in word.iter().enumerate() {
                        new |= note(n, &mut classes[8 * i + j], &mut self.edges);
                    }
                }
            }
            let start = counters.len() - rest.len();
            for (j, &n) in rest.iter().enumerate() {
                new |= note(n, &mut classes[start + j], &mut self.edges);
            }
        }
        new
    }
    /// The edges that ran since `clear`, as places.
    pub fn places(&self) -> Vec<u32> {
        let mut places = Vec::new();
        let mut base = 0;
        for counters in &self.counters {
            places.extend((0u32..).zip(counters.iter()).filter(|(_, n)| **n > 0).map(|(i, _)| base + i));
            base += counters.len() as u32;
        }
        places
    }
}

fn note(n: u8, classes: &mut u8, edges: &mut usize) -> bool {
    let class = match n {
        0 => return false,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        _ => 128,
    };
    *edges += usize::from(*classes == 0);
    let new = *classes & class == 0;
    *classes |= class;
    new
}
