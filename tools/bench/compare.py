"""Runs cresset and PyTorch in turn on the same workloads, and compares their times, or with --check their results.

    python compare.py [--ours PATH] [--threads 1,2] [--seconds S] [--rounds R] [--filter REGEX] [--group 1,2,3,4,5,6]
                      [--mnist-dir DIR] [--json FILE] [--check]

A ratio is PyTorch's time over ours: above 1 cresset is faster.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
# A result may differ by this much of the mean size of its terms.
TOLERANCE = 1e-4


def environment(cores):
    """Both sides may use the same cores only; OpenMP's threads stay each on one of them, or they stand in each other's way for
    milliseconds."""
    places = ",".join(f"{{{core}}}" for core in cores)
    pinned = {"OMP_NUM_THREADS": str(len(cores)), "OMP_PROC_BIND": "true", "OMP_PLACES": places}
    return {**os.environ, "MKL_NUM_THREADS": str(len(cores)), **pinned}


# The same step written by hand on our kernels, without tensors, graph, batch norm and dropout: only our side has it.
BOUNDS = {f"classifier_{what}": f"bound_{what}" for what in ("train_32", "train_128", "train_512", "infer_1", "infer_32", "infer_1000")}


class Side:
    """What the two sides have in common: how their processes are started."""

    def __init__(self, args, cores):
        self.args, self.cores = args, cores

    def options(self):
        options = ["--threads", str(len(self.cores)), "--seconds", str(self.args.seconds)]
        return options + (["--mnist-dir", self.args.mnist_dir] if self.args.mnist_dir else [])

    def start(self, command, **how):
        # Children inherit it; a function to be called in the child would make starting it slow.
        os.sched_setaffinity(0, self.cores)
        return subprocess.Popen(command, env=environment(self.cores), stdout=subprocess.PIPE, text=True, **how)

    def lines(self, command):
        process = self.start(command)
        text, _ = process.communicate()
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}")
        return [json.loads(line) for line in text.splitlines()]

    def first_line(self, command):
        """The seconds from the start of a process to its first line."""
        begun = perf_counter()
        process = self.start(command)
        process.stdout.readline()
        seconds = perf_counter() - begun
        process.communicate()
        return seconds


class Ours(Side):
    def __init__(self, args, cores, program):
        super().__init__(args, cores)
        self.program = program

    def time(self, name, peak):
        lines = self.lines([self.program, "--filter", f"^{name}$", *self.options()])
        return lines[0] if lines else None

    def check(self, pattern):
        return self.lines([self.program, "--check", "--filter", pattern, *self.options()])

    def start_seconds(self):
        return self.first_line([self.program.parent / "examples" / "start"])


class Torch(Side):
    """Keeps one process for all workloads whose peak of memory is not of interest."""

    def __init__(self, args, cores):
        super().__init__(args, cores)
        self.server = None

    def command(self, *options):
        return [sys.executable, HERE / "torch_side.py", *options, *self.options()]

    def time(self, name, peak):
        if peak:
            lines = self.lines(self.command("--here", "--filter", f"^{name}$"))
            return lines[0] if lines else None
        if self.server is None:
            self.server = self.start(self.command("--serve"), stdin=subprocess.PIPE)
        self.server.stdin.write(name + "\n")
        self.server.stdin.flush()
        line = json.loads(self.server.stdout.readline())
        return None if "skipped" in line else line

    def check(self, pattern):
        return self.lines(self.command("--check", "--filter", pattern))

    def start_seconds(self):
        return self.first_line([sys.executable, HERE / "start.py"])

    def close(self):
        if self.server:
            self.server.stdin.close()
            self.server.wait()


def build():
    """The program, built."""
    command = ["cargo", "build", "--release", "-p", "cresset-bench", "--bin", "cresset-bench", "--example", "start"]
    subprocess.run(command, cwd=PROJECT, check=True)
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=PROJECT, check=True, stdout=subprocess.PIPE
    )
    return Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "cresset-bench"


def median_and_spread(lines):
    """The median of the rounds' medians, half their range in percent of it, and the fastest run of all."""
    medians = [line["median_us"] for line in lines]
    middle = statistics.median(medians)
    spread = 50 * (max(medians) - min(medians)) / middle
    peaks = [line["peak_mb"] for line in lines if "peak_mb" in line]
    row = {"median_us": middle, "spread_percent": round(spread, 1), "min_us": min(line["min_us"] for line in lines)}
    if peaks:
        row["peak_mb"] = max(peaks)
    variants = {line["variant"] for line in lines if "variant" in line}
    if variants:
        row["variant"] = "/".join(sorted(variants))
    return row


def compare(name, group, target, threads, ours, theirs):
    ours, theirs = median_and_spread(ours), median_and_spread(theirs)
    return {
        "name": name,
        "group": group,
        "target": target,
        "threads": threads,
        "ours": ours,
        "pytorch": theirs,
        "ratio": theirs["median_us"] / ours["median_us"],
        "ratio_of_best": theirs["min_us"] / ours["min_us"],
    }


