"""Colours that are told apart in light, in dark, and by most colour-blind readers (Okabe and Ito 2008, then Tol's)."""

from __future__ import annotations

COLOURS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#8f8f00",
    "#7f7f7f",
    "#332288",
    "#44aa99",
    "#aa4499",
    "#b6a000",
    "#661100",
    "#88a0d8",
)
FREE = "rgba(128,128,128,0.25)"


def colour(number: int) -> str:
    """The same for the same number; they come round."""
    return COLOURS[number % len(COLOURS)]


def band(number: int) -> str:
    """The same colour, to be seen through."""
    red, green, blue = (int(colour(number)[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
