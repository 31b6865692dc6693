"""Small projects whose extractor does nothing, for tests of the learner and of the build."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.boards.board import load
from codegen.emit.emitter import emit
from codegen.ir import Graph, Op, Quantization, Tensor
from codegen.learners.base import Learner
from codegen.learners.statistics import Statistics
from codegen.learners.tybox import Loss, Tybox
from codegen.project import Golden, HeadWeights, Project

SCALE = 0.05
ZERO_POINT = -3
BOARDS = {
    board.core: board
    for board in map(load, ("nucleo_g0b1re", "nucleo_f446re", "nucleo_1mb", "pico2", "corstone300"))
}


def identity_graph(features: int, dtype: str) -> Graph:
    """An extractor that only flattens: its features are its image."""
    quantization = Quantization((SCALE,), (ZERO_POINT,)) if dtype == "int8" else None
    shapes = (1, 1, features, 1), (1, features)
    tensors = [
        Tensor(name, shape, dtype, quantization)
        for name, shape in zip(("image", "features"), shapes, strict=True)
    ]
    return Graph(tuple(tensors), (Op("RESHAPE", (0,), (1,)),), (0,), (1,))


def identity_project(
    features: int = 12,
    classes: int = 5,
    buffer_samples: int = 4,
    learning_rate: float = 0.3,
    passes: int = 1,
    loss: Loss = "cross_entropy",
    dtype: str = "int8",
    core: str = "cortex-m4",
    class_names: tuple[str, ...] = (),
    machine: str = "",
    learner: Learner | None = None,
    statistics: Statistics | None = None,
) -> Project:
    """A project with a random head and two golden images."""
    rng = np.random.default_rng(7)
    weights = rng.normal(0, 0.1, (classes, features)).astype(np.float32)
    bias = rng.normal(0, 0.1, classes).astype(np.float32)
    images = rng.integers(-128, 128, (2, 1, features, 1)).astype(dtype)
    return Project(
        name="identity",
        graph=identity_graph(features, dtype),
        head=HeadWeights(weights, bias),
        learner=learner or Tybox(learning_rate, passes=passes, loss=loss),
        buffer_samples=buffer_samples,
        board=replace(BOARDS[core], emulator=machine or BOARDS[core].emulator),
        golden=Golden(images, images.reshape(2, features)),
        class_names=class_names,
        statistics=statistics,
    )


@pytest.fixture(scope="session")
def make_identity() -> Callable[..., Project]:
    """``identity_project``: arguments are its."""
    return identity_project


@pytest.fixture(scope="session")
def emit_identity(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[Project, Path]]:
    """Emit an ``identity_project`` into a fresh folder; arguments are its."""

    def emit_project(**settings: object) -> tuple[Project, Path]:
        project = identity_project(**settings)
        destination = tmp_path_factory.mktemp("projects") / "identity"
        emit(project, destination)
        return project, destination

    return emit_project
