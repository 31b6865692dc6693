"""The example of docs/adding-a-plugin.md, carried out: three files, and nothing else that must be told."""

from __future__ import annotations

import importlib.util
import re
import sys
import textwrap
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from tests.support.pruning import pruned, share_kept
from tests.tinyml_nas.pruning.conftest import network_of
from tinyml_nas import config

DOC = Path(__file__).parents[1] / "docs" / "adding-a-plugin.md"


def blocks() -> dict[str, str]:
    """Each file that a step writes, and what is in it."""
    found = re.findall(
        r"\*\*, `([\w/.]+)`[^`]*?(?:`[^`]+`[^`]*?)*?\n\n   ```\w+\n(.*?)\n   ```",
        DOC.read_text(),
        re.DOTALL,
    )
    return {name: textwrap.dedent(text) + "\n" for name, text in found}


@pytest.fixture
def written(tmp_path, monkeypatch) -> dict[str, Path]:
    """The files, the class where its YAML says that it is."""
    paths = {}
    for name, text in blocks().items():
        paths[name] = tmp_path / name
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(text)
    (source,) = [name for name in paths if name.startswith("tinyml_nas/")]
    module = source.removesuffix(".py").replace("/", ".")
    spec = importlib.util.spec_from_file_location(module, paths[source])
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, module, loaded)
    spec.loader.exec_module(loaded)
    return paths


def test_a_criterion_is_a_class_an_option_and_a_test(written):
    folders = sorted(str(Path(name).parent) for name in written)
    assert folders == ["conf/pruning", "tests/tinyml_nas/pruning", "tinyml_nas/pruning"]


def test_the_option_is_composed_built_and_prunes(written, tmp_path):
    config.register((config.CONF, tmp_path / "conf"))
    (option,) = [Path(name).stem for name in written if name.startswith("conf/")]
    overrides = [f"pruning={option}", f"hydra.searchpath=[file://{tmp_path / 'conf'}]", "name=test"]
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        study = config.build(compose("config", overrides), Path("out"))
    network = network_of("lite0", 3)
    assert 0.495 < share_kept(network, pruned(study.pruning, network)) <= 0.5


def test_its_own_test_passes(written):
    (path,) = [path for name, path in written.items() if name.startswith("tests/")]
    names: dict[str, object] = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        assert callable(test)
        test()
