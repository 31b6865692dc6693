"""The state of a training run on disk: what a killed run, or a longer one, goes on from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from codegen import durable
from tinyml_nas.network.files import tensors_digest
from tinyml_nas.network.tensors import to_bytes
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.optimizer import Average, Optimizer

Curve = list[dict[str, float]]

STATE = "training.safetensors"
PLATEAU_STATE = "plateau.safetensors"
"""Written when the learning rate is about to fall: what a longer run can extend."""

_log = logging.getLogger(__name__)

FREE_TO_CHANGE = {
    *("epochs", "decay_epochs", "checkpoint_steps", "extends", "start", "reported_networks"),
    *("device", "precision"),
}
"""Fields in which a run may differ from the one that it extends."""


@dataclass
class Log:
    """Steps that are done, an entry for each whole epoch, and what belongs to the next entry."""

    step: int = 0
    curve: Curve = field(default_factory=list)
    steps: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0

    def end_epoch(self) -> None:
        """Turn what was gathered into an entry."""
        loss, seconds = self.loss_sum / self.steps, round(self.seconds, 1)
        self.curve.append({"step": self.step, "loss": loss, "seconds": seconds})
        self.steps, self.loss_sum, self.seconds = 0, 0.0, 0.0


class TrainingState:
    """Weights, momentum, average and log in one safetensors file with their own checksum."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, average: Average, recipe: Recipe, seed: int
    ) -> None:
        self.model, self.optimizer, self.average = model, optimizer, average
        self.recipe, self.seed = recipe, seed

    def save(self, path: Path, log: Log, *, at_peak: bool) -> None:
        """Put the state at ``path``. ``at_peak``: the learning rate has not begun to fall."""
        tensors = {f"model.{k}": v.contiguous() for k, v in self.model.state_dict().items()}
        tensors |= self.optimizer.state() | self.average.state()
        metadata = {
            "log": json.dumps(dataclasses.asdict(log)),
            "identity": self._identity(),
            "at_peak": str(at_peak),
        }
        metadata["sha256"] = _checksum(metadata, tensors)
        durable.write(path, to_bytes(tensors, metadata))

    def resume(self, folder: Path, plateau_steps: int | None) -> Log | None:
        """Restore what a killed run of ``folder`` left, or None where it left nothing that is whole.

        A file that is damaged, as by a power cut, costs the steps that it held, and a warning.
        """
        try:
            if not (folder / STATE).exists():
                return None
            metadata, tensors = _read(folder / STATE)
            log = _log_of(metadata)
            if plateau_steps is not None and log.step > plateau_steps:
                _read(folder / PLATEAU_STATE)  # it can no longer be made
        except ValueError as damage:
            _log.warning("%s; the training starts anew", damage)
            return None
        return self._restore(metadata, tensors)

    def extend(self, path: Path, plateau_steps: int | None) -> Log:
        """Restore what another run of the same recipe left at its peak learning rate.

        Raises:
            ValueError: the file is missing, damaged, of another recipe, or too late in its run.
        """
        if not path.is_file():
            raise ValueError(f"recipe.extends: no file {path}")
        try:
            metadata, tensors = _read(path)
        except ValueError as damage:
            raise ValueError(f"recipe.extends: {damage}; give another file") from damage
        if metadata.get("identity") != self._identity():
            raise ValueError(
                f"recipe.extends: {path} is of another recipe or seed:\n"
                f"  file   {metadata.get('identity')}\n  config {self._identity()}"
            )
        if metadata["at_peak"] != "True":
            raise ValueError(
                f"recipe.extends: the learning rate of {path} has begun to fall; take the state "
                "from before, plateau.safetensors"
            )
        log = self._restore(metadata, tensors)
        if plateau_steps is None or log.step > plateau_steps:
            raise ValueError(
                f"recipe.extends: {path} has done {log.step} steps at the peak learning rate; "
                f"recipe.epochs - recipe.decay_epochs asks for {plateau_steps}"
            )
        return log

    def _restore(self, metadata: dict[str, str], tensors: dict[str, Tensor]) -> Log:
        model = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        self.model.load_state_dict(model)
        self.optimizer.load(tensors)
        self.average.load(tensors)
        return _log_of(metadata)

    def _identity(self) -> str:
        fields = dataclasses.asdict(self.recipe)
        fields = {name: fields[name] for name in fields.keys() - FREE_TO_CHANGE}
        return json.dumps({**fields, "seed": self.seed}, sort_keys=True)


def _log_of(metadata: dict[str, str]) -> Log:
    return Log(**json.loads(metadata["log"]))


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors; ValueError unless they are, to the last bit, what was written."""
    try:
        with safe_open(path, "pt") as file:
            tensors: dict[str, torch.Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError, UnicodeError) as error:
        raise ValueError(f"{path}: damaged checkpoint ({error})") from error
    if metadata.pop("sha256", None) != _checksum(metadata, tensors):
        raise ValueError(f"{path}: damaged checkpoint (its content does not match its checksum)")
    return metadata, tensors


def _checksum(metadata: dict[str, str], tensors: dict[str, Tensor]) -> str:
    text = json.dumps(metadata, sort_keys=True) + tensors_digest(tensors)
    return hashlib.sha256(text.encode()).hexdigest()
