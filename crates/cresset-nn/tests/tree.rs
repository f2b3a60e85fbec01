//! The module tree on modules like those of a program: names, printing, modes, state, ties, copies.

use cresset_nn::prelude::*;
use cresset_nn::{Identity, Linear, LinearOptions, ModuleDict, ModuleList, ParameterList, Sequential, StateDict};
use cresset_tensor::{DType, attempt};
use std::collections::BTreeMap;

#[derive(Module, Clone)]
struct CustomModule {
    base: Base,
    linear1: Linear,
    linear2: Linear,
    custom_param: Parameter,
    running_mean: Buffer,
    debug: bool,
}
impl CustomModule {
    fn new() -> CustomModule {
        CustomModule {
            base: Base::new(),
            linear1: Linear::new(10, 5),
            linear2: Linear::new(5, 1),
            custom_param: Parameter::new(Tensor::randn([5])),
            running_mean: Buffer::new(Tensor::zeros([5])),
            debug: false,
        }
    }
}
impl Forward for CustomModule {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = self.linear1.call(x);
        self.linear2.call(&x)
    }
}

fn names<T>(named: &[(String, T)]) -> Vec<&str> {
    named.iter().map(|(n, _)| n.as_str()).collect()
}

#[test]
fn names_and_order_are_pytorchs() {
    let model = CustomModule::new();
    let want = ["custom_param", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"];
    assert_eq!(names(&model.named_parameters()), want);
    assert_eq!(names(&model.named_buffers()), ["running_mean"]);
    assert_eq!(names(&model.named_modules()), ["", "linear1", "linear2"]);
    assert_eq!(names(&model.named_children()), ["linear1", "linear2"]);
    let keys = ["custom_param", "running_mean", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"];
    assert_eq!(model.state_dict().keys().collect::<Vec<_>>(), keys);
    assert_eq!(model.num_parameters(), 66);
    assert!(model.get_submodule("linear1").is::<Linear>());
    assert_eq!(model.get_parameter("linear2.weight").shape(), [1, 5]);
    let error = attempt(|| model.get_parameter("linear3.weight")).unwrap_err();
    assert_eq!(error.message(), "CustomModule has no parameter `linear3.weight`");
}

#[test]
fn prints_what_python_prints() {
    let model = CustomModule::new();
    let want = "CustomModule(
  (linear1): Linear(in_features=10, out_features=5, bias=True)
  (linear2): Linear(in_features=5, out_features=1, bias=True)
)";
    assert_eq!(model.to_string(), want);
    let nested = Sequential::new((Sequential::new((Linear::new(3, 3), Identity::new())), model));
    let want = "Sequential(
  (0): Sequential(
    (0): Linear(in_features=3, out_features=3, bias=True)
    (1): Identity()
  )
  (1): CustomModule(
    (linear1): Linear(in_features=10, out_features=5, bias=True)
    (linear2): Linear(in_features=5, out_features=1, bias=True)
  )
)";
    assert_eq!(nested.to_string(), want);
    assert_eq!(
        format!("{}", &nested[0]),
        want.lines().skip(1).take(4).map(|l| &l[2..]).collect::<Vec<_>>().join("\n").replacen("(0): ", "", 1)
    );
    let list = ModuleList::new((Linear::new(2, 3), Linear::new(3, 2), Linear::new(3, 2)));
    let want = "ModuleList(
  (0): Linear(in_features=2, out_features=3, bias=True)
  (1-2): 2 x Linear(in_features=3, out_features=2, bias=True)
)";
    assert_eq!(list.to_string(), want);
    assert_eq!(ModuleList::new(()).to_string(), "ModuleList()");
    let list = ParameterList::new([[2].as_slice(), &[4, 2]].map(|s| Parameter::new(Tensor::zeros(s))));
    let want = "ParameterList(
    (0): Parameter containing: [torch.float32 of size 2]
    (1): Parameter containing: [torch.float32 of size 4x2]
)";
    assert_eq!(list.to_string(), want);
}

