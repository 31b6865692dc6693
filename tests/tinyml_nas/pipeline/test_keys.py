"""What the key of each stage holds: all that the stage is given, all code that it runs, all libraries.

Mutations are made in a copy of the packages.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import shutil
from collections import defaultdict
from pathlib import Path

import grimp
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

import codegen
import scenarios
import tinyml_nas
from tests.support.stages import BOARD, STAGES, TEST, VALIDATION
from tinyml_nas.data.cifar10 import Cifar10
from tinyml_nas.pipeline import context, stages
from tinyml_nas.pipeline.split import Split
from tinyml_nas.pipeline.stages.finetune import finetune
from tinyml_nas.pipeline.stages.inherit import inherit
from tinyml_nas.pipeline.stages.prune import prune
from tinyml_nas.store import code
from tinyml_nas.store.code import PACKAGES, Sources, installed
from tinyml_nas.types import Artifact

ROOTS = {
    package.__name__: Path(package.__file__).parent for package in (tinyml_nas, codegen, scenarios)
}
NAMES = [stage.__name__ for stage in STAGES]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The packages' sources, free to be changed."""
    folder = tmp_path_factory.mktemp("copy")
    heavy = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.webp", "shipped", "conf")
    for name, root in ROOTS.items():
        shutil.copytree(root, folder / name, ignore=heavy)
    return {name: folder / name for name in ROOTS}


@pytest.fixture(scope="module")
def closures():
    """The names of the modules of each stage, with those of the plug-ins that it is given."""
    return {stage: frozenset(Sources().closure(modules(stage))) for stage in STAGES}


@pytest.fixture
def keys(copy):
    """The key of every stage as the copy's code makes it."""

    sources = Sources(copy)

    def derive(*changed: str):
        for name in changed or list(sources._read):
            sources._read.pop(name)
        return {s: context.key_of(s, given, sources).digest for s, given in STAGES.items()}

    return derive


def key_of(stage, given):
    return context.key_of(stage, given, installed())


def modules(stage):
    return {stage.__module__, *context._modules(STAGES[stage])}


def test_every_stage_is_here():
    folder = Path(stages.__file__).parent
    assert sorted(NAMES) == sorted(path.stem for path in folder.glob("[a-z]*.py"))
    for stage, given in STAGES.items():
        assert stage.__module__ == f"{stages.__name__}.{stage.__name__}"
        parameters = inspect.signature(stage).parameters
        assert list(parameters)[:2] == ["folder", "work"]
        named = {name for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}
        assert named == given.keys() == parameters.keys() - {"folder", "work"}


def others(value):
    """Values that differ from ``value`` in one thing, however deep it lies."""
    if value is None:
        yield Artifact(Path("/extended"), "e1")
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value}_"
    elif isinstance(value, Artifact):
        yield Artifact(value.path, f"{value.digest}0")
    elif isinstance(value, Split):
        yield dataclasses.replace(value, name="train" if value.name == "test" else "test")
        yield dataclasses.replace(value, dataset=Cifar10(Path("/nowhere")))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from ((*value[:index], new, *value[index + 1 :]) for new in others(item))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from ({**value, name: new} for new in others(item))
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            for new in others(getattr(value, field.name)):
                changed = object.__new__(type(value))  # whether it is allowed is not the point
                for each in dataclasses.fields(value):
                    object.__setattr__(changed, each.name, getattr(value, each.name))
                object.__setattr__(changed, field.name, new)
                yield changed


@pytest.mark.parametrize("stage", STAGES, ids=NAMES)
def test_all_that_a_stage_is_given_is_in_its_key(stage):
    given = STAGES[stage]
    found = {key_of(stage, given).digest}
    tried = 1
    for name, value in given.items():
        for new in others(value):
            # Where an artifact or a compiler's output lies decides on nothing.
            if name == "compiler" and getattr(new, "version", None) == getattr(value, "version", 0):
                continue
            found.add(key_of(stage, {**given, name: new}).digest)
            tried += 1
    assert len(found) == tried > len(given)


def test_where_something_lies_is_in_no_key():
    given = STAGES[prune]
    moved = {**given, "network": Artifact(Path("/elsewhere"), given["network"].digest)}
    assert key_of(prune, given) == key_of(prune, moved)
    at = [Split(Cifar10(Path(root)), "test") for root in ("/here", "/there")]
    one, other = (key_of(prune, {**given, "validation": split}).digest for split in at)
    assert one == other != key_of(prune, {**given, "validation": TEST}).digest


def test_a_stage_that_could_read_more_than_it_is_given_is_refused():
    def closure(folder, work, *, seed):
        return {"board": BOARD.name}

    with pytest.raises(TypeError, match="closure: a stage must be a module's own function"):
        key_of(closure, {"seed": 1})
    with pytest.raises(TypeError, match="describe"):
        key_of(prune, {**STAGES[prune], "pruning": object()})


def test_the_closure_is_what_grimp_finds(closures):
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    for stage, closure in closures.items():
        found: set[str] = set()
        waiting = list(modules(stage))
        while waiting:
            name = waiting.pop()
            if name in found or not name:
                continue
            found.add(name)
            waiting += [*graph.find_modules_directly_imported_by(name), name.rpartition(".")[0]]
        assert closure == found, stage.__name__


def test_training_does_not_depend_on_the_compiler(closures):
    for stage in (finetune, inherit, prune):
        rooms = {name.split(".")[1] for name in closures[stage] if name.startswith("codegen.")}
        assert not rooms & {"emit", "frontend", "memory", "ops", "passes", "plan", "toolchain"}


