"""Every int8 kernel on every emulated core: the bytes of TensorFlow Lite Micro.

    pytest tests/codegen/test_cores.py -k m4             # the DSP kernels
    pytest tests/codegen/test_cores.py -k "m55 and stem" # one family of models on one core

All models of a core are one program, compiled and run once.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from codegen.toolchain import ToolchainError
from tests.codegen.conformance import FAMILIES, Conformance, models, report
from tests.codegen.cores import CORES, run
from tests.codegen.test_target import needs_board_tools

MODELS, INPUTS = 24, 3


@cache
def _models() -> dict[str, list[Conformance]]:
    return {name: models(name, MODELS, INPUTS) for name in FAMILIES}


@pytest.fixture(scope="module", params=CORES)
def reports(request, tmp_path_factory) -> dict[str, str]:
    """What differs on a core, by family."""
    everything = [case for made in _models().values() for case in made]
    folder: Path = tmp_path_factory.mktemp(request.param)
    try:
        outputs = iter(run(everything, CORES[request.param], folder))
    except ToolchainError as error:
        pytest.fail(f"{error}\n{error.__cause__ or ''}", pytrace=False)
    return {name: report(made, [next(outputs) for _ in made]) for name, made in _models().items()}


@needs_board_tools
@pytest.mark.parametrize("family", FAMILIES)
def test_kernels_give_the_oracles_bytes(family, reports):
    assert not reports[family], reports[family]


def test_models_would_show_an_error():
    """Most outputs vary, though some saturate; every hostile kind of number is among them."""
    for name, made in _models().items():
        varied = sum(len(set(case.expected.ravel().tolist())) > 2 for case in made)
        assert varied > MODELS / 2, name
