from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tinyml_nas.pipeline.context import CodeChangedError, Context
from tinyml_nas.store.entries import Store

MODULE = """
def done(folder, work, *, n):
    return {"n": n}

def other(folder, work, *, n):
    return {"n": n + 1}
"""


@pytest.fixture
def context(tmp_path):
    return Context(Store(tmp_path / "store"))


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """A user's own stages, whose file can be changed."""
    name = f"own_stages_{abs(hash(request.node.name))}"  # read once in a process
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module(name)


def change(module, old, new):
    path = Path(module.__file__)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_a_stage_runs_once_and_says_what_computed_it(context, module, caplog):
    caplog.set_level("INFO")
    first, again = context.run(module.done, n=3), context.run(module.done, n=3)
    assert first.value == again.value == {"n": 3}
    assert caplog.messages[0] == "done: running"
    assert caplog.messages[-1] == "done: taken from the store"
    assert [entry.key.stage for entry in context.done] == ["done", "done"]
    assert first.key.versions["python"]
    assert context.run(module.done, n=4).value == {"n": 4}


def test_a_stage_whose_code_changed_while_the_run_went_on_is_refused_and_not_kept(context, module):
    context.run(module.done, n=3)
    change(module, "n + 1", "n + 2")
    with pytest.raises(CodeChangedError, match=r"other: the code .* start the same command again"):
        context.run(module.other, n=3)
    assert not list(context.store.root.glob("other/*/entry.json"))
    assert context.run(module.done, n=3).value == {"n": 3}  # it is in the store
    change(module, "n + 2", "n + 1")
    assert context.run(module.other, n=3).value == {"n": 4}


def test_a_comment_that_changed_while_the_run_went_on_does_not_matter(context, module):
    context.run(module.done, n=3)
    change(module, "def other", "# Another.\n\ndef other")
    assert context.run(module.other, n=3).value == {"n": 4}
