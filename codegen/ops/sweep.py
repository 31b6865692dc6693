"""How a kernel goes through an image: row by row, in rising order.

The planner lets an output lie over the rows that a dying input no longer needs (diagonal memory
optimisation: Blacker, Bridges and Hadfield, 2020), and ``codegen.plan.verify`` replays the sweep.
Within a row the kernel may read and write in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

NEVER = 1 << 31  # a row that no image has


@dataclass(frozen=True)
class Sweep:
    """Rows of one input that a kernel reads while it makes each row of its output.

    ``rows[y]`` is [first, stop) for output row y; where ``reads_first`` is set, they have all been
    read when the first byte of row y is written.
    """

    rows: tuple[tuple[int, int], ...]
    input_row_bytes: int
    output_row_bytes: int
    reads_first: bool = False

    @property
    def distance_bytes(self) -> int:
        """Least d such that an output that starts d bytes before the input spares what it reads.

        Row y of the output must end before the first input row that is yet to be read.
        """
        distance, needed = 0, NEVER
        for y in reversed(range(len(self.rows))):
            first, stop = self.rows[y]
            reached = min(needed, first) if first < stop else needed
            blocking = needed if self.reads_first else reached
            end = (y + 1) * self.output_row_bytes
            distance = max(distance, end - blocking * self.input_row_bytes)
            needed = reached
        return distance
