//! Neural network modules for cresset: the module tree, layers, losses, initialisers.
