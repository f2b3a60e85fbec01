#!/usr/bin/env python3
"""Writes goldens/rng/samplers.json: the indices that PyTorch's samplers, DataLoader and random_split give.

    python tools/sampler_golden.py        (PyTorch 2.15.0)

A case seeds the default generator (and one of its own, where it has one), makes its call once for each epoch, and ends with one
more 63-bit draw from each generator, which tells how much was drawn.
"""
import json
import os
import warnings

import torch
from torch.utils.data import (BatchSampler, DataLoader, Dataset, RandomSampler, SubsetRandomSampler, WeightedRandomSampler,
                              random_split)
from torch.utils.data.distributed import DistributedSampler

warnings.simplefilter("ignore")
assert torch.__version__.startswith("2.15."), torch.__version__
OUT = os.path.join(os.path.dirname(__file__), "..", "goldens", "rng", "samplers.json")
cases = []


class Numbers(Dataset):
    """Sample i is i, or i and a number that the worker draws."""

    def __init__(self, n, noisy):
        self.n, self.noisy = n, noisy

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return (i, torch.randint(0, 1000000, ()).item() if self.noisy else 0)


def draw(g=None):
    return str(torch.empty((), dtype=torch.int64).random_(generator=g).item())


def case(kind, seed=0, own=None, epochs=1, **args):
    g = None if own is None else torch.Generator().manual_seed(own)
    torch.manual_seed(seed)
    out = []
    if kind == "random":
        s = RandomSampler(range(args["n"]), args.get("replacement", False), args.get("num_samples"), g)
        out = [list(s) for _ in range(epochs)]
    elif kind == "subset":
        s = SubsetRandomSampler(args["indices"], generator=g)
        out = [list(s) for _ in range(epochs)]
    elif kind == "weighted":
        s = WeightedRandomSampler(args["weights"], args["num_samples"], args["replacement"], generator=g)
        out = [list(s) for _ in range(epochs)]
    elif kind == "distributed":
        s = DistributedSampler(range(args["n"]), args["replicas"], args["rank"], args["shuffle"], args["seed_"], args["drop_last"])
        for epoch in range(epochs):
            s.set_epoch(epoch)
            out.append(list(s))
    elif kind == "batch":
        s = BatchSampler(RandomSampler(range(args["n"]), generator=g), args["batch_size"], args["drop_last"])
        out = [list(s) for _ in range(epochs)]
    elif kind == "split":
        out = [[list(p.indices) for p in random_split(range(args["n"]), args["lengths"], **({"generator": g} if g else {}))]]
    elif kind == "loader":
        workers = args.get("num_workers", 0)
        extra = {"persistent_workers": args["persistent"], "prefetch_factor": args["prefetch"]} if workers else {}
        data = Numbers(args["n"], args.get("noisy", False))
        loader = DataLoader(data, args["batch_size"], args["shuffle"], drop_last=args["drop_last"], generator=g,
                            num_workers=workers, **extra)
        for _ in range(epochs):
            epoch = []
            for k, (index, noise) in enumerate(loader):
                if k == args.get("stop"):
                    break
                epoch.append([index.tolist(), noise.tolist()] if args.get("noisy") else index.tolist())
            out.append(epoch)
    else:
        raise KeyError(kind)
    end = [draw()] + ([draw(g)] if g else [])
    cases.append({"kind": kind, "seed": seed, "own": own, "epochs": epochs, **args, "out": out, "end": end})


def main():
    for own in [None, 5]:
        for n, num in [(1, None), (20, None), (10, 25), (10, 4), (10, 10), (7, 21), (100, None)]:
            case("random", 111, own, 3, n=n, num_samples=num)
        for n, num in [(20, 70), (20, 64), (5, None), (3, 31)]:
            case("random", 111, own, 2, n=n, num_samples=num, replacement=True)
        case("subset", 112, own, 2, indices=[3, 1, 4, 15, 9, 26, 5, 35, 8, 97])
        for num, replacement in [(30, True), (5, False), (1, True), (1, False)]:
            case("weighted", 112, own, 2, weights=[0.1, 0.9, 0.4, 0.7, 3.0, 0.6], num_samples=num, replacement=replacement)
        for n, size, drop in [(10, 3, False), (10, 3, True), (12, 4, False), (12, 4, True), (2, 5, False), (2, 5, True)]:
            case("batch", 7, own, 2, n=n, batch_size=size, drop_last=drop)
            for shuffle in [True, False]:
                case("loader", 121, own, 3, n=n, batch_size=size, drop_last=drop, shuffle=shuffle)
        case("loader", 0, own, 2, n=1000, batch_size=64, drop_last=False, shuffle=True)
        case("loader", 0, own, 2, n=10, batch_size=3, drop_last=False, shuffle=True, stop=2)
        for workers, persistent, prefetch in [(1, False, 2), (2, False, 2), (3, False, 1), (2, True, 2), (3, True, 3)]:
            for drop in [False, True]:
                case("loader", 121, own, 3, n=23, batch_size=3, drop_last=drop, shuffle=True, noisy=True, num_workers=workers,
                     persistent=persistent, prefetch=prefetch)
        case("loader", 121, own, 2, n=50, batch_size=3, drop_last=False, shuffle=True, num_workers=2, persistent=False,
             prefetch=2, stop=3)
        for n, lengths in [(20, [12, 5, 3]), (10, [3, 7]), (23, [0.5, 0.3, 0.2]), (10, [0.1] * 10), (7, [0.9, 0.1]), (5, [1.0])]:
            case("split", 131, own, n=n, lengths=lengths)
    for n, replicas, shuffle, drop in [(10, 3, True, False), (103, 4, True, True), (2, 5, True, False), (10, 4, False, False)]:
        for rank in range(replicas):
            case("distributed", 1, None, 2, n=n, replicas=replicas, rank=rank, shuffle=shuffle, seed_=7, drop_last=drop)
    lines = ",\n".join(json.dumps(c) for c in cases)
    with open(OUT, "w") as f:
        f.write(json.dumps({"pytorch": "2.15.0", "script": "tools/sampler_golden.py", "cases": []})[:-2] + "\n" + lines + "\n]}\n")
    print(len(cases), "cases,", os.path.getsize(OUT), "bytes")


if __name__ == "__main__":
    main()
