//! From options of optimizers and schedulers to saved values and back.

pub use cresset_tensor::{OptimizerState, StateValue};

/// A value that a state dict can hold and give back.
pub trait Stored {
    /// As it is saved.
    fn save(&self) -> StateValue;
    /// Takes a saved value over; false, and nothing changes, if it is of another kind.
    fn load(&mut self, value: &StateValue) -> bool;
}

fn assign<T>(place: &mut T, value: Option<T>) -> bool {
    match value {
        Some(v) => {
            *place = v;
            true
        }
        None => false,
    }
}

impl Stored for f64 {
    fn save(&self) -> StateValue {
        StateValue::Float(*self)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        assign(self, value.number())
    }
}
impl Stored for i64 {
    fn save(&self) -> StateValue {
        StateValue::Int(*self)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        assign(self, value.number().filter(|v| v.fract() == 0.0).map(|v| v as i64))
    }
}
impl Stored for bool {
    fn save(&self) -> StateValue {
        StateValue::Bool(*self)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        assign(self, value.number().map(|v| v != 0.0))
    }
}
impl Stored for (f64, f64) {
    fn save(&self) -> StateValue {
        StateValue::Tuple(vec![self.0.save(), self.1.save()])
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let pair = match value.items() {
            Some([a, b]) => a.number().zip(b.number()),
            _ => None,
        };
        assign(self, pair)
    }
}
impl<T: Stored + Default> Stored for Vec<T> {
    fn save(&self) -> StateValue {
        StateValue::List(self.iter().map(Stored::save).collect())
    }
    fn load(&mut self, value: &StateValue) -> bool {
        let read = |v: &StateValue| {
            let mut item = T::default();
            item.load(v).then_some(item)
        };
        assign(self, value.items().and_then(|v| v.iter().map(read).collect()))
    }
}
impl<T: Stored + Default> Stored for Option<T> {
    fn save(&self) -> StateValue {
        self.as_ref().map_or(StateValue::None, Stored::save)
    }
    fn load(&mut self, value: &StateValue) -> bool {
        if let StateValue::None = value {
            *self = None;
            return true;
        }
        let mut item = T::default();
        let ok = item.load(value);
        assign(self, ok.then_some(Some(item)))
    }
}
