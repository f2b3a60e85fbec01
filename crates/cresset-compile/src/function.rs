//! Compiled functions.

use crate::cache::{Cache, Watched};
use crate::explain::Report;
use crate::module::{recorded, tensors};
use cresset_nn::{Args, Bundle};
use cresset_tensor::{DType, Tensor};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Makes a function of tensors fast (`@torch.jit.script`, `torch.compile(f)`): each kind of input (shape, dtype, grad mode) is recorded at its first call and
/// fused. Tensors that the function holds are read anew in every call; whatever else it holds must not change.
/// A function that calls modules runs as it is, because their training flags and hooks would go unseen: use [`compile`](crate::compile()) for them.
///
/// What cannot be recorded is run as it is, with one warning; see [`compile`](crate::compile()) for what that is.
///
/// ```
/// use cresset_compile::compile_fn;
/// use cresset_tensor::{where_, Tensor};
/// let leaky = compile_fn(|x: &Tensor| where_(&x.gt(0.0), x, x * 0.01));
/// assert_eq!(leaky.call(&Tensor::from_slice(&[-1.0f32, 2.0])).to_vec::<f32>(), [-0.01, 2.0]);
/// ```
pub fn compile_fn<F, I, O>(f: F) -> CompiledFn<F, I, O>
where
    F: Fn(&I) -> O,
    I: Bundle,
    O: Bundle,
{
    CompiledFn {
        f,
        cache: Cache::new(),
        template: Mutex::new(Vec::new()),
        warned: AtomicBool::new(false),
        kinds: PhantomData,
    }
}

/// A compiled function; see [`compile_fn`].
pub struct CompiledFn<F = fn(&Tensor) -> Tensor, I = Tensor, O = Tensor> {
    f: F,
    cache: Cache,
    template: Mutex<Vec<(crate::cache::Key, O)>>,
    warned: AtomicBool,
    kinds: PhantomData<fn(&I) -> O>,
}

impl<F, I, O> CompiledFn<F, I, O>
where
    F: Fn(&I) -> O,
    I: Bundle,
    O: Bundle,
{
    /// Calls the function.
    #[track_caller]
    pub fn call<A: Args<I>>(&self, input: A) -> O {
        input.with(|input| self.run(input))
    }

    fn run(&self, input: &I) -> O {
        if cresset_tensor::record::is_recording() {
            return (self.f)(input);
        }
        let inputs = tensors(input);
        // The function's own tensors are not known before it has run once, so whether they want gradients is not part of the key: with
        // gradients on, every kind is recorded with them.
        let key = Watched::default().key(&inputs);
        match self.cache.find(&key) {
            Some(Ok(entry)) if entry.fits() => {
                // Run before the template is locked: ops of the caller's own may be in it.
                let mut results = entry.run(&inputs).into_iter();
                let templates = self.template.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((_, template)) = templates.iter().find(|(k, _)| *k == key) {
                    return template
                        .map_tensors(&mut |_| results.next().expect("one result for each tensor of the output"));
                }
            }
            Some(Err(_)) => return (self.f)(input),
            _ => {}
        }
        let mut result = None;
        let (_, entry) = recorded(&inputs, cresset_tensor::is_grad_enabled(), false, || {
            let output = (self.f)(input);
            result = Some(output.map_tensors(&mut |t| t.clone()));
            output
        });
        let result = result.expect("the run came to its end");
        if let Err(why) = &entry
            && !self.warned.swap(true, Ordering::Relaxed)
        {
            eprintln!("cresset: a compiled function runs uncompiled: {why}");
        }
        let empty = Tensor::zeros_of([0], DType::F32);
        let mut templates = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        templates.retain(|(k, _)| *k != key);
        if templates.len() == crate::LIMIT {
            templates.remove(0);
        }
        templates.push((key.clone(), result.map_tensors(&mut |_| empty.clone())));
        drop(templates);
        self.cache.keep(key, entry);
        result
    }

    /// What was done with the newest recording.
    pub fn explain(&self) -> Report {
        let all = self.cache.all();
        all.iter().rev().find_map(|e| e.as_ref().ok()).map(|e| e.report.clone()).unwrap_or_default()
    }
    /// How many kinds of calls are recorded.
    pub fn kinds(&self) -> usize {
        self.cache.all().iter().filter(|e| e.is_ok()).count()
    }
}
