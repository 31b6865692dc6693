from __future__ import annotations

import copy
import os
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from tinyml_nas.network import files
from tinyml_nas.network.module import StaticNetwork, spec_of


@pytest.fixture
def folder(small_network, tmp_path):
    files.save(small_network, tmp_path / "network")
    return tmp_path / "network"


def test_what_is_saved_is_loaded(small_network, folder):
    loaded = files.load(folder)
    assert spec_of(loaded) == spec_of(small_network)
    assert not loaded.training
    expected = small_network.state_dict()
    assert loaded.state_dict().keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in loaded.state_dict().items())
    assert sorted(path.name for path in folder.iterdir()) == ["spec.json", "weights.safetensors"]


def test_equal_networks_give_equal_bytes(small_network, folder, tmp_path):
    trained = copy.deepcopy(small_network).to(memory_format=torch.channels_last)
    files.save(trained, tmp_path / "again")
    for name in ("spec.json", "weights.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_what_float16_holds_takes_half_the_space_and_not_one_bit_is_lost(
    small_network, folder, tmp_path
):
    rounded = copy.deepcopy(small_network)
    with torch.no_grad():
        for weight in rounded.parameters():
            weight.copy_(weight.half())
    files.save(rounded, tmp_path / "half")
    sizes = [(path / "weights.safetensors").stat().st_size for path in (tmp_path / "half", folder)]
    assert sizes[0] < 0.6 * sizes[1]
    expected, loaded = rounded.state_dict(), files.load(tmp_path / "half").state_dict()
    for name, value in loaded.items():
        assert value.dtype == expected[name].dtype
        assert torch.equal(value, expected[name])


def test_beyond_float16_nothing_is_narrowed(small_network, tmp_path):
    large = copy.deepcopy(small_network)
    with torch.no_grad():
        large.mix.bias.fill_(70_000)
        large.mix.weight.fill_(1e-9)
    files.save(large, tmp_path)
    loaded = files.load(tmp_path)
    assert torch.equal(loaded.mix.bias, large.mix.bias)
    assert torch.equal(loaded.mix.weight, large.mix.weight)


@pytest.mark.parametrize("name", ["spec.json", "weights.safetensors"])
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        files.load(folder)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated_weights_are_refused(folder, share):
    path = folder / "weights.safetensors"
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(files.NetworkFileError, match=r"weights\.safetensors: truncated"):
        files.load(folder)


def test_one_flipped_bit_is_refused(folder):
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(files.NetworkFileError, match="checksum"):
        files.load(folder)


def test_foreign_weights_are_refused(small_network, folder):
    save_file(dict(small_network.state_dict()), folder / "weights.safetensors")
    with pytest.raises(files.NetworkFileError, match="not written by this program"):
        files.load(folder)


def test_another_networks_specification_is_refused(small_network, folder):
    wider = replace(spec_of(small_network), features=44)
    (folder / "spec.json").write_text(wider.to_json())
    with pytest.raises(files.NetworkFileError, match=r"spec\.json: not the specification"):
        files.load(folder)


def test_kill_between_the_two_files_is_noticed(small_spec, folder, monkeypatch):
    write = files.durable.write

    def killed(path, content):
        if path.name == "spec.json":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(files.durable, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        files.save(StaticNetwork(replace(small_spec, features=44)), folder)
    with pytest.raises(files.NetworkFileError):
        files.load(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda tensors: tensors.pop("mix.bias"), "missing: mix.bias"),
        (lambda tensors: tensors.update(extra=torch.zeros(1)), "unknown tensors: extra"),
        (lambda tensors: tensors.update({"mix.bias": torch.zeros(3)}), r"mix\.bias is .* \(3,\)"),
        (lambda tensors: tensors.update({"mix.bias": tensors["mix.bias"].double()}), "float64"),
    ],
)
def test_tensors_that_do_not_fit_the_specification_are_named(
    small_network, folder, monkeypatch, damage, message
):
    tensors = dict(small_network.state_dict())
    damage(tensors)
    monkeypatch.setattr(small_network, "state_dict", lambda: tensors)
    files.save(small_network, folder)
    with pytest.raises(files.NetworkFileError, match=message):
        files.load(folder)
