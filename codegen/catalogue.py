"""The learners that there are, and which of them a command line asks for: options come from their classes."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from codegen import learners
from codegen.learners.base import Learner

DEFAULT = "tybox"
NOT_OPTIONS = {"learning_rates"}  # a grid for streams to choose from
_ARGUMENT = re.compile(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", re.MULTILINE)


@cache
def kinds() -> Mapping[str, type[Learner]]:
    """The class of every learner by its option's name: a module of ``codegen/learners`` has one or none."""
    found: dict[str, type[Learner]] = {}
    for module in pkgutil.iter_modules(learners.__path__):
        content = vars(importlib.import_module(f"{learners.__name__}.{module.name}"))
        for kind in content.values():
            own = isinstance(kind, type) and kind.__module__ == content["__name__"]
            if own and hasattr(kind, "NAME") and hasattr(kind, "factory"):
                found[module.name] = kind
    return found


def description() -> str:
    """Every learner in one line, and the options that it has with their first values."""
    lines = []
    for name, kind in kinds().items():
        lines.append(f"{name:<16}{(kind.__doc__ or '').splitlines()[0]}")
        own = (f"{option(f.name)} {f.default}" for f in _fields(kind) if f.default is not None)
        lines.append(f"{'':<16}{' '.join(own)}")
    return "\n".join(lines) + "\n"


def add_options(group: argparse._ArgumentGroup, present: frozenset[str]) -> None:
    """One option for every field of a learner, but those that are ``present``."""
    for name in sorted(names() - present):
        owners = [kind for kind in kinds().values() if name in {f.name for f in _fields(kind)}]
        help_text = next((text for kind in owners if (text := _help(kind, name))), "")
        whose = ", ".join(key for key, kind in kinds().items() if kind in owners)
        kind = get_type_hints(owners[0])[name]
        settings: dict[str, Any] = {
            "help": f"{help_text} ({whose})".replace("%", "%%"),
            "default": None,
        }
        if kind is bool:
            settings["action"] = argparse.BooleanOptionalAction
        elif get_origin(kind) is Literal:
            settings["choices"] = get_args(kind)
        else:
            settings |= {"type": _number(kind), "metavar": "N"}
        group.add_argument(option(name), **settings)


def names() -> frozenset[str]:
    """All fields that are options, of all learners."""
    return frozenset(f.name for kind in kinds().values() for f in _fields(kind))


def option(field: str) -> str:
    """How a field is spelled on the command line.

    >>> option("prior_samples")
    '--prior-samples'
    """
    return f"--{field.replace('_', '-')}"


def in_options(message: str) -> str:
    """What a learner says of its field, said of the option.

    >>> in_options("learner.memory: must be in 2..1e+06; got 1")
    '--memory: must be in 2..1e+06; got 1'
    """
    return re.sub(r"^learner\.(\w+)", lambda match: option(match[1]), message)


def chosen(options: argparse.Namespace) -> Learner:
    """The learner that ``options`` ask for.

    Raises:
        ValueError: an option is of another learner, or out of its range; it is named.
    """
    name = options.learner or DEFAULT
    kind = kinds()[name]
    own = [f.name for f in _fields(kind)]
    given = {key: getattr(options, key) for key in names() if getattr(options, key) is not None}
    for key in sorted(given):
        if key not in own:
            has = ", ".join(map(option, own))
            raise ValueError(f"{option(key)}: --learner {name} has no such option; it has {has}")
    return kind(**given)


def values(learner: Learner) -> dict[str, Any]:
    """What the learner's options are set to."""
    return {f.name: getattr(learner, f.name) for f in _fields(type(learner))}


def _fields(kind: type[Learner]) -> list[Field[Any]]:
    return [f for f in fields(kind) if f.name not in NOT_OPTIONS]  # type: ignore[arg-type]  # they are dataclasses


def _help(kind: type[Learner], name: str) -> str:
    """What the class, or the one that it comes from, says of a field."""
    for base in kind.__mro__:
        for match in _ARGUMENT.finditer(base.__doc__ or ""):
            if match[1] == name:
                return " ".join(match[2].split()).rstrip(".")
    return ""


def _number(kind: Any) -> Callable[[str], float]:
    whole = kind is int or (get_origin(kind) in (Union, types.UnionType) and int in get_args(kind))

    def parse(text: str) -> float:
        try:
            return int(text) if whole else float(text)
        except ValueError:
            what = "a whole number" if whole else "a number"
            raise argparse.ArgumentTypeError(f"must be {what}; got {text[:40]!r}") from None

    return parse
