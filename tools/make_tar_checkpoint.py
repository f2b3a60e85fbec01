"""Writes goldens/saved/tar.pt: the format of the first PyTorch versions, which no present one writes, and checks that PyTorch reads it.

A tar archive of `storages`, `tensors` and `pickle`; see `_legacy_load` in torch/serialization.py.
"""

import collections
import io
import pickle
import struct
import sys
import tarfile

import torch


class Pickler(pickle.Pickler):
    """Tensors are outside the pickle, by number."""

    def persistent_id(self, value):
        return {id(t): str(n) for n, t in TENSORS.items()}.get(id(value))


W = torch.arange(6, dtype=torch.float32).reshape(2, 3)
TENSORS = {101: W, 102: W.t(), 103: torch.tensor([7, -1])}


def storages(out):
    pickle.dump(2, out, 2)
    pickle.dump((11, "cpu", torch.FloatStorage), out, 2)
    out.write(struct.pack("<q6f", 6, *range(6)))
    pickle.dump((12, "cpu", torch.LongStorage), out, 2)
    out.write(struct.pack("<q2q", 2, 7, -1))
    pickle.dump([], out, 2)


def tensors(out):
    pickle.dump(3, out, 2)
    for key, storage, kind in [(101, 11, torch.FloatTensor), (102, 11, torch.FloatTensor), (103, 12, torch.LongTensor)]:
        t = TENSORS[key]
        pickle.dump((key, storage, kind), out, 2)
        out.write(struct.pack("<ii", t.dim(), 0))
        out.write(struct.pack(f"<{t.dim()}q", *t.shape))
        out.write(struct.pack(f"<{t.dim()}q", *t.stride()))
        out.write(struct.pack("<q", 0))


def main(path):
    with tarfile.open(path, "w:", format=tarfile.USTAR_FORMAT) as tar:
        def add(name, write):
            out = io.BytesIO()
            write(out)
            info = tarfile.TarInfo(name)
            info.size = out.tell()
            tar.addfile(info, io.BytesIO(out.getvalue()))

        value = collections.OrderedDict([("w", W), ("t", TENSORS[102]), ("n", TENSORS[103]), ("epoch", 3)])
        add("sys_info", lambda out: pickle.dump({"protocol_version": 1000, "little_endian": True}, out, 2))
        add("storages", storages)
        add("tensors", tensors)
        add("pickle", lambda out: Pickler(out, 2).dump(value))
    back = torch.load(path, weights_only=False)
    assert torch.equal(back["w"], W) and torch.equal(back["t"], W.t()) and back["n"].tolist() == [7, -1], back
    assert back["t"].untyped_storage().data_ptr() == back["w"].untyped_storage().data_ptr()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "goldens/saved/tar.pt")
