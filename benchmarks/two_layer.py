"""Whether one more layer that learns is worth its bytes: a trial in NumPy, on validation streams of `transfer`.

    python -m benchmarks.two_layer PROJECT DIR        # the project of a run, and data.root

A program replays its buffer after every label. What learns is the head alone; the head and a scale and bias of each
feature before it; or the head and a dense map of the features before it, which starts as the identity. Rates are picked
from a grid on the same streams for all, and every head has the bytes of the largest: what a map of F x F takes, a
head alone has in samples.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.toolchain.host import HostModel
from scenarios.base import Order, Stream
from scenarios.field import Samples, divide
from scenarios.streams.runs import Runs
from scenarios.streams.shuffled import Shuffled
from scenarios.worlds.transfer import Transfer
from tinyml_nas.data.imagenette import Imagenette
from tinyml_nas.pipeline.inputs import device_inputs

CONFIG = "src/config.hpp"
STREAMS = 3
SAMPLES = 158
RATES = (1.0, 3.0, 10.0)
SHARES = (1.0, 10.0, 100.0)
"""Of the head's rate, that of what lies before it."""
ORDERS: dict[str, Order] = {"shuffled": Shuffled(), "runs": Runs()}
Array = npt.NDArray[np.float32]


@dataclass
class Program:
    """A head (F, C), a bias (C,), and what lies before it: a scale (F,) or map (F, F), and a bias (F,)."""

    weights: Array
    bias: Array
    before: Array | None
    shift: Array

    def hidden(self, x: Array) -> Array:
        """What the head sees of features (N, F)."""
        if self.before is None:
            return x
        mapped = x * self.before if self.before.ndim == 1 else x @ self.before
        return mapped + self.shift

    def predict(self, x: Array) -> npt.NDArray[np.int64]:
        """Classes of features (N, F)."""
        found: npt.NDArray[np.int64] = (self.hidden(x) @ self.weights + self.bias).argmax(axis=1)
        return found

    def step(self, x: Array, labels: npt.NDArray[np.integer], rate: float, share: float) -> None:
        """One step on the mean gradient of cross-entropy; ``rate`` as ``Replay`` has it."""
        hidden = self.hidden(x)
        logits = hidden @ self.weights + self.bias
        delta = np.exp(logits - logits.max(axis=1, keepdims=True))
        delta /= delta.sum(axis=1, keepdims=True)
        delta[np.arange(len(labels)), labels] -= 1
        delta *= rate / len(labels) / np.mean(np.sum(x * x, axis=1))
        back = share * delta @ self.weights.T
        self.weights -= hidden.T @ delta
        self.bias -= delta.sum(axis=0)
        if self.before is None:
            return
        self.before -= np.sum(back * x, axis=0) if self.before.ndim == 1 else x.T @ back
        self.shift -= back.sum(axis=0)


def start(kind: str, features: int, classes: int) -> Program:
    """A blank head, and an identity before it where ``kind`` has one."""
    before = {
        "head": None,
        "scale": np.ones(features, np.float32),
        "map": np.eye(features, dtype=np.float32),
    }[kind]
    weights = np.zeros((features, classes), np.float32)
    return Program(weights, np.zeros(classes, np.float32), before, np.zeros(features, np.float32))


def end(
    kind: str, stream: Stream, score: Samples, samples: int, rate: float, share: float
) -> float:
    """Accuracy after a stream, with a first-in-first-out buffer of ``samples``."""
    program = start(kind, score.features.shape[1], 10)
    features = stream.samples.features.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # of rates at which it diverges
        for count in range(1, len(features) + 1):
            kept = slice(max(0, count - samples), count)
            program.step(features[kept], stream.labels[kept], rate, share)
    return float(np.mean(program.predict(score.features.astype(np.float32)) == score.labels))


def read_constant(project: Path, name: str) -> float:
    """A number of the generated program, by its name in C++."""
    config = (project / CONFIG).read_text(encoding="utf-8")
    found = re.search(rf"\b{name}\s*=\s*([-+.e\d]+)", config)
    if found is None:
        raise SystemExit(f"{project / CONFIG}: has no {name}")
    return float(found[1])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Is a second layer that learns worth its bytes?")
    parser.add_argument("project", type=Path, help="the project of a run")
    parser.add_argument("root", type=Path, help="data.root")
    arguments = parser.parse_args()
    model = HostModel(arguments.project)
    images = Imagenette(root=arguments.root, folder="imagenette2-96", side=96).split("validation")
    quantized = model.shape.feature_dtype == np.int8
    inputs = device_inputs(images, model.shape.image[0], "int8" if quantized else "float32")
    codes = model.features(inputs).astype(np.float32) - read_constant(
        arguments.project, "kFeatureZeroPoint"
    )
    codes /= np.sqrt(np.mean(codes * codes))
    world = Transfer()
    field = divide(Samples(codes, images.labels), 10, world.samples, world.curve_images)
    features = codes.shape[1]
    map_samples = 4 * features * features // (features + 1)  # as many as have the bytes of a map
    cases = (
        ("head", SAMPLES),
        ("scale", SAMPLES),
        ("map", SAMPLES),
        ("head", SAMPLES + map_samples),
    )
    sys.stdout.write(f"{features} features, {STREAMS} streams\n")
    for (order, how), (kind, samples) in product(ORDERS.items(), cases):
        streams = [
            world.stream(field.pool, 10, how, np.random.default_rng((1, index)))
            for index in range(STREAMS)
        ]
        shares = SHARES if kind != "head" else SHARES[:1]
        found = {
            (rate, share): np.mean(
                [end(kind, stream, field.score, samples, rate, share) for stream in streams]
            )
            for rate, share in product(RATES, shares)
        }
        (rate, share), best = max(found.items(), key=lambda item: item[1])
        sys.stdout.write(
            f"{order:9} {kind:6} N_B {samples:4}: {best:.3f}  rate {rate:g}"
            + (f", before it {share:g} of that\n" if kind != "head" else "\n")
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
