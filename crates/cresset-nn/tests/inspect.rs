//! Summaries and statistics against torchinfo and PyTorch: `goldens/inspect/`, written by `tools/inspect_golden.py`.

use cresset_nn::*;
use cresset_tensor::{Generator, Tensor, attempt, manual_seed};
use std::sync::Mutex;

fn golden(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../../goldens/inspect/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[derive(Module, Clone)]
struct MultiClassifier {
    base: Base,
    network: Sequential,
}
impl MultiClassifier {
    fn new(sizes: &[usize], num_classes: usize) -> MultiClassifier {
        let mut network = Sequential::new(());
        for pair in sizes.windows(2) {
            network.push(Linear::new(pair[0], pair[1]));
            network.push(BatchNorm1d::new(pair[1])).push(ReLU::new()).push(Dropout::new(0.2));
        }
        network.push(Linear::new(sizes[sizes.len() - 1], num_classes));
        MultiClassifier { base: Base::new(), network }
    }
}
impl Forward for MultiClassifier {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}

#[derive(Module, Clone)]
struct ResidualBlock {
    base: Base,
    fc1: Linear,
    fc2: Linear,
    bn1: BatchNorm1d,
    bn2: BatchNorm1d,
    dropout: Dropout,
}
impl ResidualBlock {
    fn new(n: usize) -> ResidualBlock {
        ResidualBlock {
            base: Base::new(),
            fc1: Linear::new(n, n),
            fc2: Linear::new(n, n),
            bn1: BatchNorm1d::new(n),
            bn2: BatchNorm1d::new(n),
            dropout: Dropout::new(0.1),
        }
    }
}
impl Forward for ResidualBlock {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let out = self.dropout.call(&self.bn1.call(&self.fc1.call(x)).relu());
        (self.bn2.call(&self.fc2.call(&out)) + x).relu()
    }
}

#[derive(Module, Clone)]
struct ResNet {
    base: Base,
    input_projection: Linear,
    residual_blocks: ModuleList<ResidualBlock>,
    output_layer: Linear,
}
impl ResNet {
    fn new(input_size: usize, hidden_size: usize, num_blocks: usize, num_classes: usize) -> ResNet {
        ResNet {
            base: Base::new(),
            input_projection: Linear::new(input_size, hidden_size),
            residual_blocks: ModuleList::of((0..num_blocks).map(|_| ResidualBlock::new(hidden_size))),
            output_layer: Linear::new(hidden_size, num_classes),
        }
    }
}
impl Forward for ResNet {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.input_projection.call(x).relu();
        for block in &self.residual_blocks {
            x = block.call(&x);
        }
        self.output_layer.call(&x)
    }
}

#[derive(Module, Clone)]
struct Shared {
    base: Base,
    shared_layer: Linear,
    input_layer: Linear,
    output_layer: Linear,
    scale: Parameter,
}
impl Shared {
    fn new() -> Shared {
        Shared {
            base: Base::new(),
            shared_layer: Linear::new(16, 16),
            input_layer: Linear::new(8, 16),
            output_layer: Linear::new(16, 1),
            scale: Parameter::new(Tensor::ones([3])),
        }
    }
}
impl Forward for Shared {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.input_layer.call(x).relu();
        for _ in 0..3 {
            x = self.shared_layer.call(&x).relu();
        }
        self.output_layer.call(&x)
    }
}

fn cnn() -> Sequential {
    let first = Conv2dOptions { padding: 1.into(), bias: false, ..Default::default() };
    let second = Conv2dOptions { stride: 2.into(), groups: 4, ..Default::default() };
    Sequential::new((
        Sequential::new((Conv2d::with(3, 8, 3, first), BatchNorm2d::new(8), ReLU::new(), MaxPool2d::new(2))),
        Sequential::new((Conv2d::with(8, 16, 3, second), BatchNorm2d::new(16), ReLU::new())),
        Flatten::new(),
        Sequential::new((
            Linear::new(16 * 7 * 7, 32),
            ReLU::new(),
            Sequential::new((Linear::new(32, 10), Sequential::new((Sigmoid::new(),)))),
        )),
    ))
}

#[derive(Module, Clone)]
struct Encoder {
    base: Base,
    conv: Conv1d,
    norm: GroupNorm,
    pool: AdaptiveAvgPool1d,
}
impl Forward for Encoder {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.pool.call(&self.norm.call(&self.conv.call(x)).relu()).squeeze_dim(-1)
    }
}

/// The table of one model, but for the units of the run, which are checked by hand below.
fn check_table(name: &str, have: &Summary) {
    let all = golden("summary.txt");
    let want = all.split("## ").find(|part| part.starts_with(&format!("{name}\n"))).expect("a table of this name");
    assert_eq!(format!("{name}\n{have}\n"), want);
}

