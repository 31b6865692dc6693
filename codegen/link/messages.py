"""Requests and replies, as runtime/link/messages.hpp and docs/protocol.md have them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from codegen.link.framing import VERSION

REPLY = 0x80
BROKEN_FRAME_REPLY = 0xFF


class Message(IntEnum):
    """Requests. A reply has the request's number and ``REPLY``."""

    HELLO = 0x01
    STATS = 0x02
    MEMORY = 0x03
    TIMING = 0x04
    READ_STATE = 0x05
    CLASSIFY = 0x06
    LEARN = 0x11
    LEARN_LAST = 0x12
    SAVE = 0x13
    LOAD = 0x14
    RESET = 0x15
    SET_KNOB = 0x16
    SET_AUTOSAVE = 0x17
    WRITE_STATE = 0x18


class Status(IntEnum):
    """The first byte of a reply's payload."""

    OK = 0
    BROKEN_FRAME = 1
    WRONG_VERSION = 2
    UNKNOWN_MESSAGE = 3
    WRONG_LENGTH = 4
    WRONG_LABEL = 5
    WRONG_VALUE = 6
    NO_IMAGE = 7
    NOTHING_SAVED = 8
    NO_STORAGE = 9
    STORAGE_FAILED = 10
    WRONG_SAMPLE = 11
    WRONG_HEAD = 12
    WRONG_SESSION = 13
    USED_SEQUENCE = 14


MEANING = {
    Status.BROKEN_FRAME: "the request arrived damaged",
    Status.WRONG_VERSION: "it speaks another version of the protocol",
    Status.UNKNOWN_MESSAGE: "it does not know this request",
    Status.WRONG_LENGTH: "the payload is too long or too short",
    Status.WRONG_LABEL: "the label is not one of the model's classes",
    Status.WRONG_VALUE: "the value is outside its range",
    Status.NO_IMAGE: "it has not the image that the label is for: none was sent, or another since",
    Status.NOTHING_SAVED: "nothing valid of this model is saved",
    Status.NO_STORAGE: "it has no flash driver, or no room for the head",
    Status.STORAGE_FAILED: "the flash refused; the head that was saved before is intact",
    Status.WRONG_SAMPLE: "a pixel or a feature of the image is not finite, or a feature is beyond "
    "1e6; nothing was changed",
    Status.WRONG_HEAD: "a weight of its head is not finite, or beyond 1e24: nothing is learned or "
    "saved; reset it, or load the head that was saved last",
    Status.WRONG_SESSION: "it was started anew, or another host has begun to talk to it; "
    "nothing was changed",
    Status.USED_SEQUENCE: "a later request was carried out already; nothing was changed",
}


class BoardError(RuntimeError):
    """The board answered with an error."""

    def __init__(self, message: Message, status: int) -> None:
        self.status = status
        known = status in Status.__members__.values()
        meaning = MEANING[Status(status)] if known else f"status {status}"
        super().__init__(f"the board refused {message.name}: {meaning}")


