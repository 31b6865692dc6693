"""Keras to a TensorFlow Lite flatbuffer: split, convert, check, write. Shared by the quantizers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from safetensors.numpy import load_file
from safetensors.numpy import save as to_safetensors

from codegen import durable
from tinyml_nas.conversion.backend import keras, tf
from tinyml_nas.conversion.flatbuffer import Head, converted, converter_of
from tinyml_nas.network.seen import read
from tinyml_nas.quantization.calibration import chosen
from tinyml_nas.quantization.errors import QuantizationError
from tinyml_nas.quantization.noise import MEASURED_IMAGES, signal_to_noise
from tinyml_nas.quantization.prepared import Prepared, with_places
from tinyml_nas.store.digest import digest_of
from tinyml_nas.types import STANDARD, Artifact, Extractor, Seen

EXTRACTOR_FILE = "extractor.tflite"
HEAD_FILE = "head.safetensors"


@dataclass(frozen=True, eq=False)
class Network:
    """What an int8 quantizer starts from: Φ_f, prepared; Φ_c; and the images to calibrate on, as they are ``seen``."""

    prepared: Prepared
    head: Head
    images: npt.NDArray[np.float32]
    seen: Seen = STANDARD

    @staticmethod
    def load(path: Path, calibration: npt.NDArray[np.float32], count: int) -> Network:
        """Read ``model.keras``, or ``extractor.tflite`` with the head beside it.

        The images are the first ``count`` of ``calibration``.

        Raises:
            ValueError: the images are too few, not finite or not of the network's size.
            QuantizationError: the network cannot be split or prepared.
        """
        seen = read(path.parent)
        if path.name == EXTRACTOR_FILE:
            prepared = Prepared(with_places(path.read_bytes()), seen)
            images = chosen(calibration, count, prepared.graph.input.shape[1:], seen)
            return Network(prepared, load_file(path.with_name(HEAD_FILE)), images, seen)
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
        return write(flatbuffer, head or self.head, folder, noise, self.seen)


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
    return converted(converter_of(extractor))


def write_float(path: Path, folder: Path) -> Extractor:
    """Both halves of ``model.keras`` or ``extractor.tflite``, unquantized."""
    if path.name == EXTRACTOR_FILE:
        head = load_file(path.with_name(HEAD_FILE))
        return write(path.read_bytes(), head, folder, seen=read(path.parent))
    extractor, head = split(path)
    return write(convert_float(extractor), head, folder)


def prepare(extractor: keras.Model, images: npt.NDArray[np.float32]) -> Prepared:
    """Φ_f as its quantization expects it, for a batch of one; any image of ``images`` will do.

    The ranges that the converter finds are overwritten: they depend on the machine, and are wrong before
    an ADD, which runs in place, so that its first input is given the range of the sum.
    """
    converter = converter_of(extractor)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images[:1])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    converter._experimental_calibrate_only = True  # noqa: SLF001
    return Prepared(converted(converter))


def write(
    flatbuffer: bytes,
    head: Head,
    folder: Path,
    signal_to_noise_db: Mapping[str, float] = MappingProxyType({}),
    seen: Seen = STANDARD,
) -> Extractor:
    """Write both files, and describe the extractor's features and what was measured of its layers."""
    durable.write(folder / EXTRACTOR_FILE, flatbuffer)
    durable.write(folder / HEAD_FILE, to_safetensors(head))
    interpreter = Interpreter(model_content=flatbuffer)
    (source,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    quantized = output["dtype"] == np.int8
    if quantized:
        input_scale, input_zero_point = source["quantization"]
        seen = replace(seen, scale=float(input_scale), zero_point=int(input_zero_point))
    scale, zero_point = output["quantization"] if quantized else (1.0, 0)
    return Extractor(
        artifact=Artifact(folder, digest_of(folder)),
        features=int(np.prod(output["shape"])),
        dtype="int8" if quantized else "float32",
        scale=float(scale),
        zero_point=int(zero_point),
        signal_to_noise_db=dict(signal_to_noise_db),
        seen=seen,
    )
