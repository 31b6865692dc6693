"""Programs around nothing but a head, for comparing learners."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.heads import CLASSES, LEARNERS, Extracted, program
from codegen.ir import Quantization
from codegen.learners.statistics import statistics_of
from codegen.project import HeadWeights

FEATURES, SCALE, ZERO = 6, 0.1, -7


@pytest.mark.parametrize("blank", [False, True])
def test_a_program_starts_with_the_extractor_s_head_or_knows_no_class(tmp_path, blank) -> None:
    rng = np.random.default_rng(2)
    codes = rng.integers(-128, 128, (300, FEATURES)).astype(np.int8)
    real = SCALE * (codes.astype(np.float64) - ZERO)
    weights = rng.normal(size=(CLASSES, FEATURES)).astype(np.float32)
    head = HeadWeights(weights, rng.normal(size=CLASSES).astype(np.float32))
    known = Extracted(
        head,
        Quantization((SCALE,), (ZERO,)),
        statistics_of(real, np.arange(300) % CLASSES, range(CLASSES)),
        {},
    )
    learner = LEARNERS["rls" if blank else "tinyol"]
    model = program(known, learner, blank=blank, folder=tmp_path)
    assert model.shape.classes == CLASSES
    if blank:
        model.learn(codes[0], 7)
        assert set(model.predict(codes).tolist()) == {7}
    else:
        expected = (real @ head.weights.T + head.bias).argmax(axis=1)
        np.testing.assert_array_equal(model.predict(codes), expected)
