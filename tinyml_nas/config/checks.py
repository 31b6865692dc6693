"""What can be known of a study before any data are read: refused before any work begins."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Protocol, get_args, get_type_hints

from tinyml_nas.config.errors import ConfigError, under_key
from tinyml_nas.conversion.look import check_file
from tinyml_nas.design.taps.none import NoTaps
from tinyml_nas.network.own import OwnInput, kind_of
from tinyml_nas.network.pretrained import imagenet_file
from tinyml_nas.network.shipped import NETWORKS, TEACHERS
from tinyml_nas.pipeline import bounds
from tinyml_nas.quantization.none import NoQuantization
from tinyml_nas.study import Study
from tinyml_nas.supernet.checkpoint import UNTRAINED, checkpoint_path, start_path
from tinyml_nas.training.base import Recipe
from tinyml_nas.training.recipes import LARGEST, DistilledRecipe, TaughtSupernetRecipe

Check = Callable[[], object]


def check_kinds(built: dict[str, Any]) -> None:
    """Refuse a plug-in that is not of its group's kind.

    Raises:
        ConfigError: naming the key and what the plug-in lacks.
    """
    for group, hint in get_type_hints(Study).items():
        if group in built:
            check_kind(built[group], get_args(hint) or (hint,), group)


def check_kind(plugin: object, kinds: tuple[type[Any], ...], key: str) -> None:
    """Refuse a plug-in that is of none of these kinds.

    Raises:
        ConfigError: naming the key and what the plug-in lacks.
    """
    lacks = [_lacks(plugin, kind) for kind in kinds]
    if all(lacks):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ConfigError(
            f"{key}._target_: must be a {wanted}; {type(plugin).__name__} lacks "
            f"{', '.join(lacks[0])}"
        )


def checked(study: Study) -> Study:
    """Ask every plug-in that the task is going to use whether it can work; fill in what a scenario left open.

    Raises:
        ConfigError: naming the key, what was given and what is allowed.
    """
    for group, check in _checks(study):
        plugin = getattr(study, group)
        fields = dataclasses.fields(plugin) if dataclasses.is_dataclass(plugin) else ()
        try:
            check()
        except ValueError as error:
            text, names = str(error), [item.name for item in fields]
            told = text.startswith((f"{group}: ", f"{group}=", f"{group}_"))
            raise ConfigError(text if told else under_key(text, group, names)) from error
    if study.task != "deploy":
        return study
    scenario = study.scenario.fitted(study.dataset, study.field)
    return dataclasses.replace(study, scenario=scenario)


def _checks(study: Study) -> Iterator[tuple[str, Check]]:
    """Groups in the order of the pipeline, each with what there is to ask."""
    data = study.dataset
    yield "dataset", data.check
    if study.task == "train_supernet":
        yield "train_supernet", lambda: study.train_supernet.check(data)
        yield "train_supernet", lambda: _check_device(study.train_supernet.device)
        yield "train_supernet", lambda: _check_taught(study.train_supernet, study)
        yield "supernet", lambda: start_path(study.supernet)
        return
    if study.task == "train_teacher":
        yield "train_teacher", lambda: study.train_teacher.check(data)
        yield "train_teacher", lambda: _check_device(study.train_teacher.device)
        yield "train_teacher", imagenet_file
        return
    if study.network is None:
        yield "supernet", lambda: checkpoint_path(study.supernet)
        yield "supernet", lambda: _check_kept(study)
        yield "finetune", lambda: study.finetune.check(data)
        yield "finetune", lambda: _check_device(study.finetune.device)
        yield "finetune", lambda: _check_taught(study.finetune, study)
        yield "pruning", lambda: _check_pruning(study)
    else:
        name = study.network
        yield "network", lambda: _check_network(study, name)
        if study.network_finetune:
            yield "finetune", lambda: study.finetune.check(data)
            yield "finetune", lambda: _check_device(study.finetune.device)
            yield "finetune", lambda: _check_taught_by_name(study)
    yield "taps", lambda: _check_taps(study)
    yield "quantizer", lambda: study.quantizer.check(data)
    yield "scenario", lambda: study.scenario.fitted(data, study.field).check(data, study.field)
    yield "field", study.field.check
    yield "project", lambda: study.project.check(data)


def _check_taps(study: Study) -> None:
    """Blocks are known of this program's own networks alone."""
    if study.network is not None and kind_of(study.network) and not isinstance(study.taps, NoTaps):
        raise ValueError(
            f"taps: must be none where the network is your own, as its blocks are not known; got {study.network}"
        )
    study.taps.check(study.dataset)


