"""Keras to a TensorFlow Lite flatbuffer: split, convert, check, write. Shared by the quantizers."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from safetensors.numpy import save as to_safetensors
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from codegen import durable
from tinyml_nas.conversion.backend import keras, tf
from tinyml_nas.conversion.native import stderr_held
from tinyml_nas.quantization.calibration import chosen
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.noise import MEASURED_IMAGES, signal_to_noise
from tinyml_nas.quantization.prepared import Prepared
from tinyml_nas.store.digest import digest_of
from tinyml_nas.types import Artifact, Extractor

EXTRACTOR_FILE = "extractor.tflite"
HEAD_FILE = "head.safetensors"

Head = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Network:
    """What an int8 quantizer starts from: Φ_f, prepared; Φ_c; and the images to calibrate on."""

    prepared: Prepared
    head: Head
    images: npt.NDArray[np.float32]

    @staticmethod
    def load(path: Path, calibration: npt.NDArray[np.float32], count: int) -> Network:
        """Read ``model.keras``; the images are the first ``count`` of ``calibration``.

        Raises:
            ValueError: the images are too few, not finite or not of the network's size.
            QuantizationError: the network cannot be split or prepared.
        """
        extractor, head = split(path)
        images = chosen(calibration, count, extractor.input_shape[1:])
        return Network(prepare(extractor, images), head, images)

    def deliver(
        self,
        flatbuffer: bytes,
        folder: Path,
        real: Prepared | None = None,
        head: Head | None = None,
    ) -> Extractor:
        """Write the int8 ``flatbuffer`` and the head; measure the layers against the float network.

        ``real`` and ``head`` are given where the quantizer has changed them.
        """
        graph = (real or self.prepared).graph
        noise = signal_to_noise(graph, flatbuffer, self.images[:MEASURED_IMAGES])
        return write(flatbuffer, head or self.head, folder, noise)


def split(path: Path) -> tuple[keras.Model, Head]:
    """Cut a saved network at its Flatten: Φ_f (S, S, 3) to (1, 1, F), and Φ_c.

    The head is float32 ``weights`` (classes, features) and ``bias`` (classes,).

    Raises:
        QuantizationError: the network does not end in Flatten and one Dense layer.
    """
    model = keras.saving.load_model(path, compile=False)
    *_, flatten, dense = model.layers
    if not isinstance(flatten, keras.layers.Flatten) or not isinstance(dense, keras.layers.Dense):
        raise QuantizationError(
            f"{path}: must end in Flatten and Dense, where Φ is split into Φ_f and Φ_c; "
            f"ends in {type(flatten).__name__} and {type(dense).__name__}"
        )
    weights, bias = dense.get_weights()
    head = {"weights": np.ascontiguousarray(weights.T), "bias": bias}
    return keras.Model(model.input, flatten.input, name="extractor"), head


def convert_float(extractor: keras.Model) -> bytes:
    """The float32 flatbuffer of Φ_f for a batch of one."""
    return _convert(_converter(extractor))


def prepare(extractor: keras.Model, images: npt.NDArray[np.float32]) -> Prepared:
    """Φ_f as its quantization expects it, for a batch of one; any image of ``images`` will do.

    The ranges that the converter finds are overwritten: they depend on the machine, and are wrong before
    an ADD, which runs in place, so that its first input is given the range of the sum.
    """
    converter = _converter(extractor)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images[:1])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    converter._experimental_calibrate_only = True  # noqa: SLF001
    return Prepared(_convert(converter))


def write(
    flatbuffer: bytes,
    head: Head,
    folder: Path,
    signal_to_noise_db: Mapping[str, float] = MappingProxyType({}),
) -> Extractor:
    """Write both files, and describe the extractor's features and what was measured of its layers."""
    durable.write(folder / EXTRACTOR_FILE, flatbuffer)
    durable.write(folder / HEAD_FILE, to_safetensors(head))
    (output,) = Interpreter(model_content=flatbuffer).get_output_details()
    quantized = output["dtype"] == np.int8
    scale, zero_point = output["quantization"] if quantized else (1.0, 0)
    return Extractor(
        artifact=Artifact(folder, digest_of(folder)),
        features=int(np.prod(output["shape"])),
        dtype="int8" if quantized else "float32",
        scale=float(scale),
        zero_point=int(zero_point),
        signal_to_noise_db=dict(signal_to_noise_db),
    )


def _converter(extractor: keras.Model) -> Any:
    # A batch fixed to 1 keeps SHAPE, STRIDED_SLICE and PACK out of the flatbuffer.
    batch_of_one = tf.TensorSpec((1, *extractor.input_shape[1:]), tf.float32)
    call = tf.function(lambda image: extractor(image, training=False))
    function = call.get_concrete_function(batch_of_one)
    return tf.lite.TFLiteConverter.from_concrete_functions(
        [convert_variables_to_constants_v2(function)]
    )


def _convert(converter: Any) -> bytes:
    with stderr_held(), warnings.catch_warnings():
        # It asks for the input's statistics before it calibrates them.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        flatbuffer: bytes = converter.convert()
    return flatbuffer