def time_all(args, names, workloads, program, cores_of):
    rows = []
    for threads in args.threads:
        cores = cores_of(threads)
        ours, theirs = Ours(args, cores, program), Torch(args, cores)
        for name in names:
            workload = workloads[name]
            rounds = [[], []]
            for i in range(args.rounds):
                # Who begins changes, so that neither side always follows the other's heat.
                for j in (0, 1) if i % 2 == 0 else (1, 0):
                    rounds[j].append((ours, theirs)[j].time(name, workload.peak))
            if None in rounds[0] or None in rounds[1]:
                print(f"{name}: skipped", file=sys.stderr)
                continue
            rows.append(compare(name, workload.group, 5.0 if workload.tiny else 1.0, threads, *rounds))
            if name in BOUNDS:
                bound = median_and_spread([ours.time(BOUNDS[name], False) for _ in range(args.rounds)])
                rows[-1]["bound"] = bound
                rows[-1]["over_bound"] = rows[-1]["ours"]["min_us"] / bound["min_us"]
            print_row(rows[-1])
        if args.start:
            seconds = [[side.start_seconds() for _ in range(runs)] for side, runs in ((ours, 20), (theirs, 3))]
            lines = [[{"median_us": s * 1e6, "min_us": s * 1e6} for s in side] for side in seconds]
            rows.append(compare("start", 4, 1.0, threads, *lines))
            print_row(rows[-1])
        theirs.close()
    return rows


HEADER = (
    f"{'workload':28} {'thr':>3} {'cresset us':>12} {'±%':>5} {'PyTorch us':>12} {'±%':>5} {'ratio':>7} {'of best':>7}"
)


def print_row(row):
    ours, theirs = row["ours"], row["pytorch"]
    text = f"{row['name']:28} {row['threads']:3} {ours['median_us']:12.2f} {ours['spread_percent']:5.1f} "
    text += f"{theirs['median_us']:12.2f} {theirs['spread_percent']:5.1f} {row['ratio']:7.2f} {row['ratio_of_best']:7.2f}"
    if "peak_mb" in ours and "peak_mb" in theirs:
        text += f"  peak MB {ours['peak_mb']:.0f} against {theirs['peak_mb']:.0f}"
    if "variant" in theirs:
        text += f"  ({theirs['variant']})"
    if "over_bound" in row:
        text += f"  {row['over_bound']:.2f} of the bound"
    if row["ratio"] < row["target"]:
        text += f"  below {row['target']:g}"
    print(text, flush=True)


def print_means(rows):
    print()
    for threads in sorted({row["threads"] for row in rows}):
        for group in sorted({row["group"] for row in rows}):
            ratios = [row["ratio"] for row in rows if (row["threads"], row["group"]) == (threads, group)]
            if ratios:
                mean = math.exp(statistics.fmean(map(math.log, ratios)))
                what = f"group {group}, {threads} thread{'s' if threads > 1 else ''}"
                print(f"{what}: geometric mean {mean:.2f} over {len(ratios)} workloads, least {min(ratios):.2f}")


def check_all(args, names, program, cores_of):
    """Compares what both sides compute; gives how many differ."""
    differ = 0
    pattern = "^(" + "|".join(names) + ")$"
    for threads in args.threads:
        cores = cores_of(threads)
        ours = {line["name"]: line for line in Ours(args, cores, program).check(pattern)}
        theirs = {line["name"]: line for line in Torch(args, cores).check(pattern)}
        for name in names:
            if name not in ours or name not in theirs:
                print(f"{name:28} {threads:3} not compared: only one side ran it")
                continue
            a, b = ours[name], theirs[name]
            error = abs(a["checksum"] - b["checksum"]) / max(b["scale"], sys.float_info.min)
            # NaN is a difference too.
            same = error <= TOLERANCE
            differ += not same
            print(f"{name:28} {threads:3} {a['checksum']:16.9e} {b['checksum']:16.9e} {error:8.1e} {'' if same else 'DIFFERS'}")
    print(f"{differ} workloads differ" if differ else "both sides compute the same")
    return differ


def numbers(text):
    return [int(n) for n in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description="Compares the speed of cresset and PyTorch on the same cores.")
    parser.add_argument("--ours", type=Path, help="the built cresset-bench, with examples/start beside it (default: cargo builds it)")
    parser.add_argument("--threads", type=numbers, default=[1, 2], help="numbers of threads, with commas (default 1,2)")
    parser.add_argument("--cores", type=numbers, help="the cores to use (default: the last ones)")
    parser.add_argument("--seconds", type=float, default=0.5, help="per workload, side and round (default 0.5)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--filter", type=re.compile, default=re.compile(""))
    parser.add_argument("--group", type=numbers, default=[1, 2, 3, 4, 5], help="groups of workloads, with commas (default 1,2,3,4,5; 6 is how the cost grows)")
    parser.add_argument("--mnist-dir")
    parser.add_argument("--json", type=Path, default=PROJECT / "target" / "bench" / "compare.json")
    parser.add_argument("--check", action="store_true", help="compare what both sides compute, instead of the times")
    args = parser.parse_args()

    from workloads import ALL

    program = args.ours.resolve() if args.ours else build()
    available = args.cores or sorted(os.sched_getaffinity(0))
    if max(args.threads) > len(available):
        sys.exit(f"{max(args.threads)} threads need as many cores, but there are {len(available)}")
    cores_of = lambda threads: available[-threads:]
    names = [n for n, w in ALL.items() if w.group in args.group and args.filter.search(n)]
    args.start = 4 in args.group and bool(args.filter.search("start"))
    if args.check:
        sys.exit(check_all(args, names, program, cores_of) > 0)
    print(HEADER)
    rows = time_all(args, names, ALL, program, cores_of)
    print_means(rows)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps({"seconds": args.seconds, "rounds": args.rounds, "workloads": rows}, indent=1) + "\n")
    print(f"written to {args.json}")


if __name__ == "__main__":
    main()
