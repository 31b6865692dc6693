"""A Keras model on disk: equal models give equal bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from codegen import durable
from tinyml_nas.conversion.backend import keras


def save(model: keras.Model, path: Path) -> None:
    """Write the model; equal models give equal bytes.

    Keras stamps a date, and tells shared objects apart by their addresses.
    """
    with durable.replacing(path) as aside:
        model.save(aside)
        with zipfile.ZipFile(aside) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
        members["metadata.json"] = b"{}"
        members["config.json"] = _without_addresses(members["config.json"])
        with zipfile.ZipFile(aside, "w") as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name), content)


def _without_addresses(config: bytes) -> bytes:
    """A model's configuration with its shared objects numbered as they come."""
    numbers: dict[int, int] = {}

    def numbered(fields: dict[str, Any]) -> dict[str, Any]:
        if (address := fields.get("shared_object_id")) is not None:
            fields["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
        return fields

    return json.dumps(json.loads(config, object_hook=numbered)).encode()
