"""The frozen values that pass between stages. Live models never cross a stage boundary."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

SplitName = Literal["train", "validation", "test"]


class DataCounts(Protocol):
    """What is known of a data set before any of it is read: what plug-ins are checked against."""

    @property
    def classes(self) -> int:
        """Number of classes; labels run from 0 to ``classes`` - 1."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name of each class, in the order of the labels."""

    def count(self, name: SplitName, label: int | None = None) -> int:
        """Number of images of a split, or of one of its classes."""


@dataclass(frozen=True)
class Figure:
    """A measured value with its unit, and how sure it is.

    ``accuracy`` and ``share`` are in [0, 1], ``accuracy_difference`` in [-1, 1]. ``n`` counts what the value is a
    mean of; ``deviation`` (n - 1) and the 95 % ``interval`` are of the same n, None where that does not tell.
    """

    value: float
    unit: str
    n: int
    deviation: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images: ``pixels`` uint8 (N, H, W, 3) in RGB, ``labels`` uint8 (N,)."""

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: slice | npt.NDArray[np.int64]) -> Images:
        return Images(self.pixels[index], self.labels[index])


@dataclass(frozen=True)
class Artifact:
    """A file or folder in the store and the SHA-256 of its content."""

    path: Path
    digest: str

    def content_id(self) -> str:
        """The content, wherever it lies."""
        return self.digest


@dataclass(frozen=True)
class Architecture:
    """A point of the search space: its canonical genes, and the input side in pixels."""

    genes: tuple[int, ...]
    resolution: int


@dataclass(frozen=True)
class Footprint:
    """What a network costs. ``activations`` counts the elements that all layers put out.

    ``flash_bytes`` and ``sram_bytes`` come from the generator's own planner, for the network as it will be
    pruned and quantized. ``omega_bytes`` is all of Ω in one memory, as the thesis counts. Each with the least
    buffer that is of use.
    """

    parameters: int
    macs: int
    activations: int
    flash_bytes: int
    sram_bytes: int
    omega_bytes: int


@dataclass(frozen=True)
class Candidate:
    """An evaluated architecture; ``accuracy`` in [0, 1] on the validation split."""

    architecture: Architecture
    accuracy: float
    footprint: Footprint


@dataclass(frozen=True)
class SearchResult:
    """``archive`` holds every true evaluation in order; ``front`` its non-dominated part.

    ``failures`` counts the networks that could not be evaluated, by reason; they are in neither.
    """

    chosen: Candidate
    front: tuple[Candidate, ...]
    archive: tuple[Candidate, ...]
    failures: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class TorchModel:
    """A static network: folder with ``spec.json`` and ``weights.safetensors``.

    ``accuracy`` in [0, 1] on the validation split, ``size_bytes`` its float32 weights and
    activations as the thesis counts them (equations 3-4), ``resolution`` its input side in pixels.
    ``curve`` and ``hardware`` tell of its last training; they are empty where it was not trained.
    """

    artifact: Artifact
    accuracy: float
    size_bytes: int
    resolution: int
    parameters: int
    macs: int
    curve: tuple[dict[str, float], ...] = ()
    hardware: str = ""


@dataclass(frozen=True)
class KerasModel:
    """The converted network and how far its logits lie from torch's."""

    artifact: Artifact
    max_abs_error: float
    images: int


@dataclass(frozen=True)
class Seen:
    """How a network sees an image: of ``channels`` (1 is its luma), each byte p as (p - mean) / std.

    ``mean`` and ``std`` have one number, or one for each channel. The int8 code of that has ``scale`` and
    ``zero_point``; of the defaults, which are this program's own, it is p - 128.
    """

    channels: int = 3
    mean: tuple[float, ...] = (128.0,)
    std: tuple[float, ...] = (128.0,)
    scale: float = 1 / 128
    zero_point: int = 0


STANDARD = Seen()
"""How this program's own networks see images."""


@dataclass(frozen=True)
class Extractor:
    """Φ_f and Φ_c after quantization: folder with ``extractor.tflite`` and ``head.safetensors``.

    real feature = ``scale`` * (code - ``zero_point``); float extractors have scale 1, zero point 0.
    ``signal_to_noise_db`` is what quantization left of each layer, by its name; nothing is measured of floats.
    """

    artifact: Artifact
    features: int
    dtype: Literal["int8", "float32"]
    scale: float
    zero_point: int
    signal_to_noise_db: dict[str, float] = field(default_factory=dict)
    seen: Seen = STANDARD

    def value(self) -> dict[str, Any]:
        """All but the files: the value of the stage that left these, from which ``results.extractor_of`` makes it."""
        value = asdict(self)
        del value["artifact"]
        return value


@dataclass(frozen=True)
class CppProject:
    """The generated project; ``planned`` and ``linked`` map flash and ram to bytes.

    ``planned`` also has the ``arena``, what it would be without fused blocks (``arena_unfused``),
    and the number of ``fused_blocks``.
    """

    artifact: Artifact
    planned: dict[str, int]
    linked: dict[str, int] | None


@dataclass(frozen=True)
class Result:
    """A row of the study. ``infeasible`` is an answer, with the figures that say by how much.

    ``took`` says how long it was at work, ``seconds`` in all and of each of its ``stages``: it alone differs
    from one run of the same study to the next.
    """

    status: Literal["ok", "infeasible", "failed"]
    metrics: dict[str, Any]
    overrides: tuple[str, ...]
    provenance: dict[str, Any]
    took: dict[str, Any] = field(default_factory=dict)