#[derive(Module, Clone)]
struct ResidualBlock {
    base: Base,
    fc1: Linear,
    fc2: Linear,
}
impl Forward for ResidualBlock {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        &self.fc2.call(&self.fc1.call(x)) + x
    }
}
#[derive(Module, Clone)]
struct ResNet {
    base: Base,
    input_projection: Linear,
    residual_blocks: ModuleList,
    output_layer: Linear,
}
impl ResNet {
    fn new(input: usize, hidden: usize, blocks: usize, classes: usize) -> ResNet {
        let block =
            |_| ResidualBlock { base: Base::new(), fc1: Linear::new(hidden, hidden), fc2: Linear::new(hidden, hidden) };
        ResNet {
            base: Base::new(),
            input_projection: Linear::new(input, hidden),
            residual_blocks: (0..blocks).map(block).collect(),
            output_layer: Linear::new(hidden, classes),
        }
    }
}
impl Forward for ResNet {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.input_projection.call(x);
        for block in &self.residual_blocks {
            x = block.call(&x);
        }
        self.output_layer.call(&x)
    }
}

#[test]
fn a_list_of_blocks_runs_and_learns() {
    let net = ResNet::new(6, 8, 4, 3);
    assert_eq!(net.named_parameters()[4].0, "residual_blocks.0.fc1.bias".replace("fc1.bias", "fc2.weight"));
    assert!(net.to_string().contains("    (0-3): 4 x ResidualBlock(\n      (fc1): Linear("), "{net}");
    let y = net.call(&Tensor::ones([2, 6]));
    assert_eq!(y.shape(), [2, 3]);
    y.sum().backward();
    assert!(net.parameters().iter().all(|p| p.grad().is_some()));
    net.zero_grad();
    assert!(net.parameters().iter().all(|p| p.grad().is_none()));
}

#[test]
fn modes_reach_every_module() {
    let model = ResNet::new(2, 2, 2, 2);
    assert!(model.is_training());
    model.eval();
    assert!(model.modules().iter().all(|m| !m.is_training()));
    model.train();
    assert!(model.modules().iter().all(|m| m.is_training()));
    model.residual_blocks[0].eval();
    assert!(model.is_training() && !model.get_submodule("residual_blocks.0.fc2").is_training());
}

#[test]
fn freezing_and_thawing() {
    let model = CustomModule::new();
    model.linear1.requires_grad_(false);
    let state: Vec<bool> = model.parameters().iter().map(|p| p.requires_grad()).collect();
    assert_eq!(state, [true, false, false, true, true]);
    model.call(&Tensor::ones([2, 10])).sum().backward();
    assert!(model.linear1.weight.grad().is_none() && model.linear2.weight.grad().is_some());
    model.requires_grad_(true);
    model.call(&Tensor::ones([2, 10])).sum().backward();
    assert!(model.linear1.weight.grad().is_some());
}

#[derive(Module, Clone)]
struct StatefulLayer {
    base: Base,
    hidden_size: usize,
    input_transform: Linear,
    hidden_transform: Linear,
    hidden_state: Buffer,
}
impl StatefulLayer {
    fn new(input_size: usize, hidden_size: usize) -> StatefulLayer {
        StatefulLayer {
            base: Base::new(),
            hidden_size,
            input_transform: Linear::new(input_size, hidden_size),
            hidden_transform: Linear::new(hidden_size, hidden_size),
            hidden_state: Buffer::new(Tensor::zeros([1, hidden_size])),
        }
    }
    fn reset_state(&self, batch_size: usize) {
        self.hidden_state.set(Tensor::zeros([batch_size, self.hidden_size]));
    }
}
impl Forward for StatefulLayer {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        if self.hidden_state.get().size(0) != x.size(0) {
            self.reset_state(x.size(0));
        }
        let new_hidden = &self.input_transform.call(x) + &self.hidden_transform.call(&self.hidden_state.get());
        self.hidden_state.set(new_hidden.detach());
        new_hidden
    }
}

#[test]
fn a_buffer_changes_its_shape_in_forward() {
    let layer = StatefulLayer::new(10, 20);
    let first = layer.call(&Tensor::ones([3, 10]));
    assert_eq!(layer.hidden_state.get().shape(), [3, 20]);
    assert_eq!(layer.state_dict()["hidden_state"].to_vec::<f32>(), first.to_vec::<f32>());
    let second = layer.call(&Tensor::ones([3, 10]));
    assert_ne!(first.to_vec::<f32>(), second.to_vec::<f32>());
    second.sum().backward();
    layer.reset_state(1);
    assert_eq!(layer.clone().hidden_state.get().shape(), [1, 20]);
}

