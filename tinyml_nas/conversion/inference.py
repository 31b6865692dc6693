"""What an extractor's flatbuffer makes of many images, by TensorFlow Lite's own kernels for this host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_nas.progress import track


def features(tflite: Path, inputs: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Real features (N, F) of ``inputs`` (N, H, W, C), which are in the extractor's own dtype."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(tflite), num_threads=1)
    interpreter.allocate_tensors()
    (source,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero_point = output["quantization"] if output["dtype"] == np.int8 else (1.0, 0)
    rows = []
    for image in track(inputs, "features as the file computes them"):
        interpreter.set_tensor(source["index"], image[np.newaxis])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(output["index"]).reshape(-1))
    return scale * (np.stack(rows).astype(np.float64) - zero_point)
