"""What bounds Ω before anything is trained: a network that cannot fit is told so at once."""

from __future__ import annotations

from dataclasses import replace

from codegen.boards.board import Board
from codegen.learners.base import Learner
from tinyml_nas.design.limits import OmegaLimits, useful_samples
from tinyml_nas.design.omega import OmegaSize, size_of_shapes
from tinyml_nas.network.cost import thesis_size_bytes
from tinyml_nas.network.graph import Dtype
from tinyml_nas.network.spec import NetworkSpec
from tinyml_nas.pipeline.expected import Expected
from tinyml_nas.pruning.base import Limits
from tinyml_nas.pruning.none import NoPruning
from tinyml_nas.quantization.none import NoQuantization
from tinyml_nas.search.base import Exceeded
from tinyml_nas.study import Study


def room(study: Study) -> OmegaLimits | None:
    """What Ω must fit, of a pruning that asks for it; None for others: they depend on no board."""
    if not study.pruning.asks_board:
        return None
    return OmegaLimits(
        study.device,
        study.memory,
        planned(study),
        study.dataset.class_names,
        study.pruning.buffer_samples,
        dtype(study),
    )


def planned(study: Study) -> Learner:
    """The learner that a network is made for: where it is to be chosen, the first candidate."""
    return next(iter(study.learners.values()))


def dtype(study: Study) -> Dtype:
    """What the extractor is deployed in."""
    return "float32" if isinstance(study.quantizer, NoQuantization) else "int8"


def searched(study: Study) -> Expected:
    """What the search counts on: what will be made of a network, where it is to see that."""
    if not study.search.constraint.as_deployed:
        return Expected(NoPruning(), "int8", 1)
    return Expected(
        study.pruning.expected(_smallest(study), limits(study)),
        dtype(study),
        useful_samples(study.pruning.buffer_samples, planned(study), study.memory),
        study.taps,
    )


def limits(study: Study) -> Limits:
    """What the study's networks are pruned to."""
    return Limits(thesis_size_bytes, room(study))


def of_search(study: Study) -> tuple[Exceeded, ...]:
    """Limits of the search that even the smallest network of its space exceeds: then all do.

    Of one that is pruned, memory says nothing of what others are pruned to.
    """
    smallest, expected = _smallest(study), searched(study)
    cost = expected.cost(smallest, study.device)
    if not expected.leaves_whole(smallest):
        cost = replace(cost, flash_bytes=0, sram_bytes=0, omega_bytes=0)
    return study.search.constraint.exceeded(cost)


def of_space(study: Study) -> OmegaSize | None:
    """The smallest network's Ω, where it is sure that it does not fit; None where it may.

    A larger network may become smaller than this one where it is pruned, so that nothing is sure then.
    """
    smallest = _smallest(study)
    pruning = study.pruning
    is_whole = pruning.foreseen and pruning.narrowed(smallest, limits(study)) == smallest
    return too_large(study, smallest) if is_whole else None


def of_trained(study: Study, spec: NetworkSpec) -> OmegaSize | None:
    """As ``of_space``, for a network that is to be trained, pruned and deployed.

    Where only its weights will tell how it is pruned, nothing is sure.
    """
    if not study.pruning.foreseen:
        return None
    return too_large(study, study.pruning.narrowed(spec, limits(study)))


def too_large(study: Study, spec: NetworkSpec) -> OmegaSize | None:
    """As ``of_space``, for a network that is to be tapped and deployed, by any learner that there is."""
    found = _too_large(study, spec, study.device)
    if found is None or found.whatever_the_arena or study.device.ram_first:
        return found
    # The compiler will run the operators in chains there.
    return _too_large(study, spec, replace(study.device, ram_first=1.0))


def _too_large(study: Study, spec: NetworkSpec, board: Board) -> OmegaSize | None:
    least = study.taps.least(spec)
    sizes = [
        size_of_shapes(
            least,
            learner,
            board,
            study.memory,
            study.dataset.class_names,
            dtype=dtype(study),
        )
        for learner in study.learners.values()
    ]
    return sizes[0] if all(size.surely_too_large for size in sizes) else None


def _smallest(study: Study) -> NetworkSpec:
    space = study.supernet
    spec: NetworkSpec = space.spec(space.smallest(), study.dataset.classes)
    return spec
