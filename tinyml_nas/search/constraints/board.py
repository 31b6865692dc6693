"""The limits of a board: flash and SRAM, beside those of CNAS."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyml_nas.search.base import Constraint, Exceeded
from tinyml_nas.search.constraints.cnas import CnasConstraint
from tinyml_nas.types import Footprint


@dataclass(frozen=True)
class BoardConstraint(Constraint):
    """Flash and SRAM of the int8 network, as the generator plans them, within a board's.

    With ``omega_bytes``, so is all of Ω in one memory, as ``memory=thesis`` counts it. The second objective is that of ``cnas``, whose limits hold as well. All limits are kept by
    constraint domination (Deb, 2000), so that ``cnas`` must have an ``alpha`` of 0.

    ``as_deployed`` is whether flash, SRAM and Ω are those of the network as it will be pruned and
    quantized. Without it they are its own in int8, so that a sweep over prunings shares one search.
    """

    flash_bytes: int
    sram_bytes: int
    omega_bytes: int | None = None
    as_deployed: bool = True
    cnas: CnasConstraint = field(default_factory=lambda: CnasConstraint(alpha=0.0))

    def __post_init__(self) -> None:
        for key in ("flash_bytes", "sram_bytes", "omega_bytes"):
            limit = getattr(self, key)
            if limit is not None and not limit > 0:
                raise ValueError(f"constraint.{key}: must be positive; got {limit}")
        if self.cnas.alpha != 0:
            raise ValueError(
                f"constraint.cnas.alpha: must be 0 under constraint domination; "
                f"got {self.cnas.alpha}"
            )

    @property
    def reference(self) -> float:
        """That of ``cnas``, in millions: every feasible network keeps those limits too."""
        return self.cnas.reference

    @property
    def penalised(self) -> bool:
        """Never: the objective does not see memory."""
        return False

    def objective(self, footprint: Footprint) -> float:
        """The weighted sum of ``cnas``, in millions."""
        return self.cnas.objective(footprint)

    def exceeded(self, footprint: Footprint) -> tuple[Exceeded, ...]:
        """The limits of the board, of Ω and of ``cnas`` that the network does not keep."""
        limits = [
            Exceeded("flash_bytes", footprint.flash_bytes, self.flash_bytes),
            Exceeded("sram_bytes", footprint.sram_bytes, self.sram_bytes),
        ]
        if self.omega_bytes is not None:
            limits.append(Exceeded("omega_bytes", footprint.omega_bytes, self.omega_bytes))
        over = tuple(limit for limit in limits if limit.used > limit.allowed)
        return over + self.cnas.exceeded(footprint)
