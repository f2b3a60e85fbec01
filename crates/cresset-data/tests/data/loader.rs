//! The loader's workers, errors and refusals.

use cresset_data::{
    BatchSampler, DataLoader, Dataset, Error, ListDataset, RandomSampler, SequentialSampler, TensorDataset,
};
use cresset_tensor::{Generator, Tensor, attempt};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Samples that fail in several ways, counting how many are asked for.
struct Faulty {
    fail: usize,
    panic: usize,
    asked: Arc<AtomicUsize>,
}
impl Dataset for Faulty {
    type Item = i64;
    fn len(&self) -> usize {
        20
    }
    fn get(&self, i: usize) -> Result<i64, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if i == self.fail {
            return Err(Error::new("no such picture"));
        }
        if i == self.panic {
            // A refusal of the library, which prints nothing when it is caught.
            let _ = &Tensor::zeros([2]) + &Tensor::zeros([3]);
        }
        Ok(i as i64)
    }
}
fn faulty(fail: usize, panic: usize) -> Faulty {
    Faulty { fail, panic, asked: Arc::default() }
}

#[test]
fn a_failing_sample_is_named() {
    for workers in [0, 1, 3] {
        let loader = DataLoader::new(faulty(5, 13), 4).num_workers(workers);
        let batches: Vec<Result<Tensor, Error>> = loader.iter().collect();
        assert_eq!(batches.len(), 5);
        assert_eq!(batches[1].as_ref().unwrap_err().to_string(), "sample 5: no such picture");
        let error = batches[3].as_ref().unwrap_err();
        assert_eq!(error.sample(), Some(13));
        assert!(error.message().contains("The size of tensor a (2) must match"), "{error}");
        assert_eq!(batches[4].as_ref().unwrap().to_vec::<i64>(), [16, 17, 18, 19]);
        // A second epoch finds everything as before.
        assert_eq!(loader.iter().filter(Result::is_ok).count(), 3);
    }
}

#[test]
fn a_panicking_collation_is_an_error() {
    for workers in [0, 2] {
        let loader = DataLoader::with_collate(ListDataset(vec![0i64; 6]), 2, |s| {
            let _ = &Tensor::zeros([2]) + &Tensor::zeros([3]);
            Ok(s)
        })
        .num_workers(workers);
        let errors: Vec<String> = loader.iter().map(|b| b.unwrap_err().to_string()).collect();
        assert_eq!(errors.len(), 3);
        assert!(errors[1].starts_with("batch of 2 samples (2, 3): add: The size"), "{}", errors[1]);
    }
}

#[test]
fn indices_out_of_range_are_errors() {
    let data = TensorDataset::new((Tensor::zeros([3, 2]), Tensor::zeros([3])));
    let loader = DataLoader::new(data, 2).sampler(SequentialSampler::new(5));
    let ends: Vec<Option<usize>> = loader.iter().map(|b| b.err().and_then(|e| e.sample())).collect();
    assert_eq!(ends, [None, Some(3), Some(4)]);
}

#[test]
fn workers_give_the_same_batches_in_order() {
    /// Later samples are ready sooner.
    struct Slow;
    impl Dataset for Slow {
        type Item = i64;
        fn len(&self) -> usize {
            24
        }
        fn get(&self, i: usize) -> Result<i64, Error> {
            std::thread::sleep(Duration::from_millis(if i.is_multiple_of(8) { 6 } else { 0 }));
            Ok(i as i64)
        }
    }
    let epoch = |workers: usize, prefetch: usize| {
        let loader = DataLoader::new(Slow, 3).shuffle(true).generator(Generator::with_seed(3)).num_workers(workers);
        let loader = if workers > 0 { loader.prefetch(prefetch) } else { loader };
        loader.iter().map(|b| b.unwrap().to_vec::<i64>()).collect::<Vec<_>>()
    };
    let alone = epoch(0, 0);
    for (workers, prefetch) in [(1, 1), (2, 2), (4, 1), (5, 7), (30, 2)] {
        assert_eq!(epoch(workers, prefetch), alone, "{workers} workers");
    }
}