#[test]
fn tables_are_those_of_torchinfo() {
    let zeros = |shape: &[usize]| Tensor::zeros(shape);
    check_table("classifier", &summary(&MultiClassifier::new(&[784, 256, 128], 10), &zeros(&[32, 784])));
    check_table("resnet", &summary(&ResNet::new(100, 64, 2, 10), &zeros(&[16, 100])));
    let shared = Shared::new();
    check_table("shared", &summary(&shared, &zeros(&[4, 8])));
    shared.shared_layer.requires_grad_(false);
    shared.input_layer.bias.as_ref().unwrap().requires_grad_(false);
    check_table("frozen, with names", &summary(&shared, &zeros(&[4, 8])).names(true));
    let cnn = summary(&cnn(), &zeros(&[4, 3, 32, 32]));
    check_table("cnn", &cnn);
    check_table("cnn, one level", &cnn.clone().depth(1));
    check_table("cnn, four levels", &cnn.depth(4));
    let encoder = Encoder {
        base: Base::new(),
        conv: Conv1d::new(4, 6, 5),
        norm: GroupNorm::new(2, 6),
        pool: AdaptiveAvgPool1d::new(1),
    };
    check_table("encoder", &summary(&encoder, &zeros(&[2, 4, 20])));
    check_table("layer", &summary(&Linear::new(1000, 1000), &zeros(&[5000, 1000])));
}

#[test]
fn rows_and_totals_are_values() {
    let s = summary(&Shared::new(), &Tensor::zeros([4, 8]));
    assert_eq!((s.total_params, s.trainable_params, s.non_trainable_params()), (436, 436, 0));
    assert_eq!((s.total_mult_adds, s.input_bytes, s.param_bytes), (576 + 3 * 1088 + 68, 128, 4 * 436));
    assert_eq!(s.forward_backward_bytes, 2 * 4 * (4 * 16 * 4 + 4));
    let calls: Vec<_> = s.rows.iter().map(|r| (r.path.as_str(), r.index, r.params, r.is_shared)).collect();
    let layer = "shared_layer";
    assert_eq!(
        calls[..4],
        [("", 1, 3, false), ("input_layer", 1, 144, false), (layer, 2, 272, false), (layer, 3, 0, true)]
    );
    assert_eq!((&s.rows[1].inputs[..], &s.rows[1].outputs[..]), (&[[4, 8].into()][..], &[[4, 16].into()][..]));
}

#[test]
fn sequences_lookups_and_transposed_convolutions_are_counted_where_they_are_used() {
    let work = |s: Summary| s.total_mult_adds;
    let x = Tensor::zeros([2, 5, 8]);
    assert_eq!(work(summary(&Linear::new(8, 3), &x)), 2 * 5 * (8 * 3 + 3));
    assert_eq!(work(summary(&LayerNorm::new(8), &x)), 2 * 5 * 16);
    assert_eq!(work(summary(&LayerNorm::new([5, 8]), &x)), 2 * 80);
    assert_eq!(work(summary(&Linear::new(8, 8), &Tensor::zeros([8, 8]))), 8 * 72); // the output is as large as the weight
    assert_eq!(work(summary(&Embedding::new(50, 8), &Tensor::zeros([2, 5]).to_dtype(cresset_tensor::DType::I64))), 0);
    assert_eq!(work(summary(&Conv2d::new(3, 4, 3), &Tensor::zeros([3, 8, 8]))), 36 * (4 * 27 + 4)); // without a batch
    let up = ConvTranspose2d::with(4, 2, 2, ConvTranspose2dOptions { stride: 2.into(), ..Default::default() });
    assert_eq!(work(summary(&up, &Tensor::zeros([1, 4, 3, 3]))), 9 * 32 + 36 * 2);
}

/// Draws numbers, changes buffers in place and by assignment, and gives a tuple.
#[derive(Module, Clone)]
struct Restless {
    base: Base,
    bn: BatchNorm1d,
    state: Buffer,
    list: Vec<Linear>,
    unused: Linear,
    tied: Parameter,
}
impl Restless {
    fn new() -> Restless {
        let list = vec![Linear::new(3, 3), Linear::new(3, 2)];
        let tied = list[0].weight.clone();
        let state = Buffer::new(Tensor::zeros([3]));
        Restless { base: Base::new(), bn: BatchNorm1d::new(3), state, list, unused: Linear::new(2, 2), tied }
    }
}
impl Forward for Restless {
    type Output = (Tensor, Vec<Tensor>);
    fn forward(&self, x: &Tensor) -> (Tensor, Vec<Tensor>) {
        self.state.get().add_(1.0);
        self.state.set(Tensor::ones([5]));
        let x = self.bn.call(x) + Tensor::rand([3]);
        let y = self.list[0].call(&x);
        (self.list[1].call(&y), vec![x, y])
    }
}

