//! State dicts that do not quite fit: other names, a part of them, another dtype.

use crate::error::{Result, bail};
use cresset_tensor::{DType, StateDict, Tensor};
use std::collections::HashMap;
use std::fmt;

/// Changing the names and dtypes of a state dict. Tensors are shared with the old one, not copied; tied weights stay tied.
///
/// In patterns a `*` stands for any text, dots included: `encoder.*.weight`.
///
/// ```
/// # fn main() -> Result<(), cresset_io::Error> {
/// use cresset_io::Surgery;
/// use cresset_tensor::{StateDict, Tensor};
/// let saved: StateDict = [("module.layers.0.weight", Tensor::ones([2, 3])), ("module.head.bias", Tensor::zeros([5]))].into_iter().collect();
/// let state = saved.strip_prefix("module.")?.rename("layers.*.weight", "blocks.*.w")?;
/// assert_eq!(state.keys().collect::<Vec<_>>(), ["blocks.0.w", "head.bias"]);
/// let model: StateDict = [("blocks.0.w", Tensor::zeros([2, 3])), ("head.bias", Tensor::zeros([10]))].into_iter().collect();
/// let fit = state.fit(&model);
/// assert_eq!(fit.state.keys().collect::<Vec<_>>(), ["blocks.0.w"]);
/// assert_eq!(fit.to_string(), "1 of 2 tensors fit; of another shape: head.bias (the file has [5], the model [10])");
/// # Ok(()) }
/// ```
pub trait Surgery {
    /// Names that match `from` become `to`, whose stars stand for what the stars of `from` stood for, in order.
    ///
    /// # Errors
    /// If `to` has more stars than `from`, or two tensors would have one name.
    fn rename(&self, from: &str, to: &str) -> Result<StateDict>;
    /// Every name with this before it.
    fn add_prefix(&self, prefix: &str) -> StateDict;
    /// Names that begin so without that; the others as they are (`module.` of `DataParallel`, `_orig_mod.` of a compiled model).
    ///
    /// # Errors
    /// If two tensors would have one name.
    fn strip_prefix(&self, prefix: &str) -> Result<StateDict>;
    /// Those whose names match the pattern.
    fn only(&self, pattern: &str) -> StateDict;
    /// Floating-point tensors in this dtype; the others as they are (`{k: v.to(dtype) if v.is_floating_point() else v}`).
    fn cast(&self, dtype: DType) -> StateDict;
    /// What of it fits a model whose state dict is `model`, and a report of what does not: [`Fit::state`] loads with `strict = false`.
    fn fit(&self, model: &StateDict) -> Fit;
}

/// What [`Surgery::fit`] finds.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The tensors that fit, to be loaded with `strict = false`.
    pub state: StateDict,
    /// Names of the model that are not there.
    pub missing: Vec<String>,
    /// Names that the model does not have.
    pub unexpected: Vec<String>,
    /// Names whose shapes differ, with the shape that is there and the model's.
    pub misshaped: Vec<(String, Vec<usize>, Vec<usize>)>,
    wanted: usize,
}

impl Fit {
    /// Does everything fit?
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshaped.is_empty()
    }
}

impl fmt::Display for Fit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} of {} tensors fit", self.state.len(), self.wanted)?;
        if !self.missing.is_empty() {
            write!(f, "; missing: {}", self.missing.join(", "))?;
        }
        if !self.unexpected.is_empty() {
            write!(f, "; unexpected: {}", self.unexpected.join(", "))?;
        }
        if !self.misshaped.is_empty() {
            let one = |(name, is, wanted): &(String, Vec<usize>, Vec<usize>)| {
                format!("{name} (the file has {is:?}, the model {wanted:?})")
            };
            let all: Vec<String> = self.misshaped.iter().map(one).collect();
            write!(f, "; of another shape: {}", all.join(", "))?;
        }
        Ok(())
    }
}

