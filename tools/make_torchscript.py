"""Makes goldens/saved/torchscript.pt with PyTorch (recorded with 2.15): a small scripted module with a tied weight, without debug records."""

import io
import pathlib
import zipfile

import torch

torch.manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(3, 2)
        self.bn = torch.nn.BatchNorm1d(2)
        self.k, self.names, self.sizes, self.f = 3, ["a", "b"], [1, 2], [1.5]
        self.tied = torch.nn.Linear(3, 2, bias=False)
        self.tied.weight = self.fc1.weight

    def forward(self, x):
        return self.fc1(x) * self.k * self.sizes[0] * self.f[0] + self.tied(x)


net = Net().eval()
buffer = io.BytesIO()
torch.jit.save(torch.jit.script(net), buffer)
target = pathlib.Path(__file__).parent.parent / "goldens/saved/torchscript.pt"
with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(target, "w") as new:
    for info in old.infolist():
        if not info.filename.endswith(".debug_pkl"):
            new.writestr(zipfile.ZipInfo(info.filename.replace("archive/", "torchscript/")), old.read(info))
print({name: tuple(t.shape) for name, t in net.state_dict().items()}, net.fc1.weight[0].tolist())