#[test]
fn a_run_leaves_nothing_behind() {
    let model = Restless::new();
    model.bn.eval();
    model.list[0].weight.set_grad(Some(Tensor::ones([3, 3])));
    let x = Tensor::randn([4, 3]);
    let (held, mean, random) =
        (model.state.get(), model.bn.running_mean.as_ref().unwrap().get(), Generator::default_generator().get_state());
    let untouched = |what: &str| {
        assert!(model.state.get().is_same(&held) && held.equal(&Tensor::zeros([3])), "{what}");
        assert!(mean.equal(&Tensor::zeros([3])), "{what}");
        assert!(Generator::default_generator().get_state().equal(&random), "{what}");
        let modes: Vec<bool> = model.modules().iter().map(|m| m.is_training()).collect();
        assert_eq!(modes, [true, false, true, true, true], "{what}");
        assert!(model.list[0].weight.grad().unwrap().equal(&Tensor::ones([3, 3])), "{what}");
    };
    let s = summary(&model, &x);
    untouched("summary");
    assert_eq!(s.rows[0].outputs.len(), 3);
    // 12 + 8 of the lists' layers, 6 of the norm; what did not run, 6, stands at the model itself.
    assert_eq!((s.total_params, s.get("").unwrap().params, s.get("list.0").unwrap().params), (32, 6, 12));
    assert_eq!(s.rows.iter().map(|r| r.params).sum::<usize>(), s.total_params);
    assert!(s.to_string().contains("[4, 2], [4, 3], [4, 3]"));

    model.bn.train();
    model.bn.eval();
    let report = stats::activations(&model, &x);
    untouched("activations");
    let names: Vec<&str> = report.rows.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["bn", "list.0", "list.1", "Restless[0]", "Restless[1]", "Restless[2]"]);

    // No hook is left, also when the run fails; the error names the module as ever.
    let error = attempt(|| _ = summary(&model, &Tensor::zeros([4, 7]))).unwrap_err();
    assert!(error.to_string().contains("bn (BatchNorm1d)"), "{error}");
    untouched("a run that failed");
    let count = std::sync::Arc::new(Mutex::new(0));
    let counted = count.clone();
    let handle = model.register_forward_hook(move |_, _, _| *counted.lock().unwrap() += 1);
    stats::find_nan(&model, &x);
    assert_eq!(*count.lock().unwrap(), 1, "the model's own hooks run");
    handle.remove();
}

#[test]
fn statistics_are_those_of_pytorch() {
    manual_seed(0);
    let (conv, fc) = (Conv2d::new(2, 6, 3), Linear::new(96, 40));
    let layers = (conv.clone(), ReLU::new(), Flatten::new(), fc.clone(), ReLU::new(), Linear::new(40, 3));
    let model = Sequential::new(layers);
    cresset_tensor::no_grad(|| {
        conv.bias.as_ref().unwrap().index_fill_(0, &Tensor::from_slice(&[4_i64]), -10.0);
        fc.bias.as_ref().unwrap().index_fill_(0, &Tensor::from_slice(&[7_i64, 8]), -10.0);
    });
    let x = Tensor::randn([16, 2, 6, 6]);
    model.call(&x).square().sum().backward();
    let reports = [stats::weights(&model), stats::activations(&model, &x), stats::gradients(&model)];
    let text = golden("stats.txt");
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let report = reports.iter().find(|r| r.what == words[0]).unwrap();
        let have = report.get(words[1]).unwrap_or_else(|| panic!("{} has no {}", report.what, words[1]));
        for (i, number) in [have.mean, have.std, have.min, have.max, have.norm].into_iter().enumerate() {
            let want: f64 = words[2 + i].parse().unwrap();
            // f32 sums of different order lie under activations and gradients.
            assert!((number - want).abs() <= 1e-6 * have.std.abs().max(want.abs()), "{line}: {number}");
        }
        let counts: Vec<u64> = words[10].split(',').map(|c| c.parse().unwrap()).collect();
        let units = [have.zeros, have.dead_units, have.units].map(|n| n.to_string());
        assert_eq!(units[..], words[7..10], "{line}");
        match report.what {
            "weights" => assert_eq!(have.histogram.counts, counts, "{line}"),
            _ => assert_eq!(have.histogram.counts.iter().sum::<u64>(), counts.iter().sum::<u64>()),
        }
    }
    assert_eq!(
        reports.iter().map(|r| r.rows.len()).sum::<usize>(),
        text.lines().count() - 1 + 1,
        "and the model's own output"
    );
    let gradients: Vec<f64> = model.parameters().iter().map(|p| p.grad().unwrap().norm().item::<f64>()).collect();
    let whole = gradients.iter().map(|g| g * g).sum::<f64>().sqrt();
    assert!((reports[2].norm() - whole).abs() < 1e-5 * whole);
}

