"""The one module that needs pyserial."""

from __future__ import annotations

import serial

PortError = serial.SerialException


class SerialPort:
    """A serial port of this computer, or a pseudo-terminal that stands for one."""

    def __init__(self, name: str, baud: int = 115200) -> None:
        """Open ``name`` (``/dev/ttyACM0``, ``COM3``), 8 bits, no parity, one stop bit."""
        self._serial = serial.Serial(name, baud)

    def close(self) -> None:
        """Give the port back."""
        self._serial.close()

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; waits for the first byte. Empty after ``timeout_s``."""
        self._serial.timeout = timeout_s
        first: bytes = self._serial.read(1)
        return first + self._serial.read(self._serial.in_waiting) if first else b""

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        self._serial.write(data)
        self._serial.flush()
