"""The package as a user has it: a wheel in an environment of its own, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import codegen.version
from tests.codegen.test_command_line import classifier
from tests.support.models import to_flatbuffer
from tests.support.needs import needs_cmake

ROOT = Path(__file__).parents[1]
PACKAGES = ("codegen", "scenarios", "tinyml_nas")
QUICK = (
    "network=omega_256kb",
    "scenario=none",
    "quantizer.calibration_images=20",
    "project.oracle_images=5",
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Path:
    """What is needed to build, and what a build of an older version left behind."""
    tree = tmp_path_factory.mktemp("sources")
    for name in (*PACKAGES, "conf"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copyfile(ROOT / name, tree / name)
    (tree / "build" / "lib" / "tinyml_nas").mkdir(parents=True)
    (tree / "build" / "lib" / "tinyml_nas" / "gone.py").touch()
    return tree


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory) -> Path:
    return build_wheel(sources, tmp_path_factory.mktemp("wheel"))


def build_wheel(source: Path, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*command, "--no-build-isolation", "-w", folder, source], check=True)
    (built,) = folder.glob("*.whl")
    return built


@dataclass
class Installed:
    """An environment with the wheel, and the empty folder in which its commands are run."""

    environment: Path
    folder: Path

    def __call__(self, *command: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        program = self.environment / "bin" / str(command[0])
        variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(
            [program, *command[1:]],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    """The wheel's dependencies are those of the tests, which come after it on the path.

    Folders that a ``.pth`` file names have no ``.pth`` files of their own read, so the checkout that
    is installed beside those dependencies stays out of sight.
    """
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", wheel], check=True)
    own = sysconfig.get_path("purelib", vars={"base": environment, "platbase": environment})
    (Path(own) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(environment, tmp_path_factory.mktemp("empty"))


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_every_file_of_the_packages_is_in_the_wheel(sources, wheel):
    places = {**{name: name for name in PACKAGES}, "conf": "tinyml_nas/conf"}
    expected = {
        f"{place}/{file}" for name, place in places.items() for file in contents(sources / name)
    }
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected


def test_a_source_distribution_gives_the_same_wheel(sources, wheel, tmp_path):
    script = f"from setuptools import build_meta as b; b.build_sdist({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", script], cwd=sources, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    again = build_wheel(archive, tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert {(item.filename, item.CRC) for item in one.infolist()} == {
            (item.filename, item.CRC) for item in other.infolist()
        }


def test_the_commands_are_those_of_the_wheel_and_say_their_names(installed):
    where = "import codegen, scenarios, tinyml_nas; print(tinyml_nas.__file__)"
    assert installed("python", "-c", where).stdout.startswith(str(installed.environment))
    assert installed("tinyml-nas", "--version").stdout == f"tinyml-nas {codegen.version.VERSION}\n"
    said = installed("tinyml-nas", "--help").stdout
    checkout = [sys.executable, "run.py", "--help"]
    expected = subprocess.run(checkout, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == expected.replace("python run.py", "tinyml-nas")
    assert "usage: tinyml-codegen " in installed("tinyml-codegen", "--help").stdout
    assert "usage: tinyml-link " in installed("tinyml-link", "--help").stdout


@pytest.mark.parametrize("overrides", [[], ["device=pico2", "pruning=l1_0.33", "learner=tinyol"]])
def test_the_configuration_is_that_of_a_checkout(installed, overrides):
    command = ["--cfg", "job", "--resolve", "name=test", *overrides]
    checkout = [sys.executable, "run.py", *command]
    expected = subprocess.run(checkout, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert installed("tinyml-nas", *command).stdout == expected


def test_option_files_of_the_users_own_are_found_and_checked(installed):
    own = installed.folder / "conf"
    (own / "pruning").mkdir(parents=True)
    (own / "experiment").mkdir()
    option = own / "pruning" / "light.yaml"
    text = "defaults:\n  - /schema/L1@_here_\n  - _self_\n_target_: tinyml_nas.pruning.l1.L1\n"
    option.write_text(text + "keep_ratio: 0.8\n")
    (own / "experiment" / "mine.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /pruning: light\nseed: 7\n"
    )
    command = ("tinyml-nas", "--config-dir", "conf")
    said = installed(*command, "--cfg", "job", "experiment=mine").stdout
    assert "keep_ratio: 0.8" in said
    assert "seed: 7" in said
    assert ", light, none" in installed(*command, "--help").stdout

    refused = installed("tinyml-nas", "pruning=light", status=2).stderr
    assert re.fullmatch(r"error: pruning: must be one of .*, none, .*; got light\n", refused)
    option.write_text(text + "keep_ratioo: 0.8\n")
    refused = installed(*command, "pruning=light", status=2).stderr
    assert "keep_ratioo" in refused
    option.write_text("_target_: my_own.pruning.Lottery\n")
    refused = installed(*command, "pruning=light", status=2).stderr
    assert refused.startswith("error: conf/pruning/light.yaml._target_: must name a class under ")
    assert not (installed.folder / "outputs").exists()


@pytest.mark.slow
@needs_cmake
def test_a_run_and_a_sweep_that_goes_on_from_it(installed):
    """In ``outputs`` of the folder where they were started, like those of a checkout."""
    installed("tinyml-nas", *QUICK, "name=one")
    one = installed.folder / "outputs" / "one"
    assert json.loads((one / "result.json").read_text())["status"] == "ok"
    assert (one / "project" / "CMakeLists.txt").is_file()

    said = installed("tinyml-nas", "-m", *QUICK, "name=two", "project.golden_images=4,3").stderr
    assert "convert: running" not in said
    assert "quantize: taken from the store" in said
    assert said.count("generate: running") == 1  # with three images; with four it was done before
    two = installed.folder / "outputs" / "two"
    assert len((two / "summary.csv").read_text().splitlines()) == 3


@pytest.mark.slow
@needs_cmake
def test_a_project_from_a_model(installed):
    assert "nucleo_1mb" in installed("tinyml-codegen", "--list-devices").stdout
    (installed.folder / "flowers.tflite").write_bytes(to_flatbuffer(classifier()))
    command = ["flowers.tflite", "--device", "nucleo_f446re", "--out"]
    installed("tinyml-codegen", *command, "made")
    checkout = [sys.executable, "-m", "codegen", *command, "expected"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(checkout, cwd=installed.folder, env=variables, check=True, capture_output=True)
    made, expected = (contents(installed.folder / name) for name in ("made", "expected"))
    assert made == expected
    assert "src/extractor.cpp" in made
    refused = installed("tinyml-codegen", status=2).stderr
    assert refused == "error: which model? --help shows how to name it\n"
