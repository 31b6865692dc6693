"""A torch module of a user's own: from a function that makes it, with its weights."""

from __future__ import annotations

import copy
import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from codegen import durable
from tinyml_nas.network.base import Network
from tinyml_nas.network.own import REFERENCE, OwnNetworkError, UserModule, check_classes
from tinyml_nas.network.seen import from_json
from tinyml_nas.network.seen_tensors import as_seen
from tinyml_nas.network.tensors import to_bytes
from tinyml_nas.network.trace import Trace, TraceError, trace
from tinyml_nas.types import Seen

MODULE_FILE, WEIGHTS_FILE = "module.json", "module.safetensors"


class UserNetwork(Network):
    """The user's ``network`` as stages take it: what they give is turned into what its training gave, to the bit."""

    def __init__(self, module: UserModule, network: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.resolution = module.resolution
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, S, S), normalised by ``codegen.pixels``, to logits (N, classes)."""
        logits: Tensor = self.network(as_seen(images, self.module.seen))
        return logits

    def to(self, *args: Any, memory_format: object = None, **options: Any) -> UserNetwork:
        """As torch's, in the usual memory format: users view their maps, which needs them contiguous."""
        super().to(*args, **options)
        return self


def taken(
    reference: str, resolution: int, seen: Seen, classes: int, *, learns: bool = False
) -> UserModule:
    """Call the function, and see what its module computes; while it is trained too, where it ``learns``.

    Raises:
        OwnNetworkError: there is no such function, it gives no module, or one that cannot be read or has other classes.
    """
    traced = _traced(reference, seen.channels, resolution)
    if len(traced.logits.shape) != 2:
        raise OwnNetworkError(
            f"network={reference}: must give logits (N, classes); it gives {traced.logits.shape}"
        )
    check_classes(traced.logits.shape[1], classes)
    learning = ""
    if learns:
        learning = _traced(reference, seen.channels, resolution, training=True).digest()
    return UserModule(reference, traced.digest(), resolution, seen, learning)


def made(reference: str) -> nn.Module:
    """What the function makes, in evaluation mode: a copy, once a process.

    Raises:
        OwnNetworkError: there is no such function, it fails, or it gives no module.
    """
    return copy.deepcopy(_made(reference)).eval()


def save(network: UserNetwork, folder: Path) -> None:
    """Write the weights, and where the code is."""
    weights = {name: value.contiguous() for name, value in network.network.state_dict().items()}
    distinct = {name: value.clone() for name, value in weights.items()}
    durable.write(folder / WEIGHTS_FILE, to_bytes(distinct, {"format": "tinyml_nas.user/1"}))
    durable.write(folder / MODULE_FILE, json.dumps(asdict(network.module), indent=1) + "\n")


def load(folder: Path) -> UserNetwork:
    """Read what ``save`` wrote, in evaluation mode.

    Raises:
        OwnNetworkError: the function is gone, or the weights do not fit its module.
    """
    told = json.loads((folder / MODULE_FILE).read_text(encoding="utf-8"))
    module = UserModule(**{**told, "seen": from_json(told["seen"])})
    network = made(module.reference)
    try:
        network.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (RuntimeError, SafetensorError) as error:
        raise OwnNetworkError(
            f"{folder}: not the weights of {module.reference}: {error}"
        ) from error
    return UserNetwork(module, network).eval()


@lru_cache(maxsize=2)
def _traced(reference: str, channels: int, side: int, *, training: bool = False) -> Trace:
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # what is dropped out is a constant of the trace
            return trace(made(reference), (channels, side, side), training=training)
    except TraceError as error:
        mode = ", in training" if training else ""
        raise OwnNetworkError(
            f"network={reference}: {error}. network_input.size is {side}, network_input.channels {channels}{mode}"
        ) from error


@lru_cache(maxsize=2)
def _made(reference: str) -> nn.Module:
    found = REFERENCE.fullmatch(reference)
    assert found is not None, reference
    try:
        network = _function(_imported(found["module"]), found["function"], reference)()
    except OwnNetworkError:
        raise
    except Exception as error:
        raise OwnNetworkError(f"network={reference}: {type(error).__name__}: {error}") from error
    if not isinstance(network, nn.Module):
        raise OwnNetworkError(
            f"network={reference}: must give a torch.nn.Module; it gives a {type(network).__name__}"
        )
    return network.float()


def _function(module: ModuleType, name: str, reference: str) -> Callable[[], object]:
    if not hasattr(module, name):
        own = [
            key
            for key, value in vars(module).items()
            if isinstance(value, FunctionType) and value.__module__ == module.__name__
        ]
        raise OwnNetworkError(
            f"network={reference}: there is no {name}; functions of the file: {', '.join(own) or 'none'}"
        )
    function: Callable[[], object] = getattr(module, name)
    return function


def _imported(name: str) -> ModuleType:
    """A module by its name, from the working folder too, or a file, which may import its neighbours."""
    path = Path(name).expanduser()
    folder = path.parent.resolve() if path.suffix == ".py" else Path.cwd()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    if path.suffix != ".py":
        return importlib.import_module(name)
    if not path.is_file():
        raise OwnNetworkError(f"network: there is no file {path}")
    own = f"tinyml_nas_user_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(own, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[own] = module  # dataclasses and pickles look it up
    spec.loader.exec_module(module)
    return module
