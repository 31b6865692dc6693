"""Keras networks as tutorials, ``keras.applications`` and TinyML examples have them.

Weights are random, batches are open and nothing is fitted to the compiler. Keras is imported where
a network is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tools.guides import blocks, signals, vision

CLASSIFIER, LOGITS, REGRESSION = "classifier", "logits", "regression"


@dataclass(frozen=True)
class Network:
    """A network: how it is made, the shape of its input, and what it is for.

    ``kind`` says how it ends: with a softmax or sigmoid, with logits of classes, or with numbers
    that are no classes.
    """

    make: Callable[[Any, Any], Any]
    shape: tuple[int, ...]
    kind: str = CLASSIFIER


NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        "cnn_tutorial": Network(vision.cnn_tutorial, (32, 32, 3), LOGITS),
        "quantization_guide": Network(vision.quantization_guide, (28, 28), LOGITS),
        "basic_classification": Network(vision.basic_classification, (28, 28)),
        "image_classification": Network(vision.image_classification, (64, 64, 3), LOGITS),
        "large_flatten": Network(vision.large_flatten, (96, 96, 1)),
        "mobilenet": Network(vision.application("MobileNet", alpha=0.25), (96, 96, 3)),
        "mobilenet_v2": Network(vision.application("MobileNetV2", alpha=0.35), (96, 96, 3)),
        "mobilenet_v3_small": Network(vision.application("MobileNetV3Small"), (96, 96, 3)),
        "mobilenet_v3_minimal": Network(
            vision.application("MobileNetV3Small", minimalistic=True), (96, 96, 3)
        ),
        "efficientnet_b0": Network(vision.application("EfficientNetB0"), (96, 96, 3)),
        "transfer_learning": Network(vision.transfer_learning, (96, 96, 3)),
        "activity_conv1d": Network(signals.activity_conv1d, (128, 9)),
        "magic_wand": Network(signals.magic_wand, (128, 3, 1)),
        "micro_speech": Network(signals.micro_speech, (1960,)),
        "simple_audio": Network(signals.simple_audio, (62, 65, 1), LOGITS),
        "ds_cnn": Network(signals.ds_cnn, (49, 10, 1)),
        "anomaly": Network(signals.anomaly, (640,), REGRESSION),
        "sine": Network(signals.sine, (1,), REGRESSION),
        "tabular": Network(signals.tabular, (4,)),
        "lenet": Network(vision.lenet, (32, 32, 1)),
        "all_convolutional": Network(vision.all_convolutional, (32, 32, 3)),
        "valid_head": Network(vision.valid_head, (24, 24, 1)),
        "squeezenet": Network(vision.squeezenet, (32, 32, 3)),
        "temporal": Network(signals.temporal, (64, 4)),
        "timeseries": Network(signals.timeseries, (100, 1)),
        "separable_1d": Network(signals.separable_1d, (64, 6)),
        "dilated": Network(blocks.dilated, (24, 24, 3)),
        "activations": Network(blocks.activations, (16, 16, 3)),
        "gelu": Network(blocks.gelu, (16, 16, 3)),
        "shuffle": Network(blocks.shuffle, (16, 16, 3)),
        "mixer": Network(blocks.mixer, (16, 16, 3)),
        "maxout": Network(blocks.maxout, (20,)),
        "denoising": Network(vision.denoising, (28, 28, 1), REGRESSION),
        "detector": Network(vision.detector, (48, 48, 3), REGRESSION),
        "residual": Network(vision.residual, (32, 32, 3)),
    }
)
