"""A graph under change: what every rewrite works on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from codegen.ir import Graph, Op, Tensor


@dataclass
class Draft:
    """A graph under change."""

    tensors: list[Tensor]
    ops: list[Op]
    outputs: tuple[int, ...]

    @property
    def graph(self) -> Graph:
        """As it is now; its inputs play no part in a rewrite."""
        return Graph(tuple(self.tensors), tuple(self.ops), (), self.outputs)

    def append(self, tensor: Tensor) -> int:
        """Append a tensor; its index."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, data: npt.NDArray[np.generic], like: Tensor) -> int:
        """Append a constant with ``like``'s dtype and scales; its index."""
        return self.append(replace(like, name=name, shape=data.shape, constant=True, data=data))

    def lookup(self, source: int, table: npt.NDArray[np.int8], op: Op) -> Op:
        """The LOOKUP of ``source`` in a new table, in place of ``op``."""
        output = self.tensors[op.outputs[0]]
        index = self.constant(f"{output.name}/table", table, output)
        return Op("LOOKUP", (source, index), op.outputs)

    def only_reader(self, index: int) -> Op | None:
        """The one operator that reads a tensor; None if there are several or it is an output."""
        readers = [op for op in self.ops for i in op.inputs if i == index]
        return readers[0] if len(readers) == 1 and index not in self.outputs else None

    def writer(self, index: int) -> Op | None:
        """The operator that writes a tensor."""
        return next((op for op in self.ops if index in op.outputs), None)

    def swap(self, old: Op, *new: Op) -> None:
        """Put operators in another's place."""
        position = next(i for i, op in enumerate(self.ops) if op is old)
        self.ops[position : position + 1] = new

    def remove(self, op: Op) -> None:
        """Take an operator out."""
        self.swap(op)
