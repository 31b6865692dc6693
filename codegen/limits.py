"""What a learner takes and keeps, so that all that it computes is finite (runtime/learners/limits.hpp)."""

from __future__ import annotations

import numpy as np

LEAST_RATE = float(np.finfo(np.float32).tiny)  # below it, float32 keeps a few bits, or none
MOST_RATE = 1e6
MOST_FEATURE = 1e6
MOST_WEIGHT = 1e24
MOST_CLASSES = 256  # a label is one byte
# A pass over the buffer already is what TyBox makes of one label. A board on which a thousand are
# not enough takes longer over them than the host's tool waits for its reply.
MOST_PASSES = 1000
MOST_SAMPLES = 2**31 - 1  # the buffer counts them in an int32


def check_rate(key: str, value: float) -> None:
    """Refuse what is no learning rate: it must be a normal float32 above 0, and at most 1e6.

    Raises:
        ValueError: it is none; names ``key``.
    """
    if not LEAST_RATE <= value <= MOST_RATE:  # nor is a NaN
        raise ValueError(
            f"{key}: must be positive, a normal number in float32 and at most {MOST_RATE:g}, that "
            f"is in {LEAST_RATE:.3g}..{MOST_RATE:g}; got {value}"
        )


def check_passes(passes: int) -> None:
    """Refuse a number of passes over the buffer that is none, or that no board gets through.

    Raises:
        ValueError: it is one of these.
    """
    if not 1 <= passes <= MOST_PASSES:
        raise ValueError(
            f"learner.passes: must be in 1..{MOST_PASSES}, each of them over the whole buffer for "
            f"every label; got {passes}"
        )


def check_replayed(replayed: int | None) -> None:
    """Refuse a number of samples of a pass that is none.

    Raises:
        ValueError: it is.
    """
    if replayed is not None and not 1 <= replayed <= MOST_SAMPLES:
        raise ValueError(
            f"learner.replayed: must be in 1..{MOST_SAMPLES}, or null for the whole buffer; got {replayed}"
        )
