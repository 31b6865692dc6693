from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_nas.store.entries import Key, Store, canonical_json, describe, digest_of

KEY = Key("train", 1, {"rate": 0.5}, {"data": "abc"})


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
        Key("train", 2, {"rate": 0.5}, {"data": "abc"}),
        Key("train", 1, {"rate": 0.25}, {"data": "abc"}),
        Key("train", 1, {"rate": 0.5}, {"data": "abd"}),
        Key("train", 1, {"rate": 0.5}, {"weights": "abc"}),
        Key("prune", 1, {"rate": 0.5}, {"data": "abc"}),
    ],
)
def test_a_change_of_anything_builds_another_entry(store, other):
    build = Builder()
    store.get(KEY, build)
    store.get(other, build)
    assert build.calls == 2


def test_the_order_of_names_in_a_key_does_not_matter():
    one = Key("s", 1, {"a": 1, "b": 2}, {"x": "1", "y": "2"})
    two = Key("s", 1, {"b": 2, "a": 1}, {"y": "2", "x": "1"})
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

print(Store(Path(sys.argv[1])).get(Key("train", 1, {"rate": 0.5}, {"data": "abc"}), build).digest)
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


@dataclass(frozen=True)
class Inner:
    ratio: float


@dataclass(frozen=True)
class Outer:
    inner: Inner
    sizes: tuple[int, ...]
    folder: Path
    names: dict[str, str]
    limit: int | None = None


def test_describe_names_the_class_and_its_fields_recursively():
    described = describe(Outer(Inner(0.5), (1, 2), Path("/a"), {"b": "c"}))
    assert described == {
        "_target_": f"{__name__}.Outer",
        "inner": {"_target_": f"{__name__}.Inner", "ratio": 0.5},
        "sizes": [1, 2],
        "folder": "/a",
        "names": {"b": "c"},
        "limit": None,
    }
    canonical_json(described)


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": {3}}, Inner])
def test_describe_refuses_what_json_cannot_hold(value):
    with pytest.raises(TypeError, match="describe"):
        describe(value)


@given(st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)))
def test_canonical_json_forgets_the_order_and_nothing_else(values):
    text = canonical_json(values)
    assert canonical_json(dict(reversed(values.items()))) == text
    assert json.loads(text) == values


def test_the_digest_of_a_folder_sees_names_content_and_place(tmp_path):
    def folder(name: str, files: dict[str, str]) -> Path:
        for path, text in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        return tmp_path / name

    reference = digest_of(folder("reference", {"a": "1", "b/c": "2"}))
    assert digest_of(folder("same", {"b/c": "2", "a": "1"})) == reference
    assert digest_of(folder("content", {"a": "1", "b/c": "3"})) != reference
    assert digest_of(folder("name", {"a": "1", "b/d": "2"})) != reference
    assert digest_of(folder("place", {"a": "1", "c": "2"})) != reference
