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

FREE_TO_CHANGE = (
    *("epochs", "decay_epochs", "checkpoint_steps", "extends", "device", "precision"),
)
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

    def load(self, path: Path, steps_per_epoch: int) -> tuple[int, Curve]:
        """Restore in place from ``path``, else from what the recipe extends; else (0, []).

        Raises:
            ValueError: the file is damaged or of another run.
        """
        start = self.recipe.extends
        if path.exists():
            return self._restore(*_read(path))
        if start is None:
            return 0, []
        metadata, tensors = _read(start)
        if metadata["identity"] != self._identity():
            raise ValueError(
                f"recipe.extends: {start} is of another recipe or seed:\n"
                f"  file   {metadata['identity']}\n  config {self._identity()}"
            )
        plateau_ends = self.recipe.plateau_ends
        assert plateau_ends is not None
        done = int(metadata["step"]) / steps_per_epoch
        if metadata["at_peak"] != "True":
            raise ValueError(
                f"recipe.extends: the learning rate of {start} has begun to fall; take the state "
                "from before, plateau.safetensors"
            )
        if done > plateau_ends:
            raise ValueError(
                f"recipe.extends: {start} has done {done:.2f} epochs at the peak learning rate; "
                f"recipe.epochs - recipe.decay_epochs must be at least that; got {plateau_ends}"
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
        for name in FREE_TO_CHANGE:
            del fields[name]
        return json.dumps({**fields, "seed": self.seed}, sort_keys=True)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            tensors: dict[str, torch.Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            return dict(file.metadata()), tensors
    except Exception as error:
        raise ValueError(f"{path}: damaged checkpoint ({error}); delete it") from error
