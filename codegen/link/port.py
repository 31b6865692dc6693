"""The one module that needs pyserial."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import serial

FAILURES: tuple[type[Exception], ...] = (OSError, ValueError, OverflowError, TypeError)
try:
    import termios
except ImportError:  # Windows
    pass
else:
    FAILURES = (*FAILURES, termios.error)


class PortError(OSError):
    """The port cannot be opened, or is gone; the message names it."""


class SerialPort:
    """A serial port of this computer, or a pseudo-terminal that stands for one."""

    def __init__(self, name: str, baud: int = 115200) -> None:
        """Open ``name`` (``/dev/ttyACM0``, ``COM3``), 8 bits, no parity, one stop bit.

        Raises:
            PortError: there is no such port, or it is something else.
        """
        self._name = name
        with self._failing("cannot be opened as a serial port"):
            self._serial = serial.Serial(name, baud)

    def close(self) -> None:
        """Give the port back."""
        with self._failing("cannot be closed"):
            self._serial.close()

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; waits for the first byte. Empty after ``timeout_s``."""
        with self._failing("cannot be read: is the board still there?"):
            self._serial.timeout = timeout_s
            first: bytes = self._serial.read(1)
            return first + self._serial.read(self._serial.in_waiting) if first else b""

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        with self._failing("cannot be written: is the board still there?"):
            self._serial.write(data)
            self._serial.flush()

    @contextmanager
    def _failing(self, what: str) -> Generator[None]:
        try:
            yield
        except FAILURES as error:
            raise PortError(f"{self._name!r}: {what} ({error})") from error
