//! A forward that keeps nothing for a backward that, by experience, does not come: a model that is evaluated outside of `no_grad`.
//!
//! Writing what a backward would read can take a quarter of a forward's time, by two threads (two layers of 200 and 100 over 1000 rows). After some
//! runs whose graphs were dropped without a backward, the next ones compute the results alone. If a backward comes nevertheless it
//! runs the forward once more, on copies of the parameters as they were: what eager mode allows in between is allowed here too.

use crate::graph::{Graph, Source};
use crate::passes;
use crate::plan::Plan;
use cresset_tensor::Array;
use std::sync::{Arc, Mutex, PoisonError};

/// The forward without what only a backward reads.
pub struct Lean {
    plan: Plan,
    /// Which captured tensors a backward reads, by their place among those of the whole forward.
    reads: Vec<usize>,
    habit: Mutex<Habit>,
}

/// What became of the last runs.
#[derive(Default)]
struct Habit {
    /// Runs in a row whose graphs were dropped without a backward.
    unused: u32,
    /// The captured tensors in these runs, with their versions.
    states: Vec<Versioned>,
    /// Copies of them, once they are needed.
    copies: Option<Arc<Vec<Array>>>,
}

/// An array, and the version of its numbers that is meant.
pub type Versioned = (Array, u32);

/// What a lean run needs to be run again.
pub struct Again {
    /// Values that may not change until backward, as without all this.
    pub unchanged: Vec<Versioned>,
    inputs: Vec<Array>,
    states: Arc<Vec<Array>>,
}

/// Runs without a backward that make a habit. A training step that is measured now and then makes none.
const HABIT: u32 = 4;
/// The fewest bytes that are worth it.
const FEWEST: usize = 256 << 10;

impl Lean {
    /// The lean form of a finished forward with so many results (what it keeps follows them), if there is much to save.
    pub fn of(forward: &Graph, plan: &Plan, results: usize) -> Option<Lean> {
        // What draws random numbers or changes buffers runs once.
        if forward.nodes.iter().any(|n| n.effects || n.writes) {
            return None;
        }
        let (uses, keeps) = (forward.uses(), &forward.outputs[results..]);
        let bytes = |v: usize| forward.values[v].meta.numel() * forward.values[v].meta.dtype.size();
        let (mut saved, mut copied) = (0, 0);
        for (v, value) in forward.values.iter().enumerate().filter(|(v, _)| uses[*v] > 0) {
            match value.source {
                // Others may change it until backward, and eager mode would not mind.
                Source::Input(_) if !keeps.contains(&v) => return None,
                Source::State(_) => copied += bytes(v),
                Source::Node if keeps.contains(&v) && !forward.outputs[..results].contains(&v) => saved += bytes(v),
                _ => {}
            }
        }
        if saved < FEWEST || saved < 2 * copied {
            return None;
        }
        let mut graph = forward.clone();
        passes::unkept::run(&mut graph, results);
        let reads = plan.captured().enumerate().filter(|(_, v)| keeps.contains(v)).map(|(k, _)| k).collect();
        Some(Lean { plan: Plan::of(&graph, results), reads, habit: Mutex::default() })
    }

    /// Runs the results alone, if that is the habit. `states` are the captured tensors of the whole forward.
    pub fn run(&self, inputs: &[Array], states: Vec<Array>) -> Option<(Vec<Array>, Again)> {
        let copies = self.in_use(states)?;
        let values = self.plan.run(inputs, vec![]);
        let states = self.habit().states.clone();
        let checked = self.reads.iter().map(|k| states[*k].clone());
        let unchanged = inputs.iter().map(versioned).chain(checked).collect();
        Some((values, Again { unchanged, inputs: inputs.to_vec(), states: copies }))
    }

    /// The copies of the captured tensors, if the last runs were left without a backward while these did not change.
    fn in_use(&self, states: Vec<Array>) -> Option<Arc<Vec<Array>>> {
        let mut habit = self.habit();
        let same = |((a, v), b): (&Versioned, &Array)| a.same_storage(b) && *v == b.storage().version();
        if habit.states.len() != states.len() || !habit.states.iter().zip(&states).all(same) {
            *habit = Habit { states: states.iter().map(versioned).collect(), ..Habit::default() };
        }
        if habit.unused < HABIT {
            return None;
        }
        Some(habit.copies.get_or_insert_with(|| Arc::new(states.iter().map(Array::copy).collect())).clone())
    }

    /// A run has come to its end, with a backward or without.
    pub fn ended(&self, used: bool) {
        let mut habit = self.habit();
        if used {
            (habit.unused, habit.copies) = (0, None);
        } else {
            habit.unused += 1;
        }
    }

    fn habit(&self) -> std::sync::MutexGuard<'_, Habit> {
        self.habit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Again {
    /// All outputs of the whole forward, as it would have given them.
    pub fn run(&self, forward: &Plan) -> Vec<Array> {
        forward.run_on(&self.inputs, vec![], self.states.iter().cloned())
    }
}

/// An array as it is now.
pub fn versioned(a: &Array) -> Versioned {
    (a.clone(), a.storage().version())
}
