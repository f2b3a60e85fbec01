//! The inputs that fuzzing found (`tools/fuzz.sh`), read again: no panic, no long time, no memory that the input does not account for.

#[path = "../examples/fuzz/memory.rs"]
mod memory;
#[path = "../examples/fuzz/targets.rs"]
#[allow(dead_code)]
mod targets;

use std::path::Path;
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

#[test]
fn every_input_that_fuzzing_found_is_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/hostile");
    let mut total = 0;
    for target in targets::TARGETS {
        let corpus = std::fs::read(folder.join(format!("{}.bin", target.name))).expect("the corpus is there");
        let mut rest = &corpus[..];
        while let Some((len, tail)) = rest.split_first_chunk::<4>() {
            let (input, tail) = tail.split_at((u32::from_le_bytes(*len) as usize).min(tail.len()));
            rest = tail;
            let begun = Instant::now();
            let (memory, _) = memory::peak_of(|| (target.run)(input));
            assert!(memory <= 10 * input.len() + (1 << 20), "{}: {memory} bytes for {}", target.name, input.len());
            // A second is the rule; the machine may be busy.
            assert!(begun.elapsed() < Duration::from_secs(10), "{}: {:?}", target.name, begun.elapsed());
            total += 1;
        }
    }
    assert!(total > 500, "only {total} inputs");
}
