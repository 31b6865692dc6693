"""A board at the other end of a serial port: one request, one reply, again where one was lost."""

from __future__ import annotations

import random
import struct
import time
from collections import deque
from typing import Protocol

import numpy as np
import numpy.typing as npt

from codegen.link import framing
from codegen.link.messages import (
    BROKEN_FRAME_REPLY,
    REPLY,
    BoardError,
    Classified,
    Hello,
    Learned,
    Memory,
    Message,
    Stats,
    Status,
    Timing,
)

HEAD_CHUNK_BYTES = 128  # a reply that noise destroys is asked for again


class Port(Protocol):
    """A stream of bytes, such as a ``codegen.link.port.SerialPort``."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; waits for the first byte. Empty after ``timeout_s``."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        ...


class NoReply(TimeoutError):
    """The board did not answer, however often it was asked."""


class Board:
    """The firmware of a generated project behind ``port``.

    A request is sent again when no reply arrives in ``timeout_s``, or when the board says that it
    arrived damaged, up to ``tries`` times in all. Requests that change something carry the same
    sequence number then, so that the board does not do it twice.
    """

    def __init__(self, port: Port, timeout_s: float = 5.0, tries: int = 5) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._tries = tries
        self._sequence = random.randrange(256)  # noqa: S311 - not the one of the last session
        self._deframer = framing.Deframer()
        self._arrived: deque[framing.Frame] = deque()
        self.repeats = 0
        self.hello = self._hello()

    @property
    def damaged_replies(self) -> int:
        """Pieces of what was received that were no frames."""
        return self._deframer.dropped

    def classify(self, image: npt.NDArray[np.generic]) -> Classified:
        """Classify one image (H, W, C), in the network's own codes."""
        return Classified.parse(self.request(Message.CLASSIFY, self._image_bytes(image)))

    def learn(self, image: npt.NDArray[np.generic], label: int) -> Learned:
        """Predict the class of one image (H, W, C), then learn that it is ``label``."""
        payload = self._label_byte(label) + self._image_bytes(image)
        return Learned.parse(self.request(Message.LEARN, payload))

    def learn_last(self, label: int) -> Learned:
        """Learn that the last image is ``label``; it is not sent again."""
        return Learned.parse(self.request(Message.LEARN_LAST, self._label_byte(label)))

    def stats(self) -> Stats:
        """Accuracy, drift, and the learner's state."""
        return Stats.parse(self.request(Message.STATS))

    def memory(self) -> Memory:
        """Bytes of RAM by part."""
        return Memory.parse(self.request(Message.MEMORY))

    def timing(self) -> Timing:
        """How long the last image and the last learning step took."""
        return Timing.parse(self.request(Message.TIMING))

    def save(self) -> int:
        """Save the head in flash; its sequence number."""
        return int.from_bytes(self.request(Message.SAVE), "little")

    def load(self) -> int:
        """Go back to the head that was saved last; its sequence number. The buffer stays."""
        return int.from_bytes(self.request(Message.LOAD), "little")

    def reset(self) -> None:
        """Back to the first head, an empty buffer and no statistics. What is saved stays."""
        self.request(Message.RESET)

    def set_learning_rate(self, rate: float) -> None:
        """Set the rate of the next learning steps."""
        self.request(Message.SET_LEARNING_RATE, struct.pack("<f", rate))

    def set_autosave(self, every: int) -> None:
        """Save by itself after ``every`` learned samples (at least 16); 0 turns that off."""
        self.request(Message.SET_AUTOSAVE, struct.pack("<I", every))

    def head(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The head as it now is: weights (C, F) and bias (C,)."""
        features, classes = self.hello.features, self.hello.classes
        total = 4 * (features + 1) * classes
        content = b""
        while len(content) < total:
            part = min(HEAD_CHUNK_BYTES, total - len(content))
            content += self.request(Message.READ_HEAD, struct.pack("<II", len(content), part))
        numbers = np.frombuffer(content, "<f4").astype(np.float32)
        weights = numbers[: features * classes].reshape(features, classes)
        return np.ascontiguousarray(weights.T), numbers[features * classes :]

    def request(self, message: Message, payload: bytes = b"") -> bytes:
        """Send a request; what follows the status in its reply.

        Raises:
            BoardError: the board refused it.
            NoReply: it did not answer.
        """
        self._sequence = (self._sequence + 1) % 256
        frame = framing.encode(message, self._sequence, payload)
        for attempt in range(self._tries):
            self.repeats += attempt > 0
            self._port.write(frame)
            reply = self._await(message)
            if reply is None:
                continue
            status = reply[0]
            if status != Status.OK:
                raise BoardError(message, status)
            return reply[1:]
        raise NoReply(
            f"no reply to {message.name} after {self._tries} tries of {self._timeout_s:g} s"
        )

    def _await(self, message: Message) -> bytes | None:
        """The payload of the reply; None when the request is to be sent again."""
        end = time.monotonic() + self._timeout_s
        while True:
            while self._arrived:
                frame = self._arrived.popleft()
                if frame.message == BROKEN_FRAME_REPLY:
                    return None
                if frame.message == message | REPLY and frame.sequence == self._sequence:
                    # An empty payload has no status: not what a board sends.
                    return frame.payload or None
                # Else it is late: the reply to a request that was answered already.
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._arrived.extend(self._deframer.feed(self._port.read(left)))

    def _hello(self) -> Hello:
        return Hello.parse(self.request(Message.HELLO))

    def _image_bytes(self, image: npt.NDArray[np.generic]) -> bytes:
        shape, dtype = self.hello.image, self.hello.pixel_dtype
        if image.shape != shape or image.dtype != dtype:
            raise ValueError(
                f"image: must be {dtype.name} {shape}; got {image.dtype.name} {image.shape}"
            )
        return image.tobytes()

    def _label_byte(self, label: int) -> bytes:
        if not 0 <= label < self.hello.classes:
            raise ValueError(f"label: must be in 0..{self.hello.classes - 1}; got {label}")
        return bytes((label,))
