//! Optimizers and learning-rate schedulers for cresset.
