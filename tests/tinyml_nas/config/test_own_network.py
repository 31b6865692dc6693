"""Networks of users that are refused, before any work, with what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from codegen.pixels import normalise
from tinyml_nas import config
from tinyml_nas.network import user
from tinyml_nas.network.own import OwnInput, kind_of
from tinyml_nas.network.seen import inputs
from tinyml_nas.network.seen import pixels as shown
from tinyml_nas.network.seen_tensors import as_seen
from tinyml_nas.types import Images, Seen

CODE = """
import torch
from torch import nn

NUMBER = 3

def ten():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 10))

def nine():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 9))

def map_():
    return nn.Conv2d(3, 10, 3)

def broken():
    raise RuntimeError("no weights here")

def number():
    return 3

def dropped_out(share):
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(share), nn.Flatten(), nn.Linear(3 * 8 * 8, 10))

def half():
    return dropped_out(0.5)

def fifth():
    return dropped_out(0.2)

def stale():
    class Stale(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(3 * 8 * 8, 10)
        def forward(self, x):
            x = x * 2
            torch.relu_(x[:, :2])
            return self.last(x.flatten(1))
    return Stale()

def decides():
    class Deciding(nn.Module):
        def forward(self, x):
            return x, x
    return Deciding()
"""
SAID = ("network_input.size=8", "network_input.mean=0", "network_input.std=255")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    for name in ("mine.py", "networks_of_a_user.py"):
        (folder / name).write_text(CODE)
    (folder / "text.tflite").write_text("no flatbuffer")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


def built(*overrides: str):
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        config.register()
        return config.build(compose("config", ["name=test", *overrides]), Path("out"))


def test_a_module_is_found_by_file_and_by_name(folder):
    assert built("network=mine.py:ten", *SAID).network_input == OwnInput(8, 3, (0.0,), (255.0,))
    built("network=networks_of_a_user:ten", *SAID)
    built(f"network={folder}/mine.py:ten", *SAID, "network_finetune=true", "finetune=standard")
    # Not refused here: the conversion names all layers that cannot be.
    built("network=mine.py:stale", *SAID)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("network=mine.py:ten",), "^network_input.size: must say the input side"),
        (
            ("network=mine.py:ten", "network_input.size=8"),
            "^network_input.mean.*say how the training saw",
        ),
        (("network=mine.py:ten", *SAID[:2]), "^network_input: mean and std go together"),
        (
            ("network=mine.py:ten", "network_input.size=4"),
            "^network_input.size: must be from 8 to 1024; got 4",
        ),
        (("network_input.size=1025",), "from 8 to 1024; got 1025"),
        (
            ("network_input.mean=nan", "network_input.std=1"),
            "^network_input.mean: must be a number",
        ),
        (("network_input.channels=2",), "^network_input.channels: must be 3 or 1; got 2"),
        (("network_input.mean=[1,2]", "network_input.std=1"), "one number or three; got .1.0, 2.0"),
        (
            ("network_input.mean=a", "network_input.std=1"),
            "^network_input.mean: must be a number or a list",
        ),
        (
            ("network_input.mean=[0.485,0.456,0.406]", "network_input.std=[0.229,0.224,0.225]"),
            r"For pixels of 0..1 these are mean=\[123.675, 116.28, 103.53\] std=\[58.395, 57.12, 57.375\]",
        ),
        (
            ("network=mine.py:nine", *SAID),
            "^network: tells 9 classes apart, and the data set has 10",
        ),
        (
            ("network=mine.py:map_", *SAID),
            r"^network=mine.py:map_: must give logits \(N, classes\)",
        ),
        (
            ("network=mine.py:broken", *SAID),
            "^network=mine.py:broken: RuntimeError: no weights here",
        ),
        (("network=mine.py:number", *SAID), "must give a torch.nn.Module; it gives a int"),
        (("network=mine.py:decides", *SAID), "must give one tensor"),
        (
            ("network=mine.py:absent", *SAID),
            r"there is no absent; functions of the file: ten, nine, ",
        ),
        (("network=mine.py:ten", "network_input.size=9", *SAID[1:]), "network_input.size is 9"),
        (("network=nowhere.py:ten", *SAID), "there is no file nowhere.py"),
        (("network=nowhere:ten", *SAID), "ModuleNotFoundError"),
        (("network=nowhere.keras", *SAID), "^network: there is no file nowhere.keras"),
        (("network=text.tflite", *SAID), "^network: text.tflite: not a flatbuffer"),
        (("network=omega_256kb", *SAID), "^network_input: is of networks of your own"),
        (
            ("network=omega_256kb", "network_finetune=true"),
            "^network_finetune: trains a torch module",
        ),
        (
            ("network=mine.py:ten", *SAID, "network_finetune=true"),
            "^finetune.teacher: largest .* take finetune=standard",
        ),
    ],
    ids=range(24),
)
def test_what_cannot_be_taken_is_refused_with_what_to_do(folder, overrides, message):
    with pytest.raises(config.ConfigError, match=message):
        built(*overrides)


def test_what_a_module_does_while_it_is_trained_counts_where_it_is(folder):
    def taken(name, **learns):
        user._traced.cache_clear()
        return user.taken(f"mine.py:{name}", 8, Seen(), 10, **learns)

    names = ("half", "fifth")
    plain = [taken(name) for name in names]
    learning = [taken(name, learns=True) for name in names]
    assert {module.training_digest for module in plain} == {""}
    assert len({module.digest for module in [*plain, *learning]}) == 1
    assert len({module.training_digest for module in learning}) == 2
    assert [taken(name, learns=True) for name in names] == learning


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("omega_256kb", None),
        ("out/network", None),
        ("a.keras", "keras"),
        ("a/b.tflite", "tflite"),
        ("a.b.c:net", "torch"),
        ("/x/y z.py:Net", "torch"),
    ],
)
def test_what_a_name_stands_for(name, kind):
    assert kind_of(name) == kind


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_training_and_device_see_the_same_bits(channels, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (4, 12, 12, 3), np.uint8)
    mean, std = (tuple(rng.uniform(1, 200, channels)) for _ in range(2))
    seen = Seen(channels, mean, std)
    wanted = inputs(Images(pixels, np.zeros(4, np.uint8)), 12, seen, "float32")
    given = torch.from_numpy(normalise(pixels)).permute(0, 3, 1, 2)
    found = as_seen(given, seen).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(found, wanted)
    grey = np.repeat(pixels[..., :1], 3, -1)
    assert np.array_equal(shown(Images(grey, pixels[:, 0, 0, 0]), 12, Seen(1)), grey[..., :1])
