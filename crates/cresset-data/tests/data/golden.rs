//! The order of samples against PyTorch 2.15.0: `goldens/rng/samplers.json`, written by `tools/sampler_golden.py`.

use cresset_data::{
    BatchSampler, DataLoader, Dataset, DistributedSampler, Error, ListDataset, RandomSampler, Sampler,
    SubsetRandomSampler, WeightedRandomSampler, random_split,
};
use cresset_tensor::{Generator, Tensor};
use serde_json::{Value, json};

struct Case<'a>(&'a Value);

impl Case<'_> {
    fn n(&self, key: &str) -> usize {
        self.0[key].as_u64().unwrap_or_else(|| panic!("{key}")) as usize
    }
    fn maybe(&self, key: &str) -> Option<usize> {
        self.0[key].as_u64().map(|n| n as usize)
    }
    fn flag(&self, key: &str) -> bool {
        self.0[key].as_bool().unwrap_or(false)
    }
    fn numbers(&self, key: &str) -> Vec<f64> {
        self.0[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }
}

/// Sample `i` is `i`, or `i` and a number that the worker draws.
struct Numbers(usize, bool);
impl Dataset for Numbers {
    type Item = (i64, i64);
    fn len(&self) -> usize {
        self.0
    }
    fn get(&self, i: usize) -> Result<(i64, i64), Error> {
        Ok((i as i64, if self.1 { Tensor::randint(0, 1_000_000, ()).item() } else { 0 }))
    }
}

fn epochs<T: Into<Value>>(sampler: impl Sampler<T>, n: usize) -> Vec<Value> {
    (0..n).map(|_| sampler.iter().collect::<Vec<T>>().into()).collect()
}

fn run(c: &Case, own: Option<Generator>) -> Vec<Value> {
    let count = c.n("epochs");
    match c.0["kind"].as_str().unwrap() {
        "random" => {
            let mut s = RandomSampler::new(c.n("n")).replacement(c.flag("replacement"));
            if let Some(num) = c.maybe("num_samples") {
                s = s.num_samples(num);
            }
            if let Some(g) = own {
                s = s.generator(g);
            }
            epochs(s, count)
        }
        "subset" => {
            let s = SubsetRandomSampler::new(c.numbers("indices").iter().map(|&x| x as usize).collect());
            epochs(if let Some(g) = own { s.generator(g) } else { s }, count)
        }
        "weighted" => {
            let s =
                WeightedRandomSampler::new(c.numbers("weights"), c.n("num_samples")).replacement(c.flag("replacement"));
            epochs(if let Some(g) = own { s.generator(g) } else { s }, count)
        }
        "distributed" => {
            let s = DistributedSampler::new(c.n("n"), c.n("replicas"), c.n("rank"))
                .shuffle(c.flag("shuffle"))
                .seed(c.n("seed_") as u64)
                .drop_last(c.flag("drop_last"));
            (0..count as u64)
                .flat_map(|epoch| {
                    s.set_epoch(epoch);
                    let order = epochs(&s, 1);
                    assert_eq!(order[0].as_array().unwrap().len(), s.len());
                    order
                })
                .collect()
        }
        "batch" => {
            let s = RandomSampler::new(c.n("n"));
            let s = if let Some(g) = own { s.generator(g) } else { s };
            epochs(BatchSampler::new(s, c.n("batch_size"), c.flag("drop_last")), count)
        }
        "split" => {
            let n = c.n("n");
            let lengths = c.numbers("lengths");
            let data = ListDataset(vec![0; n]);
            let parts = if lengths.iter().sum::<f64>() > 1.5 {
                random_split(data, lengths.iter().map(|&x| x as usize).collect::<Vec<usize>>(), own.as_ref())
            } else {
                random_split(data, lengths, own.as_ref())
            };
            vec![parts.iter().map(|p| p.indices().to_vec()).collect::<Vec<_>>().into()]
        }
        "loader" => {
            let noisy = c.flag("noisy");
            let mut loader = DataLoader::new(Numbers(c.n("n"), noisy), c.n("batch_size"))
                .shuffle(c.flag("shuffle"))
                .drop_last(c.flag("drop_last"));
            if let Some(g) = own {
                loader = loader.generator(g);
            }
            if let Some(workers) = c.maybe("num_workers") {
                loader = loader.num_workers(workers).prefetch(c.n("prefetch")).persistent_workers(c.flag("persistent"));
            }
            let stop = c.maybe("stop");
            (0..count)
                .map(|_| {
                    let mut epoch = Vec::new();
                    for (k, batch) in loader.iter().enumerate() {
                        if Some(k) == stop {
                            break;
                        }
                        let (x, noise) = batch.unwrap();
                        let (x, noise) = (x.to_vec::<i64>(), noise.to_vec::<i64>());
                        epoch.push(if noisy { json!([x, noise]) } else { json!(x) });
                    }
                    if stop.is_none() {
                        assert_eq!(epoch.len(), loader.len());
                    }
                    Value::from(epoch)
                })
                .collect()
        }
        kind => panic!("{kind}"),
    }
}

#[test]
fn order_is_pytorchs() {
    let text = include_str!("../../../../goldens/rng/samplers.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() > 100);
    for value in cases {
        let c = Case(value);
        let own = c.maybe("own").map(|seed| Generator::with_seed(seed as u64));
        let default = Generator::with_seed(c.n("seed") as u64);
        let out = Generator::with_default(default.clone(), || run(&c, own.clone()));
        let mut shown = value.clone();
        shown["out"] = Value::Null;
        assert_eq!(Value::from(out), value["out"], "{shown}");
        let mut end = vec![default.lock().draw_seed().to_string()];
        end.extend(own.map(|g| g.lock().draw_seed().to_string()));
        assert_eq!(json!(end), value["end"], "draws of {shown}");
    }
}
