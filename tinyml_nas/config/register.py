"""Schemas for hydra: the top level, and one derived from the class of every option file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from codegen.boards import board as boards
from codegen.boards.board import Board
from tinyml_nas.config.errors import ConfigError
from tinyml_nas.config.folders import CONF, check_own
from tinyml_nas.config.targets import is_protocol, plugin_class


@dataclass
class Data:
    """Where data sets lie."""

    root: str = MISSING


@dataclass
class Input:
    """What there is to say of the images that a network of the user's own takes."""

    size: int | None = None
    channels: int = 3
    mean: Any = None
    std: Any = None


@dataclass
class Config:
    """Top level of the configuration; mutable because hydra composes in place."""

    task: str = MISSING
    name: str = MISSING
    seed: int = MISSING
    store: str = MISSING
    network: str | None = None
    base_network: str | None = None
    network_input: Input = dataclasses.field(default_factory=Input)
    network_finetune: bool = False
    data: Data = dataclasses.field(default_factory=Data)
    dataset: Any = MISSING
    field: Any = None
    device: Any = MISSING
    supernet: Any = MISSING
    train_supernet: Any = MISSING
    train_teacher: Any = MISSING
    predictor: Any = MISSING
    constraint: Any = MISSING
    search: Any = MISSING
    finetune: Any = MISSING
    pruning: Any = MISSING
    taps: Any = MISSING
    quantizer: Any = MISSING
    memory: Any = MISSING
    learner: Any = MISSING
    baseline: Any = MISSING
    scenario: Any = MISSING
    stream: Any = MISSING
    project: Any = MISSING
    tracking: Any = MISSING


def register(folders: Sequence[Path] = (CONF,)) -> None:
    """Put the schema of the top level and of every plug-in into hydra's ConfigStore.

    The plug-ins are the classes that the option files of ``folders`` name; the first is ``CONF``.

    Raises:
        ConfigError: an option file names a class that does not exist or may not be built, or one of
            the user's own cannot be read, or would never be.
    """
    for folder in folders[1:]:
        check_own(folder)
    store = ConfigStore.instance()
    store.store(name="top_level", node=Config)
    known: dict[str, str] = {}
    for path, target in plugin_targets(folders):
        file = "/".join(path.parts[-3:])
        kind = plugin_class(target, file)
        if known.setdefault(kind.__name__, target) != target:
            raise ConfigError(
                f"{file}: _target_: schemas go by class name, and {known[kind.__name__]} has the "
                f"same as {target}; rename one"
            )
        store.store(group="schema", name=kind.__name__, node=schema_of(kind))  # type: ignore[arg-type]  # classes are hashable
    store.store(group="schema", name="Board", node=schema_of(Board))
    for name, path in board_files(folders).items():
        try:
            node = _schema_value(boards.read(path))
        except (ValueError, OSError) as error:
            raise ConfigError(f"{path}: {error}") from error
        store.store(group="device", name=name, node=node)


def board_files(folders: Sequence[Path]) -> dict[str, Path]:
    """The options of ``device``: the package's boards, and ``device/*.toml`` of the user's folders.

    Raises:
        ConfigError: two go by one name.
    """
    found = {path.stem: path for path in sorted(boards.FOLDER.glob("*.toml"))}
    for path in (path for folder in folders for path in sorted(folder.glob("device/*.toml"))):
        if path.stem in found or path.with_suffix(".yaml").is_file():
            raise ConfigError(f"{path}: there is another device of the name {path.stem}; rename it")
        found[path.stem] = path
    return found


def plugin_targets(folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Every option file with a class, and the class that it names."""
    for path in (path for folder in folders for path in sorted(folder.glob("*/*.yaml"))):
        for target in re.findall(
            r"^_target_: *(\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            yield path, target


@cache  # one twin of each class: OmegaConf compares types
def schema_of(kind: type[Any]) -> type[Any]:
    """A mutable twin of a plug-in's class, in types that OmegaConf checks.

    Fields that hold another group's plug-in (their type is a ``Protocol``) are left out: ``build``
    fills them in.
    """
    hints = get_type_hints(kind)
    target = f"{kind.__module__}.{kind.__qualname__}"
    own = [
        (item.name, _schema_type(hints[item.name]), _schema_default(item))
        for item in dataclasses.fields(kind)
        if item.init and not is_protocol(hints[item.name])
    ]
    target_field = ("_target_", str, dataclasses.field(default=target))
    return dataclasses.make_dataclass(kind.__name__, [target_field, *own])


def _schema_type(hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Path:
        return str
    if origin is Literal:
        return type(arguments[0])
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _schema_type(inner) | None
    if origin is tuple:
        return list[_schema_type(arguments[0])]  # type: ignore[misc]  # built at run time
    if origin is Mapping:
        return dict[str, Any]
    if dataclasses.is_dataclass(hint):
        return schema_of(hint)  # type: ignore[arg-type]  # a class, not an instance
    return hint


def _schema_default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is not dataclasses.MISSING:
        value = _schema_value(item.default_factory())
    elif item.default is not dataclasses.MISSING:
        value = _schema_value(item.default)
    else:
        value = MISSING
    return dataclasses.field(default_factory=lambda: value)


def _schema_value(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [item.name for item in dataclasses.fields(value) if item.init]
        schema = schema_of(type(value))
        return schema(**{name: _schema_value(getattr(value, name)) for name in names})
    if isinstance(value, tuple):
        return [_schema_value(item) for item in value]
    return value
