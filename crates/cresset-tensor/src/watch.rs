//! Who watches the ops that run: a recording, a trace, usually nobody.

use crate::array::Array;
use crate::autograd::mode;
use crate::op::Op;
use crate::record;
use crate::tensor::Tensor;
use crate::trace;

/// What is noted of a run of an op.
pub(crate) struct Watch {
    /// For a recording.
    pub noted: Option<record::Noted>,
    /// For a trace.
    pub event: Option<trace::Open>,
}

/// Before an op runs: one look tells whether anybody watches.
#[inline]
pub(crate) fn begin(op: &dyn Op, inputs: &[&Tensor], inplace: bool) -> Option<Box<Watch>> {
    mode::watchers().map(|(recording, tracing)| watch(op, inputs, inplace, recording, tracing))
}

#[cold]
fn watch(op: &dyn Op, inputs: &[&Tensor], inplace: bool, recording: bool, tracing: bool) -> Box<Watch> {
    let noted = recording.then(|| record::note(inputs, inplace));
    let event = if tracing { trace::op(op) } else { None };
    Box::new(Watch { noted, event })
}

impl Watch {
    /// The op has computed its outputs. Must it be kept, because it is recorded?
    #[cold]
    pub(crate) fn ran(&mut self, op: &dyn Op, inputs: &[Array], outputs: &[Array]) -> bool {
        if let Some(event) = &self.event {
            let (inputs, outputs): (Vec<&Array>, Vec<&Array>) = (inputs.iter().collect(), outputs.iter().collect());
            event.ran(op, &inputs, &outputs);
        }
        if let Some(noted) = &mut self.noted {
            noted.done();
        }
        self.noted.is_some()
    }
}
