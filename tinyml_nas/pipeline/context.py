"""How a stage is run: its key is made of what it is given and of the code that it runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec

from tinyml_nas.store.code import Sources, installed
from tinyml_nas.store.digest import Json, describe
from tinyml_nas.store.entries import Entry, Key, Store

Given = ParamSpec("Given")

_log = logging.getLogger(__name__)


class CodeChangedError(RuntimeError):
    """A stage is about to run that is no longer the one that its key names."""


@dataclass(frozen=True)
class Context:
    """A run at work. ``done`` collects the entry of each stage, for the result's provenance.

    ``delivered`` has the names of the folders that the run left its user. ``took`` has the stage and its
    seconds for each entry, None where the store had it.
    """

    store: Store
    done: list[Entry] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)
    took: list[tuple[str, float | None]] = field(default_factory=list)

    def run(
        self,
        stage: Callable[Concatenate[Path, Path, Given], Mapping[str, Json]],
        *nothing: Given.args,
        **given: Given.kwargs,
    ) -> Entry:
        """The entry of ``stage(folder, work, **given)``, from the store where it has run before.

        The stage can read nothing that its key does not hold: it is a module's own function, and is
        given plug-ins, plain values, artifacts and splits by name.

        Raises:
            CodeChangedError: the code is not what it was when the key was made.
        """
        assert not nothing, "what a stage is given has a name in its key"
        seconds: float | None = None
        name, key = stage.__name__, key_of(stage, given, installed())

        def timed(folder: Path, work: Path) -> Mapping[str, Json]:
            nonlocal seconds
            if key_of(stage, given, Sources()) != key:
                raise CodeChangedError(
                    f"{name}: the code that this stage runs was changed after the run began, so that "
                    "nobody could tell which of the two computed it; start the same command again: "
                    "what is done is kept"
                )
            _log.info("%s: running", name)
            started = time.monotonic()
            value = stage(folder, work, *nothing, **given)
            seconds = time.monotonic() - started
            return value

        entry = self.store.get(key, timed)
        done = "taken from the store" if seconds is None else f"done in {seconds:.1f} s"
        _log.info("%s: %s", name, done)
        self.done.append(entry)
        self.took.append((name, seconds))
        return entry


def key_of(stage: Callable[..., object], given: Mapping[str, object], sources: Sources) -> Key:
    """Everything that the stage's result depends on, with its code as ``sources`` has it.

    Raises:
        TypeError: the stage is not a module's own function, or is given what no key can hold.
    """
    if stage.__qualname__ != stage.__name__:
        raise TypeError(
            f"{stage.__qualname__}: a stage must be a module's own function, so that it reads only "
            "what it is given"
        )
    described = {name: describe(value) for name, value in given.items()}
    code = sources.code_of({stage.__module__, *_modules(given)})
    return Key(stage.__name__, described, code.digest, code.versions)


def _modules(value: object) -> Iterator[str]:
    """Modules of the plug-ins in ``value``: a stage calls their methods, and imports Protocols alone."""
    if is_dataclass(value) and not isinstance(value, type):
        yield type(value).__module__
        value = [getattr(value, item.name) for item in fields(value)]
    elif isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _modules(item)
