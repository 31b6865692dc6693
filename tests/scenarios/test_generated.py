"""The scenario drives the generated C++: same streams, same accuracies as the learner in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.boards.board import Board
from codegen.emit.emitter import emit
from codegen.ir import Graph, Op, Quantization, Tensor
from codegen.learners.base import Knob
from codegen.learners.tinyol import TinyOL
from codegen.learners.tybox import Tybox
from codegen.project import Golden, HeadWeights, Project
from codegen.toolchain.host import HostModel
from scenarios.field import Samples, divide
from scenarios.run import calibrate, report
from scenarios.streams.shuffled import Shuffled
from scenarios.worlds.concept_drift import ConceptDrift

SCALE, ZERO_POINT = 0.06, 5
BOARD = Board("host_only", "cortex-m4", 10**8, 0, 1 << 20, 1 << 29, 1 << 20)
DRIFT = ConceptDrift(
    samples=200, drift_at=50, repetitions=2, tuning_repetitions=2, curve_images=100
)
RATE = 2.0


@pytest.fixture(scope="module")
def codes(make_split) -> Samples:
    """A split whose images are 1 x F pixels: the extractor's input codes, and its features."""
    split = make_split(500, 7)
    codes = np.clip(np.round(split.features / SCALE) + ZERO_POINT, -128, 127).astype(np.int8)
    return Samples(codes, split.labels)


@pytest.fixture(scope="module", params=["tybox", "tinyol"])
def model(request, centres, codes: Samples, tmp_path_factory) -> HostModel:
    """The generated program around an extractor that only flattens."""
    features = codes.features.shape[1]
    quantization = Quantization((SCALE,), (ZERO_POINT,))
    tensors = tuple(
        Tensor(name, shape, "int8", quantization)
        for name, shape in (("image", (1, 1, features, 1)), ("psi", (1, features)))
    )
    learner = Tybox(RATE) if request.param == "tybox" else TinyOL(RATE)
    golden = codes.features[:1]
    project = Project(
        name="identity",
        graph=Graph(tensors, (Op("RESHAPE", (0,), (1,)),), (0,), (1,)),
        head=HeadWeights(
            centres.astype(np.float32), (-0.5 * (centres**2).sum(axis=1)).astype(np.float32)
        ),
        learner=learner,
        buffer_samples=min(20, learner.most_samples),
        board=BOARD,
        golden=Golden(golden.reshape(1, 1, features, 1), golden),
    )
    folder: Path = tmp_path_factory.mktemp(request.param) / "project"
    emit(project, folder)
    return HostModel(folder)


def test_the_generated_program_goes_through_the_drift_as_the_oracle_does(
    model: HostModel, codes: Samples, make_driver
) -> None:
    split = Samples(model.features(codes.features.reshape(len(codes), 1, -1, 1)), codes.labels)
    found = report(DRIFT, Shuffled(), model, divide(split, 10, 200, 100), 3)
    real = Samples((codes.features.astype(np.float32) - ZERO_POINT) * SCALE, codes.labels)
    oracle = make_driver(model.shape.buffer_samples, model.knobs["learning_rate"], normalised=True)
    expected = report(DRIFT, Shuffled(), oracle, divide(real, 10, 200, 100), 3)
    # One of 250 images may lie on the border between two classes.
    assert found.ends["all"] == pytest.approx(expected.ends["all"], abs=0.005)
    assert found.curves["all"] == pytest.approx(expected.curves["all"], abs=0.015)
    figures = found.figures
    assert figures["frozen_end"].value == pytest.approx(
        expected.figures["frozen_end"].value, abs=0.005
    )
    assert figures["end"].value > figures["frozen_end"].value + 0.05


def test_tuning_leaves_the_shipped_rate(model: HostModel, codes: Samples) -> None:
    """The chosen rate counts once it is baked in; a reset goes back to what was generated."""
    baked = model.knobs["learning_rate"]
    field = divide(codes, 10, 200, 100)
    knob = Knob("learning_rate", baked, 1e-12, 100.0, (2 * baked,))
    found = calibrate(DRIFT, Shuffled(), model, field, (knob,), 3)
    assert found.values == {"learning_rate": 2 * baked}
    model.reset()
    assert model.knobs == {"learning_rate": baked}
