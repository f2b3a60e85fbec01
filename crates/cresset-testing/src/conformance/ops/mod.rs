//! The ops that the runner can call, by PyTorch's names. One file per family.

use super::args::Row;
use std::collections::HashMap;
use std::sync::OnceLock;

mod arrange;
mod creation;
mod index;
mod linalg;
mod losses;
mod nn_functional;
mod pointwise;
mod products;
mod random;
mod reduce;
mod shape;

pub use linalg::window;

/// A call that was found.
pub struct Call {
    /// The op.
    pub row: &'static Row,
    /// Was the in-place variant named (`torch.Tensor.add_`)?
    pub inplace: bool,
}

fn registry() -> &'static HashMap<&'static str, &'static Row> {
    static REGISTRY: OnceLock<HashMap<&'static str, &'static Row>> = OnceLock::new();
    REGISTRY.get_or_init(|| {
        let families: &[&'static [Row]] = &[
            arrange::ROWS,
            creation::ROWS,
            index::ROWS,
            linalg::ROWS,
            losses::ROWS,
            nn_functional::ROWS,
            pointwise::ROWS,
            products::ROWS,
            random::ROWS,
            reduce::ROWS,
            shape::ROWS,
        ];
        let mut map = HashMap::new();
        for row in families.iter().flat_map(|f| f.iter()) {
            let before = map.insert(row.name, row);
            assert!(before.is_none(), "two rows are called {}", row.name);
        }
        map
    })
}

/// The op that a name such as `torch.nn.functional.gelu` or `torch.Tensor.add_` means.
pub fn resolve(name: &str) -> Option<Call> {
    let (space, last) = name.rsplit_once('.')?;
    let prefix = match space {
        "torch.nn.functional" => "F.",
        "torch.Tensor" => "Tensor.",
        "torch.linalg" => "linalg.",
        "torch.special" => "special.",
        _ => "",
    };
    let find = |last: &str| {
        let names = match prefix {
            "" => vec![last.to_string(), format!("F.{last}")],
            "linalg." | "special." => vec![format!("{prefix}{last}")],
            _ => vec![format!("{prefix}{last}"), last.to_string()],
        };
        names.iter().find_map(|n| registry().get(n.as_str()).copied())
    };
    if let Some(row) = find(last) {
        return Some(Call { row, inplace: false });
    }
    let stripped = last.strip_suffix('_').filter(|s| !s.ends_with('_'))?;
    find(stripped).map(|row| Call { row, inplace: true })
}