#[test]
fn reports_print_as_tables_and_name_what_has_no_gradient() {
    let model = Sequential::new((Linear::new(2, 2), Linear::new(2, 1)));
    model.get_parameter("0.weight").set_data(&Tensor::from_slice(&[0.0_f32, 0.0, f32::NAN, 3e9]).view([2, 2]));
    let table = stats::weights(&model).to_string();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("weights   shape") && lines.len() == 5, "{table}");
    let words: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(
        words,
        ["0.weight", "[2,", "2]", "1.00e9", "1.73e9", "0.0000", "3.00e9", "3.00e9", "50.0%", "50.0%", "1", "-"]
    );
    model.get_parameter("1.bias").set_grad(Some(Tensor::ones([1])));
    let report = stats::gradients(&model);
    assert_eq!(report.missing, ["0.weight", "0.bias", "1.weight"]);
    assert!(report.to_string().ends_with("no gradient: 0.weight, 0.bias, 1.weight"));
    // An empty tensor, a single number and integers have statistics too.
    let empty = stats::Statistics::of("empty", &Tensor::zeros([0, 3]), 1);
    assert!(empty.mean.is_nan() && empty.max.is_nan() && empty.dead_units == 0 && empty.numel() == 0);
    let one = stats::Statistics::of("one", &Tensor::from(-2.0_f32), 0);
    assert!(one.mean == -2.0 && one.std.is_nan() && one.norm == 2.0 && one.units == 1);
}

#[derive(Module, Clone)]
struct Divides {
    base: Base,
    fc: Linear,
}
impl Forward for Divides {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let y = self.fc.call(x);
        (&y / &y.zeros_like()).softmax(-1)
    }
}

#[test]
fn the_module_that_makes_the_first_nan_is_named() {
    let divides = Divides { base: Base::new(), fc: Linear::new(3, 3) };
    let model = Sequential::new((Linear::new(2, 3), divides, Linear::new(3, 1)));
    let found = stats::find_nan(&model, &Tensor::ones([4, 2])).unwrap();
    assert_eq!((found.path.as_str(), found.nan, found.call, found.input_is_finite), ("1", 12, 1, true));
    let text = "1 (Divides): 12 NaN and 0 infinite of 12 elements; its input and its parameters are finite";
    assert_eq!(found.to_string(), text);
    let broken = Tensor::full([4, 2], f32::NAN);
    let found = stats::find_nan(&model, &broken).unwrap();
    assert_eq!((found.path.as_str(), found.input_is_finite), ("0", false));
    assert!(stats::find_nan(&model[0], &Tensor::ones([4, 2])).is_none());
}

/// Two inputs, one of them optional.
#[derive(Module, Clone)]
struct Attention {
    base: Base,
    score: Linear,
}
impl Forward<(Tensor, Option<Tensor>)> for Attention {
    type Output = (Tensor, Tensor);
    fn forward(&self, (states, mask): &(Tensor, Option<Tensor>)) -> (Tensor, Tensor) {
        let scores = self.score.call(states).squeeze_dim(-1);
        let scores = mask.as_ref().map_or(scores.clone(), |m| scores.masked_fill(m, f64::NEG_INFINITY));
        let weights = scores.softmax(-1);
        ((states * &weights.unsqueeze(-1)).sum_dim(1, false), weights)
    }
}

#[test]
fn several_inputs_and_outputs_are_shown() {
    let attention = Attention { base: Base::new(), score: Linear::new(64, 1) };
    let (states, mask) = (Tensor::randn([2, 10, 64]), Tensor::zeros([2, 10]).to_dtype(cresset_tensor::DType::Bool));
    let s = summary(&attention, (&states, Some(&mask)));
    assert_eq!((s.rows[0].inputs.len(), s.rows[0].outputs.len(), s.input_bytes), (2, 2, 4 * 1280 + 20));
    assert!(s.to_string().contains("Attention                                [2, 64], [2, 10]          --"), "{s}");
    assert_eq!(s.total_mult_adds, 20 * 65);
    let report = stats::activations(&attention, (&states, None));
    assert_eq!(
        report.rows.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(),
        ["score", "Attention[0]", "Attention[1]"]
    );
    assert!(stats::find_nan(&attention, (&states, None)).is_none());
}
