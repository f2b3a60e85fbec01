//! Calling modules: hooks, several inputs, errors that name the module.

use cresset_nn::prelude::*;
use cresset_nn::{Gradients, Lambda, Linear, Sequential, init, register_module_forward_hook};
use cresset_tensor::{attempt, no_grad};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Module, Clone)]
struct SquaredError {
    base: Base,
}
impl Forward<(Tensor, Tensor)> for SquaredError {
    type Output = Tensor;
    fn forward(&self, (output, target): &(Tensor, Tensor)) -> Tensor {
        let difference = output - target;
        (&difference * &difference).sum()
    }
}

#[derive(Module, Clone)]
struct Attention {
    base: Base,
    score: Linear,
}
impl Forward<(Tensor, Option<Tensor>, bool)> for Attention {
    type Output = (Tensor, Option<Tensor>);
    fn forward(&self, (x, mask, weights): &(Tensor, Option<Tensor>, bool)) -> Self::Output {
        let y = self.score.call(x);
        let y = mask.as_ref().map_or(y.clone(), |m| &y * m);
        (y.clone(), weights.then_some(y))
    }
}

#[test]
fn several_inputs_are_a_tuple_of_references() {
    let criterion = SquaredError { base: Base::new() };
    let (output, target) = (Tensor::ones([3]), Tensor::zeros([3]));
    assert_eq!(criterion.call((&output, &target)).item::<f32>(), 3.0);
    assert_eq!(criterion.call(&(output.clone(), target)).item::<f32>(), 3.0);
    let attention = Attention { base: Base::new(), score: Linear::new(2, 1) };
    let (y, weights) = attention.call((&Tensor::ones([4, 2]), None, &true));
    assert_eq!((y.shape().to_vec(), weights.is_some()), (vec![4, 1], true));
    let (_, weights) = attention.call((&Tensor::ones([4, 2]), Some(&output.sum()), &false));
    assert!(weights.is_none());
}

fn log() -> (Arc<Mutex<Vec<String>>>, impl Fn(&str) + Clone) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = log.clone();
    (log, move |s: &str| writer.lock().unwrap().push(s.to_string()))
}

#[test]
fn forward_hooks_see_and_replace() {
    let model = Sequential::new((Linear::new(2, 3), Linear::new(3, 1)));
    let activations = Arc::new(Mutex::new(BTreeMap::new()));
    for (name, module) in model.named_children() {
        let activations = activations.clone();
        let _ = module.register_forward_hook(move |_, _, output| {
            activations.lock().unwrap().insert(name.clone(), output.detach());
        });
    }
    let x = Tensor::ones([4, 2]);
    let y = model.call(&x);
    let seen = activations.lock().unwrap().clone();
    assert_eq!(seen["0"].shape(), [4, 3]);
    assert_eq!(seen["1"].to_vec::<f32>(), y.to_vec::<f32>());
    assert!(!seen["1"].requires_grad());

    let (lines, write) = log();
    let (pre, post) = (write.clone(), write);
    let doubled = model.register_forward_pre_hook(move |m, input| {
        pre(&format!("pre {} {:?}", m.class_name(), input[0].shape()));
        &input[0] * 2.0
    });
    let replaced = model.register_forward_hook(move |_, input, output| {
        post(&format!("post {}", input.to_vec::<f32>()[0]));
        Some(output.detach())
    });
    let z = model.call(&x);
    assert!(!z.requires_grad());
    assert_eq!(*lines.lock().unwrap(), ["pre Sequential [4, 2]", "post 2"]);
    assert_eq!(model.forward(&x).to_vec::<f32>(), y.to_vec::<f32>(), "forward skips the hooks");
    doubled.remove();
    replaced.remove();
    assert!(model.call(&x).requires_grad());
    assert_eq!(lines.lock().unwrap().len(), 2);
}

#[test]
fn a_hook_may_use_its_module() {
    // No lock is held while a hook runs: it may register, remove and call.
    let layer = Linear::new(2, 2);
    let again = layer.clone();
    let _ = layer.register_forward_hook(move |module, _, _| {
        let handle = module.register_forward_hook(|_, _, _| {});
        handle.remove();
        again.forward(&Tensor::ones([1, 2]));
        again.eval();
    });
    layer.call(&Tensor::ones([1, 2]));
    assert!(!layer.is_training());
}

#[test]
fn global_hooks_see_every_module() {
    let (lines, write) = log();
    let model = Sequential::named([("only-here", Linear::new(7, 1))]);
    let mine: Vec<u64> = model.modules().iter().map(|m| m.base().id()).collect();
    let handle = register_module_forward_hook(move |m, _, _| {
        if mine.contains(&m.base().id()) {
            write(m.class_name());
        }
    });
    model.call(&Tensor::ones([1, 7]));
    handle.remove();
    model.call(&Tensor::ones([1, 7]));
    assert_eq!(*lines.lock().unwrap(), ["Linear", "Sequential"]);
}

