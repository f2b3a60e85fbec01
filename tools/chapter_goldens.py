#!/usr/bin/env python3
"""Writes goldens/chapter: what the chapter's programs print, save and plot.

    python tools/chapter_goldens.py DIR        (PyTorch 2.15.0, NumPy; DIR holds the programs, 3.1.1.py to 3.10.2.py)

The programs run one after the other in one namespace, each after torch.manual_seed(0). 3.9.2, which prints times, is left out.
"""
import contextlib
import glob
import io
import math
import os
import sys
import unittest.mock

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

assert torch.__version__.startswith("2.15."), torch.__version__
torch.set_num_threads(1)
OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "goldens", "chapter")
PLOTS = unittest.mock.MagicMock()
sys.modules["matplotlib"] = sys.modules["matplotlib.pyplot"] = PLOTS


def lines(name, rows):
    with open(os.path.join(OUT, name), "w") as f:
        f.writelines(" ".join(map(str, row)) + "\n" for row in rows)


folder = os.path.abspath(sys.argv[1])
os.makedirs(OUT, exist_ok=True)
os.chdir(OUT)  # 3.7.1 saves its files in the current folder
sections = [os.path.basename(p)[:-3] for p in glob.glob(os.path.join(folder, "3.*.py"))]
names = {"torch": torch, "nn": nn, "F": F, "np": np, "math": math, "plt": PLOTS}
for section in sorted(sections, key=lambda s: [int(n) for n in s.split(".")]):
    torch.manual_seed(0)
    with open(os.path.join(folder, section + ".py")) as f, contextlib.redirect_stdout(io.StringIO()) as printed:
        if section == "3.9.2":
            continue
        exec(compile(f.read(), section, "exec"), names)
    with open(section + ".txt", "w") as f:
        f.write(printed.getvalue())
    if section == "3.3.2":
        values = [("x", names["x"]), *names["results"].items()]
        lines("3.3.2_values.txt", [(name, *(f"{v:.9g}" for v in y.tolist())) for name, y in values])
    if section == "3.10.2":
        weights = [(n, p.detach().numpy().flatten()) for n, p in names["model"].named_parameters() if "weight" in n][:3]
        lines("3.10.2_counts.txt", [(name, *np.histogram(w, 50)[0]) for name, w in weights])
