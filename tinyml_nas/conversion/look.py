"""What can be known of a network's file at once; without TensorFlow."""

from __future__ import annotations

from pathlib import Path

from codegen.frontend import heads
from codegen.frontend.cut import split
from codegen.frontend.read import ModelError, naming, open_model
from codegen.ir import Tensor
from tinyml_nas.network.own import OwnInput, OwnNetworkError, check_classes, kind_of
from tinyml_nas.store.paths import is_file


def check_file(name: str, given: OwnInput, classes: int, *, quantizes: bool) -> None:
    """Refuse a file that is not there and, of a flatbuffer, what it holds; reads no Keras model.

    ``quantizes`` is whether an int8 extractor is wanted.

    Raises:
        OwnNetworkError: naming the file, and what to do.
    """
    path = Path(name).expanduser()
    if not is_file(path):
        raise OwnNetworkError(f"network: there is no file {path}")
    if kind_of(name) == "keras":
        given.seen()
        return
    image, head_classes = looked_at(path)
    if image.dtype == "int8" and not quantizes:
        raise OwnNetworkError(f"network: {path} is in int8 already; leave quantizer=none out")
    given.side(image.shape[1:])
    given.seen(image)
    check_classes(head_classes, classes)


def looked_at(model: Path | bytes) -> tuple[Tensor, int]:
    """The input of a flatbuffer's extractor, and the classes of its head.

    Raises:
        OwnNetworkError: the compiler does not take it; names every operator that it does not know.
    """
    try:
        graph = open_model(model)
        with naming(model):
            parts = split(graph)
    except ModelError as error:
        advice = "end the network in a linear layer of as many outputs as there are classes"
        raise OwnNetworkError(f"network: {str(error).replace(heads.ADVICE, advice)}") from error
    return parts.extractor.input, parts.head.classes
