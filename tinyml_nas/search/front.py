"""Fronts of two minimised objectives: sorting, hypervolume and the knee."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyml_nas.search.base import FloatArray

Indices = npt.NDArray[np.int64]


def fronts(objectives: FloatArray) -> list[Indices]:
    """Sort the rows of ``objectives`` (N, 2) into non-dominated fronts, the best first.

    Indices rise within a front. Equal rows do not dominate each other.
    """
    from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

    if len(objectives) == 0:
        return []
    return [np.sort(np.asarray(f, dtype=np.int64)) for f in NonDominatedSorting().do(objectives)]


def hypervolume(objectives: FloatArray, reference: tuple[float, float]) -> float:
    """Share of the box from (0, 0) to ``reference`` that the rows of ``objectives`` dominate."""
    from pymoo.indicators.hv import HV

    if len(objectives) == 0:
        return 0.0
    return float(HV(ref_point=np.ones(2))(objectives / np.asarray(reference)))


def knee(front: FloatArray) -> int:
    """Row of a front (N, 2) that lies farthest below the line between its two ends.

    Both objectives are scaled to [0, 1] over the front (Das, 1999). A front without a bend, or of
    fewer than three points, gives its row of least first objective.
    """
    best = int(np.lexsort((front[:, 1], front[:, 0]))[0])
    span = np.ptp(front, axis=0)
    if np.any(span == 0):
        return best
    below = 1.0 - ((front - front.min(axis=0)) / span).sum(axis=1)
    lowest = int(np.argmax(below))
    return lowest if below[lowest] > 0 else best
