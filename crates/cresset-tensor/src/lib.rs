//! Tensors with define-by-run autograd: dtypes, shapes, views, operations, gradients, random numbers, printing.
