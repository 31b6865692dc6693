"""Keras networks to ``.tflite`` files, by the converter's settings as its guides give them.

    python -m tools.guides.export FOLDER [NETWORK ...]

writes every network of ``tools/guides/networks.py`` in every way of ``EXPORTS``, for
``python -m benchmarks.accepted FOLDER``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from codegen import durable
from tools.guides.networks import NETWORKS, Network

# Reals; codes inside and reals at both ends; codes throughout; bytes at both ends, as the guide does.
EXPORTS = ("float", "int8_inside", "int8", "uint8")
SAMPLES = 8  # that the ranges are taken from


def samples(network: Network, count: int) -> npt.NDArray[np.float32]:
    """Inputs of noise (count, ...), between 0 and 1."""
    rng = np.random.default_rng(0)
    return rng.uniform(0, 1, (count, *network.shape)).astype(np.float32)


def build(name: str) -> Any:
    """The Keras model of a network."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    keras.utils.set_random_seed(1)
    return NETWORKS[name].make(keras, keras.layers)


def convert(model: Any, network: Network, export: str) -> bytes:
    """The ``.tflite`` file of a Keras model."""
    import tensorflow as tf

    def representative() -> Iterator[list[npt.NDArray[np.float32]]]:
        for sample in samples(network, SAMPLES):
            yield [sample[np.newaxis]]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if export != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if export in ("int8", "uint8"):
        converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(
            export
        )
    content: bytes = converter.convert()
    return content


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description="Write Keras networks as .tflite files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--export", choices=EXPORTS, nargs="+", default=EXPORTS)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.networks or NETWORKS:
        model = build(name)
        for export in arguments.export:
            content = convert(model, NETWORKS[name], export)
            durable.write(arguments.folder / f"{name}.{export}.tflite", content)
            sys.stdout.write(f"{name} {export}: {len(content):,} bytes\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
