//! Making an optimizer from recorded options.

use super::state::to_state;
use crate::conformance::args::{Res, Stop, unsupported};
use crate::golden::{Container, Value};
use cresset_optim::{
    AdadeltaOptions, AdagradOptions, AdamOptions, AdamWOptions, AdamaxOptions, AsgdOptions, NAdamOptions, Optimizer,
    OptimizerFor, ParamGroup, RAdamOptions, RMSpropOptions, RpropOptions, Rule, SgdOptions, StateValue,
};
use cresset_tensor::Tensor;

/// Named options.
pub type Kwargs = Vec<(String, Value)>;

/// An optimizer of the class over groups of parameters with options of their own.
pub fn optimizer(class: &str, file: &Container, kwargs: &Kwargs, groups: &[(Vec<Tensor>, Kwargs)]) -> Res<Optimizer> {
    match class {
        "torch.optim.SGD" => make(SgdOptions::default(), file, kwargs, groups),
        "torch.optim.Adam" => make(AdamOptions::default(), file, kwargs, groups),
        "torch.optim.AdamW" => make(AdamWOptions::default(), file, kwargs, groups),
        "torch.optim.RMSprop" => make(RMSpropOptions::default(), file, kwargs, groups),
        "torch.optim.Adagrad" => make(AdagradOptions::default(), file, kwargs, groups),
        "torch.optim.Adadelta" => make(AdadeltaOptions::default(), file, kwargs, groups),
        "torch.optim.Adamax" => make(AdamaxOptions::default(), file, kwargs, groups),
        "torch.optim.NAdam" => make(NAdamOptions::default(), file, kwargs, groups),
        "torch.optim.RAdam" => make(RAdamOptions::default(), file, kwargs, groups),
        "torch.optim.ASGD" => make(AsgdOptions::default(), file, kwargs, groups),
        "torch.optim.Rprop" => make(RpropOptions::default(), file, kwargs, groups),
        other => unsupported(format!("{other} is not there")),
    }
}

fn make<R: Rule>(default: R, file: &Container, kwargs: &Kwargs, groups: &[(Vec<Tensor>, Kwargs)]) -> Res<Optimizer> {
    let mut ready = Vec::new();
    let mut shared = Vec::new();
    for (params, own) in groups {
        let mut options = default.clone();
        let mut lr = None;
        for (key, value) in kwargs.iter().chain(own) {
            if key == "lr" {
                lr = match to_state(file, value).map_err(Stop::Unsupported)? {
                    StateValue::Tensor(t) => Some(t),
                    _ => None,
                };
            }
            set(&mut options, file, key, value)?;
        }
        ready.push(ParamGroup::new(params, options));
        shared.push(lr);
    }
    let optimizer = Optimizer::from(OptimizerFor::with_groups(ready));
    for (i, lr) in shared.into_iter().enumerate() {
        if let Some(lr) = lr {
            optimizer.share_lr(i, &lr);
        }
    }
    Ok(optimizer)
}

fn set<R: Rule>(options: &mut R, file: &Container, key: &str, value: &Value) -> Res<()> {
    if let Some((_, field)) = options.options().into_iter().find(|(k, _)| *k == key) {
        let value = to_state(file, value).map_err(Stop::Unsupported)?;
        return if field.load(&value) { Ok(()) } else { unsupported(format!("{key}={value:?}")) };
    }
    let flag = R::FLAGS.iter().find(|(k, _)| *k == key);
    match (flag, value) {
        (Some((_, None)), Value::None) => Ok(()),
        (Some((_, Some(want))), Value::Bool(b)) if want == b => Ok(()),
        _ => unsupported(format!("{key}={value:?}")),
    }
}
