"""What a search may count on: what will have become of a network when it is deployed."""

from __future__ import annotations

from dataclasses import dataclass, field

from codegen.boards.board import Board
from tinyml_nas.design.taps.auto import AutoTaps
from tinyml_nas.design.taps.base import Taps
from tinyml_nas.design.taps.none import NoTaps
from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.network.footprint import footprint
from tinyml_nas.network.graph import Dtype
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pruning.base import Limits, Pruning
from tinyml_nas.types import Footprint


@dataclass(frozen=True)
class Expected:
    """A network is pruned and tapped, its extractor deployed in ``dtype``, beside ``buffer_samples``.

    The ``pruning`` asks for no board, so that the search asks the planner once for each network.
    """

    pruning: Pruning
    dtype: Dtype
    buffer_samples: int
    taps: Taps | AutoTaps = field(default_factory=NoTaps)

    def pruned(self, spec: NetworkSpec) -> NetworkSpec:
        """The network as it will be pruned, or an estimate where the weights decide."""
        return self.pruning.narrowed(spec, Limits(thesis_size_bytes))

    def deployed(self, spec: NetworkSpec) -> NetworkSpec:
        """The same with the fewest features that its head may come to read."""
        return self.taps.least(self.pruned(spec))

    def cost(self, spec: NetworkSpec, board: Board) -> Footprint:
        """Counts of the network itself, which is trained; memory of what will be deployed of it."""
        return footprint(spec, board, self.deployed(spec), self.dtype, self.buffer_samples)

    def leaves_whole(self, spec: NetworkSpec) -> bool:
        """Whether the network is sure to be deployed as it is."""
        return self.pruning.foreseen and self.pruned(spec) == spec
