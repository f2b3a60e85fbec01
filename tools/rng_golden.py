#!/usr/bin/env python3
"""Writes goldens/rng/cpu_streams.json: what PyTorch's CPU generator gives, fill by fill.

    python tools/rng_golden.py        (PyTorch 2.15.0, x86-64 with AVX2; needs NumPy)

A case seeds a generator, makes its calls in order and ends with the generator's position. Of a fill's result stand here the
FNV-1a hash (64 bits) of its little-endian bytes in memory order, and the first values in hex. Inputs stand in hex.
"""
import json
import os
import struct
import warnings

import torch

torch.set_num_threads(1)
warnings.simplefilter("ignore")  # bounds that a float type has not
assert torch.__version__.startswith("2.15."), torch.__version__
OUT = os.path.join(os.path.dirname(__file__), "..", "goldens", "rng", "cpu_streams.json")
FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint8", "bool"]
cases = []


def data(t):
    t = t.detach().contiguous().reshape(-1)
    return (t.view(torch.uint8) if t.numel() else t.to(torch.uint8)).numpy().tobytes()


def fnv(b):
    h = 0xCBF29CE484222325
    for x in b:
        h = ((h ^ x) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def values(dtype, numbers):
    return torch.tensor(numbers, dtype=torch.float64).to(getattr(torch, dtype))


def hexed(t):
    return data(t).hex()


def run(call, g):
    """makes one call on generator g, returns the tensor of its result or None"""
    op, c = call["op"], call
    dtype = getattr(torch, c.get("dtype", "float32"))
    empty = torch.empty(c.get("n", 0), dtype=dtype)
    if c.get("contiguous") is False:
        empty = torch.empty(2 * c["n"], dtype=dtype)[::2]
    tensor = lambda key, t: torch.frombuffer(bytearray(bytes.fromhex(c[key])), dtype=t)
    if op == "manual_seed":
        g.manual_seed(int(c["seed"]))
        return None
    if op == "get_state":
        return g.get_state()
    if op == "uniform":
        return empty.uniform_(c["from"], c["to"], generator=g)
    if op == "normal":
        return empty.normal_(c["mean"], c["std"], generator=g)
    if op == "log_normal":
        return empty.log_normal_(c["mean"], c["std"], generator=g)
    if op == "exponential":
        return empty.exponential_(c["lambda"], generator=g)
    if op == "cauchy":
        return empty.cauchy_(c["median"], c["sigma"], generator=g)
    if op == "geometric":
        return empty.geometric_(c["p"], generator=g)
    if op == "random":
        return empty.random_(generator=g)
    if op == "random_range":
        return empty.random_(int(c["from"]), None if c["to"] is None else int(c["to"]), generator=g)
    if op == "randperm":
        return torch.randperm(c["n"], dtype=dtype, generator=g)
    if op == "bernoulli":
        return empty.bernoulli_(c["p"], generator=g)
    if op == "bernoulli_each":
        return empty.bernoulli_(tensor("p", getattr(torch, c["p_dtype"])), generator=g)
    if op == "multinomial":
        w = tensor("weights", dtype).reshape(-1, c["columns"])
        return torch.multinomial(w, c["samples"], c["replacement"], generator=g)
    # What follows takes no generator: the default one is lent the state.
    kept = torch.get_rng_state()
    torch.set_rng_state(g.get_state())
    x = tensor("x", dtype)
    if op == "dropout":
        y = torch.nn.functional.dropout(x, c["p"])
    elif op == "alpha_dropout":
        y = torch.nn.functional.alpha_dropout(x, c["p"], training=True)
    elif op == "rrelu":
        y = torch.nn.functional.rrelu(x, c["lower"], c["upper"], training=True)
    else:
        raise KeyError(op)
    g.set_state(torch.get_rng_state())
    torch.set_rng_state(kept)
    return y


def case(name, seed, *calls):
    g = torch.Generator()
    g.manual_seed(seed)
    for call in calls:
        result = run(call, g)
        if result is not None:
            b = data(result)
            size = result.element_size()
            call["fnv"], call["first"] = fnv(b), b[: 4 * size].hex()
    state = g.get_state().numpy().tobytes()
    left, _, nxt = struct.unpack_from("<iiQ", state, 8)
    pending = state[5024:5032].hex() if struct.unpack_from("<i", state, 5040)[0] else None
    word = torch.empty((), dtype=torch.int64).random_(generator=g).item()
    end = {"left": left, "next": nxt, "pending": pending, "draw_seed": str(word)}
    cases.append({"name": name, "seed": str(seed), "calls": list(calls), "end": end})


def call(op, **args):
    return {"op": op, **args}


def uniform(n, dtype="float32", a=0.0, b=1.0):
    return call("uniform", dtype=dtype, n=n, **{"from": a, "to": b})


def normal(n, dtype="float32", mean=0.0, std=1.0, contiguous=True):
    return call("normal", dtype=dtype, n=n, mean=mean, std=std, contiguous=contiguous)


def integers(n, dtype, low, high):
    return call("random_range", dtype=dtype, n=n, **{"from": str(low), "to": None if high is None else str(high)})


def main():
    for seed in [0, 1, 42, 123, 2**32 - 1, 2**32, 2**32 + 42, -1, -2**63, 2**64 - 1, 67280421310721]:
        case(f"seed {seed}", seed, integers(6, "int64", -2**63, None), call("get_state"))
    case("words", 3, integers(1300, "int64", 0, 2**28 - 1), call("get_state"))
    for n in [0, 1, 2, 5, 15, 16, 17, 100, 623, 624, 625, 5000, 200000]:
        case(f"rand {n}", 4, uniform(n))
    for dtype in FLOATS[1:]:
        for n in [1, 7, 33, 100, 2501]:
            case(f"rand {dtype} {n}", 5, uniform(1), uniform(n, dtype))
    for dtype in FLOATS:
        for a, b in [(-1.0, 1.0), (-0.3, 0.7), (0.1, 3.7), (2.0, 2.0), (-1e-3, 65000.0)]:
            case(f"uniform {dtype} {a} {b}", 6, uniform(700, dtype, a, b))
        for n in [1, 2, 3, 15, 16, 17, 30, 31, 32, 33, 48, 100, 1030, 5000]:
            case(f"randn {dtype} {n}", 7, normal(n, dtype))
        for n in [9, 16, 50]:
            case(f"normal {dtype} {n}", 16, normal(n, dtype, 0.3, 1.7))
            case(f"normal {dtype} {n} strided", 16, normal(n, dtype, 0.3, 1.7, False))
        case(f"normal {dtype} zero std", 8, normal(20, dtype, 1.5, 0.0), normal(3, dtype, 1.5, 0.0))
    case("randn 200000", 7, normal(200000))
    case("pending", 9, normal(3), uniform(2), normal(40), normal(4, "float64", 2.0, 3.0), normal(5, "bfloat16"),
         call("get_state"), call("manual_seed", seed="9"), call("get_state"), normal(2))
    for low, high in [(0, 2), (0, 10), (-7, 8), (0, 2**28 - 1), (0, 2**28), (-1, 2**28 - 1), (0, 2**32), (-5, 2**40),
                      (-2**62, 2**62), (-2**63, 2**63 - 1), (0, 1), (5, 69)]:
        case(f"randint {low} {high}", 32, integers(40, "int64", low, high))
    case("randint 200000", 32, integers(200000, "int64", 0, 1000))
    for dtype, low, high in [("int32", -5, 100), ("int32", -2**31, 2**31 - 1), ("int16", -300, 300), ("int8", -128, 127),
                             ("uint8", 0, 256), ("bool", 0, 2), ("float32", 0, 10), ("float64", -3, 2**33),
                             ("float16", -7, 65504), ("float16", -2049, 2050), ("bfloat16", -7, 1000), ("bfloat16", -257, 258),
                             ("float32", -5, 2**24 + 3), ("float32", -2**24 - 1, 2**26 + 1)]:
        case(f"randint {dtype} {low} {high}", 32, integers(300, dtype, low, high))
    for dtype in FLOATS + INTEGERS:
        case(f"random {dtype}", 34, call("random", dtype=dtype, n=700))
        case(f"random from 1 {dtype}", 34, integers(700, dtype, 1, None))
        case(f"bernoulli {dtype}", 50, call("bernoulli", dtype=dtype, n=700, p=0.3))
        if dtype != "bool":
            case(f"geometric {dtype}", 72, call("geometric", dtype=dtype, n=100, p=0.1))
            case(f"randperm {dtype}", 36, call("randperm", dtype=dtype, n=60))
    for n in [0, 1, 2, 3, 10, 100, 625, 5000, 200000]:
        case(f"randperm {n}", 35, call("randperm", dtype="int64", n=n))
    for p in [0.0, 0.1, 0.5, 0.9, 1.0]:
        case(f"bernoulli {p}", 51, uniform(1), call("bernoulli", dtype="float32", n=1300, p=p))
    case("bernoulli 200000", 51, call("bernoulli", dtype="float32", n=200000, p=0.7))
    chances = [i / 47 for i in range(48)]
    for p_dtype in FLOATS:
        for dtype in ["float32", "bool", "int64"]:
            case(f"bernoulli each {p_dtype} {dtype}", 53, uniform(1),
                 call("bernoulli_each", dtype=dtype, n=48, p_dtype=p_dtype, p=hexed(values(p_dtype, chances))))
    some = [((i * 37) % 101 - 50) / 16 for i in range(350)]
    for dtype in FLOATS:
        x = hexed(values(dtype, some))
        for p in [0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 0.9, 1.0]:
            case(f"dropout {dtype} {p}", 61, uniform(1), call("dropout", dtype=dtype, p=p, x=x))
        for p in [0.1, 0.2, 0.5, 0.7]:
            case(f"alpha dropout {dtype} {p}", 64, call("alpha_dropout", dtype=dtype, p=p, x=x))
        if dtype in ["float32", "float64"]:
            case(f"rrelu {dtype}", 141, call("rrelu", dtype=dtype, x=x, lower=1 / 8, upper=1 / 3))
        for rate in [1.0, 1.7]:
            case(f"exponential {dtype} {rate}", 70, call("exponential", dtype=dtype, n=700, **{"lambda": rate}))
        case(f"cauchy {dtype}", 72, call("cauchy", dtype=dtype, n=101, median=0.5, sigma=0.25))
        case(f"log normal {dtype}", 72, call("log_normal", dtype=dtype, n=101, mean=0.5, std=0.25))
        weights = [((i * 29) % 31) / 8 for i in range(120)]
        w = hexed(values(dtype, weights))
        for columns, samples in [(120, 1), (120, 5), (120, 50), (120, 119), (120, 120), (30, 1), (30, 7), (30, 29)]:
            for replacement in [True, False]:
                case(f"multinomial {dtype} {columns} {samples} {replacement}", 82,
                     call("multinomial", dtype=dtype, columns=columns, samples=samples, replacement=replacement, weights=w))
    flat = hexed(values("bfloat16", [1.0] * 900))
    zeros = hexed(values("float32", [float(i % 5 == 0) for i in range(900)]))
    for samples in [2, 14, 15, 200, 500, 899]:
        case(f"multinomial ties {samples}", 146,
             call("multinomial", dtype="bfloat16", columns=900, samples=samples, replacement=False, weights=flat))
    for samples in [3, 14, 100, 181]:
        call_ = call("multinomial", dtype="float32", columns=900, samples=min(samples, 180), replacement=False, weights=zeros)
        case(f"multinomial zeros {samples}", 147, call_)
    case("mixed", 99, uniform(3), normal(20), call("randperm", dtype="int64", n=9), integers(5, "int64", 0, 10), normal(5),
         call("bernoulli", dtype="float32", n=6, p=0.4), call("exponential", dtype="float32", n=4, **{"lambda": 1.0}),
         normal(2), uniform(2, "float64"), call("random", dtype="int64", n=3), call("get_state"))
    head = {"pytorch": "2.15.0", "script": "tools/rng_golden.py", "cases": cases}
    lines = ",\n".join(json.dumps(c) for c in cases)
    with open(OUT, "w") as f:
        f.write(json.dumps({**head, "cases": []})[:-2] + "\n" + lines + "\n]}\n")
    print(len(cases), "cases,", os.path.getsize(OUT), "bytes")


main()