#[test]
fn dropping_the_iterator_stops_the_workers() {
    for persistent in [false, true] {
        let data = faulty(99, 99);
        let asked = data.asked.clone();
        let loader = DataLoader::new(data, 1).num_workers(2).prefetch(3).persistent_workers(persistent);
        let mut iter = loader.iter();
        assert!(iter.next().unwrap().is_ok());
        drop(iter);
        let after = asked.load(Ordering::SeqCst);
        assert!(after <= 7, "{after} samples were made");
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(asked.load(Ordering::SeqCst), after);
        // The next epoch is complete.
        assert_eq!(loader.iter().filter(Result::is_ok).count(), 20);
        // So are two at once.
        let both: Vec<_> = loader.iter().zip(loader.iter()).collect();
        assert!(both.iter().all(|(a, b)| a.as_ref().unwrap().to_vec::<i64>() == b.as_ref().unwrap().to_vec::<i64>()));
        assert_eq!(both.len(), 20);
    }
}

#[test]
fn no_lock_is_held_while_a_sample_is_made() {
    /// A data set that reads its own loader's default generator and runs a loader of its own.
    struct Nested(Mutex<()>);
    impl Dataset for Nested {
        type Item = Vec<i64>;
        fn len(&self) -> usize {
            3
        }
        fn get(&self, i: usize) -> Result<Vec<i64>, Error> {
            let inner = DataLoader::new(ListDataset(vec![1i64, 2, 3]), 2).shuffle(true).num_workers(2);
            let _turn = self.0.lock().map_err(|e| Error::new(e.to_string()))?;
            inner.iter().map(|b| Ok(b?.numel() as i64 + i as i64)).collect()
        }
    }
    let outer = DataLoader::new(Nested(Mutex::new(())), 1).shuffle(true).num_workers(2);
    assert_eq!(outer.iter().filter(Result::is_ok).count(), 3);
}

#[test]
fn lengths() {
    let loader = |n: usize| DataLoader::new(ListDataset(vec![0i64; n]), 4);
    assert_eq!((loader(9).len(), loader(8).len(), loader(0).len()), (3, 2, 0));
    assert_eq!(loader(9).drop_last(true).len(), 2);
    assert_eq!(loader(9).sampler(RandomSampler::new(9).num_samples(30)).len(), 8);
    assert!(loader(0).is_empty() && loader(0).iter().next().is_none());
    let batches = BatchSampler::new(SequentialSampler::new(5), 2, true);
    let loader = DataLoader::new(ListDataset(vec![0i64; 9]), 1).batch_sampler(batches);
    assert_eq!((loader.len(), loader.iter().count()), (2, 2));
}

#[test]
fn contradictions_are_refused() {
    let loader = |size: usize| DataLoader::new(ListDataset(vec![0i64; 9]), size);
    let order = || SequentialSampler::new(9);
    let batches = || BatchSampler::new(order(), 2, true);
    let refused = |f: &dyn Fn() -> DataLoader<Tensor>, word: &str| {
        let error = attempt(|| drop(f().iter())).unwrap_err();
        assert!(error.message().contains(word), "{error}");
    };
    refused(&|| loader(0), "batch_size should be a positive integer value, but got batch_size=0");
    refused(&|| loader(2).sampler(order()).shuffle(true), "sampler option is mutually exclusive with shuffle");
    refused(&|| loader(2).shuffle(true).sampler(order()), "sampler option is mutually exclusive with shuffle");
    refused(&|| loader(2).batch_sampler(batches()), "batch_sampler option is mutually exclusive");
    refused(&|| loader(1).batch_sampler(batches()).drop_last(true), "batch_sampler option is mutually exclusive");
    refused(&|| loader(2).prefetch(2), "prefetch_factor option could only be specified in multiprocessing");
    refused(&|| loader(2).num_workers(1).prefetch(0), "prefetch_factor");
    refused(&|| loader(2).persistent_workers(true), "persistent_workers option needs num_workers > 0");
    let empty = || DataLoader::new(ListDataset(Vec::<i64>::new()), 2).shuffle(true);
    refused(&empty, "num_samples should be a positive integer value, but got num_samples=0");
}
