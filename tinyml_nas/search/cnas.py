"""CNAS: MSuNAS under technological constraints."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_nas.search.msunas import MSuNAS


@dataclass(frozen=True)
class CNAS(MSuNAS):
    """CNAS (Gambella, Falcetta and Roveri, 2022): MSuNAS with Φ as the second objective.

    As published, NSGA-II meets the limits through Φ's penalty alone. Limits that the objective
    does not penalise (those of a board) are kept by constraint domination.
    """

    @property
    def domination(self) -> bool:
        """Whether NSGA-II sees the limits: where the objective has no penalty for them."""
        return not self.constraint.penalised
