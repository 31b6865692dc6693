"""Runs of ``experiment=smoke`` on one store, which all tests of this folder share."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TINY_SUPERNET = (
    "task=train_supernet",
    "supernet=mbv3_mcu",
    "train_supernet=mbv3_mcu",
    "train_supernet.epochs=0.1",
    "train_supernet.decay_epochs=0.05",
    "train_supernet.reported_networks=2",
)
TINY_TEACHER = (
    "task=train_teacher",
    "train_teacher.epochs=0.1",
    "train_teacher.decay_epochs=0.05",
    "train_teacher.small_epochs=0.05",
    "train_teacher.small_resolution=32",
    "train_teacher.resolution=32",
)
"""Three steps of training each."""


@dataclass
class Done:
    process: subprocess.CompletedProcess[str]
    folder: Path

    @property
    def result(self):
        return json.loads((self.folder / "result.json").read_text())

    @property
    def log(self):
        return self.process.stderr


class Bench:
    """Runs ``run.py`` on one store."""

    def __init__(self, folder: Path):
        self.folder = folder

    def command(self, name: str, *overrides: str) -> list[str]:
        folders = (f"hydra.run.dir={self.folder / name}", f"hydra.sweep.dir={self.folder / name}")
        return [sys.executable, "run.py", *overrides, *folders, f"store={self.folder / 'store'}"]

    def run(self, name: str, *overrides: str) -> Done:
        """A run of ``experiment=smoke``, changed by ``overrides``."""
        return self.run_alone(name, *overrides, "experiment=smoke")

    def run_alone(self, name: str, *overrides: str) -> Done:
        """A run of nothing but ``overrides``."""
        command = self.command(name, *overrides)
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return Done(process, self.folder / name)

    def kill_at(self, line: str, name: str) -> None:
        """Start a run and kill -9 it when it says ``line``."""
        process = subprocess.Popen(
            self.command(name, "experiment=smoke"),
            cwd=ROOT,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert any(line in said for said in process.stderr), f"never said {line!r}"
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture(scope="session")
def finished(bench):
    """A run that was killed while it fine-tuned, and started again."""
    bench.kill_at("finetune: running", "smoke")
    assert not (bench.folder / "smoke" / "result.json").exists()
    return bench.run("smoke")
