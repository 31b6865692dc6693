"""How weights move: SGD, AdamW, or Muon for the matrices and SGD for the rest; and their average."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

from tinyml_nas.training.base import Recipe

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
MUON_DECAY_RATIO = 50.0
"""Muon's decoupled decay per unit of ``weight_decay``: its steps are that much smaller."""

ADAM_SQUARES = 0.999
"""How much of the mean of squared gradients a step keeps (Kingma and Ba 2015's default)."""

MOMENTUM = "momentum_buffer"
SUFFIX = {MOMENTUM: ""}
"""States from before there was AdamW name the momentum by its number alone."""


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose step is the nearest semi-orthogonal matrix (Jordan et al. 2024).

    All singular values of a step are brought near 1 by five Newton-Schulz iterations, so that rare
    directions move as far as common ones. For weights (out, in, kh, kw) as (out, in * kh * kw).
    """

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float, momentum: float, weight_decay: float
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            rate, momentum, decay = group["lr"], group["momentum"], group["weight_decay"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                buffer = state["momentum_buffer"].mul_(momentum).add_(weight.grad)
                ahead = weight.grad.add(buffer, alpha=momentum)
                direction = orthogonalised(ahead.flatten(1)).view_as(weight)
                weight.mul_(1 - rate * decay).add_(direction, alpha=-rate)


def orthogonalised(matrix: Tensor) -> Tensor:
    """The matrix (m, n) with its singular values near 1, times sqrt(m / n) where it is tall."""
    rows, columns = matrix.shape
    x: Tensor = matrix.T if rows > columns else matrix
    x = x / (x.norm() + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if rows <= columns else x.T * math.sqrt(rows / columns)


class Optimizer:
    """One or two torch optimizers that follow one schedule."""

    def __init__(self, model: nn.Module, recipe: Recipe) -> None:
        self.recipe = recipe
        self.parts: list[torch.optim.Optimizer] = []
        rest = list(model.parameters())
        if recipe.optimizer == "muon":
            matrices = [p for p in rest if p.dim() == 4 and p.shape[1] > 1]
            chosen = {id(p) for p in matrices}
            rest = [p for p in rest if id(p) not in chosen]
            decay = recipe.weight_decay * MUON_DECAY_RATIO
            self.parts.append(Muon(matrices, recipe.matrix_learning_rate, recipe.momentum, decay))
        self.clipped = rest
        groups, rate = parameter_groups(rest, recipe.weight_decay), recipe.learning_rate
        if recipe.optimizer == "adamw":
            betas = (recipe.momentum, ADAM_SQUARES)
            self.parts.append(torch.optim.AdamW(groups, lr=rate, betas=betas))
        else:
            momentum = recipe.momentum
            self.parts.append(torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=True))
        self.peaks = [[group["lr"] for group in part.param_groups] for part in self.parts]

    def zero_grad(self) -> None:
        """Forget the last step's gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def step(self, rate: float) -> None:
        """Move the weights at ``rate`` times the peak learning rates.

        SGD's gradients are clipped to ``clip_norm``; Muon's length does not matter.
        """
        nn.utils.clip_grad_norm_(self.clipped, self.recipe.clip_norm)
        for part, peaks in zip(self.parts, self.peaks, strict=True):
            for group, peak in zip(part.param_groups, peaks, strict=True):
                group["lr"] = peak * rate
            part.step()

    def state(self) -> dict[str, Tensor]:
        """Momentum, and what else a part keeps, by name; weights without a gradient yet have none."""
        return {
            f"momentum.{number}.{index}{SUFFIX.get(name, f'.{name}')}": value.contiguous()
            for number, part in enumerate(self.parts)
            for index, state in part.state_dict()["state"].items()
            for name, value in state.items()
        }

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what ``state`` gave."""
        for number, part in enumerate(self.parts):
            prefix = f"momentum.{number}."
            kept: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(prefix):
                    index, _, name = key.removeprefix(prefix).partition(".")
                    kept.setdefault(int(index), {})[name or MOMENTUM] = value
            part.load_state_dict({**part.state_dict(), "state": kept})


def parameter_groups(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and BatchNorm's scale and shift do not."""
    return [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]


class Average:
    """Exponential moving average of a model's floats: weights, and BatchNorm's statistics.

    It reaches back ``steps`` steps, fewer at first (Tarvainen and Valpola 2017's warm-up).
    """

    def __init__(self, model: nn.Module, steps: int) -> None:
        self.model, self.steps = model, steps
        self.values = {k: v.clone() for k, v in self._floats().items()} if steps else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take the weights after ``step`` steps in."""
        if not self.steps:
            return
        weight = max(1 / self.steps, 9 / (10 + step))
        torch._foreach_lerp_(list(self.values.values()), list(self._floats().values()), weight)

    def state(self) -> dict[str, Tensor]:
        """The average by name."""
        return {f"average.{key}": value.contiguous() for key, value in self.values.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take back what ``state`` gave."""
        for key, value in self.values.items():
            value.copy_(tensors[f"average.{key}"])

    def apply(self) -> None:
        """Put the average into the model."""
        own = self._floats()
        for key, value in self.values.items():
            own[key].copy_(value)

    def _floats(self) -> dict[str, Tensor]:
        state = cast(dict[str, Tensor], self.model.state_dict())
        return {key: value for key, value in state.items() if value.is_floating_point()}
