//! `cresset eval`.

use crate::args::{Activation, DataName, Eval, Source};
use crate::checkpoint::{Checkpoint, path_of};
use crate::criterion::Criterion;
use crate::data::{self, Rows, Task};
use crate::failure::{Failure, Result};
use crate::model::{MultiClassifier, norm, sizes};
use crate::report::{final_text, measure};
use crate::say;
use cresset::StateDict;
use cresset::io;
use cresset::prelude::*;

/// Measures a trained network.
pub fn eval(args: &Eval) -> Result<()> {
    if let Some(threads) = args.threads {
        cresset::set_num_threads(threads);
    }
    let path = path_of(&args.run);
    let value = io::load(&path)?;
    let here = |e: Failure| e.while_(path.display());
    let (state, rows, task, activation, criterion) = if Checkpoint::is_one(&value) {
        let saved = Checkpoint::from_value(&value).map_err(|e| here(e.into()))?;
        let activation = args.activation.unwrap_or(saved.options.network.activation);
        let source = overridden(&saved.options.source, args);
        let (rows, task) = if args.csv.is_some() {
            let rows = data::load_all(&source, &saved.task, saved.scale.as_ref())?;
            (rows, saved.task)
        } else {
            let data = data::load(&source)?;
            if data.task != saved.task {
                return Err(Failure::new("the data is not what the network was trained with: its targets are others"));
            }
            (data.test, data.task)
        };
        let criterion = Criterion::new(&saved.options.training, &task)?;
        // Where rows are held out, the best epoch's network is the one that is kept.
        (saved.best.map_or(saved.model, |best| best.model), rows, task, activation, criterion)
    } else {
        let state = value.state_dict().map_err(|e| here(e.into()))?;
        let plain = Source { data: DataName::Digits, data_dir: None, csv: None, target: None, test_fraction: 0.2 };
        let data = data::load(&overridden(&plain, args))?;
        let criterion = Criterion::usual(&data.task);
        (state, data.test, data.task, args.activation.unwrap_or(Activation::Relu), criterion)
    };
    let model = network(&state, &rows, &task, activation).map_err(here)?;
    let (test, counts) = measure(&model, &rows, &task, criterion);
    say(&format!(
        "{model}\n{} parameters; {} rows\n\n{}",
        model.num_parameters(),
        rows.len(),
        final_text(&task, &test, &counts)
    ))
}

/// The data that was trained with, but for what the command line says.
fn overridden(source: &Source, args: &Eval) -> Source {
    let mut source = source.clone();
    if let Some(csv) = &args.csv {
        source.data = DataName::Csv;
        source.csv = Some(csv.clone());
    }
    source.data = args.data.unwrap_or(source.data);
    source.data_dir = args.data_dir.clone().or(source.data_dir);
    source.target = args.target.clone().or(source.target);
    source
}

/// The network of a state dict, in evaluation mode.
fn network(state: &StateDict, rows: &Rows, task: &Task, activation: Activation) -> Result<MultiClassifier> {
    let (inputs, hidden, outputs) = sizes(state)?;
    if inputs != rows.inputs() || outputs != task.outputs() {
        return Err(Failure::new(format!(
            "its network takes {inputs} numbers and gives {outputs}, but the data has {} and needs {}",
            rows.inputs(),
            task.outputs()
        )));
    }
    let model = MultiClassifier::new(inputs, &hidden, outputs, 0.0, activation, norm(state));
    model.load_state_dict(state, true)?;
    model.eval();
    Ok(model)
}
