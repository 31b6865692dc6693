"""Networks that people bring: a torch module from a function, a Keras model, a flatbuffer. Without torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from codegen.ir import Tensor
from codegen.normalisation import Normalisation, told_by
from tinyml_nas.network.seen import USUAL
from tinyml_nas.types import Seen

Kind = Literal["torch", "keras", "tflite"]
SUFFIXES: dict[str, Kind] = {".keras": "keras", ".tflite": "tflite"}
REFERENCE = re.compile(r"(?P<module>.+\.py|[\w.]+):(?P<function>[A-Za-z_]\w*)")
LEAST_SIDE, LARGEST_SIDE = 8, 1024
STATED_BYTES = 255


class OwnNetworkError(ValueError):
    """A network that was brought cannot be taken; the message says what to do."""


def kind_of(name: str) -> Kind | None:
    """What ``network`` names; None for a shipped network and a folder of a run."""
    if REFERENCE.fullmatch(name):
        return "torch"
    return SUFFIXES.get(Path(name).suffix)


@dataclass(frozen=True)
class UserModule:
    """A function's ``reference``, and the ``digest`` of what its torch module computes: code and weights.

    ``training_digest`` is of what it computes while it learns (dropout is of that alone); empty where it does not.
    """

    reference: str
    digest: str
    resolution: int
    seen: Seen
    training_digest: str = ""


@dataclass(frozen=True)
class OwnInput:
    """What there is to say of the images that a network of one's own takes.

    Args:
        size: Input side in pixels; a file knows it.
        channels: 3 for RGB, 1 for grey; a file knows it.
        mean: What the training took from a byte, one number or one for each channel; an int8 file may tell.
        std: What it then divided by.
    """

    size: int | None = None
    channels: int = 3
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.size is not None and not LEAST_SIDE <= self.size <= LARGEST_SIDE:
            raise ValueError(
                f"network_input.size: must be from {LEAST_SIDE} to {LARGEST_SIDE}; got {self.size}"
            )
        if self.channels not in (1, 3):
            raise ValueError(f"network_input.channels: must be 3 or 1; got {self.channels}")
        if (self.mean is None) != (self.std is None):
            raise ValueError("network_input: mean and std go together; one of them is missing")
        for key, row in (("mean", self.mean), ("std", self.std)):
            if row is not None and len(row) not in (1, 3):
                raise ValueError(
                    f"network_input.{key}: must be one number or three; got {list(row)}"
                )
        if self.std is not None and min(self.std) < 1:
            mean, std = (
                [round(STATED_BYTES * x, 3) for x in row or ()] for row in (self.mean, self.std)
            )
            raise ValueError(
                f"network_input.std: is of bytes, at least 1; got {list(self.std)}. For pixels of 0..1 these are "
                f"mean={mean} std={std}"
            )

    @staticmethod
    def of(values: Any) -> OwnInput:
        """From the configuration: one number stands for a list.

        Raises:
            ValueError: naming the key.
        """
        rows = {}
        for key in ("mean", "std"):
            row = values[key]
            listed = row if isinstance(row, list) or row is None else [row]
            if listed is not None and not all(_is_number(x) for x in listed):
                raise ValueError(
                    f"network_input.{key}: must be a number or a list of them; got {row!r}"
                )
            rows[key] = None if listed is None else tuple(float(x) for x in listed)
        return OwnInput(values["size"], values["channels"], **rows)

    def seen(self, source: Tensor | None = None) -> Seen:
        """How the network sees a byte; an int8 input, ``source``, may tell.

        Raises:
            OwnNetworkError: nobody says so, or for other channels.
        """
        channels = self.channels if source is None else source.shape[-1]
        mean, std = self.mean, self.std
        if source is not None and mean is None:
            told = told_by(source)
            mean, std = (None, None) if told is None else (told.mean, told.std)
        if mean is None or std is None:
            raise OwnNetworkError(
                f"network_input.mean, network_input.std: say how the training saw a byte p, (p - mean) / std; {USUAL}"
            )
        if {len(mean), len(std)} - {1, channels}:
            raise OwnNetworkError(
                f"network_input.mean, network_input.std: must be one number, or {channels}; got {list(mean)} and {list(std)}"
            )
        quantization = None if source is None else source.quantization
        if quantization is None:
            return Seen(channels, mean, std)
        assert source is not None
        try:
            Normalisation.of(mean, std, source, "network_input")
        except ValueError as error:
            raise OwnNetworkError(f"network_input: {error}") from error
        return Seen(channels, mean, std, quantization.scales[0], quantization.zero_points[0])

    def side(self, shape: Sequence[int | None]) -> int:
        """The input side of a network for images ``shape`` (H, W, C), None where any will do.

        Raises:
            OwnNetworkError: it takes no square images, or others than were said.
        """
        if len(shape) != 3 or shape[2] not in (1, 3):
            raise OwnNetworkError(
                f"network: must take images of one or three channels, (H, W, C); it takes {tuple(shape)}"
            )
        sides = {self.size if side is None else side for side in shape[:2]}
        if sides == {None}:
            raise OwnNetworkError(
                "network_input.size: must say the input side in pixels; the network leaves it open"
            )
        if len(sides) > 1 or self.size not in (None, *sides):
            raise OwnNetworkError(
                f"network: takes images of {shape[0]} x {shape[1]} pixels; they must be square"
                + ("" if self.size is None else f", and network_input.size says {self.size}")
            )
        (side,) = sides
        return int(side or 0)


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)


def check_classes(found: int, wanted: int) -> None:
    """Refuse a network for another number of classes.

    Raises:
        OwnNetworkError: with both numbers.
    """
    if found != wanted:
        raise OwnNetworkError(
            f"network: tells {found} classes apart, and the data set has {wanted}; give its last layer {wanted} outputs "
            "and train it, or name the data set that it was trained on"
        )


def check_reference(kinds: Iterable[str]) -> None:
    """Refuse operators, by their kinds, that TensorFlow Lite Micro has not: no program could be held to its bytes.

    Raises:
        OwnNetworkError: with what to use instead.
    """
    if "GELU" in kinds:
        raise OwnNetworkError(
            "network: has a GELU, which TensorFlow Lite Micro has not, so that there is nothing to hold the program to; use "
            "hard-swish or SiLU and train it, or compile a .tflite file alone: python -m codegen"
        )