#[test]
fn a_state_dict_is_loaded_whole_or_not_at_all() {
    let (a, b) = (CustomModule::new(), CustomModule::new());
    let weight = b.linear1.weight.clone();
    assert_ne!(a.linear1.weight.to_vec::<f32>(), weight.to_vec::<f32>());
    let report = b.load_state_dict(&a.state_dict(), true).unwrap();
    assert!(report.missing_keys.is_empty() && report.unexpected_keys.is_empty());
    assert!(b.linear1.weight.is_same(&weight));
    assert_eq!(a.linear1.weight.to_vec::<f32>(), weight.to_vec::<f32>());
    assert!(!a.linear1.weight.shares_memory(&weight));

    let mut broken: StateDict = CustomModule::new().state_dict();
    broken.remove("custom_param");
    broken.remove("linear1.bias");
    broken.insert("extra", Tensor::zeros([1]));
    broken.insert("linear2.weight", Tensor::zeros([2, 5]));
    let before = b.state_dict().deep_copy();
    let error = b.load_state_dict(&broken, true).unwrap_err();
    let want = "Error(s) in loading state_dict for CustomModule:
\tMissing key(s) in state_dict: \"custom_param\", \"linear1.bias\". \n\tUnexpected key(s) in state_dict: \"extra\". \n\tsize mismatch for linear2.weight: copying a param with shape torch.Size([2, 5]) from checkpoint, the shape in current model is torch.Size([1, 5]).";
    assert_eq!(error.message(), want);
    for (name, tensor) in before.iter() {
        assert_eq!(tensor.to_vec::<f32>(), b.state_dict()[name].to_vec::<f32>(), "{name} was changed");
    }
    assert!(b.load_state_dict(&broken, false).is_err(), "a wrong shape is refused even if not strict");
    broken.remove("linear2.weight");
    let report = b.load_state_dict(&broken, false).unwrap();
    assert_eq!(report.missing_keys, ["custom_param", "linear1.bias", "linear2.weight"]);
    assert_eq!(report.unexpected_keys, ["extra"]);
}

#[test]
fn loading_converts_the_dtype_and_keeps_the_cell() {
    let a = Linear::new(3, 2);
    let half = Linear::with(3, 2, LinearOptions { dtype: DType::F64, ..Default::default() });
    let cell = half.weight.clone();
    half.load_state_dict(&a.state_dict(), true).unwrap();
    assert_eq!(cell.dtype(), DType::F64);
    let wide: Vec<f64> = a.weight.to_vec::<f32>().into_iter().map(f64::from).collect();
    assert_eq!(cell.to_vec::<f64>(), wide);
}

#[derive(Module, Clone)]
struct Tied {
    base: Base,
    encoder: Linear,
    decoder: Linear,
}
impl Tied {
    fn new() -> Tied {
        let encoder = Linear::with(4, 4, LinearOptions { bias: false, ..Default::default() });
        let mut decoder = Linear::new(4, 4);
        decoder.weight = encoder.weight.clone();
        Tied { base: Base::new(), encoder, decoder }
    }
}

#[test]
fn ties_hold_through_load_convert_and_copy() {
    let model = Tied::new();
    assert_eq!(names(&model.named_parameters()), ["encoder.weight", "decoder.bias"]);
    let keys = ["encoder.weight", "decoder.weight", "decoder.bias"];
    assert_eq!(model.state_dict().keys().collect::<Vec<_>>(), keys);
    model.load_state_dict(&Tied::new().state_dict(), true).unwrap();
    assert_eq!(model.encoder.weight.to_vec::<f32>(), model.decoder.weight.to_vec::<f32>());
    let weight = model.encoder.weight.clone();
    model.double();
    assert!(model.decoder.weight.is_same(&weight) && weight.dtype() == DType::F64 && weight.requires_grad());

    let shared = model.clone();
    assert!(shared.is_same_module(&model) && shared.encoder.weight.is_same(&weight));
    let copy = model.deep_copy();
    assert!(!copy.is_same_module(&model) && !copy.shares_state(&model));
    assert!(copy.encoder.weight.is_same(&copy.decoder.weight));
    assert!(!copy.encoder.weight.shares_memory(&weight) && copy.encoder.weight.requires_grad());
    assert_eq!(copy.encoder.weight.to_vec::<f64>(), weight.to_vec::<f64>());
    copy.eval();
    assert!(model.is_training());
}