#[test]
fn full_backward_hooks_see_both_ends() {
    let layer = Linear::new(3, 2);
    init::constant_(&layer.weight, 2.0);
    let seen: Arc<Mutex<Vec<(Gradients, Gradients)>>> = Arc::default();
    let kept = seen.clone();
    let handle = layer.register_full_backward_hook(move |module, grad_input, grad_output| {
        assert_eq!(module.class_name(), "Linear");
        kept.lock().unwrap().push((grad_input.clone(), grad_output.clone()));
    });
    let x = Tensor::ones([1, 3]).requires_grad_(true);
    layer.call(&x).mul(5.0).sum().backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [20.0; 3]);
    assert_eq!(layer.weight.grad().unwrap().to_vec::<f32>(), [5.0; 6]);
    let (grad_input, grad_output) = seen.lock().unwrap().pop().unwrap();
    assert_eq!(grad_input[0].to_vec::<f32>(), [20.0; 3]);
    assert_eq!(grad_output[0].to_vec::<f32>(), [5.0; 2]);

    // An input that needs no grad has none; the hook runs all the same.
    layer.call(&Tensor::ones([1, 3])).sum().backward();
    let (grad_input, grad_output) = seen.lock().unwrap().pop().unwrap();
    assert!(grad_input.get(0).is_none() && grad_input.all().len() == 1);
    assert_eq!(grad_output[0].to_vec::<f32>(), [1.0; 2]);
    assert!(attempt(|| grad_input[0].numel()).unwrap_err().message().contains("no gradient 0"));

    assert!(!no_grad(|| layer.call(&x)).requires_grad());
    handle.remove();
    layer.call(&x).sum().backward();
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn backward_hooks_replace_gradients() {
    let layer = Linear::new(2, 2);
    init::ones_(&layer.weight);
    let before = layer.register_full_backward_pre_hook(|_, grad_output| vec![&grad_output[0] * 10.0]);
    let after = layer.register_full_backward_hook(|_, grad_input, _| &grad_input[0] * 3.0);
    let x = Tensor::ones([1, 2]).requires_grad_(true);
    layer.call(&x).sum().backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [60.0; 2]);
    assert_eq!(layer.weight.grad().unwrap().to_vec::<f32>(), [10.0; 4]);
    before.remove();
    after.remove();
}

#[test]
fn a_wrong_number_of_replacements_is_refused() {
    let layer = Linear::new(2, 2);
    let _ = layer.register_forward_hook(|_, _, y| vec![y.detach(), y.detach()]);
    let error = attempt(|| layer.call(&Tensor::ones([1, 2]))).unwrap_err();
    assert_eq!(error.message(), "a forward hook returned 2 tensors, but 1 are to be replaced");
}

#[derive(Module, Clone)]
struct Net {
    base: Base,
    network: Sequential,
}
impl Forward for Net {
    type Output = Tensor;
    fn forward(&self, x: &Tensor) -> Tensor {
        self.network.call(x)
    }
}
const NETWORK_CALL: u32 = line!() - 3;

#[test]
fn an_error_names_the_module() {
    let net = Net { base: Base::new(), network: Sequential::new((Linear::new(4, 3), Linear::new(5, 2))) };
    let error = attempt(|| net.call(&Tensor::ones([1, 4]))).unwrap_err();
    assert_eq!(error.module_path(), Some("network.1 (Linear)"));
    assert!(error.to_string().contains("in network.1 (Linear)"), "{error}");
    // Nothing is left behind: the next call works, and so does an error outside any module.
    let error = attempt(|| &Tensor::ones([2]) + &Tensor::ones([3])).unwrap_err();
    assert_eq!(error.module_path(), None);
    let error = attempt(|| net.network[1].call(&Tensor::ones([1, 4]))).unwrap_err();
    assert_eq!(error.module_path(), Some("Linear"));
    // The line is the program's: its innermost call of a layer that refused, or of an op.
    let at = error.location().unwrap();
    assert_eq!((at.file(), at.line()), (file!(), line!() - 4));
    let error = attempt(|| net.call(&Tensor::ones([1, 4]))).unwrap_err();
    assert_eq!(error.location().unwrap().line(), NETWORK_CALL);
}

#[test]
fn a_panic_of_the_program_passes_through() {
    let model = Sequential::new((Lambda::new(|_| panic!("mine")),));
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| model.call(&Tensor::ones([1]))));
    assert_eq!(caught.err().unwrap().downcast_ref::<&str>(), Some(&"mine"));
}
