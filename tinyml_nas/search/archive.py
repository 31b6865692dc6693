"""The search's memory: an append-only file that survives a kill at any moment."""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.types import Footprint

Genes = tuple[int, ...]
FILE_NAME = "evaluations.jsonl"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """One true evaluation: ``error`` in [0, 1] and ``footprint``, or why there are none."""

    genes: Genes
    error: float | None
    footprint: Footprint | None
    failure: str | None = None


class Archive:
    """Batches of genotypes and their evaluations, in the order in which they were made.

    One JSON object a line in ``evaluations.jsonl``, ahead of it a checksum: first what the search
    is, then each batch ahead of its evaluations, so that a search that goes on completes the very
    batch that was cut short. A line is on the disk before the search takes another step; a last
    line that was not written to its end is dropped. So is, with a warning, all from the first line
    on that is damaged, as by a power cut: the search makes it anew. Failures are written down too, but a search that goes on does not take
    their word for it: memory that was short yesterday may not be today.

    Args:
        folder: Where the file lies; made if need be.
        identity: What makes two searches the same (seed, settings, space), as JSON.

    Raises:
        ValueError: the file belongs to another search.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        self._path = folder / FILE_NAME
        self._batches: list[tuple[Genes, ...]] = []
        self._stored: dict[Genes, Evaluation] = {}
        self._evaluations: list[Evaluation] = []
        folder.mkdir(parents=True, exist_ok=True)
        lines = self._recover()
        if not lines:
            self._append({"search": identity})
            return
        if lines[0].get("search") != identity:
            raise ValueError(
                f"{self._path}: belongs to another search, {lines[0].get('search')}; this one is "
                f"{identity}. Delete the file or give the search another folder"
            )
        for line in lines[1:]:
            self._replay(line)

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The evaluations of the batches run so far, in order, the failed ones too."""
        return tuple(self._evaluations)

    def run(
        self,
        iteration: int,
        propose: Callable[[], Sequence[Genes]],
        evaluate: Callable[[Genes], Evaluation],
    ) -> Iterator[Evaluation]:
        """Yield the evaluations of batch ``iteration``, making those that the file lacks.

        Batches are run in order, from 0. ``propose`` gives the batch if the file does not.
        """
        if iteration == len(self._batches):
            batch = tuple(propose())
            self._append({"batch": batch})
            self._batches.append(batch)
        for genes in self._batches[iteration]:
            evaluation = self._stored.get(genes) or self._evaluate(genes, evaluate)
            self._evaluations.append(evaluation)
            yield evaluation

    def retry(self, evaluate: Callable[[Genes], Evaluation]) -> None:
        """Evaluate once more, in its place, every network whose evaluation failed."""
        for index, evaluation in enumerate(self._evaluations):
            if evaluation.failure is not None:
                self._evaluations[index] = self._evaluate(evaluation.genes, evaluate)

    def _evaluate(self, genes: Genes, evaluate: Callable[[Genes], Evaluation]) -> Evaluation:
        evaluation = evaluate(genes)
        self._append({"evaluation": asdict(evaluation)})
        return evaluation

    def _recover(self) -> list[dict[str, Any]]:
        """Read the lines up to the first that is not whole, and cut the file off there."""
        if not self._path.exists():
            return []
        raw = self._path.read_bytes()
        found: list[dict[str, Any]] = []
        whole = 0
        for line in raw.splitlines(keepends=True):
            value = _parse(line)
            if value is None:
                break
            found.append(value)
            whole += len(line)
        if b"\n" in raw[whole:]:  # a last line without an end is what a kill leaves
            _log.warning(
                "%s: damaged from line %d on; what stood there is evaluated anew",
                self._path,
                len(found) + 1,
            )
        if whole < len(raw):
            os.truncate(self._path, whole)
        return found

    def _replay(self, line: dict[str, Any]) -> None:
        if "batch" in line:
            self._batches.append(tuple(tuple(genes) for genes in line["batch"]))
            return
        fields = dict(line["evaluation"])
        footprint = fields.pop("footprint")
        genes = tuple(fields.pop("genes"))
        evaluation = Evaluation(
            genes, footprint=None if footprint is None else Footprint(**footprint), **fields
        )
        if evaluation.failure is None:
            self._stored[genes] = evaluation

    def _append(self, value: dict[str, Any]) -> None:
        with durable.naming(self._path), self._path.open("ab") as file:
            file.write(_line(value))
            file.flush()
            os.fsync(file.fileno())


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _parse(line: bytes) -> dict[str, Any] | None:
    """What ``_line`` wrote, or None where it is damaged."""
    checksum, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
        return None
    value: dict[str, Any] = json.loads(text)
    return value
