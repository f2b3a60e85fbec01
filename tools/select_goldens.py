#!/usr/bin/env python3
"""Choose a compact set of golden cases out of a full recording.

    python tools/select_goldens.py SOURCE goldens

SOURCE is a folder with golden data recorded from PyTorch 2.15.0 (see goldens/README.md for the format). A few cases of every file are
kept, chosen so that each kind of check occurs: second-order gradients, in-place forms, keyword arguments, 16-bit and integer dtypes.
"""
import json
import shutil
import struct
import sys
from pathlib import Path

PER_FILE = {"ops": 3, "errors": 2, "modules": 2, "optim": 2, "init": 100, "rng": 100}
ALL_OF = {"errors/common", "modules/nn.utils", "ops/__getitem__", "ops/__setitem__"}
LARGEST_CASE = 24_000  # bytes of numbers
LARGEST_FILE = 40_000  # of saved files, which are copied whole


def read(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    meta = header.pop("__metadata__", {})
    return json.loads(meta.get("cases", "[]")), header, data[8 + length :]


def write(path, cases, header, data, names):
    out, blob = {}, bytearray()
    # Wide elements first, as the format's writers do, so that every tensor is aligned.
    for name in sorted(names, key=lambda n: (-itemsize(header[n]["dtype"]), n)):
        entry = header[name]
        begin, end = entry["data_offsets"]
        out[name] = {**entry, "data_offsets": [len(blob), len(blob) + end - begin]}
        blob += data[begin:end]
    out["__metadata__"] = {"cases": json.dumps(cases, separators=(",", ":"))}
    text = json.dumps(out, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(blob))


def itemsize(dtype):
    return 1 if dtype == "BOOL" else int("".join(c for c in dtype if c.isdigit())) // 8


def features(case):
    """What a case checks beyond the plain forward."""
    found = {k for k in ("grads", "grads2", "inplace", "inplace_error", "mutated", "seed", "ties", "no_grad", "state_after") if case.get(k)}
    found |= {"kw:" + k for k in case.get("kwargs", {})}
    found.add("dtype:" + str(case.get("dtype")))
    if any(isinstance(a, dict) and "stride" in a for a in case.get("args", [])):
        found.add("strided")
    if "training" in case:
        found.add("training:" + str(case["training"]))
    return found


def choose(kind, name, cases, size):
    count = len(cases) if f"{kind}/{name}" in ALL_OF else PER_FILE[kind]
    rest = [c for c in cases if size(c) <= LARGEST_CASE]
    chosen, covered = [], set()
    while rest and len(chosen) < count:
        best = max(rest, key=lambda c: (len(features(c) - covered), -size(c), -c["i"]))
        chosen.append(best)
        covered |= features(best)
        rest.remove(best)
    return sorted(chosen, key=lambda c: c["i"])


def main(source, target):
    for kind in PER_FILE:
        for path in sorted((source / kind).glob("*.safetensors")):
            cases, header, data = read(path)
            bytes_of = {}
            for name, entry in header.items():
                i = int(name.split(".")[0])
                bytes_of[i] = bytes_of.get(i, 0) + entry["data_offsets"][1] - entry["data_offsets"][0]
            chosen = choose(kind, path.stem, cases, lambda c: bytes_of.get(c["i"], 0))
            kept = {c["i"] for c in chosen}
            names = [n for n in header if int(n.split(".")[0]) in kept]
            if chosen:
                write(target / kind / path.name, chosen, header, data, names)
    for name in ("init/tables.json", "optim/schedulers.json"):
        (target / name).write_bytes((source / name).read_bytes())
    shutil.copytree(source / "api", target / "api", dirs_exist_ok=True)
    files = target / "files"
    files.mkdir(parents=True, exist_ok=True)
    index = json.loads((source / "files/index.json").read_text())
    index["files"] = [f for f in index["files"] if (source / "files" / f["file"]).stat().st_size <= LARGEST_FILE]
    (files / "index.json").write_text(json.dumps(index, separators=(",", ":")))
    for entry in index["files"]:
        shutil.copyfile(source / "files" / entry["file"], files / entry["file"])
    shutil.copyfile(source / "files/expect.safetensors.golden", files / "expect.safetensors.golden")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