impl Surgery for StateDict {
    fn rename(&self, from: &str, to: &str) -> Result<StateDict> {
        if to.matches('*').count() > from.matches('*').count() {
            bail!("{to:?} has more stars than {from:?}");
        }
        renamed(self, |name| matches(from, name).map(|parts| fill(to, &parts)))
    }
    fn add_prefix(&self, prefix: &str) -> StateDict {
        self.iter().map(|(name, t)| (format!("{prefix}{name}"), t.clone())).collect()
    }
    fn strip_prefix(&self, prefix: &str) -> Result<StateDict> {
        renamed(self, |name| name.strip_prefix(prefix).map(str::to_string))
    }
    fn only(&self, pattern: &str) -> StateDict {
        self.iter().filter(|(name, _)| matches(pattern, name).is_some()).map(|(name, t)| (name, t.clone())).collect()
    }
    fn cast(&self, dtype: DType) -> StateDict {
        // A weight that is there twice is converted once.
        let mut done: Vec<(Tensor, Tensor)> = Vec::new();
        let mut by_place: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut convert = |t: &Tensor| {
            if !t.is_floating_point() || t.dtype() == dtype {
                return t.clone();
            }
            let array = t.array();
            let place = by_place.entry(std::ptr::from_ref(array.storage()).addr()).or_default();
            for &i in &*place {
                let other = done[i].0.array();
                if other.shape() == array.shape()
                    && other.strides() == array.strides()
                    && other.offset() == array.offset()
                {
                    return done[i].1.clone();
                }
            }
            place.push(done.len());
            done.push((t.clone(), t.detach().to_dtype(dtype)));
            done[done.len() - 1].1.clone()
        };
        self.iter().map(|(name, t)| (name, convert(t))).collect()
    }
    fn fit(&self, model: &StateDict) -> Fit {
        let mut fit = Fit {
            state: StateDict::new(),
            missing: vec![],
            unexpected: vec![],
            misshaped: vec![],
            wanted: model.len(),
        };
        for (name, wanted) in model {
            match self.get(name) {
                None => fit.missing.push(name.into()),
                Some(t) if t.shape() == wanted.shape() => fit.state.insert(name, t.clone()),
                Some(t) => fit.misshaped.push((name.into(), t.shape().to_vec(), wanted.shape().to_vec())),
            }
        }
        fit.unexpected.extend(self.keys().filter(|name| !model.contains_key(name)).map(str::to_string));
        fit
    }
}

fn renamed(state: &StateDict, rename: impl Fn(&str) -> Option<String>) -> Result<StateDict> {
    let mut out = StateDict::new();
    for (name, t) in state {
        let new = rename(name).unwrap_or_else(|| name.to_string());
        if out.contains_key(&new) {
            bail!("two tensors would be named {new:?}, one of them {name:?} before");
        }
        out.insert(new, t.clone());
    }
    Ok(out)
}

/// What the stars of a pattern stand for, if the name matches. Each but the last takes as little as it can.
fn matches<'a>(pattern: &str, name: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let mut rest = name.strip_prefix(first)?;
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty().then(Vec::new) };
    let mut found = Vec::new();
    for piece in pieces {
        let at = rest.find(piece)?;
        found.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    found.push(rest.strip_suffix(last)?);
    Some(found)
}

fn fill(pattern: &str, parts: &[&str]) -> String {
    let mut out = String::new();
    for (i, piece) in pattern.split('*').enumerate() {
        if i > 0 {
            out.push_str(parts[i - 1]);
        }
        out.push_str(piece);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        assert_eq!(matches("a.*.w", "a.1.b.w"), Some(vec!["1.b"]));
        assert_eq!(matches("*.weight", "weight"), None);
        assert_eq!(matches("a*b*c", "a1b2b3c"), Some(vec!["1", "2b3"]));
        assert_eq!(matches("exact", "exact"), Some(vec![]));
        assert_eq!(matches("exact", "exactly"), None);
        assert_eq!(fill("x.*-*", &["1", "2"]), "x.1-2");
    }

    #[test]
    fn names_do_not_collide_and_ties_stay() {
        let w = Tensor::ones([2, 2]);
        let state: StateDict =
            [("a.w", w.clone()), ("b.w", w.clone()), ("n", Tensor::from_vec([1i64], [1]))].into_iter().collect();
        assert!(state.rename("*.w", "w").unwrap_err().to_string().contains("two tensors would be named \"w\""));
        let half = state.cast(DType::F16);
        assert!(half["a.w"].shares_memory(&half["b.w"]) && half["n"].dtype() == DType::I64);
        assert_eq!(state.add_prefix("m.").strip_prefix("m.").unwrap().keys().collect::<Vec<_>>(), ["a.w", "b.w", "n"]);
        assert_eq!(state.only("*.w").len(), 2);
    }
}
