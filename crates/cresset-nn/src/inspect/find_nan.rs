//! Where the first NaN comes from.

use super::calls::record;
use crate::forward::{Args, Forward};
use crate::{Bundle, ModuleExt, Values};
use cresset_tensor::DType;
use std::fmt;

/// The first module of a run whose output is not finite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// Its path; empty for the model itself, whose own forward then made the number.
    pub path: String,
    /// The name of its type.
    pub class: String,
    /// The call of this module in which it happened, from 1.
    pub call: usize,
    /// How many elements of its output are NaN.
    pub nan: usize,
    /// How many elements of its output are infinite.
    pub inf: usize,
    /// How many elements its output has.
    pub numel: usize,
    /// Was all that it was given finite?
    pub input_is_finite: bool,
    /// Its parameters that are not finite.
    pub parameters: Vec<String>,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}", self.class)?,
            path => write!(f, "{path} ({})", self.class)?,
        }
        if self.call > 1 {
            write!(f, ", call {}", self.call)?;
        }
        write!(f, ": {} NaN and {} infinite of {} elements", self.nan, self.inf, self.numel)?;
        match (&self.parameters[..], self.input_is_finite) {
            ([], true) => f.write_str("; its input and its parameters are finite"),
            ([], false) => f.write_str("; its input is not finite"),
            (bad, finite) => {
                let input = if finite { "" } else { ", nor is its input" };
                write!(f, "; not finite among its parameters: {}{input}", bad.join(", "))
            }
        }
    }
}

/// Runs the model on `input` and names the first module whose output has a NaN or an infinity; `None` if there is none.
///
/// First is the one whose forward ended first, so the innermost. The model runs in the mode it is in, without gradients, and is then as it was before.
///
/// ```
/// use cresset_nn::prelude::*;
/// use cresset_nn::{Linear, ReLU, Sequential, stats};
/// let model = Sequential::new((Linear::new(2, 3), ReLU::new(), Linear::new(3, 1)));
/// model.get_parameter("2.weight").set_data(&Tensor::full([1, 3], f32::INFINITY));
/// let found = stats::find_nan(&model, &Tensor::ones([4, 2])).unwrap();
/// assert_eq!((found.path.as_str(), &found.parameters[..]), ("2", &["weight".to_string()][..]));
/// ```
#[track_caller]
pub fn find_nan<I, M, A>(model: &M, input: A) -> Option<NonFinite>
where
    I: Bundle,
    M: Forward<I> + ?Sized,
    M::Output: Bundle,
    A: Args<I>,
{
    let (nodes, records) = record(model, input, false, |module, input, output| {
        let (nan, inf, numel) = count(output);
        if nan == 0 && inf == 0 {
            return None;
        }
        let finite = |t: &crate::Parameter| t.isfinite().all().item::<bool>();
        let parameters = module.named_parameters().into_iter().filter(|(_, p)| !finite(p)).map(|(name, _)| name);
        let (input_nan, input_inf, _) = count(input);
        Some((nan, inf, numel, input_nan + input_inf == 0, parameters.collect::<Vec<_>>()))
    });
    let noted = |i: usize| records[i].noted.as_ref().and_then(Option::as_ref);
    let first = (0..records.len()).filter(|i| noted(*i).is_some()).min_by_key(|i| records[*i].ended)?;
    let (nan, inf, numel, input_is_finite, parameters) = noted(first)?.clone();
    let node = &nodes[records[first].node];
    Some(NonFinite {
        path: node.path.clone(),
        class: node.module.class_name().into(),
        call: records[..=first].iter().filter(|r| nodes[r.node].id() == node.id()).count(),
        nan,
        inf,
        numel,
        input_is_finite,
        parameters,
    })
}

/// NaN, infinities, and all elements of floating-point tensors.
fn count(values: &Values) -> (usize, usize, usize) {
    let number = |mask: cresset_tensor::Tensor| mask.sum().item::<i64>() as usize;
    values.tensors().iter().filter(|t| DType::is_floating_point(t.dtype())).fold((0, 0, 0), |(nan, inf, all), t| {
        let bad = t.numel() - number(t.isfinite());
        let these = if bad == 0 { 0 } else { number(t.isnan()) };
        (nan + these, inf + bad - these, all + t.numel())
    })
}
