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
from tinyml_nas.conversion.flatbuffer import Head
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.exact import WEIGHT_AXES, Array
from tinyml_nas.quantization.layers import layer_names, rounded
from tinyml_nas.quantization.prepared import real_constant
from tinyml_nas.quantization.torch_kernels import (
    ELEMENTWISE,
    KERNELS,
    PLACES,
    connected,
    convolved,
    laid_out,
    reshaped,
)

LARGEST_CODE = 127
"""Of a weight, in either direction: its code is symmetric."""

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"NONE": lambda x: x, "RELU": F.relu, "RELU6": F.relu6}
)


class FakeQuantized(nn.Module):
    """NCHW float32 images (N, C, S, S) to logits (N, classes), through rounded activations and weights.

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
        self.scaled_alone: dict[int, bool] = {}
        names = layer_names(graph)
        for op, name in zip(graph.ops, names, strict=True):
            _require_trainable(graph, op, name)
        rescaled = {op.outputs[0] for op in quantized.ops if op.kind == "QUANTIZE"}
        self.scales = {graph.inputs[0]: _scale(quantized, quantized.inputs[0])}
        self.rescaled: dict[tuple[int, int], tuple[float, int]] = {}
        self.rescaled_output = (
            _scale(quantized, quantized.outputs[0]) if quantized.outputs[0] in rescaled else None
        )
        for number, (op, (other, made)) in enumerate(
            zip(graph.ops, rounded(quantized), strict=True)
        ):
            self.scales[op.outputs[0]] = _scale(quantized, made)
            if op.kind in WEIGHT_AXES:
                self._take_weights(number, op, len(_scales(quantized, other.inputs[1])))
            for place, index in enumerate(op.inputs):
                if place < len(other.inputs) and other.inputs[place] in rescaled:
                    self.rescaled[number, place] = _scale(quantized, other.inputs[place])
                data = graph.tensors[index].data if index >= 0 else None
                if data is not None and op.kind in ELEMENTWISE:
                    codes = real_constant(quantized, other.inputs[place])
                    self.register_buffer(f"rounded{index}", laid_out(codes))
                    self.register_buffer(f"constant{index}", laid_out(data.astype(np.float64)))
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
        values = {self.graph.inputs[0]: self._rounded(images, self.scales[self.graph.inputs[0]])}
        for number, op in enumerate(self.graph.ops):
            values[op.outputs[0]] = self.layer(number, values)
        made = values[self.graph.outputs[0]]
        if self.rescaled_output:
            made = self._rounded(made, self.rescaled_output)
        return made.permute(0, 2, 3, 1).flatten(1)  # as the device has them

    def layer(self, number: int, values: Mapping[int, Tensor]) -> Tensor:
        """What operator ``number`` makes of the tensors in ``values``, NCHW by their index."""
        op = self.graph.ops[number]
        inputs = [self._value(values, number, place) for place in range(len(op.inputs))]
        if op.kind in WEIGHT_AXES:
            kernel = connected if op.kind == "FULLY_CONNECTED" else convolved
            bias = self.biases.get(str(number), None)
            out = kernel(self.graph, op, inputs[0], self._weights(number), bias)
        else:
            out = KERNELS[op.kind](self.graph, op, inputs)
        out = reshaped(out, self.graph.tensors[op.outputs[0]].shape)
        out = ACTIVATIONS[str(op.options.get("fused_activation", "NONE"))](out)
        return self._rounded(out, self.scales[op.outputs[0]])

    def constants(self) -> dict[int, Array]:
        """The weights and biases as they are now, by tensor of the float graph and in its layout."""
        found: dict[int, Array] = {}
        for number, op in enumerate(self.graph.ops):
            if op.kind in WEIGHT_AXES:
                weights = self.weights[str(number)].detach() * self.get_buffer(f"taps{number}")
                if op.kind == "DEPTHWISE_CONV_2D":
                    weights = weights.transpose(0, 1)
                if op.kind != "FULLY_CONNECTED":
                    weights = weights.permute(0, 2, 3, 1)
                found[op.inputs[1]] = weights.double().numpy()
                if str(number) in self.biases:
                    found[op.inputs[2]] = self.biases[str(number)].detach().double().numpy()
        return found

    def head(self) -> Head:
        """The head as it is now."""
        layer = self.classifier
        return {
            "weights": np.ascontiguousarray(layer.weight.detach().numpy()),
            "bias": layer.bias.detach().numpy().copy(),
        }

    def _take_weights(self, number: int, op: Op, scales: int) -> None:
        weights = _float(self.graph, op.inputs[1])
        if op.kind != "FULLY_CONNECTED":
            weights = weights.permute(0, 3, 1, 2)
        if op.kind == "DEPTHWISE_CONV_2D":
            weights = weights.transpose(0, 1)
        self.weights[str(number)] = nn.Parameter(weights.contiguous())
        self.scaled_alone[number] = scales > 1
        taps = torch.ones(())
        if op.kind != "FULLY_CONNECTED":
            # Rows and columns of zeros are padding (see conversion.keras): they stay zeros.
            taps = (weights != 0).any(dim=1, keepdim=True).any(dim=0, keepdim=True).float()
        self.register_buffer(f"taps{number}", taps)
        if len(op.inputs) > 2 and op.inputs[2] >= 0:
            self.biases[str(number)] = nn.Parameter(_float(self.graph, op.inputs[2]))

    def _value(self, values: Mapping[int, Tensor], number: int, place: int) -> Tensor:
        index = self.graph.ops[number].inputs[place]
        if index in values:
            scale = self.rescaled.get((number, place))
            return self._rounded(values[index], scale) if scale else values[index]
        name = f"rounded{index}" if self.rounds else f"constant{index}"
        return self.get_buffer(name) if hasattr(self, name) else torch.empty(0)

    def _rounded(self, x: Tensor, scale: tuple[float, int]) -> Tensor:
        if not self.rounds:
            return x
        rounded: Tensor = torch.fake_quantize_per_tensor_affine(x, *scale, -128, 127)
        return rounded

    def _weights(self, number: int) -> Tensor:
        weights: Tensor = self.weights[str(number)] * self.get_buffer(f"taps{number}")
        if not self.rounds:
            return weights
        loudest = weights.detach().abs().flatten(1).amax(1)
        if not self.scaled_alone[number]:
            loudest = loudest.amax().expand_as(loudest)
        scales = loudest.clamp_min(1e-30) / LARGEST_CODE
        zeros = torch.zeros_like(scales, dtype=torch.int32)
        rounded: Tensor = torch.fake_quantize_per_channel_affine(
            weights, scales, zeros, 0, -LARGEST_CODE, LARGEST_CODE
        )
        return rounded


def _require_trainable(graph: Graph, op: Op, name: str) -> None:
    fused = op.options.get("fused_activation", "NONE")
    if op.kind not in (*WEIGHT_AXES, *KERNELS) or fused not in ACTIVATIONS:
        raise QuantizationError(
            f"layer {name} cannot be trained in int8: operator {op.kind} with activation {fused}; "
            f"operators: {', '.join((*WEIGHT_AXES, *KERNELS))}; activations: "
            f"{', '.join(ACTIVATIONS)}; quantizer=int8 and quantizer=int8_mse train nothing"
        )
    for index in (*op.inputs[: 2 if op.kind in ELEMENTWISE else 1], *op.outputs):
        shape = graph.tensors[index].shape
        if graph.tensors[index].data is None and len(shape) not in PLACES:
            raise QuantizationError(
                f"layer {name} cannot be trained in int8: a tensor {shape}, neither an image nor a vector; "
                "quantizer=int8 and quantizer=int8_mse train nothing"
            )
    if op.kind in WEIGHT_AXES and graph.tensors[op.inputs[1]].data is None:
        raise QuantizationError(
            f"layer {name} cannot be trained in int8: its weights are computed; "
            "quantizer=int8 and quantizer=int8_mse train nothing"
        )


def _scales(graph: Graph, index: int) -> tuple[float, ...]:
    quantization = graph.tensors[index].quantization
    assert quantization is not None
    return tuple(quantization.scales)


def _scale(graph: Graph, index: int) -> tuple[float, int]:
    quantization = graph.tensors[index].quantization
    assert quantization is not None
    return quantization.scales[0], quantization.zero_points[0]


def _float(graph: Graph, index: int) -> Tensor:
    data = graph.tensors[index].data
    assert data is not None
    return torch.from_numpy(data.astype(np.float32))
