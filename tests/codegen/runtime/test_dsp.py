"""The SMLAD kernels on this computer, their instructions emulated in C++, under sanitizers.

What the assembly does is checked on emulated cores (``test_cores.py``); here is what surrounds it:
addresses, borders, rests of channels and pixels, and the bounds of buffers.
"""

from __future__ import annotations

import pytest

from tests.support.conformance import models, report
from tests.support.cores import Host, run
from tests.support.families import FAMILIES

MODELS, INPUTS = 40, 4
HOST = Host()
EMULATED = Host((*HOST.flags, "-DTINYML_ISA_DSP=1"))


@pytest.fixture(scope="module")
def differences(tmp_path_factory):
    made = {name: models(name, MODELS, INPUTS) for name in FAMILIES}
    folder = tmp_path_factory.mktemp("dsp")
    cases = [case for family in made.values() for case in family]
    outputs = iter(run(cases, EMULATED, tmp_path_factory.mktemp("cases"), folder))
    return {name: report(family, [next(outputs) for _ in family]) for name, family in made.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_emulated_instructions_give_the_oracles_bytes(family, differences):
    assert not differences[family], differences[family]
