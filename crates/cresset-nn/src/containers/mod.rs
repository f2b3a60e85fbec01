//! Containers: modules that hold modules or parameters.

mod into_layers;
mod lambda;
mod module_dict;
mod module_list;
mod parameters;
mod sequential;

pub use into_layers::{IntoLayers, IntoNamedLayers};
pub use lambda::{Identity, Lambda};
pub use module_dict::ModuleDict;
pub use module_list::ModuleList;
pub use parameters::{ParameterDict, ParameterList};
pub use sequential::Sequential;
