//! Data sets, samplers and the data loader of cresset.
