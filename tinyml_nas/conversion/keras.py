"""torch to Keras: the same layers, the copied weights, and a numerical check on every run.

A walk over the torch.fx graph builds one Keras layer a node. Three details make it exact:

- BatchNorm is folded into its convolution in float64 (so its epsilon cannot differ);
- a convolution's padding becomes TensorFlow's ``same``, see ``_zeros_for_same``: what ZeroPad2d puts
  around a map is the padding of the convolution behind it;
- hard-swish and hard-sigmoid are Keras 3's ``hard_silu`` and ``hard_sigmoid``, relu6(x + 3) / 6.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tinyml_nas.conversion.archive import save
from tinyml_nas.conversion.backend import keras
from tinyml_nas.conversion.equivalence import ConversionError, check_equivalence
from tinyml_nas.store.digest import digest_of
from tinyml_nas.types import Artifact, KerasModel

MODEL_FILE = "model.keras"


def convert(network: nn.Module, images: npt.NDArray[np.float32], folder: Path) -> KerasModel:
    """Convert ``network`` and write ``model.keras`` into ``folder``.

    Args:
        network: Maps float32 (N, 3, S, S) to logits (N, classes); evaluation mode is used.
        images: Normalised images, float32 (N, S, S, 3), on which both networks are compared.
        folder: Existing folder.

    Raises:
        ConversionError: an unsupported layer; logits more than
            ``equivalence.MAX_ABS_ERROR`` apart; or an image whose top-1 class differs.
    """
    model = to_keras(network, images.shape[1:])
    max_abs_error = check_equivalence(network, model, images)
    path = folder / MODEL_FILE
    save(model, path)
    return KerasModel(Artifact(path, digest_of(path)), max_abs_error, len(images))


def to_keras(network: nn.Module, image_shape: tuple[int, ...]) -> keras.Model:
    """The Keras model of a torch network for NHWC images of one ``image_shape`` (S, S, 3)."""
    graph = _fold_batch_norms(fx.symbolic_trace(copy.deepcopy(network).double().eval()))
    values: dict[fx.Node, Any] = {}
    outputs: list[Any] = []
    for node in graph.graph.nodes:
        inputs = [values[argument] for argument in node.all_input_nodes]
        if node.op == "placeholder":
            values[node] = keras.Input(image_shape, name=node.name)
        elif node.op == "call_module":
            module = graph.get_submodule(node.target)
            if not isinstance(module, nn.Conv2d) and any(isinstance(x, Padded) for x in inputs):
                raise ConversionError(f"{node.name}: only a convolution may follow a ZeroPad2d")
            values[node] = layer(module, node.name, *inputs)
        elif node.op == "call_function" and node.target in _MERGES and len(inputs) == 2:
            values[node] = _MERGES[node.target](name=node.name)(inputs)
        elif node.op == "output":
            outputs = inputs
        else:
            raise ConversionError(f"{node.name}: no Keras layer for {node.op} {node.target!r}")
    (image,) = (values[node] for node in graph.graph.nodes if node.op == "placeholder")
    return keras.Model(image, *outputs, name="network")


@dataclass(frozen=True)
class Padded:
    """A symbolic map, and the rows and columns of zeros before and after it: only for a convolution."""

    inner: Any
    zeros: tuple[int, int]


_MERGES: dict[Any, Callable[..., Any]] = {
    operator.add: keras.layers.Add,
    operator.mul: keras.layers.Multiply,
}


@singledispatch
def layer(module: nn.Module, name: str, x: Any) -> Any:
    """Apply the Keras layer that computes ``module`` to the symbolic tensor ``x``."""
    raise ConversionError(f"{name}: no Keras layer for {module}")


@layer.register
def _(module: nn.Conv2d, name: str, x: Any) -> Any:
    padding = module.padding
    if isinstance(padding, str) or module.dilation != (1, 1) or module.padding_mode != "zeros":
        raise ConversionError(f"{name}: only zero padding in numbers, no dilation; got {module}")
    depthwise = module.groups > 1
    if depthwise and not module.groups == module.in_channels == module.out_channels:
        raise ConversionError(f"{name}: groups must be 1 or one a channel; got {module}")
    around = [(rows, rows) for rows in padding]
    if isinstance(x, Padded):
        if padding != (0, 0):
            raise ConversionError(f"{name}: behind a ZeroPad2d it may not pad itself; got {module}")
        x, around = x.inner, [x.zeros, x.zeros]
    zeros = [
        _zeros_for_same(name, *axis)
        for axis in zip(x.shape[1:3], module.kernel_size, module.stride, around, strict=True)
    ]
    kernel = nn.functional.pad(module.weight.detach(), (0, zeros[1], 0, zeros[0])).numpy()
    options = {
        "kernel_size": kernel.shape[2:],
        "strides": module.stride,
        "padding": "same",
        "use_bias": module.bias is not None,
        "name": name,
    }
    if depthwise:
        built = keras.layers.DepthwiseConv2D(**options)
        kernel = kernel.transpose(2, 3, 0, 1)  # (C, 1, kh, kw) -> (kh, kw, C, 1)
    else:
        built = keras.layers.Conv2D(module.out_channels, **options)
        kernel = kernel.transpose(2, 3, 1, 0)  # (O, I, kh, kw) -> (kh, kw, I, O)
    out = built(x)
    built.set_weights([kernel, *_bias(module)])
    return out


@layer.register
def _(module: nn.ZeroPad2d, name: str, x: Any) -> Any:
    left, right, top, bottom = module.padding
    if (left, right) != (top, bottom):
        raise ConversionError(f"{name}: rows and columns must be padded alike; got {module}")
    return Padded(x, (top, bottom))


@layer.register
def _(module: nn.Linear, name: str, x: Any) -> Any:
    built = keras.layers.Dense(module.out_features, use_bias=module.bias is not None, name=name)
    out = built(x)
    built.set_weights([module.weight.detach().numpy().T, *_bias(module)])
    return out


@layer.register
def _(module: nn.AdaptiveAvgPool2d, name: str, x: Any) -> Any:
    if module.output_size not in (1, (1, 1)):
        raise ConversionError(f"{name}: only a global average has a Keras layer; got {module}")
    if x.shape[1:3] == (1, 1):  # a pixel is its own mean; TensorFlow would write two RESHAPEs
        return x
    return keras.layers.GlobalAveragePooling2D(keepdims=True, name=name)(x)


@layer.register
def _(module: nn.Flatten, name: str, x: Any) -> Any:
    # torch flattens CHW and Keras HWC: the same only where H = W = 1.
    if x.shape[1:3] != (1, 1):
        raise ConversionError(f"{name}: Flatten must follow a 1x1 map; got {tuple(x.shape[1:3])}")
    return keras.layers.Flatten(name=name)(x)


@layer.register
def _(module: nn.ReLU, name: str, x: Any) -> Any:
    return keras.layers.Activation("relu", name=name)(x)


@layer.register
def _(module: nn.ReLU6, name: str, x: Any) -> Any:
    return keras.layers.Activation("relu6", name=name)(x)


@layer.register
def _(module: nn.Hardswish, name: str, x: Any) -> Any:
    return keras.layers.Activation("hard_silu", name=name)(x)


@layer.register
def _(module: nn.Hardsigmoid, name: str, x: Any) -> Any:
    return keras.layers.Activation("hard_sigmoid", name=name)(x)


def _bias(module: nn.Conv2d | nn.Linear) -> list[npt.NDArray[np.float64]]:
    return [] if module.bias is None else [module.bias.detach().numpy()]


def _zeros_for_same(
    name: str, size: int, kernel: int, stride: int, padding: tuple[int, int]
) -> int:
    """Rows of zeros (0 or 1) to append to a kernel so that ``same`` pads as torch does.

    ``padding`` is torch's, before and after the map. ``same`` pads (ceil(size / stride) - 1) * stride
    + kernel - size in all, the smaller half first. At stride 2 on an even map that is one less than
    a symmetric 2 * (kernel // 2), and the image would shift by a pixel; a kernel with one more, zero
    row makes it whole again, and no PAD operator is needed. At stride 1 and on odd maps ``same`` is
    symmetric as it is.
    """
    outputs = -(-size // stride)
    before, after = padding
    if outputs == (size + before + after - kernel) // stride + 1:
        for zeros in (0, 1):
            padded = max((outputs - 1) * stride + kernel + zeros - size, 0)
            if padded // 2 == before:
                return zeros
    raise ConversionError(
        f"{name}: kernel {kernel}, stride {stride}, padding {padding} on a map of {size} has no "
        "`same` equivalent; use an odd kernel with padding kernel // 2"
    )


def _fold_batch_norms(traced: fx.GraphModule) -> fx.GraphModule:
    """Replace each convolution and the BatchNorm behind it by one convolution with bias."""
    for node in list(traced.graph.nodes):
        if node.op != "call_module":
            continue
        norm = traced.get_submodule(node.target)
        source = node.args[0]
        if not isinstance(norm, nn.BatchNorm2d) or source.op != "call_module":
            continue
        conv = traced.get_submodule(source.target)
        if isinstance(conv, nn.Conv2d) and len(source.users) == 1:
            traced.set_submodule(source.target, fuse_conv_bn_eval(conv, norm))
            node.replace_all_uses_with(source)
            traced.graph.erase_node(node)
    traced.recompile()
    return traced