def _check_pruning(study: Study) -> None:
    space, classes = study.supernet, study.dataset.classes
    ends = [space.spec(genes, classes) for genes in (space.smallest(), space.largest())]
    study.pruning.check(ends, bounds.limits(study), study.dataset)


def _check_network(study: Study, name: str) -> None:
    """What the user's own file or function gives is looked at; neither Keras nor TensorFlow is imported."""
    kind, classes, given = kind_of(name), study.dataset.classes, study.network_input
    if study.network_finetune and kind != "torch":
        raise ValueError(
            f"network_finetune: trains a torch module, network=module:function; {name} is none, and is deployed as it is"
        )
    if kind is None:
        if given != OwnInput():
            raise ValueError(
                f"network_input: is of networks of your own; the network {name} knows what images it takes"
            )
        NETWORKS.check(name, classes)
    elif kind == "torch":
        from tinyml_nas.network.user import taken

        side = given.side((None, None, given.channels))
        taken(name, side, given.seen(), classes, learns=study.network_finetune)
    else:
        quantizes = not isinstance(study.quantizer, NoQuantization)
        check_file(name, given, classes, quantizes=quantizes)


def _check_taught_by_name(study: Study) -> None:
    """A network of the user's own is in no supernet that could teach it."""
    recipe = study.finetune
    if isinstance(recipe, DistilledRecipe) and recipe.teacher == LARGEST:
        raise ValueError(
            f"finetune.teacher: {LARGEST} is a supernet's largest network, which knows nothing of yours; take "
            f"finetune=standard, or name a teacher ({', '.join(TEACHERS.names)})"
        )
    _check_taught(recipe, study)


def _check_kept(study: Study) -> None:
    """Weights are kept of a supernet that knows the classes."""
    if study.finetune.keep_inherited and study.supernet.checkpoint in (None, UNTRAINED):
        raise ValueError(
            "supernet.checkpoint: must be a supernet that was trained on the data set, where "
            f"finetune.keep_inherited keeps its weights; got {study.supernet.checkpoint}; "
            "finetune=standard trains the network that is found"
        )


def _check_taught(recipe: Recipe, study: Study) -> None:
    """A teacher of the supernet itself is there where that is trained."""
    if isinstance(recipe, DistilledRecipe) and recipe.teacher == LARGEST:
        if study.supernet.checkpoint == UNTRAINED:
            raise ValueError(
                f"finetune.teacher: {LARGEST} is the supernet's largest network, and this supernet is "
                f"untrained; name a teacher ({', '.join(TEACHERS.names)}), or take finetune=standard"
            )
    elif isinstance(recipe, DistilledRecipe | TaughtSupernetRecipe):
        TEACHERS.check(recipe.teacher, study.dataset.classes)


def _check_device(device: str) -> None:
    """Imports torch only where a GPU is asked for."""
    if device == "cuda":
        from tinyml_nas.training.hardware import require_gpu

        require_gpu()


def _lacks(plugin: object, kind: type[Any]) -> list[str]:
    """What keeps ``plugin`` from being of this kind; empty where nothing does."""
    if Protocol in kind.__bases__:
        wanted = [name for name in dir(kind) if name[0] != "_"]
        # Looked up, not asked for: what a data set knows only once it was read is not read here.
        return [name for name in wanted if inspect.getattr_static(plugin, name, _lacks) is _lacks]
    return [] if isinstance(plugin, kind) else [f"being a {kind.__name__}"]
