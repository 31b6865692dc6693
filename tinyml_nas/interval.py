"""How sure a measured share is."""

from __future__ import annotations

import math

CONFIDENCE_95 = 1.96


def wilson(share: float, count: int) -> tuple[float, float]:
    """95 % interval of a share that was observed on ``count`` images (Wilson 1927)."""
    z = CONFIDENCE_95
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + (z / count / 2) ** 2)
    return centre - reach, centre + reach


def percent(share: float, count: int) -> str:
    """An accuracy with its interval: ``85.66 % (84.7-86.6)``."""
    low, high = wilson(share, count)
    return f"{100 * share:.2f} % ({100 * low:.1f}-{100 * high:.1f})"
