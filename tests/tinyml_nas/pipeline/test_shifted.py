"""A data set by another look: the same labels, other pixels, another key, and a field that has both."""

from __future__ import annotations

import numpy as np

from scenarios.look import Look
from scenarios.worlds.image_shift import ImageShift
from tinyml_nas.pipeline import context
from tinyml_nas.pipeline.features import divided, save_features
from tinyml_nas.pipeline.shifted import Shifted
from tinyml_nas.pipeline.split import Split
from tinyml_nas.types import Artifact

LOOKS = (Look("darker", 0.5), Look("darker", 0.6), Look("noise", 0.5))


def test_a_look_changes_pixels_and_key_and_nothing_else(sample):
    plain, seen = sample.split("test"), Shifted(sample, LOOKS[0])
    assert (seen.split("test").pixels == LOOKS[0].seen(plain.pixels)).all()
    assert (seen.split("test").labels == plain.labels).all()
    assert (seen.classes, seen.class_names) == (10, sample.class_names)
    assert seen.count("test") == 1000
    assert seen.count("test", 3) == 100
    digests = {Shifted(sample, look).digest() for look in LOOKS} | {sample.digest()}
    assert len(digests) == 4
    modules = set(context._modules(Split(seen, "test")))
    assert {"scenarios.look", "tinyml_nas.pipeline.shifted"} <= modules


def test_a_scenario_draws_from_both_looks_of_the_same_images(sample, tmp_path):
    images = Split(sample, "test")
    artifacts = []
    for look in range(2):
        folder = tmp_path / str(look)
        folder.mkdir()
        save_features(np.arange(1000)[:, None] + 1000 * look, folder)
        artifacts.append(Artifact(folder, str(look)))
    plain = divided(ImageShift(), artifacts[0], None, images)
    both = divided(ImageShift(), *artifacts, images)
    assert (plain.looks, both.looks) == (1, 2)
    for one, two in ((plain.pool, both.pool), (plain.score, both.score)):
        assert (two.features[::2] == one.features).all()
        assert (two.features[1::2] == one.features + 1000).all()
        assert (two.labels[1::2] == one.labels + 10).all()