def test_every_module_that_reads_files_says_which(copy):
    sources = Sources(copy)
    for name, root in copy.items():
        for path in root.rglob("*.py"):
            module = ".".join([name, *path.relative_to(root).with_suffix("").parts])
            module = module.removesuffix(".__init__")
            if "__file__" in path.read_text() and module != "tinyml_nas.config.folders":
                for file in sources.closure([module])[module].data:
                    assert file.exists()


def test_formatting_comments_and_docstrings_are_in_no_key(copy, keys):
    before = keys()
    for root in copy.values():
        for path in root.rglob("*.py"):
            text = path.read_text()
            path.write_text(f'"""Other words."""\n{ast.unparse(ast.parse(text))}\n# The end.\n')
    assert keys() == before


@pytest.mark.slow
def test_each_module_is_in_the_keys_of_the_stages_that_run_it_and_in_no_others(
    copy, keys, closures
):
    """One statement of one module after the other is changed, each time another kind of one."""
    before = keys()
    running = defaultdict(set)
    for stage, names in closures.items():
        for name in names:
            running[name].add(stage)
    previous: list[str] = []
    for name, runs in sorted(running.items()):
        path = Sources(copy).path_of(name)
        text = path.read_text()
        path.write_text(mutated(text, seed=len(name)))
        after = keys(name, *previous)
        path.write_text(text)
        previous = [name]
        assert {stage for stage in STAGES if after[stage] != before[stage]} == runs, name
    every = {
        f"{name}.{path.relative_to(root).with_suffix('')}".replace("/", ".").removesuffix(
            ".__init__"
        )
        for name, root in copy.items()
        for path in root.rglob("*.py")
    }
    apart = every - running.keys()
    assert apart >= {"tinyml_nas.report.table", "codegen.link.client", "tinyml_nas.pipeline.deploy"}
    for name in apart:
        path = Sources(copy).path_of(name)
        path.write_text(mutated(path.read_text(), seed=len(name)))
    assert keys() == before


@settings(max_examples=60, deadline=None)
@drawn(st.data())
def test_any_changed_statement_of_any_module_changes_the_key(copy, closures, data):
    stage = data.draw(st.sampled_from(list(STAGES)))
    name = data.draw(st.sampled_from(sorted(closures[stage])))
    path = Sources(ROOTS).path_of(name)
    changed = mutated(path.read_text(), data.draw(st.integers(0, 10_000)))
    aside = copy["tinyml_nas"].parent / "mutant.py"
    aside.write_text(changed)
    assert code.read(name, aside).digest != code.read(name, path).digest


class Mutation(ast.NodeTransformer):
    """Changes the node of a number: what it computes, what it compares, or what it is called."""

    def __init__(self, node):
        self.node = node

    def visit(self, node):
        node = self.generic_visit(node)
        if node is not self.node:
            return node
        if isinstance(node, ast.Constant):
            return ast.Constant([node.value])
        if isinstance(node, ast.Compare):
            return ast.UnaryOp(ast.Not(), node)
        if isinstance(node, ast.BinOp):
            return ast.BinOp(node.right, node.op, ast.Constant(0))
        if isinstance(node, ast.Call):
            return ast.Call(node.func, [*node.args, ast.Constant(None)], node.keywords)
        if isinstance(node, ast.Return):
            return ast.Return(ast.Tuple([node.value or ast.Constant(0)], ast.Load()))
        return ast.Name(f"{node.id}_", node.ctx)


def mutated(text: str, seed: int) -> str:
    """The module's source with one statement changed; one more where it has none."""
    tree = ast.parse(text)
    texts = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    # What stands inside of f-strings cannot always be written back; DATA is read as it stands.
    whole = [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr)]
    whole += [n for n in tree.body if isinstance(n, ast.Assign) and "DATA" in ast.unparse(n)]
    texts |= {id(part) for n in whole for part in ast.walk(n)}
    kinds = (ast.Constant, ast.Compare, ast.BinOp, ast.Call, ast.Return, ast.Name)
    nodes = [n for n in ast.walk(tree) if isinstance(n, kinds) and id(n) not in texts]
    if not nodes:
        return text + "\nMUTATED = True\n"
    return ast.unparse(ast.fix_missing_locations(Mutation(nodes[seed % len(nodes)]).visit(tree)))


@pytest.mark.parametrize("library", ["torch", "numpy", "keras", "jinja2", "tflite-micro", "scipy"])
def test_another_version_of_a_library_is_another_key_where_it_is_used(monkeypatch, library):
    before = {stage: key_of(stage, given) for stage, given in STAGES.items()}
    known = code.version_of
    monkeypatch.setattr(
        code,
        "version_of",
        lambda name: (known(name)[0], "9.9" if known(name)[0] == library else known(name)[1]),
    )
    changed = {s for s, given in STAGES.items() if key_of(s, given).digest != before[s].digest}
    assert changed == {stage for stage, key in before.items() if library in key.versions}
    assert changed


def test_another_python_is_another_key(monkeypatch):
    before = [key_of(stage, given).digest for stage, given in STAGES.items()]
    monkeypatch.setattr(code, "_python", lambda: "3.12")
    after = [key_of(stage, given).digest for stage, given in STAGES.items()]
    assert all(one != other for one, other in zip(before, after, strict=True))


def test_validation_and_test_images_are_not_the_same_to_a_key():
    given = STAGES[prune]
    assert key_of(prune, given) != key_of(prune, {**given, "validation": TEST})
    assert VALIDATION.content_id() != TEST.content_id()
