"""A trained supernet on disk: one safetensors file in float16 that names the space it belongs to."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from codegen import durable
from tinyml_nas.data.cifar10_files import CLASS_NAMES
from tinyml_nas.network.tensors import to_bytes
from tinyml_nas.supernet.checkpoint import CheckpointError, checkpoint_path
from tinyml_nas.supernet.families import AnySupernet, blank, is_head, untrained
from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.supernet.spaces import AnySpace

FORMAT = "tinyml_nas.supernet/1"
IMAGENET_SUFFIX = ".pth"
TRAINED_ON = CLASS_NAMES
"""CIFAR-10's classes: those of a file that names none."""


def space_fields(space: AnySpace, classes: int) -> str:
    """Canonical JSON of all that decides the shapes of the weights, heads included."""
    fields = dataclasses.asdict(space)
    del fields["checkpoint"]
    return json.dumps({**fields, "classes": classes}, sort_keys=True)


def _trained_classes(told: str, space: AnySpace) -> int | None:
    """How many classes the heads of a file know whose space is this one; None where it is another."""
    try:
        classes = int(json.loads(told)["classes"])
    except (ValueError, KeyError, TypeError):
        return None
    return classes if told == space_fields(space, classes) else None


def save_supernet(
    supernet: AnySupernet, path: Path, class_names: tuple[str, ...] = TRAINED_ON
) -> None:
    """Write the weights in float16, and the names of the classes that the heads tell apart."""
    tensors = {name: value.half().contiguous() for name, value in supernet.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "space": space_fields(supernet.space, supernet.classes),
        "tensors_sha256": tensors_digest(tensors),
        "class_names": json.dumps(class_names),
    }
    durable.write(path, to_bytes(tensors, metadata))


def load_supernet(
    space: AnySpace, classes: int, class_names: tuple[str, ...] | None = None
) -> AnySupernet:
    """Build the supernet of ``space`` with the weights of its checkpoint, all of them or none.

    The weights serve any classes. Where the file's heads tell just these ``classes`` apart, by their names
    in order, they are kept (without names, where there are as many); else the supernet counts as not
    ``trained``, and each network of it gets a head that is fitted. A space that starts from ImageNet also
    takes those weights' own file.

    Raises:
        CheckpointError: the file is missing, damaged, or was trained for another space.
        PretrainingError: the space starts from ImageNet, and their package is not installed.
    """
    path = checkpoint_path(space)
    if path is None:
        return untrained(space, classes, 0)
    if isinstance(space, Lite0Space) and path.suffix == IMAGENET_SUFFIX:
        return untrained(space, classes, 0, path)  # each network's head is fitted to it
    metadata, tensors = _read(path)
    known = _trained_classes(metadata.get("space", ""), space)
    if known is None:
        raise CheckpointError(
            f"{path}: was trained for another space:\n"
            f"  file   {metadata.get('space')}\n  config {space_fields(space, classes)}"
        )
    supernet = blank(space, known)
    supernet.load_state_dict({name: value.float() for name, value in tensors.items()})
    told = metadata.get("class_names")
    names = TRAINED_ON if told is None else tuple(json.loads(told))
    if known != classes or (class_names is not None and names != class_names):
        supernet.new_heads(classes)
    return supernet


def adopt(supernet: AnySupernet, path: Path) -> None:
    """Take the weights of another trained supernet in place of one's own.

    Its space may have had other resolutions, depths or widths to choose from, as long as every weight
    of ``supernet`` is there in its own shape; heads for stages after which no network ends are left, and
    heads for another number of classes.

    Raises:
        CheckpointError: the file is damaged, no supernet, or lacks a weight.
    """
    _, tensors = _read(path)
    for name, own in supernet.state_dict().items():
        if is_head(name) and name in tensors and len(tensors[name]) != supernet.classes:
            continue
        if name not in tensors or tensors[name].shape != own.shape:
            found = tuple(tensors[name].shape) if name in tensors else "nothing"
            raise CheckpointError(
                f"{path}: not of the same layers: {name} is {tuple(own.shape)} here, {found} there"
            )
        own.copy_(tensors[name])


def _read(path: Path) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Metadata and tensors of a supernet's file, whole."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: truncated or not a safetensors file ({error})") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: format {metadata.get('format')!r}, expected {FORMAT!r}; not a supernet"
        )
    if metadata.get("tensors_sha256") != tensors_digest(tensors):
        raise CheckpointError(f"{path}: damaged, its tensors do not match their checksum")
    return metadata, tensors


def tensors_digest(tensors: dict[str, torch.Tensor]) -> str:
    """SHA-256 over names, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(f"{name} {tuple(tensors[name].shape)} {tensors[name].dtype}\n".encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()
