"""What all criteria share: from the importance of channels to a network of the size that is wanted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pruning.base import Limits, Step
from tinyml_nas.pruning.groups import Layout, layout_of
from tinyml_nas.pruning.ladder import Ladder, Widths, by_bytes, ranked, uniform
from tinyml_nas.types import DataCounts

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from tinyml_nas.network.module import StaticNetwork
    from tinyml_nas.pruning.channels import Channels
    from tinyml_nas.types import Images


@dataclass(frozen=True)
class Criterion(ABC):
    """Removes the channels of least importance, with everything that is coupled to them.

    Channels that must go together form a group (Fang et al. 2023, DepGraph): the layers around a
    residual sum; expansion, depthwise and squeeze-excite. Only the head's outputs, the classes, are
    never touched; the features are pruned too, which shrinks each sample of the replay buffer. Each
    group keeps at least one multiple of ``round_to``, so that no layer can vanish.

    Args:
        keep_ratio: Share of the baseline's bytes to keep at most, in (0, 1]; the thesis's networks
            keep 0.494 and 0.331 of weights and activations. None keeps what fits: the most whose Ω
            fits the board and the memory model's budget with ``buffer_samples`` in its buffer.
        round_to: Groups keep a multiple of this many channels; 4 suits int8 kernels.
        scope: ``uniform`` keeps about the same share of every group, ``bytes`` less of those that hold
            more bytes. Under ``global`` the channels of all groups compete, so that widths depend on the
            weights; what is planned before there are any (``narrowed``) is then the uniform network within
            the same limit, an estimate.
        steps: 1 prunes once. With more, the network is pruned by like shares and trained again after
            each, and importances are measured anew.
        buffer_samples: Samples of the replay buffer that the search, and ``keep_ratio`` None, make room for.
        reconstruction_images: Training images on which the layers that are left are fitted to what the
            whole network computes (``reconstruction``), at most as many as there are; 0 leaves weights as
            they were.
    """

    keep_ratio: float | None
    round_to: int = 4
    scope: Literal["uniform", "bytes", "global"] = "uniform"
    steps: int = 1
    buffer_samples: int = 128
    reconstruction_images: int = 0

    def __post_init__(self) -> None:
        if self.keep_ratio is not None and not 0 < self.keep_ratio <= 1:
            raise ValueError(
                "pruning.keep_ratio: must be above 0 and at most 1, or null to keep what fits; got "
                f"{self.keep_ratio}"
            )
        for key in ("round_to", "steps", "buffer_samples"):
            if getattr(self, key) < 1:
                raise ValueError(f"pruning.{key}: must be 1 or more; got {getattr(self, key)}")

        if self.reconstruction_images < 0:
            raise ValueError(
                "pruning.reconstruction_images: must not be negative; 0 leaves weights as they were; got "
                f"{self.reconstruction_images}"
            )

    @abstractmethod
    def importances(self, channels: Channels, rng: np.random.Generator) -> Tensor:
        """How much each of a group's channels (C,) matters, none below 0; ``rng`` is the run's own."""

    @property
    def calibration_images(self) -> int:
        """Training images on which the gradients of ``importances`` are taken; 0 for none."""
        return 0

    @property
    def asks_board(self) -> bool:
        """Where there is no ratio."""
        return self.keep_ratio is None

    @property
    def foreseen(self) -> bool:
        """Where the weights have no say in the widths."""
        return self.scope != "global" and self.steps == 1

    def expected(self, smallest: NetworkSpec, limits: Limits) -> Criterion:
        """Itself where there is a ratio; else as little pruning as lets some network fit.

        Networks are compared by what they are before they are pruned: where each were pruned as far as
        it needs, the largest would win and lose the most. So all keep the share that the smallest one
        must be pruned to; where that fits whole, what is searched must fit whole.
        """
        if self.keep_ratio is not None:
            return self
        narrow = self.narrowed(smallest, limits)
        ratio = limits.size_of(narrow) / limits.size_of(smallest)
        return replace(self, keep_ratio=ratio)

    def check(self, candidates: Sequence[NetworkSpec], limits: Limits, data: DataCounts) -> None:
        """Refuse a limit that no candidate can be brought to; works on shapes alone.

        Raises:
            ValueError: naming the config key and the least value that one of them allows.
        """
        if self.calibration_images > data.count("train"):
            raise ValueError(
                f"pruning.calibration_images: must be at most {data.count('train')}, the training "
                f"images that there are; got {self.calibration_images}"
            )
        if self.keep_ratio is None:
            assert limits.room is not None
            lacks = []
            for spec in candidates:
                lacks.append(limits.room.lacks(self._narrowest(spec)))
                if not lacks[-1]:
                    return  # one that fits is enough, and planning takes its time
            raise ValueError(self._no_pruning_fits(lacks))
        least = min(
            limits.size_of(self._narrowest(spec)) / limits.size_of(spec) for spec in candidates
        )
        if self.keep_ratio < least:
            raise ValueError(self._too_small(least))

    def prune(self, network: StaticNetwork, limits: Limits, step: Step) -> StaticNetwork:
        """The largest network within the limit; the narrowest where none is."""
        import numpy as np

        from tinyml_nas.network.module import spec_of
        from tinyml_nas.pruning.channels import Prunable, most_important
        from tinyml_nas.pruning.gradients import take_gradients
        from tinyml_nas.pruning.reconstruction import reconstruct

        prunable = Prunable(network)
        rng = np.random.default_rng([step.seed, step.number])
        if self.calibration_images:
            drawn = self._drawn(step.images, self.calibration_images, rng)
            take_gradients(prunable.network, drawn)
        importances = [self.importances(group, rng) for group in prunable.channels()]
        spec = spec_of(network)
        if self.scope == "global":
            scores = [scores.tolist() for scores in importances]
            ladder = ranked(prunable.layout.groups, scores, self.round_to)
        else:
            ladder = self._foreseen_ladder(prunable.layout, limits)
        widths = self._widths(ladder, spec, limits, step.whole_bytes)
        left = self.steps - step.number
        if left:
            widths = self._part_of_the_way(ladder, spec, limits, widths, left)
        smaller = prunable.keep(importances, widths)
        count = min(self.reconstruction_images, len(step.images))
        if count and widths != prunable.layout.widths:
            kept = most_important(importances, widths)
            reconstruct(smaller, network, kept, self._drawn(step.images, count, rng))
        return smaller

    def narrowed(self, spec: NetworkSpec, limits: Limits) -> NetworkSpec:
        """``spec`` with the channels that ``prune`` keeps where the weights have no say."""
        layout = layout_of(spec)
        ladder = self._foreseen_ladder(layout, limits)
        return layout.narrowed(self._widths(ladder, spec, limits, limits.size_of(spec)))

    def _foreseen_ladder(self, layout: Layout, limits: Limits) -> Ladder:
        """That of ``bytes``, else the uniform one."""
        if self.scope != "bytes":
            return uniform(layout.groups, self.round_to)
        whole, held = limits.size_of(layout.spec), []
        for index, width in enumerate(layout.widths):
            fewer = max(width - self.round_to, 1)
            widths = (*layout.widths[:index], fewer, *layout.widths[index + 1 :])
            saved = whole - limits.size_of(layout.narrowed(widths))
            held.append(saved * width / max(width - fewer, 1))
        return by_bytes(layout.groups, held, self.round_to)

    def _widths(
        self, ladder: Ladder, spec: NetworkSpec, limits: Limits, whole_bytes: int
    ) -> Widths:
        layout = layout_of(spec)
        if self.keep_ratio is None:
            room = limits.room
            assert room is not None
            found = ladder.widest(lambda widths: not room.lacks(layout.narrowed(widths)))
        else:
            found = ladder.widest(self._within(spec, limits, self.keep_ratio * whole_bytes))
        return ladder.narrowest if found is None else found

    def _part_of_the_way(
        self, ladder: Ladder, spec: NetworkSpec, limits: Limits, widths: Widths, left: int
    ) -> Widths:
        """Widths of the step that leaves ``left`` more of the same share of bytes to reach ``widths``."""
        now = limits.size_of(spec)
        share = limits.size_of(layout_of(spec).narrowed(widths)) / now
        found = ladder.widest(self._within(spec, limits, now * share ** (1 / (left + 1))))
        return widths if found is None else found

    @staticmethod
    def _within(spec: NetworkSpec, limits: Limits, most: float) -> Callable[[Widths], bool]:
        layout = layout_of(spec)
        return lambda widths: limits.size_of(layout.narrowed(widths)) <= most

    def _narrowest(self, spec: NetworkSpec) -> NetworkSpec:
        layout = layout_of(spec)
        return layout.narrowed(uniform(layout.groups, self.round_to).narrowest)

    @staticmethod
    def _drawn(images: Images, count: int, rng: np.random.Generator) -> Images:
        return images[rng.choice(len(images), count, replace=False)]

    def _too_small(self, least: float) -> str:
        # Rounded up, so that what is named works.
        return (
            f"pruning.keep_ratio: must be at least {least + 5e-5:.4f} here, or layers would vanish: "
            f"each keeps pruning.round_to {self.round_to} channels; got {self.keep_ratio}"
        )

    def _no_pruning_fits(self, lacks: Sequence[Mapping[str, int]]) -> str:
        nearest = min(lacks, key=lambda needed: sum(needed.values()))
        needed = " and ".join(f"{key} of at least {value:,}" for key, value in nearest.items())
        return (
            f"pruning.round_to: no pruning fits: the narrowest network that {self.round_to} allows "
            f"needs {needed}, with pruning.buffer_samples {self.buffer_samples}"
        )
