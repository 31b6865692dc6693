"""Which classes the program takes for which, with pictures."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen import durable
from tinyml_nas.pipeline.features import PREDICTED_FILE
from tinyml_nas.pipeline.split import Split
from tinyml_nas.store.digest import Json
from tinyml_nas.types import Artifact

FILE = "pictures.json"
MOST_PICTURES = 160
PICTURES_A_CELL = 4
SIDE = 48
"""Longer side of a picture, in pixels; smaller images stay as they are."""


def portray(folder: Path, work: Path, *, scored: Artifact, images: Split) -> dict[str, Json]:
    """The confusion ``matrix`` (true, predicted), in counts, of the program that was ``scored`` on ``images``.

    ``pictures.json`` has example images of its cells: those off the diagonal first, by their counts.
    """
    shown, predicted = images.load(), np.load(scored.path / PREDICTED_FILE, allow_pickle=False)
    classes = images.dataset.classes
    matrix = np.zeros((classes, max(classes, int(predicted.max(initial=0)) + 1)), np.int64)
    np.add.at(matrix, (shown.labels, predicted), 1)
    cells = _cells(matrix)
    left, examples = MOST_PICTURES, []
    for true, said in cells:
        chosen = np.flatnonzero((shown.labels == true) & (predicted == said))
        chosen = chosen[: min(PICTURES_A_CELL, left)]
        left -= len(chosen)
        if len(chosen):
            pictures = [_webp(shown.pixels[index]) for index in chosen]
            examples.append({"true": true, "predicted": said, "pictures": pictures})
    durable.write(folder / FILE, json.dumps(examples) + "\n")
    return {"matrix": matrix.tolist()}


def _cells(matrix: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cells that are not empty: mistakes before what is right, the more frequent first."""
    rows, columns = np.nonzero(matrix)
    pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))
    return sorted(pairs, key=lambda pair: (pair[0] == pair[1], -int(matrix[pair]), pair))


def _webp(pixels: npt.NDArray[np.uint8]) -> str:
    """A picture in base64."""
    from PIL import Image

    picture = Image.fromarray(pixels.squeeze())  # grey images have one channel
    picture.thumbnail((SIDE, SIDE))
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=80)
    return base64.b64encode(stream.getvalue()).decode("ascii")
