//! Learning-rate schedules: sixty steps each.

use super::state::{same, to_state};
use crate::conformance::args::{Res, Stop, unsupported};
use crate::conformance::report::{Outcome, guarded};
use crate::golden::{Container, Value};
use cresset_optim::{
    Anneal, ChainedScheduler, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, CyclicLROptions,
    CyclicMode, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, MultiplicativeLR, OneCycleLR, OneCycleLROptions,
    Optimizer, ParamGroup, PerGroup, PlateauMode, PolynomialLR, ReduceLROnPlateau, ReduceLROnPlateauOptions, SGD,
    Scheduler, SequentialLR, SgdOptions, StateValue, StepLR, ThresholdMode,
};
use cresset_tensor::{Error, Tensor};
use serde_json::Value as Json;
use std::cell::RefCell;

/// The cases of `schedulers.json`.
pub fn schedulers(json: &Json) -> Vec<(String, Outcome)> {
    let cases = json["cases"].as_array().into_iter().flatten();
    cases
        .map(|case| {
            let name = format!("{} ({})", case["i"], case["scheduler"].as_str().unwrap_or_default());
            (name, guarded(|| run(case).unwrap_or_else(Outcome::from)))
        })
        .collect()
}

enum Any {
    Plain(Box<dyn Scheduler>),
    Plateau(ReduceLROnPlateau),
}

impl Any {
    fn step(&mut self, metric: Option<f64>) {
        match self {
            Any::Plain(s) => s.step(),
            Any::Plateau(s) => s.step(metric.unwrap_or(f64::NAN)),
        }
    }
    fn state_dict(&self) -> StateValue {
        match self {
            Any::Plain(s) => s.state_dict(),
            Any::Plateau(s) => s.state_dict(),
        }
    }
    fn load_state_dict(&mut self, saved: &StateValue) -> Result<(), Error> {
        match self {
            Any::Plain(s) => s.load_state_dict(saved),
            Any::Plateau(s) => s.load_state_dict(saved),
        }
    }
    fn get_last_lr(&self) -> Vec<f64> {
        match self {
            Any::Plain(s) => s.get_last_lr(),
            Any::Plateau(s) => s.get_last_lr(),
        }
    }
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
}

fn agree(got: &[f64], want: &[f64], what: &str) -> Result<(), String> {
    let close = |g: &f64, w: &f64| (g - w).abs() <= 1e-12 * w.abs();
    if got.len() == want.len() && got.iter().zip(want).all(|(g, w)| close(g, w)) {
        return Ok(());
    }
    Err(format!("{what}: got {got:?}, want {want:?}"))
}

fn run(case: &Json) -> Res<Outcome> {
    let file = Container::without_numbers();
    let about = &case["optimizer"];
    let options = SgdOptions {
        lr: about["lr"].as_f64().unwrap_or(0.5),
        momentum: about["momentum"].as_f64().unwrap_or(0.0),
        ..Default::default()
    };
    if about["name"] != "SGD" {
        return unsupported(format!("an optimizer {}", about["name"]));
    }
    let group = |lr| ParamGroup::new([Tensor::zeros([1]).requires_grad_(true)], SgdOptions { lr, ..options });
    let optimizer = SGD::with_groups(numbers(&about["lrs"]).into_iter().map(group));
    let mut scheduler = build(&optimizer, case)?;
    let rows: Vec<Vec<f64>> = case["lr"].as_array().into_iter().flatten().map(numbers).collect();
    let check = || -> Result<(), String> {
        for (k, row) in rows.iter().enumerate() {
            if k > 0 {
                optimizer.step();
                scheduler.step(case["metrics"][k - 1].as_f64());
            }
            agree(&optimizer.lrs(), row, &format!("learning rates after {k} steps"))?;
            if case["momentum"][k].is_array() {
                let got: Vec<f64> =
                    optimizer.param_groups().iter().map(|g| g.number("momentum").unwrap_or(f64::NAN)).collect();
                agree(&got, &numbers(&case["momentum"][k]), &format!("momentum after {k} steps"))?;
            }
            if k == 30 && case.get("state_dict_30").is_some() {
                let want = Value::parse(&case["state_dict_30"])?;
                same(&file, &scheduler.state_dict(), &want, &Json::Null, "state_dict")?;
                // What cannot be stored cannot be loaded either.
                if let Ok(saved) = to_state(&file, &want) {
                    scheduler.load_state_dict(&saved).map_err(|e| e.to_string())?;
                }
            }
        }
        agree(&scheduler.get_last_lr(), &numbers(&case["last_lr"]), "get_last_lr")
    };
    let mut check = check;
    Ok(check().into())
}

