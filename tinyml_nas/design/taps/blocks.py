"""The head reads pooled maps of the last blocks, folded into as many features as there is room for."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

from tinyml_nas.design.limits import OmegaLimits
from tinyml_nas.network.spec import MOST_TAPS, NetworkSpec
from tinyml_nas.types import DataCounts

STEP = 4
"""Features by which a number that is looked for grows: kernels work on four at a time."""


@dataclass(frozen=True)
class BlockTaps:
    """Taps of the last blocks (``NetworkSpec.taps``), with a logit of each of the network's classes.

    Features of several blocks are those of F-OAL (Zhuang et al. 2024, arXiv 2403.15751). They are folded into fewer
    without a weight (``network.fold``), so that flash is as it was, and a map is pooled as soon as it is
    made, so that the arena nearly is.

    Args:
        blocks: How many of the last blocks whose map has more than a pixel; all, where there are fewer.
        features: What the head reads in all; fewer, where the taps have fewer channels. None is, for a learner that keeps samples, no more than the
            network's own features, so that a sample takes no more bytes; for others the most that
            board and memory model leave room for.
    """

    blocks: int = 9
    features: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.blocks <= MOST_TAPS:
            raise ValueError(f"taps.blocks: must be from 1 to {MOST_TAPS}; got {self.blocks}")
        if self.features is not None and self.features < 1:
            raise ValueError(f"taps.features: must be at least 1, or null; got {self.features}")

    def check(self, data: DataCounts) -> None:
        """Refuse fewer features than the logits and one more.

        Raises:
            ValueError: naming the key.
        """
        if self.features is not None and self.features <= data.classes:
            raise ValueError(
                f"taps.features: must be more than the {data.classes} logits among them, or null; got "
                f"{self.features}"
            )

    def tapped(self, spec: NetworkSpec, limits: OmegaLimits) -> NetworkSpec:
        """As told, or the most features within ``limits``; one, where even that exceeds them."""
        if self.features is not None:
            return self.least(spec)
        most = self._folded_to(spec, 1).tapped_channels
        if limits.learner.most_samples:
            most = min(most, max(1, spec.features - spec.classes))
        counts = [*range(1, most, STEP), most]
        beyond = bisect_left(
            counts, True, key=lambda folded: bool(limits.lacks(self._folded_to(spec, folded)))
        )
        return self._folded_to(spec, counts[max(0, beyond - 1)])

    def least(self, spec: NetworkSpec) -> NetworkSpec:
        """With the features that were asked for, or with one."""
        return self._folded_to(spec, 1 if self.features is None else self.features - spec.classes)

    def _folded_to(self, spec: NetworkSpec, most: int) -> NetworkSpec:
        taps = spec.tappable[-self.blocks :]
        channels = sum(spec.blocks[number].out_channels for number in taps)
        return replace(spec, taps=taps, folded=min(most, channels))
