"""Every layer that a user's module may have, against torch itself on drawn images."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.support.own_networks import FAMILIES, drawn
from tinyml_nas.conversion.equivalence import ConversionError, check_equivalence
from tinyml_nas.conversion.keras import to_keras


class Function(nn.Module):
    def __init__(self, function, *parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.function = function

    def forward(self, x):
        return self.function(x, *self.parts)


def made(*layers):
    return nn.Sequential(*layers)


def _prepadded(x):
    return F.conv2d(F.pad(x, (1, 2, 0, 1)), torch.full((2, 4, 3, 3), 0.1))


def _in_place(x):
    x = x * 2
    kept = x
    F.relu_(x)
    return kept + x


def _standardised(x, conv):
    weight = conv.weight - conv.weight.mean((1, 2, 3), keepdim=True)
    return F.conv2d(x, weight / weight.std((1, 2, 3), keepdim=True), padding=1)


EQUAL = {
    "no padding": made(nn.Conv2d(4, 3, 3)),
    "even kernel": made(nn.Conv2d(4, 3, 4, 2, 1)),
    "padding same": made(nn.Conv2d(4, 3, 5, padding="same")),
    "oblong": made(nn.Conv2d(4, 3, (3, 1), (1, 2), (1, 0))),
    "dilated": made(nn.Conv2d(4, 3, 3, padding=2, dilation=2)),
    "dilated and strided": made(nn.Conv2d(4, 3, 3, 2, padding=2, dilation=2)),
    "dilated and strided, one by one": made(nn.Conv2d(4, 8, (2, 3), (1, 2), 1, (2, 1), groups=4)),
    "wide padding": made(nn.Conv2d(4, 3, 1, padding=1)),
    "pad before": made(nn.ZeroPad2d(1), nn.Conv2d(4, 4, 3, padding=1)),
    "pad unevenly": Function(_prepadded),
    "pad alone": made(nn.ZeroPad2d((0, 1, 1, 0)), nn.ReLU()),
    "depthwise, several each": made(nn.Conv2d(4, 12, 3, padding=1, groups=4)),
    "standardised weights": Function(_standardised, nn.Conv2d(4, 4, 3)),
    "BatchNorm alone": made(nn.BatchNorm2d(4), nn.ReLU()),
    "BatchNorm before and after": made(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.BatchNorm2d(4)),
    "BatchNorm of a branch": Function(
        lambda x, conv, norm: (y := conv(x)) + norm(y), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)
    ),
    "BatchNorm of features": made(
        nn.Flatten(), nn.BatchNorm1d(144), nn.Linear(144, 3, bias=False), nn.BatchNorm1d(3)
    ),
    "maximum": made(nn.ReLU(), nn.MaxPool2d(3, 2, 1)),
    "maximum of anything, as same pads": made(nn.MaxPool2d(3, 1, 1)),
    "averages": made(nn.AvgPool2d(2), nn.AvgPool2d(3, 1, 1)),
    "adaptive": made(nn.AdaptiveAvgPool2d((3, 2))),
    "global maximum": made(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
    "amax": Function(lambda x: x.amax((2, 3))),
    "flattened side by side": Function(
        lambda x, a: a(torch.cat([x.flatten(1), x.mean((2, 3)), F.relu(x.flatten(1))], 1)),
        nn.Linear(292, 5),
    ),
    "pixels and back": Function(lambda x: x.mean((2, 3))[:, :, None, None] * x),
    "squeezed": Function(lambda x, a: a(F.adaptive_avg_pool2d(x, 1).squeeze()), nn.Linear(4, 2)),
    "halves": Function(lambda x: torch.cat(x.chunk(2, 1)[::-1], 1)),
    "slices": Function(lambda x: x[:, 1:3, ::2, ::2] + x[:, :2, :3, 3:]),
    "cropped": Function(lambda x: F.pad(x, (2, 2, 2, 2))[:, :, 1:-1, 1:]),
    "numbers": Function(lambda x: (3 - x / 4) * 2 - 1 + -x),
    "each channel": Function(
        lambda x: x * torch.arange(4.0).view(4, 1, 1) + torch.ones(1, 4, 1, 1)
    ),
    "square": Function(lambda x: x**2 - x * x * 0.5),
    "in place": Function(_in_place),
    "swish by hand": Function(lambda x: x * F.relu6(x + 3) / 6),
    "activations": made(
        nn.ReLU(), nn.ReLU6(), nn.Hardswish(), nn.Hardsigmoid(), nn.Sigmoid(), nn.SiLU(), nn.Tanh()
    ),
    "more activations": made(nn.LeakyReLU(0.2), nn.PReLU(4), nn.PReLU(), nn.ELU()),
    "clamped": Function(lambda x: x.clamp(min=0) + x.clamp(0, 6) + F.hardtanh(x, 0, 6)),
    "dropped out": made(nn.Dropout2d(), nn.Flatten(), nn.Dropout(), nn.Linear(144, 3)),
    "probabilities": made(nn.Flatten(), nn.Linear(144, 3), nn.Softmax(1)),
    "log probabilities": Function(
        lambda x, a: F.log_softmax(a(x.flatten(1)), -1), nn.Linear(144, 3)
    ),
}


def seen(network, count=3, side=6, channels=4, seed=0):
    """Largest difference between a drawn network and its conversion, and the largest number."""
    rng = np.random.default_rng(seed)
    images = (2 * rng.normal(size=(count, side, side, channels))).astype(np.float32)
    model = to_keras(network.eval(), images.shape[1:])
    with torch.no_grad():
        ours = network(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()).numpy()
    theirs = np.asarray(model(images))
    if ours.ndim == 4:
        theirs = theirs.transpose(0, 3, 1, 2)
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max(), np.abs(ours).max()


@pytest.mark.parametrize("name", EQUAL)
def test_a_layer_computes_what_torch_computes(name):
    network = EQUAL[name]
    torch.manual_seed(3)
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    error, largest = seen(network)
    assert error <= 2e-5 * max(1, largest)
    assert largest > 0.01


@pytest.mark.parametrize("family", FAMILIES)
def test_a_network_of_chance_is_exact(family):
    rng = np.random.default_rng(list(FAMILIES).index(family))
    network = drawn(family, seed=int(rng.integers(1000)), width=int(rng.integers(3, 7)))
    images = rng.normal(size=(4, 32, 32, 3)).astype(np.float32)
    assert 0 < check_equivalence(network, to_keras(network, (32, 32, 3)), images) < 1e-4


def test_a_wrong_order_of_a_flattened_map_is_seen(monkeypatch):
    network = drawn("PlainCNN", 1)
    images = np.random.default_rng(0).normal(size=(4, 32, 32, 3)).astype(np.float32)
    model = to_keras(network, (32, 32, 3))
    dense = model.layers[-1]
    weights, bias = dense.get_weights()
    dense.set_weights([weights[::-1], bias])
    with pytest.raises(ConversionError, match="a logit is"):
        check_equivalence(network, model, images)


def test_layer_names_tell_the_path_in_the_module():
    names = [layer.name for layer in to_keras(drawn("MobileNetV2", 0, 2), (32, 32, 3)).layers]
    assert names[1] == "features_0_0_convolution"
    assert "features_3_add" in names
    assert names[-1] == "classifier_1_addmm"


class Unsupported(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(4, 8, 3), nn.Mish(), nn.GELU())
        self.middle = nn.ModuleDict(
            {"norm": nn.GroupNorm(2, 8), "conv": nn.Conv2d(8, 8, 1, groups=2)}
        )
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.middle["conv"](self.middle["norm"](self.stem(x)))
        return self.head(F.max_pool2d(x, 3, 2, 1).amax((2, 3)))


def test_every_layer_that_is_not_known_is_named_at_once():
    with pytest.raises(ConversionError) as caught:
        to_keras(Unsupported(), (8, 8, 4))
    lines = str(caught.value).splitlines()
    assert lines[0] == "cannot be converted:"
    assert lines[1] == "  stem.1 (Mish): there is no layer for mish; use nn.Hardswish or nn.SiLU"
    assert lines[2] == "  stem.2 (GELU): there is no layer for gelu; use nn.Hardswish or nn.SiLU"
    assert lines[3].startswith(
        "  middle.norm (GroupNorm): there is no layer for native_group_norm; use nn.B"
    )
    assert lines[4].startswith(
        "  middle.conv (Conv2d): groups must be 1 or one for each channel; got 2 for 8"
    )
    assert lines[5].startswith(
        "  the network itself (Unsupported): the maximum pads a map that may be negative"
    )
    assert len(lines) == 6


def _given_stale(x):
    x = x * 2
    part = x[:, :2]
    F.relu_(part)
    return x


def _stale(x):
    return _given_stale(x) + 1


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            made(nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")),
            r"^  0 \(Conv2d\): .*reflection_pad2d",
        ),
        (made(nn.ConvTranspose2d(4, 4, 3)), "no transposed convolution"),
        (made(nn.InstanceNorm2d(4)), "measures statistics of each image"),
        (made(nn.Flatten()), "ends? .*nn.Linear"),
        (made(nn.AdaptiveAvgPool2d(4)), r"\(6, 6\) averaged to \(4, 4\)"),
        (made(nn.MaxPool2d(3, 2, ceil_mode=True)), "ceil_mode"),
        (made(nn.Hardtanh()), "clips to -1"),
        (made(nn.LSTM(6, 2)), "."),
        (Function(lambda x: x.permute(0, 2, 3, 1)), "permute"),
        (Function(lambda x: x / x.mean((2, 3), keepdim=True)), "divided by another"),
        (Function(lambda x: x if x.sum() > 0 else -x), "for every image"),
        (Function(lambda x: x + x[:, :, :1]), "of one shape"),
        (Function(_stale), "use inplace=False"),
        (Function(_given_stale), "use inplace=False"),
        (Function(lambda x: (x, x)), "must give one tensor"),
        (Function(lambda _: torch.zeros(2, 3)), "do not depend on the image"),
        (made(nn.Conv2d(3, 4, 3)), r"fails on 2 images \(4, 6, 6\), at 0 \(Conv2d\): RuntimeError"),
    ],
    ids=range(17),
)
def test_what_has_no_equal_is_refused_by_name(network, message):
    with pytest.raises(ConversionError) as caught:
        to_keras(network.eval(), (6, 6, 4))
    assert any(re.search(message, line) for line in str(caught.value).splitlines())
