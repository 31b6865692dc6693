from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from codegen.pixels import INPUT_SCALE
from tests.tinyml_nas.conftest import block
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.network.tapping import tapped
from tinyml_nas.quantization import tflite
from tinyml_nas.quantization.prepared import Prepared
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


@pytest.fixture(scope="session")
def lite0_keras_model(make_network, normalised, tmp_path_factory) -> Path:
    """A network of EfficientNet-Lite0's kind, converted: ReLU6, TensorFlow's padding, no feature mix."""
    from tinyml_nas.conversion.keras import convert

    blocks = (
        block(8, 8, 8, activation="relu6"),
        block(8, 32, 12, kernel=5, stride=2, activation="relu6"),
        block(12, 48, 12, activation="relu6"),
        block(12, 48, 16, stride=2, activation="relu6"),
    )
    spec = NetworkSpec(28, 10, 8, 2, blocks, 48, 48, "relu6", "same", mix=False, norm_epsilon=1e-3)
    folder = tmp_path_factory.mktemp("lite0")
    return convert(make_network(spec), normalised("test", 4, 28), folder).artifact.path


@pytest.fixture(scope="session")
def tapped_keras_model(small_network, normalised, tmp_path_factory) -> Path:
    """``small_network`` with taps, converted: 48 channels in rows of 20."""
    from tinyml_nas.conversion.keras import convert

    images = normalised("test", 50, 28)
    network = tapped(small_network, (0, 1, 2, 4), 20, images)
    return convert(network, images, tmp_path_factory.mktemp("tapped")).artifact.path


@pytest.fixture(scope="session")
def models(small_keras_model, lite0_keras_model, tapped_keras_model) -> dict[str, Path]:
    """Both families, and a network with taps."""
    return {"mbv3": small_keras_model, "lite0": lite0_keras_model, "tapped": tapped_keras_model}


@pytest.fixture(scope="session")
def prepared(models, normalised) -> dict[str, Prepared]:
    """The float networks, as quantizers see them."""
    images = normalised("train", 1, 28)
    return {name: tflite.prepare(tflite.split(path)[0], images) for name, path in models.items()}
