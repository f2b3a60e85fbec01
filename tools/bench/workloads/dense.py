"""Group 1: dense networks."""

import gzip
import os
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from .registry import Skip, add, workload


def train(model, criterion, input, target, optimizer=None):
    """A step of training on one batch, with Adam unless said otherwise."""
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss = criterion(model(input), target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def infer(model, input):
    model.eval()

    def step():
        with torch.no_grad():
            return model(input)

    return step


class SimpleMLP(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.fc1 = nn.Linear(input_size, hidden_size)
        self.fc2 = nn.Linear(hidden_size, output_size)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.fc1(x)
        x = self.relu(x)
        return self.fc2(x)


@workload(1, "tiny_forward", tiny=True)
def tiny_forward(setup):
    model = SimpleMLP(10, 20, 1)
    input = torch.randn(32, 10)

    def step():
        with torch.no_grad():
            return model(input)

    return step


@workload(1, "tiny_train", tiny=True)
def tiny_train(setup):
    model = SimpleMLP(10, 20, 1)
    return train(model, nn.MSELoss(), torch.randn(32, 10), torch.randn(32, 1))


class ExampleModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 20)
        self.fc2 = nn.Linear(20, 1)
        self.dropout = nn.Dropout(0.2)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = self.dropout(x)
        return self.fc2(x)


@workload(1, "example_train", tiny=True)
def example_train(setup):
    model = ExampleModel()
    return train(model, nn.MSELoss(), torch.randn(100, 10), torch.randn(100, 1))


class StatefulLayer(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_transform = nn.Linear(input_size, hidden_size)
        self.hidden_transform = nn.Linear(hidden_size, hidden_size)
        self.register_buffer("hidden_state", torch.zeros(1, hidden_size))

    def forward(self, x):
        batch_size = x.size(0)
        if self.hidden_state.size(0) != batch_size:
            self.hidden_state = self.hidden_state.expand(batch_size, -1).contiguous()
        input_contribution = self.input_transform(x)
        hidden_contribution = self.hidden_transform(self.hidden_state)
        new_hidden = torch.tanh(input_contribution + hidden_contribution)
        self.hidden_state = new_hidden.detach()
        return new_hidden


@workload(1, "stateful_step", tiny=True)
def stateful_step(setup):
    layer = StatefulLayer(10, 20)
    input = torch.randn(1, 10)
    return lambda: layer(input)


class MultiClassifier(nn.Module):
    def __init__(self, input_size, hidden_sizes, num_classes, dropout_rate=0.2):
        super().__init__()
        layers = []
        prev_size = input_size
        for hidden_size in hidden_sizes:
            layers.extend([
                nn.Linear(prev_size, hidden_size),
                nn.BatchNorm1d(hidden_size),
                nn.ReLU(),
                nn.Dropout(dropout_rate),
            ])
            prev_size = hidden_size
        layers.append(nn.Linear(prev_size, num_classes))
        self.network = nn.Sequential(*layers)

    def forward(self, x):
        return self.network(x)


def mnist_classifier():
    return MultiClassifier(784, [512, 256, 128], 10, dropout_rate=0.3)


for batch in (32, 128, 512):

    def classifier_train(setup, batch=batch):
        model = mnist_classifier()
        input = torch.randn(batch, 784)
        target = torch.randint(0, 10, (batch,))
        return train(model, nn.CrossEntropyLoss(), input, target)

    add(1, f"classifier_train_{batch}", classifier_train)

for batch in (1, 32, 1000):

    def classifier_infer(setup, batch=batch):
        model = mnist_classifier()
        return infer(model, torch.randn(batch, 784))

    add(1, f"classifier_infer_{batch}", classifier_infer)


class ResidualBlock(nn.Module):
    def __init__(self, hidden_size, dropout_rate=0.1):
        super().__init__()
        self.fc1 = nn.Linear(hidden_size, hidden_size)
        self.fc2 = nn.Linear(hidden_size, hidden_size)
        self.bn1 = nn.BatchNorm1d(hidden_size)
        self.bn2 = nn.BatchNorm1d(hidden_size)
        self.dropout = nn.Dropout(dropout_rate)

    def forward(self, x):
        residual = x
        out = self.fc1(x)
        out = self.bn1(out)
        out = F.relu(out)
        out = self.dropout(out)
        out = self.fc2(out)
        out = self.bn2(out)
        out += residual
        return F.relu(out)


class ResNet(nn.Module):
    def __init__(self, input_size, hidden_size, num_blocks, num_classes):
        super().__init__()
        self.input_projection = nn.Linear(input_size, hidden_size)
        self.residual_blocks = nn.ModuleList([ResidualBlock(hidden_size) for _ in range(num_blocks)])
        self.output_layer = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        x = F.relu(self.input_projection(x))
        for block in self.residual_blocks:
            x = block(x)
        return self.output_layer(x)


for batch in (16, 128):

    def resnet_train(setup, batch=batch):
        model = ResNet(input_size=100, hidden_size=256, num_blocks=4, num_classes=10)
        input = torch.randn(batch, 100)
        target = torch.randint(0, 10, (batch,))
        return train(model, nn.CrossEntropyLoss(), input, target)

    add(1, f"resnet_train_{batch}", resnet_train)


def activation(x):
    return torch.where(x > 0, x, 0.01 * x)


class OptimizedModel(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.fc1 = nn.Linear(100, 200)
        self.fc2 = nn.Linear(200, 100)
        self.fc3 = nn.Linear(100, 1)
        self.activation = activation

    def forward(self, x):
        x = self.activation(self.fc1(x))
        x = self.activation(self.fc2(x))
        return self.fc3(x)


@workload(1, "optimized_forward")
def optimized_forward(setup):
    """Written in Python, and with the activation through torch.jit.script: the faster counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(activation)
    model = OptimizedModel(activation)
    model_scripted = OptimizedModel(scripted)
    model_scripted.load_state_dict(model.state_dict())
    torch.manual_seed(0)
    OptimizedModel(activation)
    input = torch.randn(1000, 100)
    return {"eager": lambda: model(input), "scripted activation": lambda: model_scripted(input)}


class CheckpointModel(nn.Module):
    def __init__(self, checkpoints):
        super().__init__()
        self.layer1 = nn.Linear(1000, 1000)
        self.layer2 = nn.Linear(1000, 1000)
        self.layer3 = nn.Linear(1000, 1000)
        self.layer4 = nn.Linear(1000, 1)
        self.checkpoints = checkpoints

    def forward(self, x):
        if not self.checkpoints:
            return self.layer4(self._forward_block2(self._forward_block1(x)))
        x = checkpoint(self._forward_block1, x, use_reentrant=False)
        x = checkpoint(self._forward_block2, x, use_reentrant=False)
        return self.layer4(x)

    def _forward_block1(self, x):
        return F.relu(self.layer2(F.relu(self.layer1(x))))

    def _forward_block2(self, x):
        return F.relu(self.layer3(x))


for name, checkpoints in (("checkpoint_train", True), ("checkpoint_train_without", False)):

    def checkpoint_train(setup, checkpoints=checkpoints):
        model = CheckpointModel(checkpoints)
        return train(model, nn.MSELoss(), torch.randn(256, 1000), torch.randn(256, 1))

    add(1, name, checkpoint_train, peak=True)


class SimpleAttention(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.attention = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, hidden_states):
        attention_scores = self.attention(hidden_states)
        attention_scores = attention_scores.squeeze(-1)
        attention_weights = F.softmax(attention_scores, dim=-1)
        attended_output = torch.sum(hidden_states * attention_weights.unsqueeze(-1), dim=1)
        return attended_output, attention_weights


@workload(1, "attention_train")
def attention_train(setup):
    model = SimpleAttention(64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    input = torch.randn(32, 100, 64)

    def step():
        optimizer.zero_grad()
        output, _ = model(input)
        loss = output.mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


def read_idx(folder, name, header):
    for place in (folder, os.path.join(folder, "MNIST", "raw")):
        for opener, ending in ((open, ""), (gzip.open, ".gz")):
            path = os.path.join(place, name + ending)
            if os.path.exists(path):
                with opener(path, "rb") as file:
                    return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)
    raise Skip(f"{folder}: expected {name} or {name}.gz in this folder, found neither")


@workload(1, "mnist_epoch", peak=True)
def mnist_epoch(setup):
    if setup.mnist_dir is None:
        raise Skip("it needs --mnist-dir DIR")
    images = read_idx(setup.mnist_dir, "train-images-idx3-ubyte", 16).view(-1, 784).float().div_(255)
    labels = read_idx(setup.mnist_dir, "train-labels-idx1-ubyte", 8).long()
    model = mnist_classifier()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(images, labels), batch_size=128, shuffle=True)
    # A whole epoch magnifies roundings beyond comparison; its first batches do not.
    batches = 4 if setup.check else len(loader)

    def step():
        for i, (x, y) in enumerate(loader):
            if i == batches:
                break
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        return loss.detach()

    return step
