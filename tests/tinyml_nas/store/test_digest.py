from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_nas.store.digest import canonical_json, describe, digest_of
from tinyml_nas.types import Artifact


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


def test_an_artifact_is_described_by_its_content_wherever_it_lies():
    one, other = Artifact(Path("/a"), "5e1f"), Artifact(Path("/b/c"), "5e1f")
    assert describe([one, {"x": one}]) == describe([other, {"x": other}])
    assert describe(one) != describe(Artifact(Path("/a"), "5e1e"))


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
