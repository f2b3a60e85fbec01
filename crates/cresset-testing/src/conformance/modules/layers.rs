//! Layers.

use super::build::{Built, ModuleRow, module};
use cresset_nn::{Identity, Linear, LinearOptions};

pub(super) const ROWS: &[ModuleRow] = &[
    module("Identity", "*ignored", |a| {
        // It takes any arguments and ignores them.
        a.rest("ignored");
        Ok(Built::layer(Identity::new()))
    }),
    module("Linear", "in_features out_features bias", |a| {
        let options = LinearOptions {
            bias: a.bool_or("bias", true)?,
            dtype: a.dtype()?.unwrap_or(LinearOptions::default().dtype),
        };
        Ok(Built::layer(Linear::with(a.usize("in_features")?, a.usize("out_features")?, options)))
    }),
];