/// The options of a recorded call; all of them must be read.
struct Options<'a> {
    kwargs: &'a Json,
    read: RefCell<Vec<String>>,
}

impl<'a> Options<'a> {
    fn get(&self, key: &str) -> Option<&'a Json> {
        self.read.borrow_mut().push(key.to_string());
        self.kwargs.get(key).filter(|v| !v.is_null())
    }
    fn number(&self, key: &str, default: f64) -> f64 {
        self.get(key).and_then(Json::as_f64).unwrap_or(default)
    }
    fn count(&self, key: &str, default: usize) -> usize {
        self.get(key).and_then(Json::as_u64).map_or(default, |n| n as usize)
    }
    fn flag(&self, key: &str, default: bool) -> bool {
        self.get(key).and_then(Json::as_bool).unwrap_or(default)
    }
    fn text(&self, key: &str, default: &'a str) -> &'a str {
        self.get(key).and_then(Json::as_str).unwrap_or(default)
    }
    fn per_group(&self, key: &str, default: f64) -> PerGroup {
        match self.get(key) {
            Some(list @ Json::Array(_)) => PerGroup::Each(numbers(list)),
            other => PerGroup::Same(other.and_then(Json::as_f64).unwrap_or(default)),
        }
    }
    fn formula(&self, key: &str) -> Res<fn(i64) -> f64> {
        let name = self.get(key).and_then(|f| f["formula"].as_str()).unwrap_or_default();
        Ok(match name {
            "pow95" => |e| 0.95f64.powf(e as f64),
            "inv_time" => |e| 1.0 / (1.0 + 0.1 * e as f64),
            "warmup10" => |e| ((e + 1) as f64 / 10.0).min(1.0),
            "half_every_7" => |e| 0.5f64.powf((e / 7) as f64),
            "const_0.97" => |_| 0.97,
            "one_minus" => |e| 1.0 - 0.01 * (e % 5) as f64,
            _ => return unsupported(format!("{key}={:?}", self.kwargs.get(key))),
        })
    }
    fn all_read(&self) -> Res<()> {
        let read = self.read.borrow();
        match self.kwargs.as_object().into_iter().flatten().find(|(k, _)| !read.contains(k)) {
            None => Ok(()),
            Some((k, v)) => unsupported(format!("{k}={v}")),
        }
    }
}

fn build(optimizer: &Optimizer, case: &Json) -> Res<Any> {
    let none = Json::Null;
    let o = Options { kwargs: case.get("kwargs").unwrap_or(&none), read: RefCell::default() };
    let parts = || -> Res<Vec<Box<dyn Scheduler>>> {
        let list = case["schedulers"].as_array().into_iter().flatten();
        list.map(|part| match build(optimizer, part)? {
            Any::Plain(s) => Ok(s),
            Any::Plateau(_) => Err(Stop::Inexpressible("ReduceLROnPlateau among other schedulers".into())),
        })
        .collect()
    };
    let scheduler: Box<dyn Scheduler> = match case["scheduler"].as_str().unwrap_or_default() {
        "StepLR" => Box::new(StepLR::new(optimizer, o.count("step_size", 0), o.number("gamma", 0.1))),
        "MultiStepLR" => {
            let milestones: Vec<usize> =
                o.get("milestones").map(numbers).unwrap_or_default().iter().map(|m| *m as usize).collect();
            Box::new(MultiStepLR::new(optimizer, milestones, o.number("gamma", 0.1)))
        }
        "ConstantLR" => Box::new(ConstantLR::new(optimizer, o.number("factor", 1.0 / 3.0), o.count("total_iters", 5))),
        "LinearLR" => Box::new(LinearLR::new(
            optimizer,
            o.number("start_factor", 1.0 / 3.0),
            o.number("end_factor", 1.0),
            o.count("total_iters", 5),
        )),
        "ExponentialLR" => Box::new(ExponentialLR::new(optimizer, o.number("gamma", f64::NAN))),
        "PolynomialLR" => Box::new(PolynomialLR::new(optimizer, o.count("total_iters", 5), o.number("power", 1.0))),
        "CosineAnnealingLR" => {
            Box::new(CosineAnnealingLR::new(optimizer, o.count("T_max", 0), o.number("eta_min", 0.0)))
        }
        "CosineAnnealingWarmRestarts" => Box::new(CosineAnnealingWarmRestarts::new(
            optimizer,
            o.count("T_0", 0),
            o.count("T_mult", 1),
            o.number("eta_min", 0.0),
        )),
        "LambdaLR" => Box::new(LambdaLR::new(optimizer, o.formula("lr_lambda")?)),
        "MultiplicativeLR" => Box::new(MultiplicativeLR::new(optimizer, o.formula("lr_lambda")?)),
        "OneCycleLR" => Box::new(one_cycle(optimizer, &o)?),
        "CyclicLR" => Box::new(cyclic(optimizer, &o)?),
        "ChainedScheduler" => Box::new(ChainedScheduler::new(parts()?)),
        "SequentialLR" => {
            let milestones: Vec<usize> = numbers(&case["milestones"]).iter().map(|m| *m as usize).collect();
            Box::new(SequentialLR::new(optimizer, parts()?, milestones))
        }
        "ReduceLROnPlateau" => {
            let plateau = plateau(optimizer, &o)?;
            o.all_read()?;
            return Ok(Any::Plateau(plateau));
        }
        other => return unsupported(format!("{other} is not there")),
    };
    o.all_read()?;
    Ok(Any::Plain(scheduler))
}

