"""Keras to a TensorFlow Lite flatbuffer: split, convert, check, write. Shared by the quantizers."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from safetensors.numpy import save as to_safetensors
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from codegen import durable
from codegen.frontend.read import read_as_written
from codegen.pixels import INPUT_SCALE, INPUT_ZERO_POINT, normalise
from tinyml_nas.conversion.backend import keras, tf
from tinyml_nas.quantization.ranges import calibrated
from tinyml_nas.store.digest import digest_of
from tinyml_nas.types import Artifact, Extractor

EXTRACTOR_FILE = "extractor.tflite"
HEAD_FILE = "head.safetensors"

Head = dict[str, npt.NDArray[np.float32]]


class QuantizationError(RuntimeError):
    """The network cannot be split, or its flatbuffer is not what the generator relies on."""


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


def convert_int8(
    extractor: keras.Model, images: npt.NDArray[np.float32], clip_hard_swish: bool = False
) -> bytes:
    """The full-integer flatbuffer of Φ_f for a batch of one, its ranges taken from ``images``.

    The converter prepares the graph and quantizes it; the ranges in between are this project's own (see
    ``ranges``), because the converter's depend on the machine. They are also wrong before an ADD: it runs
    in place, and its first input is given the range of the sum.

    Raises:
        QuantizationError: the input's scale is not 1/128 or its zero point not 0.
    """
    prepared = bytearray(_prepared(extractor, images[:1]))
    _set_ranges(prepared, calibrated(read_as_written(bytes(prepared)), images, clip_hard_swish))
    with _native_stderr_held():
        flatbuffer: bytes = mlir_quantize(
            bytes(prepared), input_data_type=tf.int8, output_data_type=tf.int8
        )
    scale, zero_point = Interpreter(model_content=flatbuffer).get_input_details()[0]["quantization"]
    if (scale, zero_point) != (INPUT_SCALE, INPUT_ZERO_POINT):
        raise QuantizationError(
            f"input quantized with scale {scale} and zero point {zero_point}, expected "
            f"{INPUT_SCALE} and {INPUT_ZERO_POINT}: calibrate on images normalised by "
            "codegen.pixels, with pixels 0 and 255 among them"
        )
    return flatbuffer


def with_extremes(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A copy in which the first image's corner holds a black and a white pixel.

    They pin the input's range to that of all images. Two pixels of a real image barely move the
    ranges further in; a whole black or white image would widen them.
    """
    images = images.copy()
    images[0, 0, :2] = normalise(np.array([[0], [255]], np.uint8))
    return images


def write(flatbuffer: bytes, head: Head, folder: Path) -> Extractor:
    """Write both files, and describe the extractor's features."""
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
    )


def _prepared(extractor: keras.Model, images: npt.NDArray[np.float32]) -> bytes:
    """The float flatbuffer as its quantization expects it: each activation has a place for a range."""
    converter = _converter(extractor)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[None]] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    converter._experimental_calibrate_only = True  # noqa: SLF001
    return _convert(converter)


def _set_ranges(flatbuffer: bytearray, ranges: Mapping[int, tuple[float, float]]) -> None:
    """Overwrite the ranges in the flatbuffer by ``ranges``, by tensor."""
    subgraph = schema.Model.GetRootAs(flatbuffer).Subgraphs(0)
    for index, (low, high) in ranges.items():
        place = subgraph.Tensors(index).Quantization()
        place.MinAsNumpy()[:], place.MaxAsNumpy()[:] = low, high


def _converter(extractor: keras.Model) -> Any:
    # A batch fixed to 1 keeps SHAPE, STRIDED_SLICE and PACK out of the flatbuffer.
    batch_of_one = tf.TensorSpec((1, *extractor.input_shape[1:]), tf.float32)
    call = tf.function(lambda image: extractor(image, training=False))
    function = call.get_concrete_function(batch_of_one)
    return tf.lite.TFLiteConverter.from_concrete_functions(
        [convert_variables_to_constants_v2(function)]
    )


def _convert(converter: Any) -> bytes:
    with _native_stderr_held(), warnings.catch_warnings():
        # It asks for the input's statistics before it calibrates them.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs")
        flatbuffer: bytes = converter.convert()
    return flatbuffer


@contextmanager
def _native_stderr_held() -> Generator[None, None, None]:
    """Hold back what the converter's C++ prints to stderr; show it only if it fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(kept, log.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