class WrongVersionError(RuntimeError):
    """The board speaks another version of the protocol."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"the board speaks version {version} of the protocol, this tool version {VERSION}: "
            "use the codegen.link of the generator that wrote its firmware, or generate it again"
        )


@dataclass(frozen=True)
class Hello:
    """Which model the board runs. ``digest`` is the start of the model's SHA-256.

    ``session`` is what requests that change something carry from now on; ``knobs`` are the names of
    what can be set of the ``learner``; ``state_bytes`` is what it saves. ``classify_ms`` and ``learn_ms``
    are what the generator expects of one image and of one learning step, at one cycle an instruction
    of the core's ``clock_hz``.
    """

    session: int
    digest: str
    image: tuple[int, int, int]
    classes: int
    features: int
    buffer_samples: int
    pixel_scale: float
    pixel_zero_point: int
    api_version: int
    pixel_dtype: np.dtype[np.generic]
    feature_dtype: np.dtype[np.generic]
    can_save: bool
    state_bytes: int
    clock_hz: int
    classify_ms: int
    learn_ms: int
    learner: str
    knobs: tuple[str, ...]
    class_names: tuple[str, ...]

    FORMAT: ClassVar = struct.Struct("<I8s4H2IfhH3BIB3I")

    @classmethod
    def parse(cls, payload: bytes) -> Hello:
        """Read the payload of a reply."""
        session, digest, height, width, channels, classes, *rest = cls.FORMAT.unpack_from(payload)
        features, buffer_samples, scale, zero_point, api, pixel, feature, can_save, *rest = rest
        state_bytes, knobs, clock_hz, classify_ms, learn_ms = rest
        texts = payload[cls.FORMAT.size :].split(b"\0")[:-1]
        learner, *names = (text.decode(errors="replace") for text in texts)
        if len(names) < knobs:
            raise ValueError(f"there are {knobs} knobs, and names of {len(names)}")
        if len(names) not in (knobs, knobs + classes):
            raise ValueError(f"there are {classes} classes, and names of {len(names) - knobs}")
        return cls(
            session=session,
            digest=digest.hex(),
            image=(height, width, channels),
            classes=classes,
            features=features,
            buffer_samples=buffer_samples,
            pixel_scale=scale,
            pixel_zero_point=zero_point,
            api_version=api,
            pixel_dtype=_dtype(pixel),
            feature_dtype=_dtype(feature),
            can_save=bool(can_save),
            state_bytes=state_bytes,
            clock_hz=clock_hz,
            classify_ms=classify_ms,
            learn_ms=learn_ms,
            learner=learner,
            knobs=tuple(names[:knobs]),
            class_names=tuple(names[knobs:]) or tuple(str(number) for number in range(classes)),
        )


@dataclass(frozen=True)
class Stats:
    """Accuracy on labelled samples, each predicted before it was learned, and the state.

    ``recent`` is a moving average of the accuracy; ``drift`` the Page-Hinkley statistic;
    ``last_alarm`` the number of the sample, from 1, that raised the last of ``alarms``;
    ``saved_sequence`` the number of the saved head, 0 for none; ``knobs`` the learner's, in the order of
    their names in ``Hello``.
    """

    samples: int
    correct: int
    recent: float
    drift: float
    alarms: int
    last_alarm: int
    buffer_count: int
    autosave_every: int
    unsaved_updates: int
    saved_sequence: int
    knobs: list[float]
    seen: list[int]
    correct_of: list[int]

    FORMAT: ClassVar = struct.Struct("<2I2f6IB")

    @classmethod
    def parse(cls, payload: bytes) -> Stats:
        """Read the payload of a reply."""
        *numbers, knobs = cls.FORMAT.unpack_from(payload)
        values = np.frombuffer(payload, "<f4", knobs, offset=cls.FORMAT.size).tolist()
        counts = np.frombuffer(payload, "<u4", offset=cls.FORMAT.size + 4 * knobs).tolist()
        classes = len(counts) // 2
        fields: list[Any] = [*numbers, values, counts[:classes], counts[classes:]]
        return cls(*fields)

    @property
    def accuracy(self) -> float:
        """Correct among all samples; 0 before the first."""
        return self.correct / self.samples if self.samples else 0.0


@dataclass(frozen=True)
class Memory:
    """Bytes of RAM by part, the stack's high-water mark, and totals as they were planned."""

    arena: int
    head: int
    buffer: int
    learner: int
    firmware: int
    stack: int
    stack_used: int
    ram_planned: int
    ram_of_board: int
    flash_planned: int
    flash_of_board: int
    slot: int

    FORMAT: ClassVar = struct.Struct("<12I")

    @classmethod
    def parse(cls, payload: bytes) -> Memory:
        """Read the payload of a reply."""
        return cls(*cls.FORMAT.unpack(payload))


@dataclass(frozen=True)
class Timing:
    """Ticks that the last image and the last learning step took; ``source`` says of what."""

    source: str
    extract_ticks: int
    learn_ticks: int

    FORMAT: ClassVar = struct.Struct("<B2I")
    SOURCES: ClassVar = {1: "core cycles (DWT CYCCNT)", 2: "SysTick", 3: "microseconds"}

    @classmethod
    def parse(cls, payload: bytes) -> Timing:
        """Read the payload of a reply."""
        source, extract, learn = cls.FORMAT.unpack(payload)
        return cls(cls.SOURCES.get(source, f"source {source}"), extract, learn)


@dataclass(frozen=True)
class Learned:
    """``prediction`` was made before learning; ``alarm``: this sample raised the drift alarm."""

    prediction: int
    alarm: bool
    saved: bool
    save_failed: bool

    @classmethod
    def parse(cls, payload: bytes) -> Learned:
        """Read the payload of a reply."""
        prediction, alarm, saved = payload
        return cls(prediction, bool(alarm), saved == 1, saved == 2)


@dataclass(frozen=True, eq=False)
class Classified:
    """The class with the highest logit, and all logits (C,)."""

    prediction: int
    logits: npt.NDArray[np.float32]

    @classmethod
    def parse(cls, payload: bytes) -> Classified:
        """Read the payload of a reply."""
        return cls(payload[0], np.frombuffer(payload, "<f4", offset=1).astype(np.float32))


def _dtype(code: int) -> np.dtype[np.generic]:
    return np.dtype(np.float32) if code else np.dtype(np.int8)
