from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tinyml_nas.store.digest import digest_of, digest_of_json
from tinyml_nas.store.entries import Key, Store

KEY = Key("train", {"rate": 0.5, "data": "abc"}, "5e1f", {"torch": "2.13.0"})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


class Builder:
    """Writes one file and counts how often it was asked."""

    def __init__(self, text: str = "weights") -> None:
        self.text = text
        self.calls = 0

    def __call__(self, folder: Path, work: Path) -> dict[str, object]:
        self.calls += 1
        (folder / "sub").mkdir()
        (folder / "sub" / "model.bin").write_text(self.text)
        return {"accuracy": 0.75, "shape": [1, 2]}


def test_an_entry_is_built_once_and_read_back_equal(store):
    build = Builder()
    built = store.get(KEY, build)
    again = store.get(KEY, build)
    assert build.calls == 1
    assert built == again
    assert built.value == {"accuracy": 0.75, "shape": [1, 2]}
    assert (built.path / "sub" / "model.bin").read_text() == "weights"
    assert built.digest == digest_of(built.path)


def test_no_scaffolding_is_left(store):
    entry = store.get(KEY, Builder())
    names = {path.name.removeprefix(KEY.digest) for path in entry.path.parents[1].iterdir()}
    assert names == {"", ".lock"}


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, stage="prune"),
        replace(KEY, given={"rate": 0.25, "data": "abc"}),
        replace(KEY, given={"rate": 0.5, "data": "abd"}),
        replace(KEY, given={"rate": 0.5, "weights": "abc"}),
        replace(KEY, given={"rate": 0.5}),
        replace(KEY, code="5e1e"),
        replace(KEY, versions={"torch": "2.13.1"}),
        replace(KEY, versions={"torch": "2.13.0", "numpy": "2.4.6"}),
    ],
)
def test_a_change_of_anything_builds_another_entry(store, other):
    build = Builder()
    store.get(KEY, build)
    store.get(other, build)
    assert build.calls == 2


def test_the_order_of_names_in_a_key_does_not_matter():
    one = Key("s", {"a": 1, "b": 2}, "", {"x": "1", "y": "2"})
    two = Key("s", {"b": 2, "a": 1}, "", {"y": "2", "x": "1"})
    assert one.digest == two.digest


def test_a_failed_build_stores_nothing_and_keeps_its_work(store):
    def fail(folder: Path, work: Path) -> dict[str, object]:
        (folder / "half").write_text("x")
        (work / "checkpoint").write_text("step 3")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        store.get(KEY, fail)

    def resume(folder: Path, work: Path) -> dict[str, object]:
        assert list(folder.iterdir()) == []
        (folder / "model").write_text("whole")
        return {"resumed": (work / "checkpoint").read_text()}

    entry = store.get(KEY, resume)
    assert entry.value == {"resumed": "step 3"}
    assert not entry.path.parent.with_name(KEY.digest + ".partial").exists()


def test_an_entry_says_what_computed_it(store):
    entry = store.get(KEY, Builder())
    document = json.loads((entry.path.parent / "entry.json").read_text())
    assert document["key"]["code"] == KEY.code
    assert document["key"]["versions"] == KEY.versions
    assert entry.key == KEY


def test_an_entry_of_another_layout_is_not_taken_for_one_of_this(store):
    build = Builder()
    entry = store.get(KEY, build)
    path = entry.path.parent / "entry.json"
    document = json.loads(path.read_text())
    del document["checksum"]
    document["layout"] -= 1
    path.write_text(json.dumps({**document, "checksum": digest_of_json(document)}))
    store.get(KEY, build)
    assert build.calls == 2


def damage_file(entry: Path) -> None:
    (entry / "files" / "sub" / "model.bin").write_text("weightz")


def truncate_file(entry: Path) -> None:
    (entry / "files" / "sub" / "model.bin").write_text("")


def remove_file(entry: Path) -> None:
    (entry / "files" / "sub" / "model.bin").unlink()


def add_file(entry: Path) -> None:
    (entry / "files" / "extra").write_text("")


def remove_files(entry: Path) -> None:
    (entry / "files").rename(entry / "elsewhere")


def change_value(entry: Path) -> None:
    path = entry / "entry.json"
    path.write_text(path.read_text().replace("0.75", "0.95"))


def truncate_manifest(entry: Path) -> None:
    path = entry / "entry.json"
    path.write_text(path.read_text()[:-20])


def other_json(entry: Path) -> None:
    (entry / "entry.json").write_text("[]")


def binary_manifest(entry: Path) -> None:
    (entry / "entry.json").write_bytes(b"\xff\xfe\x00")


def remove_manifest(entry: Path) -> None:
    (entry / "entry.json").unlink()


@pytest.mark.parametrize(
    "harm",
    [
        damage_file,
        truncate_file,
        remove_file,
        add_file,
        remove_files,
        change_value,
        truncate_manifest,
        other_json,
        binary_manifest,
        remove_manifest,
    ],
)
def test_a_damaged_entry_is_named_and_built_again(store, caplog, harm):
    build = Builder()
    good = store.get(KEY, build)
    harm(good.path.parent)
    assert store.get(KEY, build) == good
    assert build.calls == 2
    assert "damaged" in caplog.text
    assert str(good.path.parent) in caplog.text


def test_values_must_be_json(store):
    with pytest.raises(ValueError, match="JSON"):
        store.get(KEY, lambda folder, work: {"accuracy": float("nan")})
    with pytest.raises(TypeError):
        store.get(KEY, lambda folder, work: {"path": Path()})


SCRIPT = """
import sys, time
from pathlib import Path
from tinyml_nas.store.entries import Key, Store

def build(folder, work):
    log = Path(sys.argv[2])
    with log.open("a") as stream:
        stream.write("built\\n")
    (folder / "first").write_text("1" * 1000)
    (work / "checkpoint").write_text("epoch 7")
    (log.parent / "half-way").touch()
    time.sleep(float(sys.argv[3]))
    (folder / "second").write_text("2")
    return {}

key = Key("train", {"rate": 0.5, "data": "abc"}, "5e1f", {"torch": "2.13.0"})
print(Store(Path(sys.argv[1])).get(key, build).digest)
"""


def start(store: Store, log: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(store.root), str(log), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_after_kill_9_in_the_middle_nothing_half_is_used_and_the_work_is_still_there(
    store, tmp_path
):
    victim = start(store, tmp_path / "log", 600)
    wait_for(tmp_path / "half-way")
    victim.send_signal(signal.SIGKILL)
    victim.communicate()

    def resume(folder: Path, work: Path) -> dict[str, object]:
        assert list(folder.iterdir()) == []
        assert (work / "checkpoint").read_text() == "epoch 7"
        (folder / "whole").write_text("")
        return {}

    entry = store.get(KEY, resume)
    assert [path.name for path in entry.path.iterdir()] == ["whole"]
    names = {path.name.removeprefix(KEY.digest) for path in entry.path.parents[1].iterdir()}
    assert names == {"", ".lock"}


def test_processes_that_race_for_a_key_build_it_once(store, tmp_path):
    log = tmp_path / "log"
    racers = [start(store, log, 1.0) for _ in range(3)]
    digests = {racer.communicate()[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len(digests) == 1
    assert log.read_text() == "built\n"
