"""Which candidates of the surrogate's population get a true evaluation."""

from __future__ import annotations

import numpy as np

from tinyml_nas.search.base import FloatArray
from tinyml_nas.search.front import Indices, fronts


def select(
    points: FloatArray,
    violations: FloatArray,
    occupied: FloatArray,
    reference: float,
    count: int,
) -> Indices:
    """Choose ``count`` of the candidates, best front first, spread along the second objective.

    Args:
        points: Predicted error and second objective of each candidate, (N, 2).
        violations: Violation of each candidate, (N,); those above 0 come last, the least first.
        occupied: Second objective of the networks on the front that is known, (M,).
        reference: Where the second objective ends: penalised candidates beyond it all lie there,
            so that gaps of 1e10 do not draw every evaluation to them.
        count: How many to choose.
    """
    position = np.minimum(points[:, 1], reference)
    within = np.flatnonzero(violations == 0)
    chosen: list[int] = []
    for front in fronts(points[within]):
        members = within[front]
        known = np.concatenate([np.minimum(occupied, reference), position[chosen]])
        picks = spread(position[members], known, count - len(chosen))
        chosen += members[picks].tolist()
    beyond = np.flatnonzero(violations > 0)
    beyond = beyond[np.lexsort((points[beyond, 0], violations[beyond]))]
    return np.array([*chosen, *beyond][:count], dtype=np.int64)


def spread(positions: FloatArray, occupied: FloatArray, count: int) -> Indices:
    """Choose ``count`` of ``positions`` (N,) that fill the widest gaps beside ``occupied`` (M,).

    MSuNAS (Lu et al., 2020) chooses the subset that lies most evenly along the second objective
    together with the front that is known. Here each choice is the position farthest from all
    that are known or chosen, the first of equals. Returns the choices in order.
    """
    distance = np.full(len(positions), np.inf)
    for position in occupied:
        distance = np.minimum(distance, np.abs(positions - position))
    chosen: list[int] = []
    for _ in range(min(count, len(positions))):
        pick = int(np.argmax(distance))
        chosen.append(pick)
        distance = np.minimum(distance, np.abs(positions - positions[pick]))
        distance[chosen] = -1.0
    return np.array(chosen, dtype=np.int64)
