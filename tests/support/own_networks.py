"""Networks as users write them, in torch alone: as torchvision has them, but narrow."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ConvNormActivation(nn.Sequential):
    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1
    ):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU6(inplace=True),
        )


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expand: int):
        super().__init__()
        hidden = inputs * expand
        self.use_res_connect = stride == 1 and inputs == outputs
        layers: list[nn.Module] = [] if expand == 1 else [ConvNormActivation(inputs, hidden, 1)]
        layers += [
            ConvNormActivation(hidden, hidden, 3, stride, hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        self.conv = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """Sandler et al. 2018; torchvision's layout, with fewer blocks."""

    def __init__(self, width: int = 8, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            ConvNormActivation(3, width, stride=2),
            InvertedResidual(width, width, 1, 1),
            InvertedResidual(width, 2 * width, 2, 6),
            InvertedResidual(2 * width, 2 * width, 1, 6),
            InvertedResidual(2 * width, 3 * width, 2, 6),
            ConvNormActivation(3 * width, 4 * width, 1),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(4 * width, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet18(nn.Module):
    """He et al. 2016; torchvision's layout at a fraction of its width."""

    def __init__(self, width: int = 4, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        sizes = [width, width, 2 * width, 4 * width, 8 * width]
        for number in range(1, 5):
            inputs, outputs = sizes[number - 1 : number + 1]
            blocks = [BasicBlock(inputs, outputs, min(number, 2)), BasicBlock(outputs, outputs, 1)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class PlainCNN(nn.Module):
    """Functions, a method, and a flattened map: as in a tutorial."""

    def __init__(self, width: int = 6, classes: int = 10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 5)
        self.conv2 = nn.Conv2d(width, 2 * width, 5)
        self.fc = nn.Linear(2 * width * 5 * 5, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.view(x.size(0), -1))


class TwoLayerCNN(nn.Module):
    """Squeeze-and-excite, a concatenation, and a classifier of two layers behind a flattened map."""

    def __init__(self, width: int = 8, classes: int = 10):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1), nn.BatchNorm2d(width), nn.Hardswish()
        )
        self.left = nn.Conv2d(width, width, 3, 2, 1, groups=width)
        self.right = nn.Conv2d(width, width, 1, 2)
        self.gate = nn.Conv2d(2 * width, 2 * width, 1)
        self.classifier = nn.Sequential(
            nn.Linear(2 * width * 16, 12),
            nn.BatchNorm1d(12),
            nn.SiLU(),
            nn.Dropout(),
            nn.Linear(12, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.cat([self.left(x), torch.sigmoid(self.right(x))], 1)
        x = x * F.hardsigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        return self.classifier(F.avg_pool2d(x, 2).flatten(1))


FAMILIES = {
    "MobileNetV2": MobileNetV2,
    "ResNet18": ResNet18,
    "PlainCNN": PlainCNN,
    "TwoLayerCNN": TwoLayerCNN,
}


def drawn(family: str, seed: int, width: int | None = None) -> nn.Module:
    """A network with weights and BatchNorm statistics of chance, in evaluation mode."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = FAMILIES[family](*([] if width is None else [width]))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.3)
    return network.eval()
