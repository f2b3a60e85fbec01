//! Damaged files: whatever bytes change, reading gives a value or an error, and takes no memory that the file does not account for.

use cresset_io::{load_bytes, npy, npz, safetensors};
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the largest piece of memory that is asked for.
struct Counting;
static LARGEST: AtomicUsize = AtomicUsize::new(0);
// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(p, layout) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A small generator of its own: the mutations are the same on every machine.
struct Random(u64);
impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

fn read(name: &str, data: &[u8]) -> bool {
    let ok = match Path::new(name).extension().and_then(|e| e.to_str()) {
        Some("pt") => load_bytes(data).map(|v| drop(format!("{v:?}"))).is_ok(),
        Some("npy") => npy::load_bytes(data).is_ok(),
        Some("npz") => npz::load_bytes(data).is_ok(),
        _ => safetensors::load_bytes(data).is_ok(),
    };
    // The reader's own error types have no panic in them; a panic ends the test.
    ok
}

#[test]
fn any_change_gives_a_value_or_an_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/files");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| !p.to_string_lossy().ends_with(".json") && !p.to_string_lossy().ends_with(".golden"));
    files.sort();
    assert!(files.len() > 100, "the goldens are not there");
    let rounds: usize = std::env::var("CRESSET_FUZZ_ROUNDS").ok().and_then(|s| s.parse().ok()).unwrap_or(100);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut read_well, mut total) = (0, 0);
    for path in &files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let whole = std::fs::read(path).unwrap();
        LARGEST.store(0, Ordering::Relaxed);
        for round in 0..rounds {
            let mut data = whole.clone();
            // Bits, bytes, a cut, a piece taken out, a piece doubled; the checksums of a zip catch most, so the pickle is also read alone.
            for _ in 0..=random.next(3) {
                if data.is_empty() {
                    break;
                }
                let at = random.next(data.len());
                match random.next(8) {
                    0 => data.truncate(at),
                    1 => drop(data.drain(at..(at + 1 + random.next(16)).min(data.len()))),
                    2 => {
                        let piece = data[at..(at + 1 + random.next(16)).min(data.len())].to_vec();
                        data.splice(at..at, piece);
                    }
                    3 => data[at] = [0, 1, 0x7f, 0x80, 0xff][random.next(5)],
                    _ => data[at] ^= 1 << random.next(8),
                }
            }
            total += 1;
            read_well += usize::from(read(&name, &data));
            let largest = LARGEST.load(Ordering::Relaxed);
            assert!(largest < (64 << 10) + 64 * whole.len(), "{name} round {round} asked for {largest} bytes at once");
        }
    }
    println!("{total} inputs, {read_well} of them still readable");
}

/// Mutations inside a pickle, behind checksums that hold again: the legacy format has none.
#[test]
fn a_damaged_pickle_gives_a_value_or_an_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/files");
    let rounds: usize = std::env::var("CRESSET_FUZZ_ROUNDS").ok().and_then(|s| s.parse().ok()).unwrap_or(100);
    let mut random = Random(42);
    for name in ["legacy_tensor.pt", "legacy_views.pt", "legacy_checkpoint.pt"] {
        let whole = std::fs::read(folder.join(name)).unwrap();
        for _ in 0..rounds * 20 {
            let mut data = whole.clone();
            for _ in 0..=random.next(4) {
                let at = 15 + random.next(data.len() - 15);
                let other = random.next(data.len());
                data[at] = match random.next(3) {
                    0 => random.next(256) as u8,
                    1 => data[other],
                    _ => data[at] ^ (1 << random.next(8)),
                };
            }
            read(name, &data);
        }
    }
}
