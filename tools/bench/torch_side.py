"""PyTorch's side of the comparison of speed: the workloads of crates/cresset-bench, the same names, the same lines of JSON.

    python torch_side.py [--threads N] [--seconds S] [--filter REGEX] [--list] [--check] [--mnist-dir DIR]

With --serve it reads names of workloads from stdin and answers each with its line: compare.py uses it to let both sides
take turns without loading PyTorch each time.
"""

import argparse
import gc
import json
import os
import re
import statistics
import subprocess
import sys
from time import perf_counter

import torch

from workloads import ALL
from workloads.registry import Setup, Skip

# A timed batch of repetitions lasts at least this long (seconds), so that reading the clock does not count.
BATCH = 50e-6
# How often a step is repeated before its result is compared: often enough for an update of the parameters to show. More would
# magnify roundings.
CHECKED_STEPS = 2


def time_step(step, seconds):
    """Median, minimum and number of runs, in microseconds; as measure.rs of cresset-bench does it."""
    gc.collect()
    gc.disable()
    try:
        begun = perf_counter()
        calls = 0
        while calls == 0 or perf_counter() - begun < seconds / 5:
            step()
            calls += 1
        each = (perf_counter() - begun) / calls
        repetitions = range(max(1, int(BATCH / each)))
        runs = []
        begun = perf_counter()
        while not runs or perf_counter() - begun < seconds:
            start = perf_counter()
            for _ in repetitions:
                step()
            runs.append((perf_counter() - start) * 1e6 / len(repetitions))
    finally:
        gc.enable()
    return statistics.median_high(runs), min(runs), len(runs)


def checksum(x):
    values = x.detach().double().flatten()
    terms = values * (1 + torch.arange(len(values), dtype=torch.float64) % 97 / 97)
    return terms.mean().item(), terms.abs().mean().item()


def peak_mb():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return None


def prepare(workload, setup):
    """Steps by name."""
    torch.manual_seed(0)
    steps = workload.prepare(setup)
    return steps if isinstance(steps, dict) else {"": steps}


def measured(workload, setup, seconds):
    steps = prepare(workload, setup)
    variants = {name: time_step(step, seconds / len(steps)) for name, step in steps.items()}
    best = min(variants, key=lambda name: variants[name][0])
    median, least, runs = variants[best]
    line = {
        "name": workload.name,
        "threads": torch.get_num_threads(),
        "median_us": round(median, 4),
        "min_us": round(least, 4),
        "runs": runs,
    }
    if best:
        line["variant"] = best
    if workload.peak:
        line["peak_mb"] = round(peak_mb(), 1)
    return line


def checked(workload, setup):
    step = next(iter(prepare(workload, setup).values()))
    for _ in range(CHECKED_STEPS):
        result = step()
    value, scale = checksum(result)
    return {"name": workload.name, "threads": torch.get_num_threads(), "checksum": value, "scale": scale}


def answer(line):
    print(json.dumps(line), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Times PyTorch on the workloads of cresset-bench; prints lines of JSON.")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--filter", type=re.compile, default=re.compile(""))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--mnist-dir")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    setup = Setup(args.mnist_dir, args.check)

    if args.serve:
        for name in map(str.strip, sys.stdin):
            try:
                answer(measured(ALL[name], setup, args.seconds))
            except Skip as why:
                answer({"name": name, "skipped": str(why)})
        return

    for workload in ALL.values():
        if not args.filter.search(workload.name):
            continue
        if args.list:
            print(workload.name)
            continue
        if workload.peak and not args.here and not args.check:
            # In a process of its own, whose peak of memory is the workload's.
            command = [sys.executable, __file__, "--here", "--filter", f"^{workload.name}$"]
            command += ["--threads", str(args.threads), "--seconds", str(args.seconds)]
            subprocess.run(command + (["--mnist-dir", args.mnist_dir] if args.mnist_dir else []), check=True)
            continue
        try:
            answer(checked(workload, setup) if args.check else measured(workload, setup, args.seconds))
        except Skip as why:
            print(f"{workload.name}: skipped: {why}", file=sys.stderr)


if __name__ == "__main__":
    main()
