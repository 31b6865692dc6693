"""An extractor in torch that rounds as its int8 flatbuffer rounds, so that its weights can be trained for it.

Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
section 3. The network is built from the flatbuffer itself: BatchNorm is folded in and operators are fused as they
will be, every activation has the scale and the zero point that it has there, and weights are rounded by the
converter's rule, symmetric with a scale for each output channel. Rounding has the gradient 1 within a range and 0
beyond (the straight-through estimator). Ranges do not change while the weights learn to live with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from codegen.ir import Graph, Op
from codegen.ops.window import window_of
from tinyml_nas.conversion.flatbuffer import Head
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import Array
from tinyml_nas.quantization.layers import layer_names
from tinyml_nas.quantization.prepared import real_constant

LARGEST_CODE = 127
"""Of a weight, in either direction: its code is symmetric."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"NONE": lambda x: x, "RELU": F.relu, "RELU6": F.relu6}
)
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


class FakeQuantized(nn.Module):
    """NCHW float32 images (N, 3, S, S) to logits (N, classes), through rounded activations and weights.

    Args:
        graph: The float extractor.
        quantized: The same operators in int8, whose scales and zero points are taken.
        head: ``weights`` (classes, features) and ``bias`` (classes,); they stay float32.

    Raises:
        QuantizationError: an operator that cannot be trained; names the layer.
    """

    def __init__(self, graph: Graph, quantized: Graph, head: Head) -> None:
        super().__init__()
        self.rounds = True
        self.graph = graph
        self.weights = nn.ParameterDict()
        self.biases = nn.ParameterDict()
        self.scales: dict[int, tuple[float, int]] = {}
        for index, other in zip(_activations(graph), _activations(quantized), strict=True):
            quantization = quantized.tensors[other].quantization
            assert quantization is not None
            self.scales[index] = quantization.scales[0], quantization.zero_points[0]
        for number, (op, rounded, name) in enumerate(
            zip(graph.ops, quantized.ops, layer_names(graph), strict=True)
        ):
            fused = op.options.get("fused_activation", "NONE")
            if op.kind not in (*CONVOLUTIONS, *KERNELS) or fused not in ACTIVATIONS:
                raise QuantizationError(
                    f"layer {name} cannot be trained in int8: operator {op.kind} with activation {fused}; "
                    f"operators: {', '.join((*CONVOLUTIONS, *KERNELS))}; activations: "
                    f"{', '.join(ACTIVATIONS)}; quantizer=int8 and quantizer=int8_mse train nothing"
                )
            if op.kind in CONVOLUTIONS:
                weights = _float(graph, op.inputs[1]).permute(0, 3, 1, 2)
                if op.kind == "DEPTHWISE_CONV_2D":
                    weights = weights.transpose(0, 1)
                self.weights[str(number)] = nn.Parameter(weights.contiguous())
                # Rows and columns of zeros are padding (see conversion.keras): they stay zeros.
                taps = (weights != 0).any(dim=1, keepdim=True).any(dim=0, keepdim=True)
                self.register_buffer(f"taps{number}", taps.float())
                if len(op.inputs) > 2:
                    self.biases[str(number)] = nn.Parameter(_float(graph, op.inputs[2]))
            for index, other in zip(op.inputs, rounded.inputs, strict=True):
                constant = graph.tensors[index].constant
                if constant and op.kind in ("ADD", "MUL"):
                    values = torch.from_numpy(real_constant(quantized, other)).float()
                    self.register_buffer(f"constant{index}", values.reshape(-1))
        self.classifier = nn.Linear(*reversed(head["weights"].shape))
        with torch.no_grad():
            self.classifier.weight.copy_(torch.from_numpy(head["weights"]))
            self.classifier.bias.copy_(torch.from_numpy(head["bias"]))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, classes)."""
        logits: Tensor = self.classifier(self.features(images))
        return logits

    def features(self, images: Tensor) -> Tensor:
        """Real features (N, F); unrounded ones where ``rounds`` is False."""
        values = {self.graph.inputs[0]: self._rounded(images, self.graph.inputs[0])}
        for number, op in enumerate(self.graph.ops):
            values[op.outputs[0]] = self.layer(number, values)
        return values[self.graph.outputs[0]].flatten(1)

    def layer(self, number: int, values: Mapping[int, Tensor]) -> Tensor:
        """What operator ``number`` makes of the tensors in ``values``, NCHW by their index."""
        op = self.graph.ops[number]
        if op.kind in CONVOLUTIONS:
            out = self._convolved(number, op, values[op.inputs[0]])
        else:
            inputs = [self._value(values, index) for index in op.inputs]
            out = KERNELS[op.kind](inputs, self.graph.tensors[op.outputs[0]].shape)
        out = ACTIVATIONS[str(op.options.get("fused_activation", "NONE"))](out)
        return self._rounded(out, op.outputs[0])

    def constants(self) -> dict[int, Array]:
        """The weights and biases as they are now, by tensor of the float graph and in its layout."""
        found: dict[int, Array] = {}
        for number, op in enumerate(self.graph.ops):
            if op.kind in CONVOLUTIONS:
                weights = self.weights[str(number)].detach() * self.get_buffer(f"taps{number}")
                if op.kind == "DEPTHWISE_CONV_2D":
                    weights = weights.transpose(0, 1)
                found[op.inputs[1]] = weights.permute(0, 2, 3, 1).double().numpy()
                if len(op.inputs) > 2:
                    found[op.inputs[2]] = self.biases[str(number)].detach().double().numpy()
        return found

    def head(self) -> Head:
        """The head as it is now."""
        layer = self.classifier
        return {
            "weights": np.ascontiguousarray(layer.weight.detach().numpy()),
            "bias": layer.bias.detach().numpy().copy(),
        }

    def _value(self, values: Mapping[int, Tensor], index: int) -> Tensor:
        if index in values:
            return values[index]
        name = f"constant{index}"
        return self.get_buffer(name).view(1, -1, 1, 1) if hasattr(self, name) else torch.empty(0)

    def _rounded(self, x: Tensor, index: int) -> Tensor:
        if not self.rounds:
            return x
        scale, zero_point = self.scales[index]
        return torch.fake_quantize_per_tensor_affine(x, scale, zero_point, -128, 127)

    def _convolved(self, number: int, op: Op, x: Tensor) -> Tensor:
        weights = self.weights[str(number)] * self.get_buffer(f"taps{number}")
        if self.rounds:
            scales = weights.detach().abs().amax(dim=(1, 2, 3)).clamp_min(1e-30) / LARGEST_CODE
            zeros = torch.zeros_like(scales, dtype=torch.int32)
            weights = torch.fake_quantize_per_channel_affine(
                weights, scales, zeros, 0, -LARGEST_CODE, LARGEST_CODE
            )
        source, output = self.graph.tensors[op.inputs[0]], self.graph.tensors[op.outputs[0]]
        kernel_h, kernel_w = weights.shape[2:]
        window = window_of(op, source, output, (kernel_h, kernel_w))
        below = (
            (window.output[0] - 1) * window.stride_h + kernel_h - window.pad_top - window.input[0]
        )
        right = (
            (window.output[1] - 1) * window.stride_w + kernel_w - window.pad_left - window.input[1]
        )
        groups = 1 if op.kind == "CONV_2D" else x.shape[1]
        padding = window.pad_top, window.pad_left
        if padding != (below, right):
            x = F.pad(x, (window.pad_left, max(right, 0), window.pad_top, max(below, 0)))
            padding = 0, 0
        bias = self.biases.get(str(number), None)
        stride = window.stride_h, window.stride_w
        return F.conv2d(x, weights, bias, stride, padding, groups=groups)


def _fill(inputs: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    """PAD of channels at their end, as ``conversion.keras`` writes it."""
    return F.pad(inputs[0], (0, 0, 0, 0, 0, shape[-1] - inputs[0].shape[1]))


def _reshape(inputs: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    """Of NHWC; a single pixel that becomes a vector stays as it is."""
    if len(shape) != 4:
        return inputs[0]
    return inputs[0].permute(0, 2, 3, 1).reshape(-1, *shape[1:]).permute(0, 3, 1, 2)


KERNELS: Mapping[str, Callable[[list[Tensor], tuple[int, ...]], Tensor]] = MappingProxyType(
    {
        "ADD": lambda inputs, _: inputs[0] + inputs[1],
        "CONCATENATION": lambda inputs, _: torch.cat(inputs, dim=1),
        "HARD_SWISH": lambda inputs, _: F.hardswish(inputs[0]),
        "MEAN": lambda inputs, _: inputs[0].mean(dim=(2, 3), keepdim=True),
        "MUL": lambda inputs, _: inputs[0] * inputs[1],
        "PAD": _fill,
        "RELU": lambda inputs, _: F.relu(inputs[0]),
        "RELU6": lambda inputs, _: F.relu6(inputs[0]),
        "RESHAPE": _reshape,
    }
)
"""Of NCHW tensors and the shape (1, H, W, C) of what is made."""


def _activations(graph: Graph) -> list[int]:
    return [graph.inputs[0], *(op.outputs[0] for op in graph.ops)]


def _float(graph: Graph, index: int) -> Tensor:
    data = graph.tensors[index].data
    assert data is not None
    return torch.from_numpy(data.astype(np.float32))
