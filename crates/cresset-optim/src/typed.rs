//! An optimizer that knows its algorithm: how it is made, and its options.

use crate::optimizer::{Group, Optimizer};
use crate::rule::Rule;
use cresset_tensor::Tensor;
use cresset_tensor::error::fail;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// An [`Optimizer`] of the algorithm `R`. Never spelled: [`SGD`](crate::SGD), [`Adam`](crate::Adam) and the others are names for it.
pub struct OptimizerFor<R> {
    optimizer: Optimizer,
    rule: PhantomData<fn() -> R>,
}

/// Parameters with options of their own, for [`OptimizerFor::with_groups`] and [`OptimizerFor::add_param_group`].
pub struct ParamGroup<R> {
    /// The parameters.
    pub params: Vec<Tensor>,
    /// The options.
    pub options: R,
}

impl<R: Rule> ParamGroup<R> {
    /// A group of parameters (or tensors) with options.
    pub fn new(params: impl IntoIterator<Item: Into<Tensor>>, options: R) -> ParamGroup<R> {
        ParamGroup { params: params.into_iter().map(Into::into).collect(), options }
    }
    #[track_caller]
    fn into_group(self) -> Group {
        Group::new(Box::new(self.options), self.params)
    }
}

impl<R: Rule> OptimizerFor<R> {
    /// An optimizer of these parameters with these options.
    ///
    /// # Panics
    /// If an option makes no sense, there are no parameters, one is no leaf, or one appears twice.
    #[track_caller]
    pub fn with(params: impl IntoIterator<Item: Into<Tensor>>, options: R) -> OptimizerFor<R> {
        OptimizerFor::with_groups([ParamGroup::new(params, options)])
    }
    /// An optimizer whose groups of parameters have options of their own.
    ///
    /// ```
    /// use cresset_optim::{ParamGroup, SGD, SgdOptions};
    /// use cresset_tensor::Tensor;
    /// let (base, head) = (Tensor::zeros([2]), Tensor::zeros([3]));
    /// let options = SgdOptions { lr: 1e-2, momentum: 0.9, ..Default::default() };
    /// let optimizer = SGD::with_groups([
    ///     ParamGroup::new([&base], options),
    ///     ParamGroup::new([&head], SgdOptions { lr: 1e-1, ..options }),
    /// ]);
    /// assert_eq!(optimizer.lrs(), [0.01, 0.1]);
    /// ```
    ///
    /// # Panics
    /// As [`OptimizerFor::with`].
    #[track_caller]
    pub fn with_groups(groups: impl IntoIterator<Item = ParamGroup<R>>) -> OptimizerFor<R> {
        let mut ready = Vec::new();
        for group in groups {
            ready.push(group.into_group());
        }
        OptimizerFor { optimizer: Optimizer::from_groups(ready), rule: PhantomData }
    }
    /// Adds a group of parameters (`optimizer.add_param_group(...)`), for example of layers that were frozen until now.
    ///
    /// # Panics
    /// As [`OptimizerFor::with`], or if a parameter is in a group already.
    #[track_caller]
    pub fn add_param_group(&self, group: ParamGroup<R>) {
        self.optimizer.push(group.into_group());
    }
    /// The options of a group, as they are now.
    ///
    /// # Panics
    /// If there is no such group.
    #[track_caller]
    pub fn options(&self, group: usize) -> R {
        self.optimizer.with_group(group, |g| {
            g.get_lr();
            g.rule.as_any().downcast_ref::<R>().expect("all groups have one algorithm").clone()
        })
    }
    /// Sets the options of a group.
    ///
    /// # Panics
    /// If there is no such group or an option makes no sense.
    #[track_caller]
    pub fn set_options(&self, group: usize, mut options: R) {
        if let Err(sentence) = options.check() {
            fail(R::NAME, sentence);
        }
        self.optimizer.with_group(group, |g| {
            let lr = *options.lr();
            g.rule = Box::new(options);
            g.set_lr(lr);
        });
    }
    /// The same optimizer, its algorithm forgotten.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }
}

impl<R> Clone for OptimizerFor<R> {
    /// Another handle on the same optimizer.
    fn clone(&self) -> OptimizerFor<R> {
        OptimizerFor { optimizer: self.optimizer.clone(), rule: PhantomData }
    }
}
impl<R> Deref for OptimizerFor<R> {
    type Target = Optimizer;
    fn deref(&self) -> &Optimizer {
        &self.optimizer
    }
}
impl<R> From<OptimizerFor<R>> for Optimizer {
    fn from(o: OptimizerFor<R>) -> Optimizer {
        o.optimizer
    }
}
impl<R> fmt::Display for OptimizerFor<R> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(&self.optimizer, f)
    }
}
impl<R> fmt::Debug for OptimizerFor<R> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Display::fmt(&self.optimizer, f)
    }
}
