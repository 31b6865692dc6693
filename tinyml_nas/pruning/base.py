"""What pruning is: it makes a trained network smaller, to be fine-tuned afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.types import DataCounts

if TYPE_CHECKING:
    from tinyml_nas.network.module import StaticNetwork
    from tinyml_nas.types import Images

SizeOf = Callable[[NetworkSpec], int]
"""Bytes of a network by its specification alone; never larger when a layer gets narrower."""


class Room(Protocol):
    """What there is for Ω: a board, and a budget."""

    def lacks(self, spec: NetworkSpec) -> Mapping[str, int]:
        """For each key whose limit the network's Ω exceeds, a value that would do."""
        ...


@dataclass(frozen=True)
class Limits:
    """What networks are measured by: their bytes, and the room that their Ω must fit.

    ``room`` is None for a pruning that does not ask (``asks_board``): its result then depends on no
    board.
    """

    size_of: SizeOf
    room: Room | None = None


@dataclass(frozen=True)
class Step:
    """One step of ``steps``: how large the network was before the first, in bytes, and what is drawn.

    ``images`` are the training images, ``seed`` the run's: whatever is drawn depends on both alone.
    """

    whole_bytes: int
    images: Images
    seed: int
    number: int = 1


class Pruning(Protocol):
    """Group ``pruning``: from the baseline Υ to the smaller Φ of the thesis."""

    @property
    def steps(self) -> int:
        """How often the network is pruned, and trained each time: 1 is one-shot."""
        ...

    @property
    def asks_board(self) -> bool:
        """Whether the limits must say what Ω lacks."""
        ...

    @property
    def foreseen(self) -> bool:
        """Whether ``narrowed`` is exact; else it is an estimate, as the weights will decide."""
        ...

    @property
    def buffer_samples(self) -> int:
        """Samples that the replay buffer of a network must hold to count as fitting; 1 at least."""
        ...

    def expected(self, smallest: NetworkSpec, limits: Limits) -> Pruning:
        """What a search of networks from ``smallest`` on may count on; it asks for no board."""
        ...

    def check(self, candidates: Sequence[NetworkSpec], limits: Limits, data: DataCounts) -> None:
        """Refuse what none of these networks can be pruned to, naming the key."""
        ...

    def prune(self, network: StaticNetwork, limits: Limits, step: Step) -> StaticNetwork:
        """A smaller network with the weights that were kept; ``network`` stays as it is."""
        ...

    def narrowed(self, spec: NetworkSpec, limits: Limits) -> NetworkSpec:
        """What ``prune`` makes of a network of ``spec`` in all steps: known before it is trained."""
        ...


class Unlimited:
    """What a pruning without a limit has in common: once, for any board and buffer."""

    @property
    def steps(self) -> int:
        """One."""
        return 1

    @property
    def asks_board(self) -> bool:
        """No limit is asked for."""
        return False

    @property
    def buffer_samples(self) -> int:
        """Any buffer will do."""
        return 1

    def expected(self: Self, smallest: NetworkSpec, limits: Limits) -> Self:
        """Itself."""
        return self
