"""Checks with real PyTorch that files travel both ways, over every module and optimizer of the golden data.

    python tools/check_with_pytorch.py [--goldens goldens] [--cresset target/release/cresset] [--travel target/release/travel]

cresset writes state dicts (`travel write`); PyTorch opens them with weights_only=True and with mmap=True, finds the same tensors, loads them into
fresh modules, whose outputs must be the recorded ones, and into fresh optimizers, whose next steps must be the recorded ones. Then PyTorch writes
the same, and cresset reads (`travel read`). Formats beside .pth are converted by `cresset convert` and compared with the safetensors and numpy
packages where these are installed. Needs torch, numpy, safetensors; exits with 1 if anything differs.
"""

import argparse
import collections
import importlib
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch

warnings.filterwarnings("ignore")
TOLERANCES = {torch.float64: (1e-7, 1e-7), torch.float32: (1.3e-6, 1e-5), torch.float16: (2e-3, 1e-5), torch.bfloat16: (1.6e-2, 1e-5)}
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
          "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}


def find(path):
    """The object of a dotted name."""
    parts = path.split(".")
    for n in range(len(parts) - 1, 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ImportError:
            continue
        for part in parts[n:]:
            found = getattr(found, part)
        return found
    raise KeyError(path)


class Golden:
    """A golden file: tensors by name and a list of cases."""

    def __init__(self, path):
        raw = path.read_bytes()
        size = int.from_bytes(raw[:8], "little")
        self.header = json.loads(raw[8 : 8 + size])
        self.data = bytearray(raw[8 + size :])
        self.cases = json.loads(self.header.pop("__metadata__", {}).get("cases", "[]"))

    def tensor(self, ref):
        entry = self.header[ref["t"]]
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        if begin == end:
            t = torch.empty(entry["shape"], dtype=dtype)
        else:
            t = torch.frombuffer(bytearray(self.data[begin:end]), dtype=dtype).reshape(entry["shape"])
        if "stride" in ref:
            size = 1 + sum((n - 1) * s for n, s in zip(t.shape, ref["stride"])) if t.numel() else 0
            t = torch.empty(size, dtype=dtype).as_strided(t.shape, ref["stride"]).copy_(t)
        if ref.get("param"):
            return torch.nn.Parameter(t, requires_grad=bool(ref.get("grad")))
        return t

    def value(self, tree, known=None):
        known = {} if known is None else known
        if isinstance(tree, list):
            return [self.value(v, known) for v in tree]
        if not isinstance(tree, dict):
            return tree
        if "t" in tree:
            if tree["t"] not in known:
                known[tree["t"]] = self.tensor(tree)
            return known[tree["t"]]
        if "f" in tree:
            return float(tree["f"])
        if "tuple" in tree:
            return tuple(self.value(v, known) for v in tree["tuple"])
        if "size" in tree:
            return torch.Size(tree["size"])
        if "dtype" in tree:
            return getattr(torch, tree["dtype"])
        if "device" in tree:
            return torch.device(tree["device"])
        if "dict" in tree:
            return collections.OrderedDict((k, self.value(v, known)) for k, v in tree["dict"].items())
        if "pairs" in tree:
            return {self.value(k, known): self.value(v, known) for k, v in tree["pairs"]}
        if "fn" in tree:
            return find(tree["fn"])
        if "packed" in tree:
            p = tree["packed"]
            parts = [self.value(p[k], known) for k in ("data", "batch_sizes", "sorted_indices", "unsorted_indices")]
            return torch.nn.utils.rnn.PackedSequence(*parts)
        if "module" in tree:
            args = [self.value(v, known) for v in tree.get("args", [])]
            kwargs = {k: self.value(v, known) for k, v in tree.get("kwargs", {}).items()}
            return find(tree["module"])(*args, **kwargs)
        raise KeyError(str(tree)[:80])


def equal(a, b):
    """The same bits."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return bool(((a == b) | ((a != a) & (b != b))).all())


def close(got, want, noise):
    if isinstance(want, torch.Tensor):
        if want.dtype != got.dtype or want.shape != got.shape:
            return False
        if not want.dtype.is_floating_point:
            return torch.equal(got, want)
        rtol, atol = TOLERANCES[want.dtype]
        extra = 0.0
        if want.dtype in (torch.float16, torch.bfloat16) and want.numel():
            extra = (2**-10 if want.dtype == torch.float16 else 2**-7) * want.abs().nan_to_num(0, 0, 0).max().item()
        g, w = got.detach().double(), want.double()
        ok = (g - w).abs() <= atol + rtol * w.abs() + 4 * noise + extra
        return bool((ok | (g == w) | ((g != g) & (w != w))).all())
    if isinstance(want, torch.nn.utils.rnn.PackedSequence):
        return close(got.data, want.data, noise)
    if isinstance(want, (list, tuple)):
        return len(got) == len(want) and all(close(g, w, noise) for g, w in zip(got, want))
    if isinstance(want, dict):
        return list(got) == list(want) and all(close(got[k], want[k], noise) for k in want)
    return got == want


def noise_of(case):
    found = [0.0]

    def walk(x):
        if isinstance(x, dict):
            [walk(v) for v in x.values()]
        elif isinstance(x, list):
            [walk(v) for v in x]
        elif isinstance(x, (int, float)) and not isinstance(x, bool):
            found.append(math.inf if x < 0 else x)

    walk(case.get("noise", {}))
    return max(found)


class Counts:
    def __init__(self):
        self.done = collections.Counter()
        self.names = collections.defaultdict(set)
        self.failed = []

    def run(self, what, name, check):
        try:
            fault = check()
        except Exception as e:  # A refusal of PyTorch is a result.
            fault = f"{type(e).__name__}: {e}".split("\n")[0]
        if fault:
            self.failed.append(f"{what} {name}: {fault}")
        else:
            self.done[what] += 1
            self.names[what].add(name.rsplit(".", 1)[0])

    def table(self):
        for what, n in self.done.items():
            print(f"{what}: {n} cases of {len(self.names[what])} agree")
        for line in self.failed:
            print("FAILED", line)
        print(f"{sum(self.done.values())} checks agree, {len(self.failed)} failed")


def build(golden, case):
    torch.manual_seed(7)
    module = golden.value(case["spec"])
    if case.get("dtype") == "float64":
        module = module.double()
    module.train(case.get("training", True))
    return module


def modules(goldens, written, back, counts):
    for path in sorted((goldens / "modules").glob("*.safetensors")):
        golden = Golden(path)
        for case in golden.cases:
            name = f"{path.stem}.{case['i']}"
            ours = written / "modules" / f"{name}.pth"
            if not ours.exists() or "spec" not in case:
                continue
            want = golden.value({"dict": case["state"]})

            def opens():
                for mmap in (False, True):
                    got = torch.load(ours, weights_only=True, mmap=mmap)
                    if list(got) != list(want) or not all(equal(got[k], want[k]) for k in want):
                        return f"other tensors (mmap={mmap})"

            def loads():
                module = build(golden, case)
                module.load_state_dict(torch.load(ours, weights_only=True), strict=True)
                torch.save(module.state_dict(), back / "modules" / f"{name}.pth")
                if "args" not in case or "out" not in case:
                    return None
                known = {}
                args = golden.value(case["args"], known)
                kwargs = {k: golden.value(v, known) for k, v in case.get("kwargs", {}).items()}
                torch.manual_seed(case.get("fwd_seed", 0))
                with torch.no_grad():
                    out = module(*args, **kwargs)
                if not close(out, golden.value(case["out"]), noise_of(case)):
                    return "another output"

            counts.run("state dicts of modules open in PyTorch (weights_only, mmap)", name, opens)
            counts.run("modules loaded in PyTorch give the recorded outputs", name, loads)


def optimizer_of(golden, case, params):
    kwargs = {k: golden.value(v) for k, v in case["kwargs"].items()}
    groups = [dict({k: golden.value(v) for k, v in g["kwargs"].items()}, params=[params[i] for i in g["params"]]) for g in case["groups"]]
    return find(case["optimizer"])(groups, **kwargs)


def steps(golden, case, optimizer, params, first, last, check):
    grads = [golden.tensor(g) for g in case["grads"]]
    after = [golden.tensor(a) for a in case["after"]]
    none = {tuple(p) for p in case.get("none_grads", [])}
    for s in range(first, last):
        for k, p in enumerate(params):
            p.grad = None if (s, k) in none else grads[k][s].clone()
        optimizer.step()
        for k, p in enumerate(params):
            noise = case.get("noise", {}).get(case["after"][k]["t"], 0.0)
            if check and noise >= 0 and not close(p.detach(), after[k][s], noise):
                return f"parameter {k} differs in step {s}"
    return None


def optimizers(goldens, written, back, counts):
    for path in sorted((goldens / "optim").glob("*.safetensors")):
        golden = Golden(path)
        for case in golden.cases:
            name = f"{path.stem}.{case['i']}"
            ours = written / "optim" / f"{name}.pth"
            if "grads" not in case:
                continue
            first = case.get("steps", 12)
            last = first + case.get("resume_steps", 2)

            def goes_on():
                saved = torch.load(ours, weights_only=True, mmap=True)
                params = [p.clone().requires_grad_(True) for p in saved["params"]]
                optimizer = optimizer_of(golden, case, params)
                optimizer.load_state_dict(torch.load(ours, weights_only=True)["optimizer"])
                return steps(golden, case, optimizer, params, first, last, True)

            def writes():
                params = [golden.tensor(p).clone().requires_grad_(True) for p in case["params"]]
                optimizer = optimizer_of(golden, case, params)
                fault = steps(golden, case, optimizer, params, 0, first, True)
                saved = {"params": [p.detach() for p in params], "optimizer": optimizer.state_dict()}
                torch.save(saved, back / "optim" / f"{name}.pth")
                return fault

            if ours.exists():
                counts.run("optimizers loaded in PyTorch give the recorded next steps", name, goes_on)
                counts.run("(written by PyTorch for the way back)", name, writes)


class MultiClassifier(torch.nn.Module):
    """The chapter's 3.8.1."""

    def __init__(self, input_size, hidden_sizes, num_classes, dropout_rate):
        super().__init__()
        layers = []
        for hidden_size in hidden_sizes:
            layers += [torch.nn.Linear(input_size, hidden_size), torch.nn.BatchNorm1d(hidden_size), torch.nn.ReLU(), torch.nn.Dropout(dropout_rate)]
            input_size = hidden_size
        self.network = torch.nn.Sequential(*layers, torch.nn.Linear(input_size, num_classes))

    def forward(self, x):
        return self.network(x)


def chapter(written, back, counts):
    def same_outputs():
        saved = torch.load(written / "classifier.pth", weights_only=True, mmap=True)
        model = MultiClassifier(784, [512, 256, 128], 10, 0.3)
        model.load_state_dict(saved["state"])
        model.eval()
        with torch.no_grad():
            if not close(model(saved["x"]), saved["y"], 0.0):
                return "another output"
        torch.manual_seed(5)
        model = MultiClassifier(784, [512, 256, 128], 10, 0.3)
        model(torch.randn(32, 784))
        model.eval()
        x = torch.randn(64, 784)
        torch.save({"state": model.state_dict(), "x": x, "y": model(x).detach()}, back / "classifier.pth")

    counts.run("the chapter's classifier gives its outputs in PyTorch", "3.8.1", same_outputs)


def formats(cresset, folder, counts):
    """.pth, safetensors and npz through `cresset convert`, read by the other packages."""
    import numpy
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    def convert(*args):
        done = subprocess.run([cresset, "convert", *map(str, args)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())

    torch.manual_seed(3)
    base = torch.randn(4, 6)
    state = {f"d.{str(d)[6:]}": (base * 3).to(d) for d in DTYPES.values()}
    state |= {"t": base.T.contiguous(), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3), "ïñ.weight": torch.randn(2, 3, 4)}
    numpy_state = {k: v for k, v in state.items() if v.dtype != torch.bfloat16}

    def same(got, want):
        got = {k: torch.as_tensor(v) for k, v in got.items()}
        if sorted(got) != sorted(want):
            return f"names {sorted(got)}"
        wrong = [k for k in want if not equal(got[k], want[k])]
        return f"{wrong} differ" if wrong else None

    def safetensors_both_ways():
        save_file(state, folder / "a.safetensors", {"format": "pt", "note": "x"})
        convert(folder / "a.safetensors", folder / "a.pth")
        fault = same(torch.load(folder / "a.pth", weights_only=True), state)
        convert(folder / "a.pth", folder / "b.safetensors")
        with safe_open(folder / "b.safetensors", "pt") as f:
            if f.metadata() != {"format": "pt"}:
                return f"metadata {f.metadata()}"
        return fault or same(load_file(folder / "b.safetensors"), state)

    def npz_both_ways():
        arrays = {k: v.numpy() for k, v in numpy_state.items()}
        arrays["fortran"] = numpy.asfortranarray(base.numpy())
        want = dict(numpy_state, fortran=base)
        for save in (numpy.savez, numpy.savez_compressed):
            save(folder / "a.npz", **arrays)
            convert(folder / "a.npz", folder / "n.pth")
            fault = same(torch.load(folder / "n.pth", weights_only=True), want)
            if fault:
                return fault
        for extra in ([], ["--compress"]):
            convert(folder / "n.pth", folder / "b.npz", *extra)
            fault = same(dict(numpy.load(folder / "b.npz")), want)
            if fault:
                return fault

    def npy_both_ways():
        for k, v in numpy_state.items():
            numpy.save(folder / "a.npy", v.numpy())
            convert(folder / "a.npy", folder / "one.pth")
            convert(folder / "one.pth", folder / "b.npy")
            if not equal(torch.as_tensor(numpy.load(folder / "b.npy")), v):
                return f"{k} differs"

    def csv_both_ways():
        doubles = torch.cat([torch.randn(300).double().exp() * 10.0 ** torch.arange(-150, 150), torch.tensor([math.inf, -math.inf, math.nan, -0.0])])
        for want in (doubles.reshape(-1, 4), doubles):
            numpy.save(folder / "a.npy", want.numpy())
            convert(folder / "a.npy", folder / "a.csv")
            if not equal(torch.as_tensor(numpy.loadtxt(folder / "a.csv", delimiter=",")), want):
                return "numpy reads other numbers"
            numpy.savetxt(folder / "b.csv", want.numpy(), delimiter=",")
            convert(folder / "b.csv", folder / "b.npy")
            if not equal(torch.as_tensor(numpy.load(folder / "b.npy")).reshape(want.shape), want):
                return "numpy's numbers are read as others"
        columns = {"id": torch.arange(5), "x": torch.randn(5).double()}
        numpy.savez(folder / "c.npz", **{k: v.numpy() for k, v in columns.items()})
        convert(folder / "c.npz", folder / "c.csv")
        table = numpy.genfromtxt(folder / "c.csv", delimiter=",", names=True, dtype=None)
        return same({name: table[name] for name in table.dtype.names}, columns)

    def numpy_scalars():
        value = {n: getattr(numpy, n)(1) for n in ("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
                                                   "float16", "float32", "float64")}
        value |= {"text": numpy.str_("é"), "bytes": numpy.bytes_(b"x"), "array": numpy.arange(6).reshape(2, 3)}
        for protocol in (2, 4, 5):
            torch.save(value, folder / "s.pth", pickle_protocol=protocol)
            convert(folder / "s.pth", folder / "s2.pth")
            got = torch.load(folder / "s2.pth", weights_only=True)
            wrong = [k for k in value if k != "array" and got[k] != value[k].item()]
            if wrong or not equal(got["array"], torch.as_tensor(value["array"])):
                return f"{wrong} differ"

    def nested_and_shared():
        weight = torch.randn(5, 5)
        model = collections.OrderedDict(w=weight, tied=weight, view=weight.T, row=weight[1])
        value = {"epoch": 3, "big": 2**70, "model": model, "tuple": (1, [2.5, None, True]), "bytes": b"\0\xff", "set": {1, 2},
                 "size": torch.Size([2, 3]), "dtype": torch.bfloat16, "device": torch.device("cuda:1"), "state": dict(state)}
        torch.save(value, folder / "v.pth")
        convert(folder / "v.pth", folder / "v2.pth")
        got = torch.load(folder / "v2.pth", weights_only=True)
        m = got["model"]
        if len({m[k].untyped_storage().data_ptr() for k in m}) != 1 or m["view"].stride() != (1, 5) or m["row"].storage_offset() != 5:
            return "the sharing is another"
        plain = [k for k in value if k not in ("model", "state") and got[k] != value[k]]
        return f"{plain} differ" if plain else same(got["state"], state)

    def torchscript():
        got = torch.load(folder / "ts.pth", weights_only=True)
        return same(got, {k: v.detach() for k, v in net.state_dict().items()})

    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU())
    torch.jit.save(torch.jit.script(net), folder / "ts.pt")
    what = "other formats"
    counts.run(what, "safetensors.0", safetensors_both_ways)
    counts.run(what, "npz.0", npz_both_ways)
    counts.run(what, "npy.0", npy_both_ways)
    counts.run(what, "csv.0", csv_both_ways)
    counts.run(what, "numpy scalars.0", numpy_scalars)
    counts.run(what, "nested.0", nested_and_shared)
    counts.run(what, "torchscript.0", lambda: (convert(folder / "ts.pt", folder / "ts.pth", "--add-prefix", ""), torchscript())[1])
    for protocol in (2, 3, 4, 5):
        for zipped in (True, False):

            def old():
                path = folder / "p.pth"
                torch.save({"m": state, "n": [1, 2.5, "x"]}, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
                convert(path, folder / "p2.pth")
                return same(torch.load(folder / "p2.pth", weights_only=True)["m"], state)

            counts.run(what, f"protocol {protocol} {'zip' if zipped else 'legacy'}.0", old)


def main():
    root = pathlib.Path(__file__).parent.parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--goldens", type=pathlib.Path, default=root / "goldens")
    parser.add_argument("--cresset", default=root / "target/release/cresset")
    parser.add_argument("--travel", default=root / "target/release/travel")
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"PyTorch {torch.__version__}")
    counts = Counts()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        written, back = folder / "written", folder / "back"
        for kind in ("modules", "optim"):
            (back / kind).mkdir(parents=True)
        status = subprocess.run([args.travel, "write", args.goldens, written]).returncode
        modules(args.goldens, written, back, counts)
        optimizers(args.goldens, written, back, counts)
        chapter(written, back, counts)
        sys.stdout.flush()
        status |= subprocess.run([args.travel, "read", args.goldens, back]).returncode
        formats(args.cresset, folder, counts)
    counts.table()
    return int(bool(status or counts.failed))


if __name__ == "__main__":
    sys.exit(main())
