"""CNAS's second objective: parameters, activations and MACs, with a penalty beyond limits."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_nas.search.base import Constraint, Exceeded
from tinyml_nas.types import Footprint

MILLION = 1_000_000


@dataclass(frozen=True)
class CnasConstraint(Constraint):
    """Φ of CNAS (Gambella, Falcetta and Roveri, 2022), F in millions.

        Φ(x) = Σ w (F + α max(0, F - limit))    over F = parameters, activations and MACs

    The defaults are the paper's TinyML case. With ``alpha`` 0 there is no penalty and the limits
    are kept by constraint domination (Deb, 2000).
    """

    parameters_millions: float = 2.2
    activations_millions: float = 0.3
    macs_millions: float = 7.0
    parameters_weight: float = 1.0
    activations_weight: float = 1.0
    macs_weight: float = 1.0
    alpha: float = 1e10

    def __post_init__(self) -> None:
        for quantity in ("parameters", "activations", "macs"):
            limit = getattr(self, f"{quantity}_millions")
            if not limit > 0:
                raise ValueError(f"constraint.{quantity}_millions: must be positive; got {limit}")
        for key in ("parameters_weight", "activations_weight", "macs_weight", "alpha"):
            if not getattr(self, key) >= 0:
                raise ValueError(
                    f"constraint.{key}: must be zero or positive; got {getattr(self, key)}"
                )
        if self.reference == 0:
            raise ValueError(
                "constraint: one of parameters_weight, activations_weight and macs_weight must be "
                "positive; got 0 for all"
            )

    @property
    def reference(self) -> float:
        """Φ of a network that lies on all three limits, in millions."""
        return (
            self.parameters_weight * self.parameters_millions
            + self.activations_weight * self.activations_millions
            + self.macs_weight * self.macs_millions
        )

    @property
    def penalised(self) -> bool:
        """Whether Φ has its penalty."""
        return self.alpha > 0

    def objective(self, footprint: Footprint) -> float:
        """Φ, in millions."""
        terms = (
            (self.parameters_weight, footprint.parameters, self.parameters_millions),
            (self.activations_weight, footprint.activations, self.activations_millions),
            (self.macs_weight, footprint.macs, self.macs_millions),
        )
        return sum(
            weight * (count / MILLION + self.alpha * max(0.0, count / MILLION - limit))
            for weight, count, limit in terms
        )

    def exceeded(self, footprint: Footprint) -> tuple[Exceeded, ...]:
        """The limits on parameters, activations and MACs that the network does not keep."""
        limits = (
            Exceeded("parameters", footprint.parameters, _count(self.parameters_millions)),
            Exceeded("activations", footprint.activations, _count(self.activations_millions)),
            Exceeded("macs", footprint.macs, _count(self.macs_millions)),
        )
        return tuple(limit for limit in limits if limit.used > limit.allowed)


def _count(millions: float) -> int:
    return round(millions * MILLION)
