"""What TensorFlow Lite's metadata in a model's file says of its input.

Slots and numbers are those of ``metadata_schema.fbs`` (TensorFlow Lite Support, identifier M001).
"""

from __future__ import annotations

from codegen.frontend.flatbuffer import Table
from codegen.frontend.schema import IDENTIFIER
from codegen.ir import ModelError

NAME = "TFLITE_METADATA"
METADATA_IDENTIFIER = b"M001"
NORMALIZATION = 1  # of the union ProcessUnitOptions
MOST_ENTRIES = 64
MOST_BUFFERS = 1 << 14
MOST_CHANNELS = 1 << 10


def normalisation_in(content: bytes) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Mean and deviation of each channel of the first input, where the file states them.

    Metadata that is damaged, or of another kind, says nothing: the network runs without.
    """
    try:
        found = _unit(content)
    except ModelError:
        return None
    if found is None:
        return None
    mean, std = (
        tuple(float(x) for x in found.array(slot, "<f4", MOST_CHANNELS)) for slot in (0, 1)
    )
    return (mean, std) if mean and std else None


def _unit(content: bytes) -> Table | None:
    """The table NormalizationOptions of the first input."""
    model = Table.root(content, IDENTIFIER)
    buffers = model.tables(4, MOST_BUFFERS)
    for entry in model.tables(6, MOST_ENTRIES):
        number = entry.integer(1, "I")
        if entry.text(0, 40) != NAME or number >= len(buffers):
            continue
        inner = Table.root(buffers[number].array(0, "u1").tobytes(), METADATA_IDENTIFIER)
        for subgraph in inner.tables(3, MOST_ENTRIES)[:1]:
            for tensor in subgraph.tables(2, MOST_ENTRIES)[:1]:
                for unit in tensor.tables(4, MOST_ENTRIES):
                    if unit.integer(0, "B") == NORMALIZATION:
                        return unit.table(1)
    return None
