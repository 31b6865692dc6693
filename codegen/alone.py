"""A learner by itself: a project whose extractor hands on what it is given.

Its program learns as that of the whole network does, bit for bit, and takes a second to compile: what is tried on features
that are known needs no more.
"""

from __future__ import annotations

import numpy as np

from codegen.boards.board import Board
from codegen.ir import DType, Graph, Op, Quantization, Tensor
from codegen.learners.base import Learner
from codegen.learners.statistics import Statistics
from codegen.project import Golden, HeadWeights, Project


def alone(
    learner: Learner,
    head: HeadWeights,
    dtype: DType,
    coding: Quantization | None,
    buffer_samples: int,
    board: Board,
    statistics: Statistics | None = None,
) -> Project:
    """A project whose images are features (1, 1, F, 1) of this ``dtype``, codes that mean what ``coding`` says."""
    size = head.features
    shapes = (1, 1, size, 1), (1, size)
    tensors = tuple(Tensor(f"t{n}", shape, dtype, coding) for n, shape in enumerate(shapes))
    nothing = np.zeros((1, *shapes[0][1:]), np.dtype(dtype))
    return Project(
        name="head",
        graph=Graph(tensors, (Op("RESHAPE", (0,), (1,)),), (0,), (1,)),
        head=head,
        learner=learner,
        buffer_samples=buffer_samples,
        board=board,
        golden=Golden(nothing, nothing.reshape(1, size)),
        statistics=statistics,
    )
