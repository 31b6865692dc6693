"""``python -m codegen --learner``: every learner that ``run.py`` has, with its knobs."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import yaml

from codegen import catalogue
from codegen.__main__ import main
from codegen.learners.base import name_of
from codegen.toolchain.host import HostModel
from tests.codegen.test_command_line import classifier
from tests.support.models import to_flatbuffer

CONF = Path(__file__).parents[2] / "conf" / "learner"
SAMPLES = 90
LEARNERS = {
    "tybox": ["--buffer", "reservoir", "--buffer-bits", "4", "--passes", "2"],
    "tinyol": ["--learning-rate", "0.5"],
    "imprint_replay": ["--imprint-samples", "3", "--max-classes", "9"],
    "ncm": ["--memory", "11"],
    "lda": ["--shrinkage", "0.05"],
    "online_lda": ["--covariance-memory", "700", "--prior-samples", "7"],
    "rls": ["--no-class-weights", "--memory", "123", "--max-classes", "7"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A classifier of five classes, training images of it, and labels."""
    folder = tmp_path_factory.mktemp("learners")
    rng = np.random.default_rng(5)
    (folder / "model.tflite").write_bytes(to_flatbuffer(classifier()))
    np.save(folder / "images.npy", rng.integers(-128, 128, (SAMPLES, 8, 8, 3)).astype(np.int8))
    np.save(folder / "labels.npy", np.arange(SAMPLES) % 5)
    np.save(folder / "four.npy", np.arange(SAMPLES) % 4)
    np.save(folder / "six.npy", np.arange(SAMPLES) % 6)
    np.save(folder / "short.npy", np.arange(SAMPLES - 1) % 5)
    return folder


def run(folder: Path, *options: str) -> int:
    return main([str(folder / "model.tflite"), "--device", "nucleo_f446re", *options])


def training(folder: Path, labels: str = "labels.npy") -> list[str]:
    images = str(folder / "images.npy")
    return ["--training-images", images, "--training-labels", str(folder / labels)]


def test_there_are_those_that_run_py_has():
    assert set(catalogue.kinds()) == {path.stem for path in CONF.glob("*.yaml")} - {"auto"}
    assert set(LEARNERS) == set(catalogue.kinds())
    for name, kind in catalogue.kinds().items():
        configured = yaml.safe_load((CONF / f"{name}.yaml").read_text())
        first = {f.name: f.default for f in fields(kind) if f.name in configured}
        shown = {key: value for key, value in configured.items() if key in first}
        shown.pop("learning_rates", None), first.pop("learning_rates", None)
        assert first == shown, "the same first values at both command lines"


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_and_its_options_become_a_project(name, folder, tmp_path, capsys):
    needs = catalogue.kinds()[name]().needs_statistics
    given = training(folder) if needs else []
    report, out = tmp_path / "report.json", tmp_path / "project"
    options = ["--learner", name, *LEARNERS[name], *given, "--report", str(report)]
    assert run(folder, "--out", str(out), *options) == 0, capsys.readouterr().err
    host = HostModel(out)
    said = json.loads(report.read_text())["learner"]
    assert said["name"] == name
    for option, value in zip(LEARNERS[name], LEARNERS[name][1:], strict=False):
        field = option.removeprefix("--").replace("-", "_")
        if field in said:
            assert str(said[field]) == value or float(said[field]) == float(value)
            if field in host.knobs:
                assert host.knobs[field] == np.float32(value)
    assert f'kLearnerName[] = "{name}"' in (out / "include/tinyml/model/identity.hpp").read_text()
    assert host.shape.classes == int(said["max_classes"] or 5)
    before = host.state()
    host.learn(host.features(np.load(folder / "images.npy")[:1])[0], 4)
    assert not np.array_equal(host.state(), before)


def test_moments_are_those_of_the_training_features(folder, tmp_path):
    """Nearest means of the features themselves, from the file's own scale."""
    out = tmp_path / "project"
    assert run(folder, "--out", str(out), "--learner", "ncm", *training(folder)) == 0
    host = HostModel(out)
    codes = host.features(np.load(folder / "images.npy"))
    means = np.stack([codes[c::5].mean(axis=0) for c in range(5)])
    centred, means = codes - codes.mean(axis=0), means - codes.mean(axis=0)
    distances = ((centred[:, None] - means) ** 2).sum(axis=2)
    near = np.sort(distances, axis=1)
    clear = near[:, 1] - near[:, 0] > 1e-3 * near[:, 1]
    assert clear.sum() > SAMPLES / 2
    np.testing.assert_array_equal(host.predict(codes)[clear], distances.argmin(axis=1)[clear])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--memory", "5"], "--memory: --learner tybox has no such option; it has --learning-rate"),
        (["--learner", "rls", "--loss", "cross_entropy"], "--loss: --learner rls has no such option"),
        (["--learner", "rls", "--memory", "1"], "--memory: must be in 2..1e+06; got 1"),
        (["--learner", "lda", "--shrinkage", "nan"], "--shrinkage: must be"),
        (["--learner", "rls", "--buffer-samples", "3"], "--buffer-samples: --learner rls keeps no"),
        (["--buffer-bits", "5"], "--buffer-bits: must be"),
        (["--max-classes", "4"], "--max-classes: must be at least 5"),
        (["--learner", "imprint_replay", "--imprint-samples", "0"], "--imprint-samples: must be in"),
        (["--inference-only", "--learner", "rls"], "--learner: is of a head"),
        (["--inference-only", "--no-class-weights"], "--class-weights: is of a head"),
    ],
)  # fmt: skip
def test_refusals_name_the_option(options, message, folder, capsys):
    assert run(folder, "--dry-run", *options) == 2
    assert f"error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["x", "1.5", ""])
def test_what_is_no_number_is_refused(text, folder, capsys):
    with pytest.raises(SystemExit):
        run(folder, "--dry-run", "--max-classes", text)
    assert "argument --max-classes: must be a whole number" in capsys.readouterr().err


def test_training_data_are_asked_for_and_checked(folder, tmp_path, capsys):
    images = ["--training-images", str(folder / "images.npy")]
    cases = [
        (["--learner", "rls"], "--training-images: --learner rls starts from moments"),
        (["--learner", "lda", *images], "--training-labels: --learner lda starts from"),
        (images, "--training-images: --learner tybox needs none"),
        (training(folder)[2:], "--training-labels: --learner tybox needs none"),
        (["--learner", "ncm", *training(folder, "short.npy")], "must be whole numbers (90,)"),
        (["--learner", "ncm", *training(folder, "six.npy")], "must be in 0..4; got 0..5"),
        (["--learner", "ncm", *training(folder, "four.npy")], "there is none of [4]"),
        (["--learner", "ncm", *training(folder, "images.npy")], "it is int8 (90, 8, 8, 3)"),
        (
            [
                *("--learner", "ncm", "--training-images", str(folder / "labels.npy")),
                *("--training-labels", str(folder / "labels.npy")),
            ],
            "--training-images: ",
        ),
    ]
    for options, message in cases:
        assert run(folder, "--out", str(tmp_path / "project"), *options) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "project").exists()


def test_a_dry_run_needs_no_training_data(folder, capsys):
    assert run(folder, "--dry-run", "--learner", "rls") == 0
    assert "RAM" in capsys.readouterr().out.upper()


def test_the_list_says_what_each_is(capsys):
    assert main(["--list-learners"]) == 0
    said = capsys.readouterr().out
    for name, kind in catalogue.kinds().items():
        assert name in said
        assert (kind.__doc__ or "").splitlines()[0] in said
        assert name_of(kind()) == name
