"""Figures of curves: means over repetitions with their spread, and what becomes of a program after a change."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scenarios.base import Curve
from tinyml_nas.types import Figure

PUBLISHED_REPETITIONS = 5
TOLERANCE = 0.005
"""How far below its accuracy before a change a program counts as recovered: one of 200 images."""

Values = npt.NDArray[np.float64]


def mean(values: npt.ArrayLike, unit: str) -> Figure:
    """The mean of one value a repetition, its deviation (n - 1) and its 95 % interval (Student's t).

    The interval is that of the draw of a stream: all repetitions are scored on the same images.
    """
    from scipy.special import stdtrit

    array = np.asarray(values, dtype=np.float64)
    centre, n = float(array.mean()), int(array.size)
    if n < 2:
        return Figure(centre, unit, n)
    deviation = float(array.std(ddof=1))
    reach = float(stdtrit(n - 1, 0.975)) * deviation / n**0.5
    return Figure(centre, unit, n, deviation, (centre - reach, centre + reach))


def spread(points: Values) -> Values:
    """Deviation (n - 1) over repetitions (R, T) of each point (T,); 0 where there is one."""
    if len(points) < 2:
        return np.zeros(points.shape[1])
    deviation: Values = points.std(axis=0, ddof=1)
    return deviation


def course(curve: Curve) -> dict[str, Figure]:
    """What can be said of any curve: where it starts and ends, and where it would have ended unlearned.

    ``end_as_published`` is the thesis's figure: five repetitions, scored on the images of the curve.
    """
    return {
        "end": mean(curve.end, "accuracy"),
        "end_as_published": mean(curve.points[:PUBLISHED_REPETITIONS, -1], "accuracy"),
        "start": mean(curve.start, "accuracy"),
        "frozen_end": mean(curve.frozen, "accuracy"),
    }


def change(points: Values, at: int, settled: int, until: int) -> dict[str, Figure]:
    """What a change did that comes with the sample ``at``, is complete at ``settled``, and lasts ``until``.

    ``points`` (R, T) are a curve's; counted from 0. ``recovered_after`` counts samples from the change
    until the accuracy is back, within ``TOLERANCE``, in those repetitions in which it comes back.
    """
    before = points[:, at - 1]
    back = points[:, settled:until] >= before[:, np.newaxis] - TOLERANCE
    recovered = back.any(axis=1)
    after = settled - at + 1 + back.argmax(axis=1)[recovered]
    figures = {
        "before": mean(before, "accuracy"),
        "lowest": mean(points[:, at:until].min(axis=1), "accuracy"),
        "recovered": mean(recovered, "share"),
    }
    if recovered.any():
        figures["recovered_after"] = mean(after, "samples")
    return figures


def difference(ends: npt.ArrayLike, others: npt.ArrayLike) -> Figure:
    """How much better one learner ends than another: paired, as both saw the same streams."""
    return mean(np.asarray(ends) - np.asarray(others), "accuracy_difference")
