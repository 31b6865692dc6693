"""Each stage of a real run, once more and alone in a process: what it loads, reads and writes.

A stage is pickled with what it is given while a run calls it, so that a fresh interpreter can run it.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import codegen
import scenarios
import tinyml_nas
from tests.support.stages import STAGES
from tests.tinyml_nas.pipeline.conftest import ROOT, TINY_SUPERNET, TINY_TEACHER
from tinyml_nas.data.sample import Cifar10Sample
from tinyml_nas.network.own import OwnInput
from tinyml_nas.network.shipped import NETWORKS
from tinyml_nas.network.user import taken
from tinyml_nas.pipeline.artifacts import network_files
from tinyml_nas.pipeline.context import Context, _modules
from tinyml_nas.pipeline.results import artifact_of, extractor_of
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.adopt import adopt
from tinyml_nas.pipeline.stages.answers import answers
from tinyml_nas.pipeline.stages.extract import extract
from tinyml_nas.pipeline.stages.judge import judge
from tinyml_nas.pipeline.stages.tap import tap
from tinyml_nas.store.code import PACKAGES, Sources
from tinyml_nas.store.digest import digest_of
from tinyml_nas.store.entries import Store
from tinyml_nas.types import Artifact

pytestmark = pytest.mark.slow

WEIGHTS = {"train_supernet": "supernet.safetensors", "train_teacher": "weights.safetensors"}
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
OWN = """
from tests.support.own_networks import drawn

def network():
    return drawn("TwoLayerCNN", 3, 4)
"""
FOLDERS = [Path(package.__file__).parent for package in (tinyml_nas, codegen, scenarios)]
RECORD = """
import os, pickle, sys
from pathlib import Path
from tinyml_nas.__main__ import main
from tinyml_nas.pipeline.context import Context

run = Context.run

def recorded(self, stage, **given):
    entry = run(self, stage, **given)
    content = pickle.dumps((stage, given))
    (Path(os.environ["RECORDS"]) / f"{stage.__name__}.pickle").write_bytes(content)
    (Path(os.environ["RECORDS"]) / f"{stage.__name__}.path").write_text(str(entry.path.parent))
    return entry

Context.run = recorded
sys.argv[0] = "run.py"
main()
"""
REPLAY = """
import json, pickle, sys
from pathlib import Path

opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
record, folder, work = map(Path, sys.argv[1:])
stage, given = pickle.loads(record.read_bytes())
value = stage(folder, work, **given)
print("RESULT", json.dumps({"value": value, "modules": list(sys.modules), "opened": opened}))
"""


@dataclass(frozen=True)
class Replayed:
    given: dict
    entry: Path
    files: Path
    value: dict
    modules: set[str]
    opened: set[Path]


@pytest.fixture(scope="module")
def records(bench, finished, tmp_path_factory):
    """The last call of each stage."""
    folder = tmp_path_factory.mktemp("records")
    smoke = (
        "experiment=smoke",
        "learner@baseline=ncm",  # starts from moments of the training data
        "scenario=class_incremental",  # starts with a head of fewer classes
    )
    runs = {"smoke": smoke, "supernet": TINY_SUPERNET, "teacher": TINY_TEACHER}
    for name, overrides in runs.items():
        _, _, *arguments = bench.command(f"recorded_{name}", *overrides)
        subprocess.run(
            [sys.executable, "-c", RECORD, *arguments],
            cwd=ROOT,
            env={**os.environ, "RECORDS": str(folder)},
            check=True,
            capture_output=True,
        )
    for stage, given, entry in asked(folder):
        (folder / f"{stage.__name__}.pickle").write_bytes(pickle.dumps((stage, given)))
        (folder / f"{stage.__name__}.path").write_text(str(entry.path.parent))
    return folder


def asked(folder):
    """Stages that those runs do without, called as the pipeline calls them: what each was given, and its entry."""
    context = Context(Store(folder / "store"))
    network = network_files(NETWORKS.folder("omega_256kb"))
    train, validation = (Split(Cifar10Sample(), name) for name in ("train", "validation"))

    def run(stage, **given):
        return stage, given, context.run(stage, **given)

    yield run(answers, teacher=network, images=validation, device="cpu")
    yield run(tap, network=network, taps=(3, 5), folded=20, train=train)
    (folder / "mine.py").write_text(OWN)
    image = OwnInput(32, 3, MEAN, STD)
    module = taken(f"{folder / 'mine.py'}:network", 32, image.seen(), 10)
    yield (adopted := run(adopt, module=module))
    shared = {"given": image, "classes": 10, "images": validation}
    yield (extracted := run(extract, network=artifact_of(adopted[2]), kind="torch", **shared))
    yield run(judge, extractor=extractor_of(extracted[2]), images=validation)


@pytest.fixture(
    scope="module", params=sorted(stage.__name__ for stage in STAGES if stage.__name__ != "given")
)
def replayed(request, records, tmp_path_factory):
    """A stage that ran twice: in the run, and now."""
    record = records / f"{request.param}.pickle"
    work = tmp_path_factory.mktemp(request.param)
    folders = [work / "files", work / "work"]
    for folder in folders:
        folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", REPLAY, record, *folders],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    stage, given = pickle.loads(record.read_bytes())
    return stage, Replayed(
        given,
        Path(record.with_suffix(".path").read_text()),
        folders[0],
        result["value"],
        {name for name in result["modules"] if name.partition(".")[0] in PACKAGES},
        {Path(path).resolve() for path in result["opened"] if not path.isdigit()},
    )


def test_a_stage_loads_only_what_its_key_holds(replayed):
    stage, done = replayed
    closure = Sources().closure({stage.__module__, *_modules(done.given)})
    assert done.modules <= closure.keys()
    assert len(done.modules) > 5


def test_a_stage_reads_no_file_of_the_packages_that_its_key_does_not_hold(replayed):
    stage, done = replayed
    closure = Sources().closure({stage.__module__, *_modules(done.given)})
    known = [path.resolve() for module in closure.values() for path in module.data]
    known += [value.path for value in done.given.values() if isinstance(value, Artifact)]
    known.append(FOLDERS[0] / "data" / "cifar10_sample")  # its digests stand in the code
    read = {
        path
        for path in done.opened
        if path.suffix not in (".py", ".pyc")
        and path.is_file()
        and set(FOLDERS) & set(path.parents)
    }
    assert {path for path in read if not set(known) & {path, *path.parents}} == set()


def test_a_stage_gives_the_same_bytes_again(replayed):
    stage, done = replayed
    document = json.loads((done.entry / "entry.json").read_text())
    if stage.__name__ in WEIGHTS:  # the record, the card and the state tell of the time it took
        name = WEIGHTS[stage.__name__]
        assert digest_of(done.files / name) == digest_of(done.entry / "files" / name)
    else:
        assert digest_of(done.files) == document["files"]
    assert timeless(done.value) == timeless(document["value"])


def timeless(value):
    """A stage's value without the seconds that it took: no key holds them."""
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name != "seconds"}
    return [timeless(item) for item in value] if isinstance(value, list) else value
