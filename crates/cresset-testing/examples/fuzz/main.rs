//! Feeds the readers of files with changed files: `tools/fuzz.sh TARGET INPUTS` builds this with coverage and runs it.
//!
//! An input is kept for the corpus if it ran a part of the readers that no input ran before. A panic, a second of time or memory beyond ten
//! times the input (and a mebibyte) is a finding: the input is written to `fuzz-TARGET-N.bin`, and the program ends with 1.

mod coverage;
mod memory;
mod mutate;
mod targets;

use coverage::Seen;
use mutate::{Random, mutate};
use std::collections::HashSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use targets::{TARGETS, Target};

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Longer inputs find little more and take longer.
const LONGEST: usize = 6000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(name), Some(inputs)) = (args.first(), args.get(1).and_then(|n| n.parse::<u64>().ok())) else {
        eprintln!(
            "usage: fuzz TARGET INPUTS [SEED]; the targets: {}",
            TARGETS.iter().map(|t| t.name).collect::<Vec<_>>().join(" ")
        );
        return ExitCode::from(2);
    };
    let seed = args.get(2).and_then(|n| n.parse().ok()).unwrap_or(1u64);
    let Some(target) = TARGETS.iter().find(|t| t.name == name) else {
        eprintln!("there is no target {name:?}");
        return ExitCode::from(2);
    };
    std::panic::set_hook(Box::new(|_| {}));
    let mut fuzzer = Fuzzer::new(target, seed);
    fuzzer.seed();
    fuzzer.run(inputs);
    fuzzer.minimise();
    fuzzer.store();
    ExitCode::from(u8::from(fuzzer.findings > 0))
}

struct Fuzzer {
    target: &'static Target,
    random: Random,
    seen: Seen,
    sentences: HashSet<String>,
    corpus: Vec<Vec<u8>>,
    ran: u64,
    accepted: u64,
    findings: usize,
    slowest: Duration,
    most_memory: usize,
}

/// What one input did.
struct Ran {
    new: bool,
    sentence: Option<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A refusal without its numbers and names.
fn template(sentence: &str) -> String {
    let mut out = String::new();
    let mut quoted = false;
    for c in sentence.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted || c.is_ascii_digit() => {}
            c => out.push(c),
        }
    }
    out.truncate(out.char_indices().nth(200).map_or(out.len(), |(i, _)| i));
    out
}

