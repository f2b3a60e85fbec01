//! The best epoch of a run that may stop early.

use cresset::StateDict;
use cresset::io::{self, Value};
use cresset::prelude::*;

/// The epoch with the lowest loss on the rows that are held out, and its network.
#[derive(Clone, Debug)]
pub struct Best {
    /// From 1.
    pub epoch: usize,
    pub loss: f64,
    pub model: StateDict,
}

impl Best {
    /// Keeps a copy of the network's numbers.
    pub fn new(epoch: usize, loss: f64, model: &impl Module) -> Best {
        Best { epoch, loss, model: model.state_dict().deep_copy() }
    }
    /// For a checkpoint.
    pub fn to_value(&self) -> Value {
        Value::dict([("epoch", self.epoch.into()), ("loss", self.loss.into()), ("model", (&self.model).into())])
    }
    /// From a checkpoint.
    pub fn from_value(v: &Value) -> io::Result<Best> {
        Ok(Best { epoch: v["epoch"].usize()?, loss: v["loss"].float()?, model: v["model"].state_dict()? })
    }
}
