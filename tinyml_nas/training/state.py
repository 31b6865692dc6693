"""The state of a training run on disk: what a killed run, or a longer one, goes on from."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tinyml_nas.training.optimizer import Average, Optimizer
from tinyml_nas.training.recipes import Recipe

Curve = list[dict[str, float]]

FREE_TO_CHANGE = {
    *("epochs", "decay_epochs", "checkpoint_steps", "extends", "reported_networks"),
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
    """Weights, momentum, average and log in one safetensors file, replaced whole."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, average: Average, recipe: Recipe, seed: int
    ) -> None:
        self.model, self.optimizer, self.average = model, optimizer, average
        self.recipe, self.seed = recipe, seed

    def save(self, path: Path, log: Log, *, at_peak: bool) -> None:
        """Write aside, then rename. ``at_peak``: the learning rate has not begun to fall."""
        tensors = {f"model.{k}": v.contiguous() for k, v in self.model.state_dict().items()}
        tensors |= self.optimizer.state() | self.average.state()
        metadata = {
            "log": json.dumps(dataclasses.asdict(log)),
            "identity": self._identity(),
            "at_peak": str(at_peak),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        save_file(tensors, partial, metadata)
        partial.replace(path)

    def load(self, path: Path) -> Log:
        """Restore in place.

        Raises:
            ValueError: the file is damaged.
        """
        return self._restore(*_read(path))

    def extend(self, path: Path, plateau_steps: int | None) -> Log:
        """Restore what another run of the same recipe left at its peak learning rate.

        Raises:
            ValueError: the file is missing, damaged, of another recipe, or too late in its run.
        """
        if not path.is_file():
            raise ValueError(f"recipe.extends: no file {path}")
        metadata, tensors = _read(path)
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
        return Log(**json.loads(metadata["log"]))

    def _identity(self) -> str:
        fields = dataclasses.asdict(self.recipe)
        fields = {name: fields[name] for name in fields.keys() - FREE_TO_CHANGE}
        return json.dumps({**fields, "seed": self.seed}, sort_keys=True)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            tensors: dict[str, torch.Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return dict(file.metadata()), tensors
    except Exception as error:
        raise ValueError(f"{path}: damaged checkpoint ({error}); delete it") from error
