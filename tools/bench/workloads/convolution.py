"""Group 3: convolutions."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .dense import infer, train
from .registry import add, workload


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


@workload(3, "lenet_train_64")
def lenet_train(setup):
    model = LeNet()
    input = torch.randn(64, 1, 28, 28)
    target = torch.randint(0, 10, (64,))
    return train(model, nn.CrossEntropyLoss(), input, target)


def run_conv(layer, input):
    with torch.no_grad():
        gradient = torch.randn_like(layer(input))
    input.requires_grad_()

    def step():
        layer.zero_grad()
        input.grad = None
        layer(input).backward(gradient)
        return input.grad

    return step


@workload(3, "conv_3x3_64")
def conv_3x3_64(setup):
    return run_conv(nn.Conv2d(64, 64, 3, padding=1, bias=False), torch.randn(8, 64, 56, 56))


@workload(3, "conv_1x1_256")
def conv_1x1_256(setup):
    return run_conv(nn.Conv2d(128, 256, 1, stride=2, bias=False), torch.randn(8, 128, 28, 28))


@workload(3, "conv_7x7s2")
def conv_7x7s2(setup):
    return run_conv(nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), torch.randn(8, 3, 224, 224))


def conv(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = conv(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = conv(outputs, outputs, 3, 1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return F.relu(out, inplace=True)


class ResNet18(nn.Module):
    def __init__(self, stem, classes):
        super().__init__()
        self.stem = stem
        blocks = []
        for inputs, outputs, stride in ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)):
            blocks += [BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)]
        self.blocks = nn.ModuleList(blocks)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(512, classes)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.fc(self.avgpool(x).flatten(1))


for batch in (1, 8):

    def resnet18_infer(setup, batch=batch):
        stem = nn.Sequential(
            conv(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)
        )
        model = ResNet18(stem, 1000)
        return infer(model, torch.randn(batch, 3, 224, 224))

    add(3, f"resnet18_infer_{batch}", resnet18_infer)


@workload(3, "resnet18_cifar_train_32")
def resnet18_cifar_train(setup):
    stem = nn.Sequential(conv(3, 64, 3, 1), nn.BatchNorm2d(64), nn.ReLU(inplace=True))
    model = ResNet18(stem, 10)
    input = torch.randn(32, 3, 32, 32)
    target = torch.randint(0, 10, (32,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    return train(model, nn.CrossEntropyLoss(), input, target, optimizer)
