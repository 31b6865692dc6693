"""Flash and RAM of a network without a head: what its library adds to a firmware, and the stack."""

from __future__ import annotations

from types import MappingProxyType

from codegen import ops
from codegen.boards.board import Board
from codegen.ir import Graph
from codegen.memory.code_size import kernel_bytes
from codegen.memory.map import MemoryMap
from codegen.plan import Plan


def network_map(graph: Graph, plan: Plan, board: Board) -> MemoryMap:
    """Of ``graph`` as it is emitted. The firmware around the library is the user's."""
    flash = {"weights": ops.stored_bytes(graph), "code": kernel_bytes(graph, board)}
    ram = {"arena": plan.arena_bytes, "stack": board.stack_bytes}
    return MemoryMap(MappingProxyType(flash), MappingProxyType(ram))
