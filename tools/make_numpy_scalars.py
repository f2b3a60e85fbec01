"""Makes goldens/saved/numpy_scalars.pt with PyTorch and numpy (recorded with 2.15 and 2.4.6): numpy's numbers and texts as plain values.

They are what `loss.item()` is not: a metric of numpy, a name out of an array.
"""

import pathlib

import numpy as np
import torch

numbers = [("bool_", True), ("int8", -1), ("int16", -2), ("int32", -3), ("int64", -4), ("uint8", 200), ("uint16", 60000),
           ("uint32", 4000000000), ("uint64", 2**64 - 1), ("float16", 0.5), ("float32", 0.25), ("float64", 0.1)]
value = {name: getattr(np, name)(x) for name, x in numbers}
value["str_"] = np.str_("h\u00e9llo \U0001f600")
value["bytes_"] = np.bytes_(b"a\x00b")
value["big_endian"] = np.array(258, dtype=">u2")[()]
value["texts"] = [np.str_(""), np.str_("x")]
folder = pathlib.Path(__file__).parent.parent / "goldens/saved"
torch.save(value, folder / "numpy_scalars.pt", pickle_protocol=2)
torch.save(value, folder / "numpy_scalars_protocol5.pt", pickle_protocol=5)
