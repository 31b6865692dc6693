from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from codegen.pixels import INPUT_SCALE
from tinyml_nas.types import Extractor


def run_extractor(extractor: Extractor, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Real features (N, F) of normalised images, by TensorFlow Lite's reference kernels."""
    interpreter = Interpreter(
        str(extractor.artifact.path / "extractor.tflite"),
        experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    if extractor.dtype == "int8":
        images = np.rint(images / np.float32(INPUT_SCALE)).astype(np.int8)
    features = []
    for image in images:
        interpreter.set_tensor(source["index"], image[None])
        interpreter.invoke()
        features.append(interpreter.get_tensor(result["index"]).reshape(-1))
    codes = np.stack(features).astype(np.float32)
    return np.float32(extractor.scale) * (codes - extractor.zero_point)


@pytest.fixture
def features_of() -> Callable[..., npt.NDArray[np.float32]]:
    return run_extractor
