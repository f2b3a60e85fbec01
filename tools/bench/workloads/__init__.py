"""PyTorch's side of the workloads: the same names, steps and sizes as in crates/cresset-bench."""

from . import registry  # noqa: F401
from . import dense, kernels, convolution, edges, compiled, scaling  # noqa: F401  (they register their workloads, group by group)

ALL = registry.ALL
