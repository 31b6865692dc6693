"""Whether Ω fits, by the shapes of its network alone: what pruning and the search ask of the planner."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.boards.board import Board
from codegen.learners.base import Learner
from codegen.memory.fit import Bound
from codegen.memory.map import WORD_BYTES
from tinyml_nas.design.memory.base import MemoryModel
from tinyml_nas.design.omega import size_of_shapes
from tinyml_nas.network.graph import Dtype
from tinyml_nas.network.spec import NetworkSpec

BOARD_KEYS = {"ram": "device.ram_bytes", "flash": "device.flash_bytes"}


def useful_samples(wanted: int, learner: Learner, memory: MemoryModel) -> int:
    """``wanted`` samples, or what learner or memory model keep at most."""
    most = memory.max_buffer_samples
    return min(wanted, learner.most_samples, wanted if most is None else most)


@dataclass(frozen=True)
class OmegaLimits:
    """A board, a memory model and a learner, and the least buffer that is of use.

    Of a learner or a memory model that has no larger buffer, no more than that is asked.
    """

    board: Board
    memory: MemoryModel
    learner: Learner
    class_names: tuple[str, ...] = ()
    buffer_samples: int = 1
    dtype: Dtype = "int8"

    def lacks(self, spec: NetworkSpec) -> dict[str, int]:
        """What would do for each limit that Ω exceeds, by its key; empty where Ω fits.

        It is the least that would, but for RAM, where it may be a word above that.

        Ω is that of the network ``spec`` in ``dtype``, with ``buffer_samples``. By shapes it is never
        smaller than the one that will be (``design.omega``).
        """
        wanted = useful_samples(self.buffer_samples, self.learner, self.memory)
        buffer = (Bound("pruning.buffer_samples", wanted),)
        size = size_of_shapes(
            spec, self.learner, self.board, self.memory, self.class_names, buffer, self.dtype
        )
        missing = wanted - size.buffer_samples
        needed = {}
        for name, report in size.reports.items():
            for memory, limit in report.limits.items():
                used = report.used(memory)
                # A buffer is sized to what there is; what it lacks comes on top.
                if memory == "ram" and missing > 0:
                    used += missing * report.sample_bytes
                if used <= limit:
                    continue
                key = BOARD_KEYS[memory] if name == "mcu" else "memory.budget_bytes"
                if key == BOARD_KEYS["ram"]:  # where a learner is padded to whole words
                    used = -(-used // WORD_BYTES) * WORD_BYTES
                needed[key] = used
        return needed
