"""Files and folders are put in their place whole: synced, renamed, and named where the disk fails."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen import durable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is synced and renamed, in order, by the name of its last part."""
    seen: list[tuple[str, str]] = []
    fsync, rename = os.fsync, os.rename

    def sync(descriptor: int) -> None:
        seen.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def move(source: Path, target: Path) -> None:
        seen.append(("rename", Path(target).name))
        rename(source, target)

    monkeypatch.setattr("os.fsync", sync)
    monkeypatch.setattr("os.rename", move)
    return seen


def test_a_file_is_on_the_disk_before_it_is_renamed_and_its_folder_after(tmp_path, steps):
    durable.write(tmp_path / "a" / "file", "text")
    assert steps == [("sync", "file"), ("rename", "file"), ("sync", "a")]
    assert (tmp_path / "a" / "file").read_text() == "text"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["file"]


def test_all_of_a_folder_is_on_the_disk_before_it_is_renamed(tmp_path, steps):
    with durable.replacing(tmp_path / "folder") as aside:
        (aside / "deep").mkdir(parents=True)
        (aside / "deep" / "file").write_bytes(b"x")
    assert set(steps[:3]) == {("sync", "file"), ("sync", "deep"), ("sync", "folder")}
    assert steps[3:] == [("rename", "folder"), ("sync", tmp_path.name)]
    assert (tmp_path / "folder" / "deep" / "file").read_bytes() == b"x"


def test_files_have_the_users_mode(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    durable.write(tmp_path / "file", b"")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


@settings(deadline=None)
@given(st.binary(max_size=9), st.binary(max_size=9))
def test_a_failure_leaves_what_was_there(tmp_path_factory, old, new):
    path = tmp_path_factory.mktemp("d") / "file"
    durable.write(path, old)

    def fail() -> None:
        with durable.replacing(path) as aside:
            aside.write_bytes(new)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == old
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_what_a_killed_process_left_aside_is_removed_and_what_a_live_one_writes_is_not(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from codegen import durable\n"
        "with durable.replacing(Path(sys.argv[1])) as aside:\n"
        "    aside.write_text('half'); print('half', flush=True); time.sleep(60)\n"
    )
    path = tmp_path / "file"
    command = [sys.executable, "-c", program, path]
    writers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 2
        writers[0].send_signal(signal.SIGKILL)
        writers[0].wait()
        durable.write(path, "whole")
        left = sorted(p.name for p in tmp_path.iterdir())
        assert len(left) == 2
        assert left[1] == "file"
        assert (tmp_path / left[0] / "file").read_text() == "half"
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    durable.write(path, "again")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_lock_ends_with_its_process(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from codegen import durable\n"
        "print(durable.try_lock(Path(sys.argv[1])), flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, tmp_path]
    holder = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    assert durable.try_lock(tmp_path) is None
    holder.kill()
    holder.communicate()
    deadline = time.monotonic() + 10
    while (lock := durable.try_lock(tmp_path)) is None:
        assert time.monotonic() < deadline
    os.close(lock)


# --- a full disk ---------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A folder with room for 64 KiB: a file system of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def save_array(path: Path) -> None:
    with durable.replacing(path) as aside:
        np.save(aside, np.zeros(10**6))


def save_tree(path: Path) -> None:
    with durable.replacing(path) as aside:
        durable.copy_tree(ROOT / "codegen", aside)


@pytest.mark.parametrize(
    "save",
    [lambda path: durable.write(path, bytes(10**6)), save_array, save_tree],
    ids=["bytes", "array", "tree"],
)
def test_a_full_disk_is_one_line_that_names_the_path(small_disk, save):
    durable.write(small_disk / "kept.npy", "old")
    with pytest.raises(OSError, match=rf"{small_disk}/\S*(kept|folder)") as error:
        save(small_disk / ("folder" if save is save_tree else "kept.npy"))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    assert (small_disk / "kept.npy").read_text() == "old"
    assert [p.name for p in small_disk.iterdir()] == ["kept.npy"]
    durable.write(small_disk / "kept.npy", "room again")


def test_a_file_that_may_not_grow_is_named(tmp_path):
    """As a quota does; works where nothing can be mounted."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=rf"\[Errno {errno.EFBIG}\] .*: '{tmp_path}/file'"):
            durable.write(tmp_path / "file", bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []


def test_errors_that_are_not_the_disks_are_left_as_they_are(tmp_path):
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    with pytest.raises(ConnectionRefusedError) as error, durable.naming(tmp_path):
        raise refused
    assert error.value is refused
    assert error.value.filename is None
