"""Builds a study from a composed configuration: the one place that makes objects out of it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tinyml_nas.config.checks import check_kind, check_kinds, checked
from tinyml_nas.config.errors import ConfigError, explain, under_key, unknown
from tinyml_nas.config.register import Config
from tinyml_nas.config.targets import is_protocol, plugin_class
from tinyml_nas.data.base import Dataset
from tinyml_nas.network.own import OwnInput
from tinyml_nas.study import Study, Task, base_classes

GROUPS = (
    "dataset",
    "field",
    "device",
    "memory",
    "supernet",
    "train_supernet",
    "train_teacher",
    "predictor",
    "constraint",
    "search",
    "finetune",
    "pruning",
    "taps",
    "quantizer",
    "learner",
    "baseline",
    "scenario",
    "stream",
    "project",
    "tracking",
)
"""Keys that hold plug-ins, in the order in which they are built: ``search`` takes the two before, and ``constraint``
copies values of ``device`` and ``memory``, which are refused under their own keys."""


def build(cfg: DictConfig, output_dir: Path, overrides: tuple[str, ...] = ()) -> Study:
    """Check every value of ``cfg`` and build the study.

    Raises:
        ConfigError: naming the key, what was given and what is allowed.
    """
    try:
        values = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(explain(error)) from error
    assert isinstance(values, dict)
    for key in values.keys() - {item.name for item in dataclasses.fields(Config)}:
        raise ConfigError(unknown(str(key), Config))
    if values["field"] is None:
        values["field"] = _met(values["dataset"])
    built: dict[str, Any] = {}
    for group in GROUPS:
        built[group] = construct(values[group], group, built)
    check_kinds(built)
    network = values["network"]
    if values["base_network"] is not None:
        base = base_classes(built["scenario"], built["dataset"], built["field"])
        if base:
            network, built["dataset"] = values["base_network"], _only(built["dataset"], base)
    study = Study(
        task=_checked(values["task"], Task, "task", {}),
        seed=_seed(values["seed"]),
        output_dir=output_dir,
        store_dir=Path(values["store"]).expanduser(),
        overrides=overrides,
        network=network,
        network_input=_own_input(values["network_input"]),
        network_finetune=values["network_finetune"],
        **{name: built[name] for name in GROUPS if name not in ("predictor", "constraint")},
    )
    return checked(study)


def check_tracking(study: Study) -> None:
    """Refuse a tracker whose library is not installed; what else a run needs is asked by ``build``.

    Raises:
        ConfigError: saying how to get it.
    """
    try:
        study.tracking.check()
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _met(dataset: object) -> object:
    """What the device meets where nothing else is said: the data set with all of its classes."""
    if not isinstance(dataset, dict) or "only_classes" not in dataset:
        return dataset
    return {**dataset, "only_classes": None}


def _only(dataset: Dataset, classes: tuple[int, ...]) -> Dataset:
    """The data set without its other classes, as ``dataset.only_classes`` gives it."""
    if "only_classes" not in {item.name for item in dataclasses.fields(dataset)}:  # type: ignore[arg-type]  # all plug-ins are dataclasses
        raise ConfigError(
            f"base_network: {type(dataset).__name__} cannot leave classes out; name a network of the "
            "old classes as network, and a data set of these as dataset"
        )
    return dataclasses.replace(dataset, only_classes=classes)  # type: ignore[type-var]  # the same


def construct(values: object, key: str, built: Mapping[str, Any]) -> Any:
    """Build the dataclass that ``values`` describes, found under ``key``.

    A field whose type is a ``Protocol`` is filled from ``built`` by its name.
    """
    if not isinstance(values, dict) or "_target_" not in values:
        raise ConfigError(f"{key}: must be one of its options, with a _target_; got {values!r}")
    given = dict(values)
    kind = plugin_class(given.pop("_target_"), key)
    hints = get_type_hints(kind)
    arguments: dict[str, Any] = {}
    for item in dataclasses.fields(kind):
        if item.init and is_protocol(hints[item.name]):
            if item.name not in built:
                raise ConfigError(
                    f"{key}: {kind.__name__} needs {item.name}, and cannot stand in its place"
                )
            arguments[item.name] = built[item.name]
        elif item.init and item.name in given:
            value = given.pop(item.name)
            arguments[item.name] = _checked(value, hints[item.name], f"{key}.{item.name}", built)
    for name in given:
        raise ConfigError(unknown(f"{key}.{name}", kind))
    try:
        return kind(**arguments)
    except (ValueError, TypeError) as error:
        raise ConfigError(under_key(str(error), key, list(hints))) from error


def _checked(value: Any, hint: Any, key: str, built: Mapping[str, Any]) -> Any:
    """``value`` as the type that the class wants."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin is Literal:
        if value not in arguments:
            allowed = ", ".join(str(argument) for argument in arguments)
            raise ConfigError(f"{key}: must be one of {allowed}; got {value!r}")
        return value
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _checked(value, inner, key, built)
    if origin is tuple:
        return _checked_tuple(value, arguments, key, built)
    if origin is Mapping:
        return _checked_mapping(value, arguments[1], key, built)
    if dataclasses.is_dataclass(hint):
        return construct(value, key, built)
    if hint is Path and isinstance(value, str):
        return Path(value).expanduser()
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise ConfigError(f"{key}: must be a finite number; got {value}")
        return float(value)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ConfigError(f"{key}: must be of type {hint.__name__}; got {value!r}")


def _checked_tuple(
    value: Any, hints: tuple[Any, ...], key: str, built: Mapping[str, Any]
) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ConfigError(f"{key}: must be a list; got {value!r}")
    if hints[-1] is Ellipsis:
        hints = hints[:1] * len(value)
    if len(value) != len(hints):
        raise ConfigError(f"{key}: must have {len(hints)} items; got {value!r}")
    pairs = enumerate(zip(value, hints, strict=True))
    return tuple(_checked(item, hint, f"{key}[{i}]", built) for i, (item, hint) in pairs)


def _checked_mapping(
    value: Any, kind: type[Any], key: str, built: Mapping[str, Any]
) -> dict[str, Any]:
    """Plug-ins of a kind by name; one that is null was taken out."""
    if not isinstance(value, dict):
        raise ConfigError(f"{key}: must hold plug-ins by name; got {value!r}")
    plugins = {}
    for name, item in value.items():
        if item is not None:
            plugins[name] = construct(item, f"{key}.{name}", built)
            check_kind(plugins[name], (kind,), f"{key}.{name}")
    return plugins


def _own_input(values: dict[str, Any]) -> OwnInput:
    try:
        return OwnInput.of(values)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _seed(seed: int) -> int:
    if not 0 <= seed < 2**32:
        raise ConfigError(f"seed: must be from 0 to {2**32 - 1}; got {seed}")
    return seed
