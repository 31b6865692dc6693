"""How long a flash memory lasts at the rate at which a head is saved."""

from __future__ import annotations

ENDURED_ERASURES = 10_000
"""Of a sector: what STM32s and nRF52s are guaranteed to endure at least."""
SLOTS = 2
YEAR_S = 365.25 * 24 * 3600


def erasures(number: int) -> int:
    """How often the slot of saved head ``number`` was erased: they take turns, from 1 on."""
    return -(-number // SLOTS)


def warning(saves: int, seconds: float, number: int) -> str:
    """What to tell of ``saves`` in so many ``seconds``, the last of them with ``number``.

    Empty where both slots last for more than a year at that rate, and of a single save, which says
    nothing about a rate.
    """
    if saves < 2 or seconds <= 0:
        return ""
    left_s = max(SLOTS * ENDURED_ERASURES - number, 0) * seconds / saves
    if left_s > YEAR_S:
        return ""
    return (
        f"warning: at a save every {seconds / saves:,.1f} s the flash reaches {ENDURED_ERASURES:,} erasures "
        f"of a sector in {left_s / YEAR_S * 365.25:,.1f} days; save more rarely (--autosave)"
    )
