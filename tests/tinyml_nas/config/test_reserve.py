"""A run's folder is one process's, until that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml_nas.config import ConfigError, reserve

ROOT = Path(__file__).parents[3]
HOLD = (
    "import sys, time; from pathlib import Path; from tinyml_nas.config.reserve import reserve\n"
    "reserve(Path(sys.argv[1])); print('held', flush=True); time.sleep(300)\n"
)


@pytest.fixture
def held(tmp_path):
    """A folder that another process has reserved, and that process."""
    command = [sys.executable, "-c", HOLD, tmp_path / "run"]
    holder = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    yield tmp_path / "run", holder
    holder.kill()
    holder.communicate()


def test_the_one_who_has_a_folder_is_named(held):
    folder, holder = held
    with pytest.raises(
        ConfigError, match=rf"^name: {folder} is in use by process {holder.pid} on "
    ):
        reserve.reserve(folder)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_folder_is_free_again_when_its_process_has_ended_however(held, end):
    folder, holder = held
    holder.send_signal(end)
    holder.wait()
    reserve.reserve(folder)
    reserve.reserve(folder)  # by the same process, as for each job of a sweep
    assert (folder / reserve.LOCK).read_text().startswith(f"process {os.getpid()} on ")


def test_folders_of_different_names_do_not_meet(held):
    reserve.reserve(held[0].with_name("other"))


@pytest.mark.parametrize("sweep", [(), ("-m", "pruning=none,l1_0.49")], ids=["run", "sweep"])
def test_a_second_run_of_the_same_name_is_refused_before_it_writes(held, sweep):
    folder, holder = held
    key = "hydra.sweep.dir" if sweep else "hydra.run.dir"
    done = subprocess.run(
        [sys.executable, "run.py", *sweep, f"{key}={folder}", f"store={folder.parent / 'store'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: name: {folder} is in use by process {holder.pid} on ")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in folder.iterdir()] == [reserve.LOCK]


def test_default_names_of_one_second_differ():
    command = [sys.executable, "run.py", "--cfg", "job", "--package", "name"]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    names = {process.communicate()[0] for process in running}
    assert len(names) == 3
    assert all(name.strip() for name in names)
