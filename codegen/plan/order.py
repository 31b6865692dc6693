"""The order of operators, where branches leave a choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.ir import Graph
from codegen.ops import OPERATORS
from codegen.plan.groups import groups_of
from codegen.plan.lifetimes import Sharing, aligned, packed

WIDTH = 400  # partial orders that are kept per length
# Large graphs, hostile ones too, keep fewer, and very large ones the order that they have.
WORK = 1_000_000
MOST_OPERATORS = 256


def better_order(
    graph: Graph, sharing: Sharing, limit: int, width: int = WIDTH
) -> tuple[int, ...] | None:
    """The order whose largest step needs least, if that is less than ``limit`` bytes.

    Dynamic programming over sets of operators that have run: what is alive after a set does not
    depend on its order. Exact unless more than ``width`` sets of one size are worth a look; then
    those that need least go on (a beam search). Deterministic: ties go to the earlier operators.
    """
    jobs = _Jobs(graph, sharing)
    if limit <= jobs.bound or len(graph.ops) > MOST_OPERATORS:
        return None
    width = min(width, max(1, WORK // len(graph.ops) ** 2))
    # set of operators that have run -> (largest need, order)
    states: dict[int, tuple[int, tuple[int, ...]]] = {0: (jobs.start, ())}
    for _ in graph.ops:
        following: dict[int, tuple[int, tuple[int, ...]]] = {}
        for done, (peak, order) in states.items():
            live = jobs.live(done)
            for job in jobs.ready(done):
                reached = max(peak, jobs.need(job, done, live))
                key, state = done | 1 << job, (reached, (*order, job))
                if reached < limit and (key not in following or state < following[key]):
                    following[key] = state
        kept = sorted(following.items(), key=lambda item: item[1])[:width]
        states = dict(kept)
    return min(states.values())[1] if states else None


@dataclass(frozen=True)
class _Value:
    """Bytes in the arena: the operators that make them, and all that must run before they die.

    They are taken once the first of ``makers`` has run, where they are ``given`` from the start.
    """

    size: int
    makers: int
    readers: int
    kept: bool
    given: bool

    def is_alive(self, done: int) -> bool:
        """Whether they are taken once the operators ``done`` have run."""
        made = self.given or bool(self.makers & done)
        return made and (self.kept or bool(self.readers & ~done))


class _Jobs:
    """The graph as sets of operators, written as bits of an integer."""

    def __init__(self, graph: Graph, sharing: Sharing) -> None:
        self.count = len(graph.ops)
        groups = groups_of(graph)
        writes = [not OPERATORS[op.kind].places(graph, op) for op in graph.ops]
        readers, makers = ({id(group): 0 for group in groups.values()} for _ in "rm")
        for number, op in enumerate(graph.ops):
            for index in op.inputs:
                if index in groups:
                    readers[id(groups[index])] |= 1 << number
            if writes[number]:
                makers[id(groups[op.outputs[0]])] |= 1 << number
        kept, given = ({id(groups[i]) for i in ends} for ends in (graph.outputs, graph.given))
        values = {
            key: _Value(
                aligned(group.size_bytes), makers[key], readers[key], key in kept, key in given
            )
            for key, group in ((id(group), group) for group in groups.values())
        }
        producer = {i: number for number, op in enumerate(graph.ops) for i in op.outputs}
        self._values = list(values.values())
        self._before = [
            sum({1 << producer[i] for i in op.inputs if i in producer}) for op in graph.ops
        ]
        self._made = [
            values[id(groups[op.outputs[0]])] if made else None
            for op, made in zip(graph.ops, writes, strict=True)
        ]
        self._scratch = [aligned(OPERATORS[op.kind].scratch_bytes(graph, op)) for op in graph.ops]
        self._gaps = [[(values[id(groups[i])], gap) for i, gap in gaps.items()] for gaps in sharing]
        self._reads = [
            [values[i] for i in dict.fromkeys(id(groups[i]) for i in op.inputs if i in groups)]
            for op in graph.ops
        ]
        self.start = self.live(0)

    @property
    def bound(self) -> int:
        """Bytes that some operator needs in any order: its inputs, its output, its scratch."""
        return max(
            (
                self._alone(
                    job,
                    [(v, gap) for v, gap in self._gaps[job] if not v.kept],
                    taken=self._made[job] in self._reads[job],
                )
                + sum(v.size for v in self._reads[job])
                for job in range(self.count)
            ),
            default=0,
        )

    def ready(self, done: int) -> list[int]:
        """Operators that may run next."""
        return [
            job
            for job in range(self.count)
            if not done >> job & 1 and self._before[job] & done == self._before[job]
        ]

    def live(self, done: int) -> int:
        """Bytes that are alive once the operators ``done`` have run."""
        return sum(value.size for value in self._values if value.is_alive(done))

    def need(self, job: int, done: int, live: int) -> int:
        """Bytes while ``job`` runs after ``done``, which leave ``live`` bytes alive."""
        after = done | 1 << job
        dying = [(v, gap) for v, gap in self._gaps[job] if not v.kept and not v.readers & ~after]
        made = self._made[job]
        taken = made is not None and made.is_alive(done)
        return live + self._alone(job, dying, taken=taken)

    def _alone(self, job: int, dying: Sequence[tuple[_Value, int]], *, taken: bool) -> int:
        """What ``job`` adds to the bytes of its inputs, where those of its output are ``taken`` or not."""
        made = self._made[job]
        size = 0 if made is None or taken else made.size
        together = packed(size, [(gap, value.size) for value, gap in dying])
        return together - sum(value.size for value, _ in dying) + self._scratch[job]