impl Fuzzer {
    fn new(target: &'static Target, seed: u64) -> Fuzzer {
        Fuzzer {
            target,
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            seen: Seen::new(),
            sentences: HashSet::new(),
            corpus: Vec::new(),
            ran: 0,
            accepted: 0,
            findings: 0,
            slowest: Duration::ZERO,
            most_memory: 0,
        }
    }
    fn seed(&mut self) {
        let mut files = Vec::new();
        for folder in [
            "goldens/files",
            "goldens/saved",
            "goldens/hostile/seeds",
            "examples",
            "crates/cresset-data/data",
            "crates/cresset-data/tests/data",
        ] {
            let entries = std::fs::read_dir(root().join(folder)).into_iter().flatten().flatten();
            files.extend(entries.map(|e| e.path()).filter(|p| p.is_file()));
        }
        files.sort();
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Ok(data) = std::fs::read(&path) else { continue };
            if let Some(input) = (self.target.seeds)(&name).then(|| (self.target.prepare)(&data)).flatten() {
                self.try_input(&input, true);
            }
        }
        for input in targets_corpus(self.target.name) {
            self.try_input(&input, true);
        }
        println!(
            "{}: {} seeds cover {} of {} edges{}",
            self.target.name,
            self.corpus.len(),
            self.seen.edges,
            self.seen.total(),
            if self.seen.is_there() { "" } else { " (built without coverage: sentences stand for it)" }
        );
        assert!(!self.corpus.is_empty(), "there are no seeds");
    }
    fn run(&mut self, inputs: u64) {
        let begun = Instant::now();
        let mut data = Vec::new();
        let mut told = Instant::now();
        for i in 0..inputs {
            // Of the last ones more than of the first.
            let n = self.corpus.len();
            let pick = if self.random.next(2) == 0 { n - 1 - self.random.next(n.min(50)) } else { self.random.next(n) };
            let other = self.random.next(n);
            data.clone_from(&self.corpus[pick]);
            mutate(&mut data, &self.corpus[other], self.target.words, LONGEST, &mut self.random);
            if let Some(repair) = self.target.repair
                && self.random.next(4) > 0
            {
                repair(&mut data);
            }
            self.try_input(&data, false);
            if told.elapsed() > Duration::from_secs(30) {
                told = Instant::now();
                println!("{}: {i} inputs, {} kept, {} edges", self.target.name, self.corpus.len(), self.seen.edges);
            }
        }
        println!(
            "{}: {} inputs in {:.0} s, {} accepted, {} kept, {} edges, {} sentences; slowest {:.1} ms, most memory {} bytes; {} findings",
            self.target.name,
            self.ran,
            begun.elapsed().as_secs_f64(),
            self.accepted,
            self.corpus.len(),
            self.seen.edges,
            self.sentences.len(),
            self.slowest.as_secs_f64() * 1e3,
            self.most_memory,
            self.findings
        );
    }
    fn try_input(&mut self, data: &[u8], is_seed: bool) {
        let Some(ran) = self.execute(data) else { return };
        // Sentences quote what they refuse, so there are many; they count only where nothing better is known.
        let new_sentence = ran.sentence.is_some_and(|s| self.sentences.insert(template(&s)));
        if ran.new || (!self.seen.is_there() && (is_seed || (new_sentence && self.sentences.len() < 5000))) {
            self.corpus.push(data.to_vec());
        }
    }
    /// Runs an input and looks at what it took; `None` if it is a finding.
    fn execute(&mut self, data: &[u8]) -> Option<Ran> {
        self.ran += 1;
        self.seen.clear();
        let start = Instant::now();
        let run = self.target.run;
        let (memory, result) = memory::peak_of(|| catch_unwind(AssertUnwindSafe(|| run(data))));
        let mut time = start.elapsed();
        let new = self.seen.is_new();
        if time > Duration::from_secs(1) {
            // Others may have had the processor.
            let again = Instant::now();
            let _ = catch_unwind(AssertUnwindSafe(|| run(data)));
            time = again.elapsed();
        }
        self.slowest = self.slowest.max(time);
        self.most_memory = self.most_memory.max(memory);
        let fault = match &result {
            Err(panic) => {
                let text = panic.downcast_ref::<String>().cloned();
                Some(format!(
                    "panic: {}",
                    text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default()
                ))
            }
            _ if time > Duration::from_secs(1) => Some(format!("{time:?}")),
            _ if memory > 10 * data.len() + (1 << 20) => {
                Some(format!("{memory} bytes of memory for {} of input", data.len()))
            }
            _ => None,
        };
        if let Some(fault) = fault {
            let size = "x".repeat(if fault.starts_with("panic") { 0 } else { memory.max(1).ilog2() as usize });
            if self.sentences.insert(template(&fault) + &size) && self.findings < 20 {
                self.findings += 1;
                let path = format!("fuzz-{}-{}.bin", self.target.name, self.findings);
                println!("FINDING {path}: {fault}");
                std::fs::write(path, data).expect("a finding is written");
            }
            return None;
        }
        let outcome = result.unwrap_or(Ok(()));
        self.accepted += u64::from(outcome.is_ok());
        Some(Ran { new, sentence: outcome.err() })
    }
    /// Keeps the shortest inputs that together cover all edges and sentences, each as short as it can be.
    fn minimise(&mut self) {
        let mut order = std::mem::take(&mut self.corpus);
        order.sort_by_key(Vec::len);
        let mut known: HashSet<u32> = HashSet::new();
        let mut sentences: HashSet<String> = HashSet::new();
        let mut kept = Vec::new();
        for data in order {
            let Some(ran) = self.execute(&data) else { continue };
            let places = self.seen.places();
            let mut new = places.iter().any(|p| !known.contains(p));
            let sentence = ran.sentence.filter(|_| !self.seen.is_there()).map(|s| template(&s));
            new |= sentence.as_ref().is_some_and(|s| !sentences.contains(s));
            if !new {
                continue;
            }
            let short = self.shorten(data, &known, &sentences, &places, sentence.as_deref());
            known.extend(places);
            sentences.extend(sentence);
            kept.push(short);
        }
        println!(
            "{}: the corpus has {} inputs, {} bytes",
            self.target.name,
            kept.len(),
            kept.iter().map(Vec::len).sum::<usize>()
        );
        self.corpus = kept;
    }
    /// Takes pieces out as long as what was new of the input stays.
    fn shorten(
        &mut self,
        data: Vec<u8>,
        known: &HashSet<u32>,
        sentences: &HashSet<String>,
        places: &[u32],
        sentence: Option<&str>,
    ) -> Vec<u8> {
        let fresh: Vec<u32> = places.iter().copied().filter(|p| !known.contains(p)).collect();
        let fresh_sentence = sentence.filter(|s| !sentences.contains(*s));
        let mut best = data;
        let mut size = best.len() / 2;
        let mut left = 2000;
        while size > 0 && left > 0 {
            let mut at = 0;
            while at < best.len() && left > 0 {
                left -= 1;
                let mut shorter = best.clone();
                shorter.drain(at..(at + size).min(best.len()));
                if let Some(repair) = self.target.repair {
                    repair(&mut shorter);
                }
                let same = self.execute(&shorter).is_some_and(|ran| {
                    let now: HashSet<u32> = self.seen.places().into_iter().collect();
                    fresh.iter().all(|p| now.contains(p))
                        && (fresh_sentence.is_none() || ran.sentence.map(|s| template(&s)).as_deref() == fresh_sentence)
                });
                if same {
                    best = shorter;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        best
    }
    fn store(&self) {
        let path = targets_path(self.target.name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("the folder of the corpus is made");
        let mut out = std::io::BufWriter::new(std::fs::File::create(&path).expect("the corpus is written"));
        for input in &self.corpus {
            out.write_all(&(input.len() as u32).to_le_bytes()).expect("the corpus is written");
            out.write_all(input).expect("the corpus is written");
        }
    }
}

fn targets_path(name: &str) -> PathBuf {
    root().join(format!("goldens/hostile/{name}.bin"))
}

/// The corpus that was found before: each input after its length.
fn targets_corpus(name: &str) -> Vec<Vec<u8>> {
    let data = std::fs::read(targets_path(name)).unwrap_or_default();
    let mut rest = &data[..];
    let mut inputs = Vec::new();
    while let Some((len, tail)) = rest.split_first_chunk::<4>() {
        let len = (u32::from_le_bytes(*len) as usize).min(tail.len());
        inputs.push(tail[..len].to_vec());
        rest = &tail[len..];
    }
    inputs
}