fn one_cycle(optimizer: &Optimizer, o: &Options) -> Res<OneCycleLR> {
    let steps = o.count("epochs", 0) * o.count("steps_per_epoch", 0);
    let options = OneCycleLROptions {
        pct_start: o.number("pct_start", 0.3),
        anneal_strategy: match o.text("anneal_strategy", "cos") {
            "cos" => Anneal::Cos,
            "linear" => Anneal::Linear,
            other => return unsupported(format!("anneal_strategy={other}")),
        },
        cycle_momentum: o.flag("cycle_momentum", true),
        base_momentum: o.per_group("base_momentum", 0.85),
        max_momentum: o.per_group("max_momentum", 0.95),
        div_factor: o.number("div_factor", 25.0),
        final_div_factor: o.number("final_div_factor", 1e4),
        three_phase: o.flag("three_phase", false),
        ..OneCycleLROptions::new(o.per_group("max_lr", f64::NAN), o.count("total_steps", steps))
    };
    Ok(OneCycleLR::with(optimizer, options))
}

fn cyclic(optimizer: &Optimizer, o: &Options) -> Res<CyclicLR> {
    let options = CyclicLROptions {
        step_size_up: o.count("step_size_up", 2000),
        step_size_down: o.get("step_size_down").and_then(Json::as_u64).map(|n| n as usize),
        mode: match o.text("mode", "triangular") {
            "triangular" => CyclicMode::Triangular,
            "triangular2" => CyclicMode::Triangular2,
            "exp_range" => CyclicMode::ExpRange,
            other => return unsupported(format!("mode={other}")),
        },
        gamma: o.number("gamma", 1.0),
        cycle_momentum: o.flag("cycle_momentum", true),
        base_momentum: o.per_group("base_momentum", 0.8),
        max_momentum: o.per_group("max_momentum", 0.9),
        ..CyclicLROptions::new(o.per_group("base_lr", f64::NAN), o.per_group("max_lr", f64::NAN))
    };
    Ok(CyclicLR::with(optimizer, options))
}

fn plateau(optimizer: &Optimizer, o: &Options) -> Res<ReduceLROnPlateau> {
    let options = ReduceLROnPlateauOptions {
        mode: match o.text("mode", "min") {
            "min" => PlateauMode::Min,
            "max" => PlateauMode::Max,
            other => return unsupported(format!("mode={other}")),
        },
        factor: o.number("factor", 0.1),
        patience: o.count("patience", 10),
        threshold: o.number("threshold", 1e-4),
        threshold_mode: match o.text("threshold_mode", "rel") {
            "rel" => ThresholdMode::Rel,
            "abs" => ThresholdMode::Abs,
            other => return unsupported(format!("threshold_mode={other}")),
        },
        cooldown: o.count("cooldown", 0),
        min_lr: o.per_group("min_lr", 0.0),
        eps: o.number("eps", 1e-8),
    };
    Ok(ReduceLROnPlateau::with(optimizer, options))
}
