from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from tinyml_nas.network.module import InvertedResidual, StaticNetwork, rebuild, spec_of
from tinyml_nas.network.spec import BlockSpec, NetworkSpec

CHANNELS = st.integers(1, 9)


@st.composite
def specs(draw: st.DrawFn) -> NetworkSpec:
    stem = width = draw(CHANNELS)
    blocks = []
    for _ in range(draw(st.integers(1, 4))):
        expand, stride = draw(st.booleans()), draw(st.integers(1, 2))
        out = draw(CHANNELS)
        blocks.append(
            BlockSpec(
                in_channels=width,
                hidden_channels=draw(CHANNELS) if expand else width,
                out_channels=out,
                kernel=draw(st.sampled_from([3, 5, 7])),
                stride=stride,
                se_channels=draw(st.integers(0, 4)),
                activation=draw(st.sampled_from(["relu", "relu6", "hard_swish"])),
                expand=expand,
                residual=stride == 1 and out == width and draw(st.booleans()),
            )
        )
        width = out
    final, mix = draw(st.just(0) | CHANNELS), draw(st.booleans())
    spec = NetworkSpec(
        resolution=draw(st.integers(8, 20)),
        classes=draw(st.integers(2, 12)),
        stem_channels=stem,
        stem_stride=draw(st.integers(1, 2)),
        blocks=tuple(blocks),
        final_channels=final,
        features=draw(CHANNELS) if mix else final or width,
        activation=draw(st.sampled_from(["relu6", "hard_swish"])),
        padding=draw(st.sampled_from(["symmetric", "same"])),
        mix=mix,
        norm_epsilon=draw(st.sampled_from([1e-5, 1e-3])),
    )
    taps = tuple(number for number in spec.tappable if draw(st.booleans()))
    channels = sum(blocks[number].out_channels for number in taps)
    return replace(spec, taps=taps, folded=draw(st.integers(1, channels)) if taps else 0)


@settings(deadline=None, max_examples=30)
@given(specs())
def test_any_specification_runs_and_is_read_back(spec):
    network = StaticNetwork(spec).eval()
    images = torch.zeros(2, 3, spec.resolution, spec.resolution)
    assert network.features(images).shape == (2, spec.head_features)
    assert network(images).shape == (2, spec.classes)
    assert spec_of(network) == spec
    assert NetworkSpec.from_json(spec.to_json()) == spec


def test_head_reads_the_features(small_network):
    images = torch.randn(3, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    logits = F.linear(
        small_network.features(images),
        small_network.classifier.weight,
        small_network.classifier.bias,
    )
    assert torch.equal(small_network(images), logits)


@pytest.mark.parametrize("activation", ["relu", "hard_swish"])
@pytest.mark.parametrize("stride", [1, 2])
def test_block_is_the_published_inverted_residual(activation, stride):
    """Order and padding, against a second writing of the block in plain functions."""
    torch.manual_seed(3)
    spec = BlockSpec(6, 10, 6, 5, stride, 4, activation, expand=True, residual=stride == 1)
    unit = InvertedResidual(spec).eval()
    for module in unit.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    act = {"relu": lambda x: x.clamp(min=0), "hard_swish": lambda x: x * hard_sigmoid(x)}[
        activation
    ]

    x = torch.randn(2, 6, 9, 9)
    y = act(norm(F.conv2d(x, unit.expand.conv.weight), unit.expand.bn))
    y = F.conv2d(F.pad(y, (2, 2, 2, 2)), unit.depthwise.conv.weight, stride=stride, groups=10)
    y = act(norm(y, unit.depthwise.bn))
    squeezed = F.linear(y.mean((2, 3)), unit.se.reduce.weight[..., 0, 0], unit.se.reduce.bias)
    gate = F.linear(squeezed.clamp(min=0), unit.se.expand.weight[..., 0, 0], unit.se.expand.bias)
    y = y * hard_sigmoid(gate)[..., None, None]
    y = norm(F.conv2d(y, unit.project.conv.weight), unit.project.bn)
    assert torch.allclose(unit(x), x + y if stride == 1 else y, rtol=1e-5, atol=1e-5)


def hard_sigmoid(x):
    return (x + 3).clamp(0, 6) / 6


def norm(x, bn):
    mean, var, scale, shift = (
        v[:, None, None] for v in (bn.running_mean, bn.running_var, bn.weight, bn.bias)
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * scale + shift


def test_rebuild_gives_the_same_logits_in_evaluation_mode(small_network):
    images = torch.randn(3, 3, 28, 28, generator=torch.Generator().manual_seed(1))
    again = rebuild(small_network)
    assert not again.training
    assert torch.equal(again(images), small_network(images))
    assert all(
        a is not b for a, b in zip(again.parameters(), small_network.parameters(), strict=True)
    )


def test_residual_is_kept_where_only_the_specification_knows_it(small_spec):
    without = replace(small_spec.blocks[0], residual=False)
    spec = replace(small_spec, blocks=(without, *small_spec.blocks[1:]))
    assert spec_of(StaticNetwork(spec)) == spec
