//! Saving and loading an optimizer's state, in PyTorch's layout.

use crate::optimizer::{Group, Optimizer};
use crate::rule::{AnyRule, Layout, Param, ParamState};
use crate::state::{OptimizerState, StateValue};
use cresset_tensor::{Error, Scalar, Tensor};

impl Optimizer {
    /// The state of all parameters and the options of all groups (`optimizer.state_dict()`), with tensors of its own: a snapshot that further
    /// steps do not change.
    ///
    /// ```
    /// use cresset_optim::Adam;
    /// use cresset_tensor::Tensor;
    /// let w = Tensor::from_slice(&[1.0f32, 2.0]).requires_grad_(true);
    /// let adam = Adam::new([&w], 0.1);
    /// w.sum().backward();
    /// adam.step();
    /// let saved = adam.state_dict();
    /// assert_eq!(saved.state[0].1[0].0, "step");
    ///
    /// let resumed = Adam::new([&w], 0.5);
    /// resumed.load_state_dict(&saved)?;
    /// assert_eq!(resumed.lrs(), [0.1]);
    /// # Ok::<(), cresset_tensor::Error>(())
    /// ```
    pub fn state_dict(&self) -> OptimizerState {
        let mut out = OptimizerState::default();
        let mut index = 0;
        for group in &mut self.lock().groups {
            let layout = group.rule.layout();
            let first = index;
            for p in &group.params {
                let state = save(&layout, p);
                if !state.is_empty() || p.state.begun && layout.step {
                    out.state.push((index, state));
                }
                index += 1;
            }
            let mut options = group.options();
            let numbers = (first..index).map(|i| StateValue::Int(i as i64)).collect();
            options.push(("params".to_string(), StateValue::List(numbers)));
            out.param_groups.push(options);
        }
        out
    }

    /// Takes a saved state over (`optimizer.load_state_dict(...)`): groups and parameters are matched by their order. The numbers are copied, and
    /// converted to the dtype of their parameter.
    ///
    /// # Errors
    /// If groups, their sizes, shapes or kinds of values do not fit. Then nothing has changed.
    pub fn load_state_dict(&self, saved: &OptimizerState) -> Result<(), Error> {
        let mut shared = self.lock();
        let groups = &mut shared.groups;
        let name = groups[0].rule.name();
        let bad = |what: String| Error::new(format!("{name}.load_state_dict"), what);
        if groups.len() != saved.param_groups.len() {
            return Err(bad("loaded state dict has a different number of parameter groups".into()));
        }
        // Everything is read before anything is changed.
        let mut fresh = Vec::new();
        let mut used = 0;
        for (group, options) in groups.iter().zip(&saved.param_groups) {
            let numbers = options.iter().find(|(k, _)| k == "params").and_then(|(_, v)| v.items());
            let numbers = numbers.ok_or_else(|| bad("loaded state dict has a group without 'params'".into()))?;
            if numbers.len() != group.params.len() {
                return Err(bad(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
                        .into(),
                ));
            }
            let loaded = Loaded::read(group, options).map_err(&bad)?;
            let mut states = Vec::new();
            for (p, number) in group.params.iter().zip(numbers) {
                let number = number.number().filter(|n| *n >= 0.0 && n.fract() == 0.0);
                let number = number.ok_or_else(|| bad("'params' must hold numbers of parameters".into()))? as usize;
                states.push(match saved.state.iter().find(|(i, _)| *i == number) {
                    Some((_, entries)) => {
                        used += 1;
                        load(&group.rule.layout(), p, entries)
                            .map_err(|e| bad(format!("state of parameter {number}: {e}")))?
                    }
                    None => ParamState::default(),
                });
            }
            fresh.push((loaded, states));
        }
        if used != saved.state.len() {
            return Err(bad("loaded state dict contains the state of a parameter that is in no group".into()));
        }
        for (group, (loaded, states)) in groups.iter_mut().zip(fresh) {
            (group.rule, group.extras, group.lr) = (loaded.rule, loaded.extras, loaded.lr);
            for (p, state) in group.params.iter_mut().zip(states) {
                p.state = state;
                group.rule.start(p);
            }
        }
        Ok(())
    }
}

/// A group's options, read but not yet in force.
struct Loaded {
    rule: Box<dyn AnyRule>,
    extras: Vec<(String, StateValue)>,
    lr: Option<Tensor>,
}

impl Loaded {
    fn read(group: &Group, options: &[(String, StateValue)]) -> Result<Loaded, String> {
        let mut loaded = Loaded { rule: group.rule.copy(), extras: Vec::new(), lr: None };
        for (key, value) in options.iter().filter(|(k, _)| k != "params") {
            if let ("lr", StateValue::Tensor(t)) = (key.as_str(), value) {
                loaded.lr = Some(Tensor::from_array(t.array().copy()));
            }
            match loaded.rule.fields().into_iter().find(|(k, _)| k == key) {
                Some((_, field)) => {
                    if !field.load(value) {
                        return Err(format!("the option {key} cannot be {value:?}"));
                    }
                }
                None => loaded.extras.push((key.clone(), value.clone())),
            }
        }
        loaded.rule.refusal()?;
        Ok(loaded)
    }
}

fn number(value: f32) -> StateValue {
    StateValue::Tensor(Tensor::from_array(cresset_tensor::Array::full(
        cresset_tensor::Meta::new(cresset_tensor::DType::F32, []),
        Scalar::Float(f64::from(value)),
    )))
}

fn save(layout: &Layout, p: &Param) -> Vec<(String, StateValue)> {
    let state = &p.state;
    let mut out = Vec::new();
    if state.begun {
        if layout.step {
            out.push(("step".to_string(), number(state.step)));
        }
        for (name, value) in layout.numbers.iter().zip(state.numbers) {
            out.push((name.to_string(), number(value)));
        }
    }
    for (name, slot) in layout.tensors.iter().zip(&state.slots) {
        if let Some(a) = slot {
            out.push((name.to_string(), StateValue::Tensor(Tensor::from_array(a.copy()))));
        }
    }
    out.extend(state.others.iter().cloned());
    out
}

fn load(layout: &Layout, p: &Param, entries: &[(String, StateValue)]) -> Result<ParamState, String> {
    let mut state = ParamState { begun: true, ..Default::default() };
    let meta = p.tensor.meta();
    let single = |key: &str, value: &StateValue| {
        value.number().map(|v| v as f32).ok_or_else(|| format!("{key} must be a number, got {value:?}"))
    };
    for (key, value) in entries {
        if layout.step && key == "step" {
            state.step = single(key, value)?;
        } else if let Some(i) = layout.numbers.iter().position(|k| k == key) {
            state.numbers[i] = single(key, value)?;
        } else if let Some(i) = layout.tensors.iter().position(|k| k == key) {
            match value {
                StateValue::None => {}
                StateValue::Tensor(t) if t.shape() == meta.shape => {
                    let dtype = if meta.dtype.is_floating_point() { meta.dtype } else { t.dtype() };
                    state.slots[i] = Some(t.array().to(dtype).copy());
                }
                StateValue::Tensor(t) => {
                    return Err(format!("{key} has the shape {:?}, but the parameter has {:?}", t.shape(), meta.shape));
                }
                other => return Err(format!("{key} must be a tensor, got {other:?}")),
            }
        } else {
            state.others.push((key.clone(), value.deep_copy()));
        }
    }
    Ok(state)
}