#[test]
fn converting_keeps_gradients_and_integers() {
    let layer = Linear::new(2, 1);
    layer.call(&Tensor::ones([1, 2])).sum().backward();
    layer.double();
    assert_eq!(layer.weight.grad().unwrap().dtype(), DType::F64);
    let error = attempt(|| layer.to(DType::I64).base().id()).unwrap_err();
    assert!(error.message().contains("only accepts floating point"), "{error}");
}

#[derive(Module, Clone)]
struct Collections {
    base: Base,
    pair: (Linear, Linear),
    array: [Parameter; 2],
    maybe: Option<Linear>,
    missing: Option<Linear>,
    map: BTreeMap<String, Linear>,
    boxed: Box<dyn Layer>,
    dict: ModuleDict,
    #[module(name = "renamed")]
    field: Linear,
    #[module(skip)]
    outside: Option<std::sync::Arc<Linear>>,
    r#type: Parameter,
}

#[test]
fn every_kind_of_member_is_found() {
    let fc = || Linear::with(1, 1, LinearOptions { bias: false, ..Default::default() });
    let parameter = || Parameter::new(Tensor::zeros([1]));
    let model = Collections {
        base: Base::new(),
        pair: (fc(), fc()),
        array: [parameter(), parameter()],
        maybe: Some(fc()),
        missing: None,
        map: [("b", fc()), ("a", fc())].map(|(k, v)| (k.to_string(), v)).into(),
        boxed: fc().boxed(),
        dict: ModuleDict::new([("z", fc()), ("y", fc())]),
        field: fc(),
        outside: Some(std::sync::Arc::new(fc())),
        r#type: parameter(),
    };
    let want = [
        "array.0",
        "array.1",
        "type",
        "pair.0.weight",
        "pair.1.weight",
        "maybe.weight",
        "map.a.weight",
        "map.b.weight",
        "boxed.weight",
        "dict.z.weight",
        "dict.y.weight",
        "renamed.weight",
    ];
    assert_eq!(names(&model.named_parameters()), want);
    let copy = model.deep_copy();
    assert_eq!(names(&copy.named_parameters()), want);
    assert!(!copy.shares_state(&model) && copy.missing.is_none());
    assert!(copy.outside.unwrap().is_same_module(&**model.outside.as_ref().unwrap()));
    assert!(model.get_submodule("boxed").is::<Linear>());
    assert!(model.boxed.downcast_ref::<Linear>().is_some());
}

#[derive(Module, Clone)]
#[module(name = "Wrapped")]
struct Wrapper<M: Module + Clone> {
    base: Base,
    inner: M,
}
impl<M: Layer + Clone> Forward for Wrapper<M> {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.inner.call(x)
    }
}

#[test]
fn a_module_may_be_generic() {
    let model = Wrapper { base: Base::new(), inner: Linear::new(2, 2) };
    assert_eq!(model.to_string(), "Wrapped(\n  (inner): Linear(in_features=2, out_features=2, bias=True)\n)");
    assert_eq!(model.call(&Tensor::ones([1, 2])).shape(), [1, 2]);
}

#[test]
fn apply_goes_children_first() {
    let model = Sequential::new((Linear::new(1, 1), Sequential::new((Identity::new(),))));
    let mut seen = Vec::new();
    model.apply(|m| seen.push(m.class_name().to_string()));
    assert_eq!(seen, ["Linear", "Identity", "Sequential", "Sequential"]);
    let shared = Linear::new(1, 1);
    let twice = Sequential::new((shared.clone(), shared));
    assert_eq!((twice.children().len(), twice.modules().len(), twice.parameters().len()), (1, 2, 2));
    assert_eq!(twice.state_dict().len(), 4);
}

#[test]
fn containers_index_slice_and_refuse() {
    let mut model: Sequential = (1..4).map(|n| Linear::new(n, n + 1)).collect();
    assert_eq!((model.len(), model.iter().count()), (3, 3));
    assert_eq!(names(&model.slice(1..).named_parameters())[0], "1.weight");
    assert!(model.slice(1..).shares_state(&model));
    model.push(Identity::new());
    assert_eq!(model.get("3").unwrap().class_name(), "Identity");
    for wrong in ["", "a.b"] {
        assert!(attempt(|| Sequential::named([(wrong, Identity::new())])).is_err());
    }
    assert!(attempt(|| Sequential::named([("a", Identity::new()), ("a", Identity::new())])).is_err());
    assert!(attempt(|| model[7].class_name().len()).is_err());
    assert!(attempt(|| model.slice(3..9)).is_err());
}
