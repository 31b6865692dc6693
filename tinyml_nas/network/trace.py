"""What a torch module computes, as a list of ATen operators: read by running it once.

Whatever Python does on the way (``if``, loops, ``torch.nn.functional``, methods of tensors, ``x.size(0)``) has been
done when an operator reaches torch's dispatcher, and composite functions have been taken apart there. So the list is
short and has no spellings of one thing: ``nn.ReLU6()``, ``F.relu6(x)`` and ``x.clamp(0, 6)`` differ in little. What
does not depend on the image (a standardised weight, a transposed one) is a constant, already computed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.utils._python_dispatch import TorchDispatchMode

IMAGES = 2
"""Of a trace: more than one, so that ``squeeze`` leaves the batch alone."""

CONSTANT = frozenset(
    {"zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones"}
)
"""Operators that take an image for its shape alone."""

DECIDES = "_local_scalar_dense"
"""The operator that gives Python an element of a tensor."""


class TraceError(ValueError):
    """A module that cannot be read: it does not run, or gives no tensor."""


@dataclass(frozen=True, eq=False)
class Symbol:
    """A tensor that depends on the images. ``shape`` has the batch of ``IMAGES``; ``broken`` says why it is unknown."""

    shape: tuple[int, ...]
    broken: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """One operator. ``args`` are symbols, constant tensors, numbers and lists of these; defaults may be absent.

    ``path`` is the module that called it, from the root (empty), and ``kind`` that module's class.
    """

    op: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    outputs: tuple[Symbol, ...]
    path: str
    kind: str

    @property
    def reads(self) -> list[Symbol]:
        """The symbols among the arguments."""
        return [item for item in _leaves((self.args, self.options)) if isinstance(item, Symbol)]


@dataclass(frozen=True, eq=False)
class Trace:
    """From ``image`` to ``logits``."""

    image: Symbol
    steps: tuple[Step, ...]
    logits: Symbol

    def digest(self) -> str:
        """SHA-256 (hex) of every operator and constant, in order: of what the module computes."""
        numbers = {self.image: 0}
        content = hashlib.sha256()
        for step in self.steps:
            content.update(f"{step.op} {_text((step.args, step.options), numbers)}\n".encode())
            for symbol in step.outputs:
                numbers[symbol] = len(numbers)
        content.update(str(numbers[self.logits]).encode())
        return content.hexdigest()


@torch.no_grad()
def trace(
    network: nn.Module, image_shape: tuple[int, int, int], *, training: bool = False
) -> Trace:
    """Run ``network`` on black images of ``image_shape`` (C, H, W), in evaluation mode unless in ``training``.

    In training it changes the statistics of BatchNorm, and what it draws at random is a constant.

    Raises:
        TraceError: it fails, or gives anything but one known tensor with a row for each image.
    """
    was_training = network.training
    images = torch.zeros(IMAGES, *image_shape)
    recorder = _Recorder(network, images)
    network.train(training)
    try:
        with recorder.paths(), recorder:
            made = network(images)
    except Exception as error:
        raise TraceError(
            f"it fails on {IMAGES} images {image_shape}, at {recorder.place()}: {type(error).__name__}: {error}"
        ) from error
    finally:
        network.train(was_training)
    if not isinstance(made, Tensor) or made.shape[:1] != (IMAGES,):
        shown = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
        raise TraceError(
            f"it must give one tensor of logits, (N, classes); for {IMAGES} images it gives {shown}"
        )
    logits = recorder.symbol_of(made)
    if logits is None:
        raise TraceError("its logits do not depend on the image")
    if logits.broken:
        raise TraceError(f"it {logits.broken}; use inplace=False")
    return Trace(recorder.image, tuple(_needed(recorder.steps, logits)), logits)


@dataclass
class _Known:
    """A tensor is held, so that no other gets its address."""

    tensor: Tensor
    symbol: Symbol


@dataclass
class _Place:
    path: str
    kind: str


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own has no types
    def __init__(self, network: nn.Module, images: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.steps: list[Step] = []
        self.image = Symbol(tuple(images.shape))
        self._known = {id(images): _Known(images, self.image)}
        self._names = {id(module): name for name, module in network.named_modules()}
        self._stack = [_Place("", type(network).__name__)]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        op = func.overloadpacket.__name__
        given = [self.symbol_of(item) for item in _leaves((args, options))]
        if all(symbol is None for symbol in given) or op in CONSTANT:
            return func(*args, **options)
        described = self._described(args), self._described(options)
        out = func(*args, **options)
        written = args[0] if op.endswith("_") else None
        if isinstance(written, Tensor):
            self._break_views(written)
        tensors = list(_leaves(out)) if written is None else [written]
        symbols = []
        for item in tensors:
            shape = tuple(item.shape) if isinstance(item, Tensor) else ()
            symbols.append(Symbol(shape))
            if isinstance(item, Tensor):
                self._known[id(item)] = _Known(item, symbols[-1])
        place = self._stack[-1]
        name = op.removesuffix("_") if written is not None else op
        self.steps.append(Step(name, *described, tuple(symbols), place.path, place.kind))
        return out

    def symbol_of(self, item: object) -> Symbol | None:
        known = self._known.get(id(item))
        return None if known is None else known.symbol

    def place(self) -> str:
        """Where the run is."""
        place = self._stack[-1]
        return f"{place.path or 'the top'} ({place.kind})"

    @contextmanager
    def paths(self) -> Generator[None]:
        """Know which module is at work."""

        def enter(module: nn.Module, _inputs: object) -> None:
            path = self._names.get(id(module), self._stack[-1].path)
            self._stack.append(_Place(path, type(module).__name__))

        def leave(_module: nn.Module, _inputs: object, _out: object) -> None:
            self._stack.pop()

        hooks = register_module_forward_pre_hook(enter), register_module_forward_hook(leave)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _described(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.symbol_of(value) or value.detach().clone()
        if isinstance(value, list | tuple):
            return type(value)(self._described(item) for item in value)
        if isinstance(value, dict):
            return {name: self._described(item) for name, item in value.items()}
        return value

    def _break_views(self, written: Tensor) -> None:
        """What shares memory with a tensor that is written is no longer what it was."""
        memory = written.untyped_storage().data_ptr()
        for known in self._known.values():
            if known.tensor is not written and known.tensor.untyped_storage().data_ptr() == memory:
                reason = "reads a tensor of which a view was changed in place"
                known.symbol = Symbol(known.symbol.shape, reason)


def _needed(steps: list[Step], logits: Symbol) -> list[Step]:
    """The steps that the logits are made from, in their order, and those that Python has decided by."""
    wanted, needed = {logits}, list[Step]()
    for step in reversed(steps):
        if step.op == DECIDES or not wanted.isdisjoint(step.outputs):
            needed.insert(0, step)
            wanted.update(step.reads)
    return needed


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    else:
        yield value


def _text(value: Any, numbers: dict[Symbol, int]) -> str:
    if isinstance(value, Symbol):
        return f"%{value.broken or numbers[value]}"
    if isinstance(value, Tensor):
        data = value.contiguous().cpu()
        content = hashlib.sha256(data.flatten().view(torch.uint8).numpy().tobytes())
        return f"{data.dtype}{tuple(data.shape)}{content.hexdigest()}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text(item, numbers) for item in value)}]"
    if isinstance(value, dict):
        items = (f"{name}={_text(item, numbers)}" for name, item in sorted(value.items()))
        return f"{{{', '.join(items)}}}"
    return repr(value)
