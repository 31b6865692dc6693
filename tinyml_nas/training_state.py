"""The state of a training run on disk: what a killed run, or a longer one, goes on from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tinyml_nas.optimizer import Average, Optimizer
from tinyml_nas.recipe import Recipe

Curve = list[dict[str, float]]

FREE_TO_CHANGE = {
    *("epochs", "decay_epochs", "checkpoint_steps", "extends", "reported_networks"),
    *("device", "precision"),
}
"""Fields in which a run may differ from the one that it extends."""


class TrainingState:
    """Weights, momentum, average, step and curve in one safetensors file, replaced whole."""

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, average: Average, recipe: Recipe, seed: int
    ) -> None:
        self.model, self.optimizer, self.average = model, optimizer, average
        self.recipe, self.seed = recipe, seed

    def save(self, path: Path, step: int, curve: Curve, *, at_peak: bool) -> None:
        """Write aside, then rename. ``at_peak``: the learning rate has not begun to fall."""
        tensors = {f"model.{k}": v.contiguous() for k, v in self.model.state_dict().items()}
        tensors |= self.optimizer.state() | self.average.state()
        metadata = {
            "step": str(step),
            "curve": json.dumps(curve),
            "identity": self._identity(),
            "at_peak": str(at_peak),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        save_file(tensors, partial, metadata)
        partial.replace(path)

    def load(self, path: Path) -> tuple[int, Curve]:
        """Restore in place: how many steps are done, and their curve.

        Raises:
            ValueError: the file is damaged.
        """
        return self._restore(*_read(path))

    def extend(self, path: Path, plateau_steps: int | None) -> tuple[int, Curve]:
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
        if plateau_steps is None or int(metadata["step"]) > plateau_steps:
            raise ValueError(
                f"recipe.extends: {path} has done {metadata['step']} steps at the peak learning "
                f"rate; recipe.epochs - recipe.decay_epochs asks for {plateau_steps}"
            )
        return self._restore(metadata, tensors)

    def _restore(self, metadata: dict[str, str], tensors: dict[str, Tensor]) -> tuple[int, Curve]:
        model = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        self.model.load_state_dict(model)
        self.optimizer.load(tensors)
        self.average.load(tensors)
        return int(metadata["step"]), json.loads(metadata["curve"])

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
