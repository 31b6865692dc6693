"""What counts of a stage's code: on packages that are written here."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from tinyml_nas.store import code
from tinyml_nas.store.code import Sources, read, version_of


@pytest.fixture
def package(tmp_path):
    """``own.stage`` imports in every way that there is."""
    files = {
        "own/__init__.py": "from own import always\n",
        "own/always.py": "A = 1\n",
        "own/stage.py": (
            "import own.dotted\n"
            "from own import member\n"
            "from own.deep import VALUE\n"
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n"
            "    from own.typed import T\n"
            "def run():\n"
            "    from . import relative\n"
            "    def inner():\n"
            "        from .deep.far import far\n"
            "        import numpy.linalg\n"
            "class C:\n"
            "    import json as renamed\n"
        ),
        "own/dotted.py": "",
        "own/member.py": "from . import indirect as i\n",
        "own/indirect.py": "",
        "own/relative.py": "",
        "own/typed.py": "from own.nowhere import x\n",
        "own/deep/__init__.py": "VALUE = 1\n",
        "own/deep/far.py": "from ..beside import b\nfrom .other import *\n",
        "own/deep/other.py": "",
        "own/beside.py": "import own.stage\n",
        "own/apart.py": "",
        "own/deep/apart.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "own"


def code_of(package: Path) -> code.Code:
    return Sources({"own": package}).code_of(["own.stage"])


def test_the_closure_follows_every_kind_of_import(package):
    closure = Sources({"own": package}).closure(["own.stage"])
    every = {path.relative_to(package.parent) for path in package.rglob("*.py")}
    names = {
        str(path.with_suffix("")).replace("/", ".").removesuffix(".__init__") for path in every
    }
    assert closure.keys() == names - {"own.apart", "own.deep.apart"}


def test_only_libraries_that_are_imported_have_a_version(package):
    assert code_of(package).versions == {"python": "3.11", "numpy": metadata.version("numpy")}


@pytest.mark.parametrize(
    "name", ["always", "member", "indirect", "relative", "deep/__init__", "deep/far", "deep/other"]
)
def test_a_statement_of_any_module_counts(package, name):
    before = code_of(package)
    path = package / f"{name}.py"
    path.write_text(path.read_text() + "X = 2\n")
    assert code_of(package).digest != before.digest


@pytest.mark.parametrize("name", ["apart", "deep/apart"])
def test_a_module_that_is_not_imported_does_not_count(package, name):
    before = code_of(package)
    (package / f"{name}.py").write_text("X = 2\n")
    assert code_of(package) == before


def test_a_module_that_moves_counts(package):
    before = code_of(package)
    (package / "dotted").mkdir()
    (package / "dotted.py").rename(package / "dotted" / "__init__.py")
    assert code_of(package).digest == before.digest  # the same name, the same code
    (package / "dotted" / "__init__.py").rename(package / "dotty.py")
    assert code_of(package).digest != before.digest


def test_a_file_that_cannot_be_read_is_named(package):
    (package / "member.py").write_text("def f(:\n")
    with pytest.raises(ValueError, match=r"member\.py: is not Python 3\.11"):
        code_of(package)


def test_a_module_that_reads_files_beside_it_has_to_name_them(package):
    (package / "member.py").write_text("TABLE = open(__file__ + '.txt').read()\n")
    with pytest.raises(ValueError, match=r"member\.py: names __file__.*DATA"):
        code_of(package)


def test_the_files_that_a_module_names_count_and_no_others(package):
    (package / "tables").mkdir()
    files = [package / "tables" / "a.txt", package / "b.txt", package / "c.txt"]
    for file in files:
        file.write_text("1")
    (package / "deep" / "far.py").write_text('DATA = ("../tables", "../b.txt")\nHERE = __file__\n')
    found = [code_of(package)]
    for file in files:
        file.write_text("2")
        found.append(code_of(package))
    assert len({each.digest for each in found}) == 3
    assert found[2] == found[3]


def test_a_plug_in_outside_of_the_packages_counts_with_what_lies_beside_it(tmp_path, monkeypatch):
    (tmp_path / "my_criterion.py").write_text("from my_helpers.sums import total\nimport torch\n")
    (tmp_path / "my_helpers").mkdir()  # without __init__.py
    helper = tmp_path / "my_helpers" / "sums.py"
    helper.write_text("from tinyml_nas.pruning.ladder import Ladder\ntotal = sum\n")
    monkeypatch.syspath_prepend(tmp_path)
    before, closure = (
        Sources().code_of(["my_criterion"]),
        Sources().closure(["my_criterion"]),
    )
    assert closure.keys() >= {"my_criterion", "my_helpers.sums", "tinyml_nas.pruning.ladder"}
    assert before.versions["torch"] == metadata.version("torch")
    helper.write_text(helper.read_text().replace("sum\n", "max\n"))
    assert Sources().code_of(["my_criterion"]).digest != before.digest


@pytest.mark.parametrize("library", ["PIL", "tensorflow", "torch_pruning", "hydra", "serial"])
def test_a_library_goes_by_the_name_of_its_distribution(library):
    name, version = version_of(library)
    found = metadata.packages_distributions()[library]
    assert name.replace("-", "_") in {each.replace("-", "_") for each in found}
    assert version == metadata.version(name)


def test_a_library_that_is_not_there_has_a_version_too():
    assert version_of("no_such_library") == ("no_such_library", "not installed")


SPELLINGS = [
    "def f(a, b=1):\n    return (a + b) * 2\n",
    "# A comment.\n\n\ndef f(\n    a,\n    b=1,  # another\n):\n    return ((a + b) * 2)\n",
    "\"\"\"A module.\"\"\"\n\n\ndef f(a, b=0x1):\n    '''What f does.'''\n    return (a + b) * 2\n",
    'def f(a, b=1):\n    """Says\n    more."""\n    return \\\n        (a + b) * 2\n"""At the end."""\n',
]
OTHERS = [
    "def f(a, b=1):\n    return (a + b) * 3\n",
    "def f(a, b=2):\n    return (a + b) * 2\n",
    "def f(a, b=1.0):\n    return (a + b) * 2\n",
    "def f(a, b=True):\n    return (a + b) * 2\n",
    "def f(a, b='1'):\n    return (a + b) * 2\n",
    "def f(a, b=1):\n    return a + b * 2\n",
    "def f(a, *, b=1):\n    return (a + b) * 2\n",
    "def f(a, b=1):\n    return (a + b) * 2\nf = None\n",
    "def f(a, b=1):\n    return\n    (a + b) * 2\n",
    "def f(b, a=1):\n    return (a + b) * 2\n",
    "def f(a, b=1):\n    yield (a + b) * 2\n",
]


def test_what_says_the_same_is_the_same_and_nothing_else(tmp_path):
    path = tmp_path / "m.py"

    def digest(text: str) -> str:
        path.write_text(text)
        return read("m", path).digest

    assert len({digest(text) for text in SPELLINGS}) == 1
    assert len({digest(text) for text in (SPELLINGS[0], *OTHERS)}) == 1 + len(OTHERS)
