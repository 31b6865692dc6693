from __future__ import annotations

import pytest

from tinyml_nas.commands import doctor


def findings_by_name() -> dict[str, doctor.Finding]:
    return {one.name: one for one in doctor.findings()}


def test_what_is_here_is_found_and_what_every_run_needs_has_a_remedy(capsys):
    doctor.run([])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok      torch ") and "2.13.0" in line for line in lines)
    assert all(one.found or one.remedy for one in doctor.findings())


def test_a_missing_compiler_is_named_with_its_package_and_ends_with_status_1(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit) as left:
        doctor.run([])
    assert left.value.code == 1
    out = capsys.readouterr().out
    assert "MISSING g++                        apt-get install g++" in out
    assert "absent  qemu-system-arm            apt-get install qemu-system-arm" in out
    assert "no run can end well without: g++, cmake" in out


def test_data_are_looked_for_where_runs_look(monkeypatch, tmp_path):
    (tmp_path / "cifar-10-batches-bin").mkdir()
    monkeypatch.setenv("TINYML_NAS_DATA", str(tmp_path))
    found = findings_by_name()
    assert found["cifar-10-batches-bin"].found == str(tmp_path / "cifar-10-batches-bin")
    assert found["imagenette2-96"].found is None
    assert f"data.root={tmp_path}" in found["imagenette2-96"].remedy


def test_a_disk_without_room_is_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 1e18)
    assert "make room" in findings_by_name()["disk"].remedy
    assert findings_by_name()["disk"].found is None


def test_arguments_are_refused(capsys):
    with pytest.raises(SystemExit) as left:
        doctor.run(["--fix"])
    assert left.value.code == 2
    assert "doctor takes no arguments; got --fix" in capsys.readouterr().err
