"""Take a network that a user brings apart: its extractor, and the head behind it."""

from __future__ import annotations

from pathlib import Path

from tinyml_nas.network.own import Kind, OwnInput
from tinyml_nas.pipeline.inputs import network_inputs
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact

CHECKED_IMAGES = 1000
"""Images on which a torch module is compared with what it was converted to."""


def extract(
    folder: Path,
    work: Path,
    *,
    network: Artifact,
    kind: Kind,
    given: OwnInput,
    classes: int,
    images: Split,
) -> dict[str, Json]:
    """``extractor.tflite`` in the network's own type, its head, and how it sees images; what an extractor is.

    ``network`` is what ``adopt`` or ``finetune`` left of a torch module, else the file. Of the former,
    ``max_abs_error`` tells how far logits of ``checked_images`` lie apart.

    Raises:
        ConversionError: names every layer that cannot be converted; or what was converted computes something else.
        OwnNetworkError: the compiler does not take it, or it is for other classes or images.
    """
    from codegen.frontend.read import read, read_as_written
    from tinyml_nas.conversion import own_network
    from tinyml_nas.conversion.flatbuffer import taken_apart
    from tinyml_nas.conversion.look import looked_at
    from tinyml_nas.network import seen as beside
    from tinyml_nas.network import user
    from tinyml_nas.network.own import check_classes, check_reference
    from tinyml_nas.network.tally import tally
    from tinyml_nas.quantization.tflite import write

    compared: dict[str, Json] = {}
    if kind == "torch":
        loaded = user.load(network.path)
        checked = network_inputs(
            images.load()[:CHECKED_IMAGES], loaded.resolution, loaded.module.seen
        )
        flat, error = own_network.of_module(loaded.network, checked)
        compared = {"max_abs_error": error, "checked_images": len(checked)}
    elif kind == "keras":
        flat = own_network.of_keras(network.path, given)
    else:
        flat = network.path.read_bytes()
    image, found = looked_at(flat)
    check_classes(found, classes)
    given.side(image.shape[1:])
    seen = given.seen(image)
    content, head = taken_apart(flat)
    check_reference(op.kind for op in read_as_written(content).ops)
    made = write(content, head, folder, seen=seen)
    beside.write(made.seen, folder)
    return {
        **made.value(),
        "resolution": image.shape[1],
        **tally(read(content), classes),
        **compared,
    }
