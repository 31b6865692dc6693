"""What pruning takes from a network and what gives it back, by criterion, scope and share, on validation images.

    python -m benchmarks.pruning --criterion l1 random --scope uniform bytes --keep-ratio 0.494 0.331 [--passes 5]

The network is the shipped supernet lite0's own, from ImageNet, whole up to stage 6 and at 48 pixels: 2.36 M
parameters, as much as the thesis's baseline has. Scored on the embedded sample's 1,000 validation images, never on test
images: as it is left by pruning, with BatchNorm's statistics measured anew, with its layers fitted to the whole network's
instead, and after so many passes of the recovery of finetune=recover over the 4,000 training images.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hydra import compose, initialize_config_dir

from tinyml_nas import config
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.cost import layers, thesis_size_bytes
from tinyml_nas.network.module import StaticNetwork, spec_of
from tinyml_nas.pruning.base import Limits, Step
from tinyml_nas.pruning.criterion import Criterion
from tinyml_nas.study import Study
from tinyml_nas.supernet.files import load_supernet
from tinyml_nas.supernet.inherit import inherit
from tinyml_nas.supernet.lite0_space import Lite0Space
from tinyml_nas.training.loop import accuracy, finetune, recalibrate
from tinyml_nas.types import Images

CRITERIA = ("l1", "l2", "fpgm", "taylor", "bn_scale", "random")
SCOPES = ("uniform", "bytes", "global")
LAST_STAGE, RESOLUTION = 6, 48
RECALIBRATION_IMAGES = 1000
LIMITS = Limits(thesis_size_bytes)


def study_of(criterion: str) -> Study:
    """The study of ``pruning=criterion`` on the embedded sample."""
    config.register()
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        chosen = compose("config", [f"pruning={criterion}", "finetune=recover", "name=pruning"])
        return config.build(chosen, Path("outputs"))


def baseline(study: Study, train: Images) -> StaticNetwork:
    """Υ."""
    space = study.supernet
    assert isinstance(space, Lite0Space)
    genes = space.largest()
    genes[0] = space.resolutions.index(RESOLUTION)
    genes[1] = space.last_stages.index(LAST_STAGE)
    return inherit(load_supernet(space, study.dataset.classes), genes, train)


def line(
    study: Study,
    whole: StaticNetwork,
    pruning: Criterion,
    train: Images,
    validation: Images,
    passes: float,
) -> Iterator[str]:
    """Cells of a row: share kept, multiply-adds, four accuracies, seconds of pruning and of recovery."""
    step = Step(thesis_size_bytes(spec_of(whole)), train, study.seed)
    plain = replace(pruning, reconstruction_images=0).prune(whole, LIMITS, step)
    spec = spec_of(plain)
    yield f"{100 * thesis_size_bytes(spec) / step.whole_bytes:.1f} %"
    yield f"{sum(layer.macs for layer in layers(spec)) / 1e6:.1f}"
    yield f"{100 * accuracy(plain, validation):.1f}"
    recalibrate(plain, train[:RECALIBRATION_IMAGES])
    yield f"{100 * accuracy(plain, validation):.1f}"
    began = time.process_time()
    fitted = pruning.prune(whole, LIMITS, step)
    took = time.process_time() - began
    yield f"{100 * accuracy(fitted, validation):.1f}"
    yield f"{took:.0f}"
    if not passes:
        return
    recipe = replace(study.finetune, epochs=passes).after_pruning()
    for network in (plain, fitted):
        with tempfile.TemporaryDirectory() as folder:
            finetune(network, train, recipe, Path(folder), study.seed, teacher=whole)
        yield f"{100 * accuracy(network, validation):.1f}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="What pruning takes, on validation images.")
    parser.add_argument("--criterion", nargs="+", choices=CRITERIA, default=CRITERIA)
    parser.add_argument("--scope", nargs="+", choices=SCOPES, default=["bytes"])
    parser.add_argument("--keep-ratio", nargs="+", type=float, default=[0.494, 0.331])
    parser.add_argument("--passes", type=float, default=0.0, help="of recovery; 0 for none")
    parser.add_argument("--reconstruction-images", type=int, default=500)
    arguments = parser.parse_args()
    data = Cifar10Sample()
    train, validation = data.split("train"), data.split("validation")
    whole = baseline(study_of("l1"), train)
    sys.stdout.write(f"Υ: {100 * accuracy(whole, validation):.1f} %\n")
    sys.stdout.write(
        "| criterion | scope | kept | M MACs | pruned | statistics anew | fitted | s | recovered | fitted, recovered |\n"
    )
    for keep_ratio in arguments.keep_ratio:
        for scope in arguments.scope:
            for criterion in arguments.criterion:
                study = study_of(criterion)
                assert isinstance(study.pruning, Criterion)
                pruning = replace(
                    study.pruning,
                    keep_ratio=keep_ratio,
                    scope=scope,
                    reconstruction_images=arguments.reconstruction_images,
                )
                sys.stdout.write(f"| {criterion} | {scope} |")
                for cell in line(study, whole, pruning, train, validation, arguments.passes):
                    sys.stdout.write(f" {cell} |")
                    sys.stdout.flush()
                sys.stdout.write("\n")


if __name__ == "__main__":
    main()
