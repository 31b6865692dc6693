"""Every int8 kernel on this computer and on every emulated core: TensorFlow Lite Micro's bytes.

    pytest tests/codegen/runtime/test_cores.py -k m4             # the DSP kernels
    pytest tests/codegen/runtime/test_cores.py -k "m55 and stem" # one family of models on one core

A thousand random inputs for each family on the host, under the address and undefined-behaviour
sanitizers, fewer of kernels that are the same on all cores; the first models again on each core. All
models of a core are one program.
"""

from __future__ import annotations

from functools import cache

import pytest

from codegen.toolchain.run import ToolchainError
from tests.support.conformance import Conformance, models, report
from tests.support.cores import CORES, Host, run
from tests.support.families import FAMILIES, PLAIN
from tests.support.needs import needs_board_tools

MODELS, INPUTS = 60, 17
MODELS_OF_A_CORE, INPUTS_OF_A_CORE = 24, 4
PLAIN_MODELS, PLAIN_MODELS_OF_A_CORE = 8, 2


@cache
def _models() -> dict[str, list[Conformance]]:
    return {
        name: models(name, PLAIN_MODELS if name in PLAIN else MODELS, INPUTS) for name in FAMILIES
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Generated sources, which all programs share."""
    return tmp_path_factory.mktemp("cases")


def differences(cases: dict[str, list[Conformance]], core, tree, folder) -> dict[str, str]:
    """What differs on a core, by family."""
    try:
        outputs = iter(run([case for made in cases.values() for case in made], core, tree, folder))
    except ToolchainError as error:
        pytest.fail(f"{error}\n{error.__cause__ or ''}", pytrace=False)
    return {name: report(made, [next(outputs) for _ in made]) for name, made in cases.items()}


@pytest.fixture(scope="module")
def on_host(tree, tmp_path_factory):
    return differences(_models(), Host(), tree, tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="module", params=CORES)
def on_core(request, tree, tmp_path_factory):
    few = {}
    for name, made in _models().items():
        count = PLAIN_MODELS_OF_A_CORE if name in PLAIN else MODELS_OF_A_CORE
        few[name] = [case.first(INPUTS_OF_A_CORE) for case in made[:count]]
    return differences(few, CORES[request.param], tree, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_host_gives_the_oracles_bytes_and_no_sanitizer_objects(family, on_host):
    assert not on_host[family], on_host[family]


@needs_board_tools
@pytest.mark.parametrize("family", FAMILIES)
def test_cores_give_the_oracles_bytes(family, on_core):
    assert not on_core[family], on_core[family]


def test_models_would_show_an_error():
    """Most outputs vary, though some saturate."""
    for name, made in _models().items():
        varied = sum(len(set(case.expected.ravel().tolist())) > 2 for case in made)
        assert varied > len(made) / 2, name
