"""A static network on disk: ``spec.json`` and ``weights.safetensors``, never a pickle.

The weights file carries the digests of the specification and of its own tensors, so that a file
from elsewhere, a pair that does not belong together and a flipped bit are all refused.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from codegen import durable
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.network.shipped import SPEC_FILE, WEIGHTS_FILE
from tinyml_nas.network.spec import NetworkSpec

_FORMAT = "tinyml_nas.network/1"
_STAMP = "stamp"


class NetworkFileError(ValueError):
    """A network's file is damaged, foreign or does not belong to its neighbour."""


def save(module: StaticNetwork, folder: Path) -> None:
    """Write the network into ``folder`` (made if absent).

    What ``load`` gives back is equal to the last bit; tensors that float16 can hold take half of the space.
    """
    spec_text = spec_of(module).to_json()
    tensors = {name: _narrowed(value) for name, value in module.state_dict().items()}
    stamp = {
        "format": _FORMAT,
        "spec_sha256": hashlib.sha256(spec_text.encode()).hexdigest(),
        "tensors_sha256": tensors_digest(tensors),
    }
    # One entry, as safetensors writes several in random order and equal networks must give equal
    # bytes. Weights first: a kill between the two renames leaves a pair that load() refuses.
    durable.write(folder / WEIGHTS_FILE, to_bytes(tensors, {_STAMP: json.dumps(stamp)}))
    durable.write(folder / SPEC_FILE, spec_text)


def load(folder: Path) -> StaticNetwork:
    """Read what ``save`` wrote, in evaluation mode.

    Raises:
        FileNotFoundError: one of the two files is absent.
        NetworkFileError: a file is damaged, foreign, or the two do not belong together.
    """
    spec_path, weights_path = folder / SPEC_FILE, folder / WEIGHTS_FILE
    for path in (spec_path, weights_path):
        if not path.is_file():
            raise FileNotFoundError(f"{path}: a saved network has this file; it is absent")
    tensors, stamp = _read_weights(weights_path)
    spec_bytes = spec_path.read_bytes()
    if hashlib.sha256(spec_bytes).hexdigest() != stamp.get("spec_sha256"):
        raise NetworkFileError(
            f"{spec_path}: not the specification that {WEIGHTS_FILE} was saved with; "
            "delete the folder and run the stage again"
        )
    if tensors_digest(tensors) != stamp.get("tensors_sha256"):
        raise NetworkFileError(
            f"{weights_path}: damaged, its tensors do not match their checksum; "
            "delete the folder and run the stage again"
        )
    module = StaticNetwork(_parse_spec(spec_path, spec_bytes))
    _check_tensors(weights_path, module.state_dict(), tensors)
    module.load_state_dict(tensors)
    return module.eval()


def _parse_spec(path: Path, text: bytes) -> NetworkSpec:
    try:
        return NetworkSpec.from_json(text.decode())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NetworkFileError(f"{path}: not a network's specification ({error})") from error


def _read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            stamp = _parse_stamp(path, (file.metadata() or {}).get(_STAMP, "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, stamp  # noqa: SIM118
    except safetensors.SafetensorError as error:
        raise NetworkFileError(
            f"{path}: truncated or not a safetensors file ({error}); "
            "delete the folder and run the stage again"
        ) from error


def _parse_stamp(path: Path, text: str) -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(text)
        found = stamp.get("format")
    except (ValueError, AttributeError) as error:
        raise NetworkFileError(f"{path}: its stamp is not readable ({error})") from error
    if found != _FORMAT:
        raise NetworkFileError(
            f"{path}: format {found!r}, expected {_FORMAT!r}; not written by this program"
        )
    return stamp


def _check_tensors(path: Path, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    if missing := sorted(expected.keys() - found.keys()):
        raise NetworkFileError(f"{path}: tensors missing: {', '.join(missing)}")
    if surplus := sorted(found.keys() - expected.keys()):
        raise NetworkFileError(f"{path}: unknown tensors: {', '.join(surplus)}")
    for name, tensor in expected.items():
        given = found[name]
        narrowed = (given.dtype, tensor.dtype) == (torch.float16, torch.float32)
        if given.shape != tensor.shape or not (given.dtype == tensor.dtype or narrowed):
            raise NetworkFileError(
                f"{path}: {name} is {given.dtype} {tuple(given.shape)}, "
                f"expected {tensor.dtype} {tuple(tensor.shape)}"
            )


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name]
        header = json.dumps([name, str(value.dtype), list(value.shape)]).encode()
        digest.update(struct.pack("<I", len(header)) + header)
        digest.update(value.cpu().numpy().tobytes())
    return digest.hexdigest()


def _narrowed(value: Tensor) -> Tensor:
    """In float16 where not one bit is lost by it."""
    value = value.contiguous().cpu()
    if value.dtype == torch.float32 and torch.equal(value.half().float(), value):
        return value.half()
    return value
