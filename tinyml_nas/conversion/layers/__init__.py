"""A Keras layer for each ATen operator, a file for each kind: ``LAYERS`` has them by the operator's name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tinyml_nas.conversion.layers import activation, arithmetic, convolution, fold, pooling, shape
from tinyml_nas.conversion.layers.base import Layer

LAYERS: Mapping[str, Layer] = MappingProxyType(
    convolution.LAYERS
    | activation.LAYERS
    | arithmetic.LAYERS
    | pooling.LAYERS
    | shape.LAYERS
    | fold.LAYERS
)

INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        "gelu": "nn.Hardswish or nn.SiLU",
        "mish": "nn.Hardswish or nn.SiLU",
        "softplus": "nn.ReLU",
        "selu": "nn.ELU",
        "native_layer_norm": "nn.BatchNorm2d, which becomes part of a convolution",
        "native_group_norm": "nn.BatchNorm2d, which becomes part of a convolution",
        "linalg_vector_norm": "nn.BatchNorm2d",
        "bmm": "convolutions: there is no attention",
        "_scaled_dot_product_flash_attention_for_cpu": "convolutions: there is no attention",
        "_scaled_dot_product_attention_math": "convolutions: there is no attention",
        "permute": "layers that keep (N, C, H, W)",
        "transpose": "layers that keep (N, C, H, W)",
        "select": "x[:, a:b], which keeps the axis",
        "upsample_nearest2d": "no enlarging: classifiers need none",
        "upsample_bilinear2d": "no enlarging: classifiers need none; network_input.size sets the size of images",
        "_local_scalar_dense": "a network that does the same for every image",
        "rnn_tanh": "convolutions",
        "lstm": "convolutions",
        "gru": "convolutions",
    }
)
"""What to use in place of operators that there is no layer for."""
