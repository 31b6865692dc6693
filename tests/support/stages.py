"""Every stage of the pipeline with something to be given: plug-ins that are real, artifacts that are not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codegen.boards.board import load
from codegen.learners.base import Knob
from codegen.learners.tybox import Tybox
from scenarios.streams.runs import Runs
from scenarios.worlds.concept_drift import ConceptDrift
from tests.support.spaces import TINY_SPACE
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.own import OwnInput, UserModule
from tinyml_nas.pipeline.compilers import HostCompiler, TargetCompiler
from tinyml_nas.pipeline.expected import Expected
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.accuracy import accuracy
from tinyml_nas.pipeline.stages.adopt import adopt
from tinyml_nas.pipeline.stages.answers import answers
from tinyml_nas.pipeline.stages.calibrate import calibrate
from tinyml_nas.pipeline.stages.convert import convert
from tinyml_nas.pipeline.stages.drive import drive
from tinyml_nas.pipeline.stages.extract import extract
from tinyml_nas.pipeline.stages.finetune import finetune
from tinyml_nas.pipeline.stages.generate import generate
from tinyml_nas.pipeline.stages.given import given
from tinyml_nas.pipeline.stages.inherit import inherit
from tinyml_nas.pipeline.stages.isolate import isolate
from tinyml_nas.pipeline.stages.judge import judge
from tinyml_nas.pipeline.stages.link import link
from tinyml_nas.pipeline.stages.observe import observe
from tinyml_nas.pipeline.stages.portray import portray
from tinyml_nas.pipeline.stages.prune import prune
from tinyml_nas.pipeline.stages.quantize import quantize
from tinyml_nas.pipeline.stages.rearrange import rearrange
from tinyml_nas.pipeline.stages.score import score
from tinyml_nas.pipeline.stages.search import search
from tinyml_nas.pipeline.stages.summarise import summarise
from tinyml_nas.pipeline.stages.tap import tap
from tinyml_nas.pipeline.stages.train_supernet import train_supernet
from tinyml_nas.pipeline.stages.train_teacher import train_teacher
from tinyml_nas.pruning.l1 import L1
from tinyml_nas.quantization.int8 import Int8
from tinyml_nas.search.cnas import CNAS
from tinyml_nas.search.constraints.board import BoardConstraint
from tinyml_nas.search.predictors.rbf import RbfPredictor
from tinyml_nas.training.recipes import DistilledRecipe, SupernetRecipe, TeacherRecipe
from tinyml_nas.types import Artifact, Extractor, Seen

Stage = Callable[..., object]

TRAIN, VALIDATION, TEST = (Split(Cifar10Sample(), name) for name in ("train", "validation", "test"))
BOARD = load("nucleo_l4r5zi")
NETWORK = Artifact(Path("/store/network"), "5e1f")
PROJECT = Artifact(Path("/store/project"), "9a7c")
FEATURES = Artifact(Path("/store/features"), "07d3")
EXTRACTOR = Extractor(Artifact(Path("/store/extractor"), "c0de"), 48, "int8", 0.05, -3)
COMPILER = HostCompiler("g++ 12.2", Path("/store/host"))
SUPERNET = {
    "supernet": TINY_SPACE,
    "checkpoint": Artifact(Path("/checkpoint"), "77aa"),
    "classes": 10,
    "train": TRAIN,
    "validation": VALIDATION,
}
FIELD = {"project": PROJECT, "features": FEATURES, "images": TEST, "compiler": COMPILER}

STAGES: Mapping[Stage, Mapping[str, Any]] = {
    search: {
        **SUPERNET,
        "strategy": CNAS(RbfPredictor(), BoardConstraint(10**6, 10**5)),
        "board": BOARD,
        "expected": Expected(L1(0.6), "int8", 128),
        "seed": 3,
    },
    inherit: {**SUPERNET, "genes": (0, 1, 1)},
    given: {"network": NETWORK, "validation": VALIDATION},
    finetune: {
        "network": NETWORK,
        "teacher": Artifact(Path("/store/teacher"), "1ead"),
        "answers": None,
        "recipe": DistilledRecipe(epochs=2.0),
        "train": TRAIN,
        "validation": VALIDATION,
        "seed": 3,
    },
    answers: {"teacher": NETWORK, "images": TRAIN, "device": "cpu"},
    prune: {
        "network": NETWORK,
        "pruning": L1(0.4),
        "room": None,
        "whole_bytes": 90_000,
        "step": 1,
        "train": TRAIN,
        "validation": VALIDATION,
        "seed": 3,
    },
    tap: {"network": NETWORK, "taps": (1, 2), "folded": 20, "train": TRAIN},
    accuracy: {"network": NETWORK, "images": TEST},
    adopt: {"module": UserModule("module:function", "f00d", 32, Seen())},
    extract: {
        "network": NETWORK,
        "kind": "torch",
        "given": OwnInput(32, 3, (0.0,), (255.0,)),
        "classes": 10,
        "images": VALIDATION,
    },
    judge: {"extractor": EXTRACTOR, "images": TEST},
    convert: {"network": NETWORK, "images": VALIDATION},
    quantize: {"keras": NETWORK, "quantizer": Int8(), "resolution": 24, "train": TRAIN},
    generate: {
        "name": "program",
        "extractor": EXTRACTOR,
        "learner": Tybox(0.01),
        "buffer_samples": 40,
        "board": BOARD,
        "class_names": ("cat", "dog"),
        "images": TEST,
        "golden_images": 2,
        "reported": {"flash": {"code": 9000, "weights": 100}, "ram": {"arena": 400}},
        "statistics": Artifact(Path("/store/statistics"), "3d1e"),
    },
    isolate: {
        "extractor": EXTRACTOR,
        "learner": Tybox(0.01),
        "buffer_samples": 40,
        "board": BOARD,
        "statistics": Artifact(Path("/store/statistics"), "3d1e"),
    },
    summarise: {
        "program": PROJECT,
        "extractor": EXTRACTOR,
        "images": TRAIN,
        "rows": (0, 2),
        "most_images": 50,
        "compiler": COMPILER,
    },
    link: {"project": PROJECT, "board": BOARD, "compiler": TargetCompiler("arm 12.2")},
    observe: {
        "program": PROJECT,
        "extractor": EXTRACTOR,
        "images": TEST,
        "checked_images": 10,
        "compiler": COMPILER,
    },
    score: FIELD,
    portray: {"scored": Artifact(Path("/store/scored"), "5c0e"), "images": TEST},
    calibrate: {
        **FIELD,
        "scenario": ConceptDrift(),
        "order": Runs(),
        "later_features": None,
        "knobs": (Knob("learning_rate", 0.01, 1e-9, 1.0, (0.01, 0.1)),),
        "seed": 3,
    },
    drive: {
        **FIELD,
        "scenario": ConceptDrift(),
        "order": Runs(),
        "later_features": Artifact(Path("/store/later"), "1a7e"),
        "pool_features": Artifact(Path("/store/pool"), "b001"),
        "pool_images": TRAIN,
        "seed": 3,
    },
    rearrange: {"extractor": EXTRACTOR, "rows": (1, 0)},
    train_supernet: {
        "name": "tiny",
        "supernet": TINY_SPACE,
        "recipe": SupernetRecipe(epochs=2.0, decay_epochs=1.0),
        "extends": None,
        "imagenet": None,
        "start": Artifact(Path("/store/supernet"), "57a7"),
        "answers": Artifact(Path("/store/answers"), "5a1d"),
        "classes": 10,
        "train": TRAIN,
        "validation": VALIDATION,
        "board": BOARD,
        "seed": 3,
    },
    train_teacher: {
        "imagenet": Artifact(Path("/imagenet"), "10ad"),
        "recipe": TeacherRecipe(epochs=2.0),
        "classes": 10,
        "train": TRAIN,
        "validation": VALIDATION,
        "seed": 3,
    },
}
"""What a key is made of; the artifacts lie nowhere."""
