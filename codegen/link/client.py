"""A board at the other end of a serial port: one request, one reply, again where one was lost."""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from codegen.link import framing
from codegen.link.faults import FaultError
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
    WrongVersionError,
)

Answer = TypeVar("Answer")
STATE_CHUNK_BYTES = (
    128  # as platform/application.cpp; a reply that noise destroys is asked for again
)
SETTLE_S = 0.05  # a line that was quiet for so long has nothing more to say of what was damaged
MARGIN = 3.0
"""Of what the board is expected to take: an instruction takes 1 to 2 cycles, and the estimate its error."""
ROUNDING_S = 1e-6  # of sums of a clock's differences


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


class ReplyError(RuntimeError):
    """A reply that is whole, but not what the board should answer."""


class Board:
    """The firmware of a generated project behind ``port``.

    A request is sent again when no reply arrives in ``timeout_s``, and ``MARGIN`` times what HELLO says
    that an image or a learning step takes; earlier, when something arrives
    damaged, or the board says that something did: as soon as the line is quiet again. It is given
    up after ``tries`` times that, however much noise arrives meanwhile. It
    carries the same sequence number each time, so that the board does not do it twice; whatever
    arrives late belongs to a number that has passed, or to another session, and changes nothing.
    """

    def __init__(self, port: Port, timeout_s: float = 5.0, tries: int = 5) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._tries = tries
        self._session = 1 + secrets.randbelow(2**32 - 1)  # not that of another host
        self._sequence = 0
        self._image_sequence = 0  # of the request that brought the last image
        self._deframer = framing.Deframer()
        self._expected_s: dict[Message, float] = {}
        self.repeats = 0
        self.hello = self._ask(Hello.parse, Message.HELLO)
        self._session = self.hello.session
        classify, learn = self.hello.classify_ms / 1000, self.hello.learn_ms / 1000
        self._expected_s = {
            Message.CLASSIFY: classify,
            Message.LEARN: classify + learn,
            Message.LEARN_LAST: learn,
        }

    @property
    def damaged_replies(self) -> int:
        """Pieces of what was received that were no frames."""
        return self._deframer.dropped

    def classify(self, image: npt.NDArray[np.generic]) -> Classified:
        """Classify one image (H, W, C), in the network's own codes."""
        payload = self._image_bytes(image)
        self._image_sequence = self._sequence + 1
        return self._ask(self._classified, Message.CLASSIFY, payload)

    def learn(self, image: npt.NDArray[np.generic], label: int) -> Learned:
        """Predict the class of one image (H, W, C), then learn that it is ``label``."""
        payload = self._label_byte(label) + self._image_bytes(image)
        self._image_sequence = self._sequence + 1
        return self._ask(self._learned, Message.LEARN, payload)

    def learn_last(self, label: int) -> Learned:
        """Learn that the last image is ``label``; it is not sent again."""
        payload = self._label_byte(label) + struct.pack("<I", self._image_sequence)
        return self._ask(self._learned, Message.LEARN_LAST, payload)

    def stats(self) -> Stats:
        """Accuracy, drift, and the learner's state."""
        return self._ask(self._stats, Message.STATS)

    def memory(self) -> Memory:
        """Bytes of RAM by part."""
        return self._ask(Memory.parse, Message.MEMORY)

    def timing(self) -> Timing:
        """How long the last image and the last learning step took."""
        return self._ask(Timing.parse, Message.TIMING)

    def save(self) -> int:
        """Save the head in flash; its sequence number."""
        return self._ask(_number, Message.SAVE)

    def load(self) -> int:
        """Go back to the head that was saved last; its sequence number. The buffer stays."""
        return self._ask(_number, Message.LOAD)

    def reset(self) -> None:
        """Back to the first head, an empty buffer and no statistics. What is saved stays."""
        self.request(Message.RESET)

    def set_knob(self, name: str, value: float) -> None:
        """Set one of the learner's knobs, until it is reset.

        Raises:
            ValueError: there is no such knob.
            BoardError: the value is out of the knob's range.
        """
        knobs = self.hello.knobs
        if name not in knobs:
            raise ValueError(f"knob: must be one of {', '.join(knobs)}; got {name!r}")
        self.request(Message.SET_KNOB, struct.pack("<Bf", knobs.index(name), value))

    def set_autosave(self, every: int) -> None:
        """Save by itself after ``every`` learned samples (at least 16); 0 turns that off."""
        self.request(Message.SET_AUTOSAVE, struct.pack("<I", every))

    def head(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """The head as it now is: weights (C, F) and bias (C,)."""
        features, classes = self.hello.features, self.hello.classes
        numbers = self._floats(4 * (features + 1) * classes)
        weights = numbers[: features * classes].reshape(features, classes)
        return np.ascontiguousarray(weights.T), numbers[features * classes :]

    def state(self) -> npt.NDArray[np.float32]:
        """All that the learner saves: weights (F, C) row by row, bias (C,), and what else it has."""
        return self._floats(self.hello.state_bytes)

    def set_state(self, state: npt.NDArray[np.float32]) -> None:
        """Put what was learned elsewhere in place of what the board has. Nothing is saved by it.

        Raises:
            ValueError: it has another size, or the board's input is too short to take it.
        """
        content = state.astype("<f4").tobytes()
        image_bytes = int(np.prod(self.hello.image)) * self.hello.pixel_dtype.itemsize
        part = min(STATE_CHUNK_BYTES, image_bytes, len(content)) // 4 * 4
        if len(content) != self.hello.state_bytes or not part:
            raise ValueError(
                f"state: must have {self.hello.state_bytes} bytes, and the board's input at least 4; "
                f"got {len(content)}, and {image_bytes}"
            )
        for start in range(0, len(content), part):
            at = min(start, len(content) - part)  # the last part is as long as the others
            self.request(Message.WRITE_STATE, struct.pack("<I", at) + content[at : at + part])

    def _floats(self, total: int) -> npt.NDArray[np.float32]:
        """The first ``total`` bytes of the state."""
        content = b""
        while len(content) < total:
            part = min(STATE_CHUNK_BYTES, total - len(content))
            content += self.request(Message.READ_STATE, struct.pack("<II", len(content), part))
        return np.frombuffer(content, "<f4").astype(np.float32)

    def request(self, message: Message, payload: bytes = b"") -> bytes:
        """Send a request; what follows the status in its reply.

        Raises:
            BoardError: the board refused it.
            FaultError: it faulted, and was started anew.
            NoReply: it did not answer. It may have carried the request out.
            WrongVersionError: it speaks another version of the protocol.
        """
        self._sequence += 1
        frame = framing.encode(message, self._sequence, payload, self._session)
        self._deframer.feed(self._port.read(0.0))  # answers nothing that is still to be asked
        sent, waited_s = 0, 0.0
        patience_s = self._timeout_s + MARGIN * self._expected_s.get(message, 0.0)
        while waited_s < self._tries * patience_s - ROUNDING_S:
            self.repeats += sent > 0
            self._port.write(frame)
            sent += 1
            start = time.monotonic()
            reply = self._await(message, start, patience_s)
            waited_s += time.monotonic() - start
            if reply is None:
                continue
            status = reply[0]
            if status != Status.OK:
                raise BoardError(message, status)
            return reply[1:]
        raise NoReply(
            f"no reply to {message.name} in {waited_s:.1f} s, in which it was sent {sent} times"
        )

    def _await(self, message: Message, start: float, patience_s: float) -> bytes | None:
        """The payload of the reply; None when the request is to be sent again."""
        last = end = start + patience_s
        damaged = False
        left = patience_s
        while left > 0:
            before = self._deframer.dropped
            received = self._port.read(left)
            for frame in self._deframer.feed(received):
                if frame.message == BROKEN_FRAME_REPLY:
                    damaged = True
                elif frame.message != message | REPLY:
                    continue  # late: the reply to a request that was answered already
                elif frame.version != framing.VERSION:
                    raise WrongVersionError(frame.version)
                elif (frame.session, frame.sequence) == (self._session, self._sequence):
                    if frame.payload:
                        return frame.payload
                    damaged = True  # a reply without a status is none
            if self._deframer.fault:
                told, self._deframer.fault = self._deframer.fault, ""
                raise FaultError(told)
            damaged |= self._deframer.dropped != before
            now = time.monotonic()
            if damaged and received:
                end = min(last, now + SETTLE_S)
            left = end - now
        return None

    def _ask(
        self, parse: Callable[[bytes], Answer], message: Message, payload: bytes = b""
    ) -> Answer:
        reply = self.request(message, payload)
        try:
            return parse(reply)
        except (struct.error, ValueError, IndexError) as error:
            raise ReplyError(
                f"the reply to {message.name} is not understood ({error}): is another program's "
                "firmware on the board?"
            ) from error

    def _classified(self, payload: bytes) -> Classified:
        answer = Classified.parse(payload)
        if len(answer.logits) != self.hello.classes or answer.prediction >= self.hello.classes:
            raise ValueError(f"there are {self.hello.classes} classes")
        return answer

    def _learned(self, payload: bytes) -> Learned:
        answer = Learned.parse(payload)
        if answer.prediction >= self.hello.classes:
            raise ValueError(f"there are {self.hello.classes} classes")
        return answer

    def _stats(self, payload: bytes) -> Stats:
        answer = Stats.parse(payload)
        counts = len(answer.knobs), len(answer.seen), len(answer.correct_of)
        if counts != (len(self.hello.knobs), self.hello.classes, self.hello.classes):
            raise ValueError(f"there are {self.hello.classes} classes")
        return answer

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


def _number(payload: bytes) -> int:
    (number,) = struct.unpack("<I", payload)
    return int(number)
