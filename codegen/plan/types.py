"""What a plan is."""

from __future__ import annotations

from dataclasses import dataclass

ALIGNMENT_BYTES = 16


class PlanError(AssertionError):
    """A plan under which the generated program would compute garbage."""


@dataclass(frozen=True)
class Plan:
    """Where everything lies in the arena, and in which order the operators run.

    ``offsets`` holds byte offsets per tensor (None for constants and unused tensors), ``scratch``
    those of each operator's working memory (None where it needs none). No plan in this order needs
    less than ``lower_bound_bytes``; ``optimal`` says that none needs less than ``arena_bytes``.

    For reports: ``live_bytes`` is the largest sum of tensors that live at once, what a planner
    without overlaps would need at least; ``fused`` are the operators that ``arrange`` made of
    several, which run row by row, ``unfused_bytes`` is the arena without them, and
    ``extra_multiply_adds`` are what they compute twice.
    """

    offsets: tuple[int | None, ...]
    scratch: tuple[int | None, ...]
    order: tuple[int, ...]
    arena_bytes: int
    lower_bound_bytes: int
    optimal: bool
    live_bytes: int
    unfused_bytes: int
    fused: tuple[int, ...] = ()
    extra_multiply_adds: int = 0
