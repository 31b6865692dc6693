"""What stops a quantizer."""

from __future__ import annotations


class QuantizationError(RuntimeError):
    """The network cannot be split or quantized, or its flatbuffer is not what the generator relies on."""
