from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import time
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from codegen.boards import board as boards
from tinyml_nas import config
from tinyml_nas.config.errors import explain
from tinyml_nas.store.digest import canonical_json, describe
from tinyml_nas.study import Study

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "golden" / "configs"
OPTIONS = [
    (path.parent.name, path.stem)
    for path in sorted(config.CONF.glob("*/*.yaml"))
    if path.parent.name not in ("hydra", "experiment")
]
BOARDS = [("device", name) for name in boards.names()]
EXPERIMENTS = sorted(path.stem for path in config.CONF.glob("experiment/*.yaml"))


@pytest.fixture(scope="module", autouse=True)
def schemas():
    config.register()


def composed(*overrides: str):
    with initialize_config_dir(str(config.CONF), version_base="1.3"):
        return compose("config", [*overrides])


def built(*overrides: str) -> Study:
    return config.build(composed("name=test", *overrides), Path("out"))


@pytest.mark.parametrize(("group", "option"), OPTIONS + BOARDS)
def test_every_option_of_every_group_builds(group, option):
    # A space without trained weights can only be trained.
    task = ["task=train_supernet"] if "supernet" in group else []
    cfg = composed("name=test", f"{group}={option}", *task)
    study, target = config.build(cfg, Path("out")), cfg[group]._target_
    if hasattr(study, group):
        plugin = getattr(study, group)
        assert f"{type(plugin).__module__}.{type(plugin).__qualname__}" == target
        canonical_json(describe(plugin))


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_starts_from_the_schema_of_its_class_or_from_another_option(group, option):
    content = yaml.safe_load((config.CONF / group / f"{option}.yaml").read_text())
    first = content["defaults"][0]
    if "_target_" in content:
        assert first == f"/schema/{content['_target_'].rpartition('.')[2]}@_here_"
    else:
        assert (group, first) in OPTIONS
    assert content["defaults"][-1] == "_self_"


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_says_what_it_is(group, option):
    assert (config.CONF / group / f"{option}.yaml").read_text().startswith("# ")


def test_the_baseline_is_a_learner_of_its_own():
    study = built("learner@baseline=tybox", "baseline.passes=3", "learner.passes=2")
    assert (study.learner.passes, study.baseline.passes) == (2, 3)


def test_the_search_is_given_the_predictor_and_the_constraint_that_were_chosen():
    study = built("constraint.flash_bytes=12345")
    assert study.search.constraint.flash_bytes == 12345
    assert "RbfPredictor" in str(describe(study.search))


def test_the_search_for_omega_keeps_the_budget_that_the_memory_model_has():
    thesis = built("experiment=best_omega", "memory.budget_bytes=801000")
    assert thesis.search.constraint.omega_bytes == thesis.memory.budget_bytes == 801_000
    mcu = built("experiment=best_omega", "memory=mcu", "device=nucleo_f446re")
    assert mcu.search.constraint.omega_bytes is None
    assert mcu.search.constraint.flash_bytes == mcu.device.flash_bytes


def test_values_come_out_as_the_class_wants_them():
    study = built("learner.learning_rates=[1,2]", "scenario.swapped=[1,2]", "store='~/s'")
    assert study.learner.learning_rates == (1.0, 2.0)
    assert isinstance(study.learner.learning_rates[0], float)
    assert study.scenario.swapped == (1, 2)
    assert study.store_dir == Path.home() / "s"


def test_a_schema_shows_the_defaults_of_its_class():
    assert composed("pruning=l1_0.33").pruning.round_to == 4


BAD = [
    # an option that does not exist
    ("pruning=l7", r"pruning: must be one of .*l1_0\.33, l1_0\.49, .*none, .*; got l7"),
    ("learner@baseline=x", r"learner: must be one of .*tinyol.*; got x"),
    (
        "experiment=x",
        r"In 'config': Could not find 'experiment/x'|experiment: must be one of .*; got x",
    ),
    # a typo in a key
    ("prunning=none", r"prunning: there is no such key; Config has .*pruning"),
    ("learner.rate=1", r"learner\.rate: there is no such key; Tybox has learning_rate, "),
    ("+learner.rate=1", r"learner\.rate: there is no such key; Tybox has learning_rate, "),
    ("+extra=1", r"extra: there is no such key; Config has task"),
    ("data.rot=/x", r"data\.rot: there is no such key; Data has root"),
    ("baseline.rate=1", r"baseline\.rate: there is no such key"),
    # a wrong type
    ("device.clock_hz=fast", r"device\.clock_hz: Value 'fast' .*Integer"),
    ("seed=1.5", r"seed: Value '1\.5' .*Integer"),
    ("scenario.swapped=[a,4]", r"scenario\.swapped\[0\]: Value 'a'"),
    ("scenario.swapped=3", r"scenario\.swapped: .*list"),
    ("finetune.epochs=[1]", r"finetune\.epochs: "),
    ("device.serial.enables=[1.5]", r"device\.serial\.enables: .*float is not a"),
    ("+device.serial.enables=[null]", r"device\.serial\.enables"),
    ("baseline.passes=true", r"baseline\.passes: Value 'True' .*Integer"),
    ("device=null", r"device|[Cc]onfig group override must be a string"),
    ("~device", r"device"),
    ("pruning={keep_rato:1}", r"pruning\.keep_rato: there is no such key"),
    # out of range
    ("finetune.epochs=-1", r"finetune\.epochs: .*-1"),
    ("scenario.swapped=[3,4,5]", r"scenario\.swapped: must have 2 items; got \[3, 4, 5\]"),
    ("scenario.drift_at=800", r"scenario\.drift_at: must be from 1"),
    ("learner.loss=hinge", r"learner\.loss: must be one of cross_entropy, squared_error"),
    ("baseline.learning_rates=[2,1]", r"baseline\.learning_rates: must be positive"),
    ("memory.budget_bytes=0", r"memory\.budget_bytes: must be positive"),
    ("finetune.learning_rate=nan", r"finetune\.learning_rate: must be a finite number"),
    ("finetune.learning_rate=inf", r"finetune\.learning_rate: must be a finite number"),
    ("device.core=z80", r"device\.core: must be one of cortex-m0plus, .*; got 'z80'"),
    ("project.name=1st", r"project\.name: must be up to 64 letters"),
    ("project.golden_images=0", r"project\.golden_images: must be at least 1; got 0"),
    ("seed=-1", r"seed: must be from 0 to 4294967295; got -1"),
    ("task=dance", r"task: must be one of deploy, train_supernet, train_teacher; got 'dance'"),
    ("supernet=lite0 supernet.expansions=[1,6]", r"supernet\.expansions: .* from 2 to 6"),
    ("train_teacher.resolution=100", r"train_teacher\.resolution: must be a multiple of 32"),
    ("device.serial.pins=[1]", r"device\.serial\.pins: must be two, from 0 to 15; got \[1\]"),
    ("device.serial.driver=usb", r"device\.serial\.driver: must be one of user, cmsdk_uart, "),
    ("device.storage.first_sector=128", r"device\.storage\.first_sector: must be from 0 to 127"),
    # code where data belongs
    ("learner._target_=os.system", r"learner\._target_: must name a class under tinyml_nas\."),
    (
        "learner._target_=tinyml_nas.store.entries.digest_of",
        r"learner\._target_: must be a dataclass",
    ),
    ("learner._target_=tinyml_nas.nothing.At", r"learner\._target_: there is no"),
    ("learner._target_=codegen.learners.tybox.None", r"learner\._target_: there is no"),
    # not even an override
    ("learner.learning_rates=[", r"learner\.learning_rates=\[: cannot be read"),
]


@pytest.mark.parametrize(("override", "message"), BAD)
def test_bad_input_is_refused_in_one_line_that_names_the_key(override, message):
    import re

    with pytest.raises(Exception) as caught:  # noqa: PT011  # hydra's own types vary
        built(*override.split(" "))
    assert config.is_refusal(caught.value)
    text = explain(caught.value)
    assert "\n" not in text
    assert re.match(message, text), text


@pytest.mark.parametrize("ratio", ["0", "-0.5", "1.01", "nan"])
def test_a_ratio_out_of_range_is_refused(ratio):
    with pytest.raises(config.ConfigError, match=r"^pruning\.keep_ratio: "):
        built("pruning=l1_0.33", f"pruning.keep_ratio={ratio}")


@pytest.mark.parametrize("name", boards.names())
def test_a_device_is_its_board_file(name):
    assert built(f"device={name}").device == boards.load(name)


def test_a_value_of_a_device_can_be_overridden_as_data_sheets_write_it():
    said = ["device=pico2", "device.ram_origin=0x20001000", "device.ram_bytes=4096", "name=0x10"]
    said += ["device.stack_bytes=0x800", "+device.serial.enables=[[0x40,1],[0x44,2]]"]
    read = config.with_decimals(said)
    assert read[1] == "device.ram_origin=536875008"
    assert read[3] == "name=0x10"
    assert read[5] == "+device.serial.enables=[[64,1],[68,2]]"
    device = built(*read[:3], read[4], "pruning=none").device
    assert (device.ram_origin, device.stack_bytes) == (0x20001000, 2048)


def test_a_board_of_the_users_own_is_an_option_and_told_by_help(tmp_path):
    folder = tmp_path / "device"
    folder.mkdir()
    text = (boards.FOLDER / "nucleo_f446re.toml").read_text()
    (folder / "mine.toml").write_text(text.replace("131_072", "65_536"))
    config.register((config.CONF, tmp_path))
    device = built("device=mine").device
    assert device == dataclasses.replace(boards.load("nucleo_f446re"), ram_bytes=65_536)
    assert device.serial.driver == "stm32_usart"
    _, told = config.usage((config.CONF, tmp_path)).split("  device ")
    options, _ = told.split("  learner ", 1)
    assert "mine, nucleo_1mb" in options


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("mine", "", r"device/mine\.toml: .*must have name, core"),
        ("mine", "\0", r"device/mine\.toml: .*not a TOML file"),
        ("pico2", "", r"device/pico2\.toml: there is another device of the name pico2"),
    ],
)
def test_a_board_file_of_the_users_own_that_is_none_is_named(tmp_path, name, content, message):
    (tmp_path / "device").mkdir()
    (tmp_path / "device" / f"{name}.toml").write_text(content)
    with pytest.raises(config.ConfigError, match=message):
        config.register((config.CONF, tmp_path))


# Without those of few pictures, whose batches are at most as many.
FINETUNES = [option for group, option in OPTIONS if group == "finetune" and option != "photos"]
SUPERNET_TRAININGS = [option for group, option in OPTIONS if group == "train_supernet"]


@pytest.mark.parametrize(("dataset", "images"), [("cifar10", 45_000), ("cifar10_sample", 4_000)])
@pytest.mark.parametrize(
    ("group", "option", "task"),
    [
        *(("finetune", option, "deploy") for option in FINETUNES),
        *(("train_supernet", option, "train_supernet") for option in SUPERNET_TRAININGS),
    ],
)
def test_training_that_would_take_no_step_is_refused(dataset, images, group, option, task):
    chosen = (f"dataset={dataset}", f"task={task}", f"{group}={option}")
    built(*chosen, f"{group}.batch_size={images}")
    text = rf"{group}\.batch_size: must be at most {images}, .*; got {images + 1}"
    with pytest.raises(config.ConfigError, match=text):
        built(*chosen, f"{group}.batch_size={images + 1}")


def test_a_recipe_that_no_training_follows_is_not_refused():
    built("network=omega_256kb", "finetune.batch_size=5000")
    built("train_supernet.batch_size=5000")
    built("task=train_supernet", "finetune.batch_size=5000")


def test_no_finetuning_can_be_asked_for_but_no_training_of_a_supernet():
    assert built("finetune.epochs=0").finetune.epochs == 0
    none = ("train_supernet.epochs=0", "train_supernet.decay_epochs=null")
    built(*none)
    with pytest.raises(config.ConfigError, match=r"^train_supernet\.epochs: must be above 0, .*0$"):
        built("task=train_supernet", *none)


def test_an_option_that_a_study_does_not_expect_is_refused_by_key():
    with pytest.raises(Exception, match="composing config") as caught:
        built("experiment=smoke", "scenario=none")
    assert config.is_refusal(caught.value)
    assert "'samples' not in 'NoScenario'" in explain(caught.value)


def test_an_error_of_the_program_itself_is_no_refusal():
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("x")
    assert not config.is_refusal(caught.value)


def test_an_option_file_with_a_class_that_is_not_there_is_named(tmp_path):
    (tmp_path / "conf" / "pruning").mkdir(parents=True)
    (tmp_path / "conf" / "pruning" / "new.yaml").write_text("_target_: tinyml_nas.pruning.new.New")
    with pytest.raises(
        config.ConfigError, match=r"conf/pruning/new\.yaml.*tinyml_nas\.pruning\.new"
    ):
        config.register((config.CONF, tmp_path / "conf"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"keep_ratio: [", "cannot be read as YAML: while parsing"),
        (b"a: 1\na: 2\n", "cannot be read as YAML: .*duplicate key a"),
        (b"# caf\xe9\nkeep_ratio: 0.5\n", "cannot be read as YAML: 'utf-8' codec"),
        (b"- just\n- a\n- list\n", "must hold keys and values"),
    ],
)
def test_an_option_file_of_the_users_own_that_cannot_be_read_is_named(tmp_path, content, reason):
    (tmp_path / "pruning").mkdir()
    path = tmp_path / "pruning" / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(config.ConfigError, match=f"^{path}: {reason}") as caught:
        config.register((config.CONF, tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["config.yaml", *(f"{g}/{o}.yaml" for g, o in OPTIONS[::5])])
def test_an_option_file_of_the_users_own_is_not_passed_over_in_silence(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    text = (config.CONF / name).read_text()
    path.write_text(text)
    config.register((config.CONF, tmp_path))  # a copy does no harm
    path.write_text(text + "# and a change\n")
    with pytest.raises(config.ConfigError, match=rf"^{path}: the package has another {name}, "):
        config.register((config.CONF, tmp_path))


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("flags", [["--help"], ["--cfg", "job"], ["--cfg", "job", "--resolve"]])
def test_looking_costs_little(flags):
    started = time.monotonic()
    done = run("-X", "importtime", "run.py", *flags)
    assert done.returncode == 0
    # Two seconds on an idle machine; what decides is what is imported.
    assert time.monotonic() - started < 30
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "omegaconf" in imported
    heavy = {"torch", "tensorflow", "keras", "pymoo", "scipy", "matplotlib", "tflite_micro"}
    assert not heavy & imported


def test_help_lists_every_group_and_option():
    text = config.usage()
    assert run("run.py", "--help").stdout.strip() == text.strip()
    blocks = re.split(
        r"^  (?=[a-z_]+ )", text.partition("What each group decides")[2], flags=re.MULTILINE
    )
    told = {block.split()[0]: block for block in blocks[1:]}
    for group, option in OPTIONS:
        first, *options = told[group].splitlines()
        assert len(first.split()) > 3, f"{group}: say what it decides"
        assert option in " ".join(options).replace(",", "").split()


@pytest.mark.parametrize("override", ["pruning=l7", "finetune.epochs=-1", "device=null"])
def test_the_command_line_refuses_with_one_line_and_status_2(override, tmp_path):
    done = run("run.py", override, f"hydra.run.dir={tmp_path}")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {override.partition('=')[0]}")
    assert done.stdout == ""


@pytest.mark.parametrize("group", config.GROUPS)
@pytest.mark.parametrize("value", ["null", "5", "", "[]", "{}", "null,5", "true"])
def test_what_can_be_no_option_is_refused_by_the_groups_name(group, value):
    for key in (group, f"{group}@other", f"+{group}"):
        with pytest.raises(config.ConfigError, match=rf"^{group}: must be the name of one of its"):
            config.check_groups(["-m", "seed=1", f"{key}={value}"], config.GROUPS)


def test_options_of_groups_and_other_keys_may_be_what_they_are():
    said = ["network=null", "device=pico2,nucleo_1mb", "search=[", "~scenario", "--cfg", "job"]
    config.check_groups([*said, "supernet.checkpoint=null"], config.GROUPS)


def test_a_sweep_with_one_bad_job_does_not_start(tmp_path):
    done = run(
        "run.py",
        "-m",
        "pruning=none,l1_0.33",
        "finetune.epochs=0,-1",
        f"hydra.sweep.dir={tmp_path}",
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["error: finetune.epochs: must not be negative; got -1.0"]
    assert not list(tmp_path.glob("job-*"))


@pytest.mark.golden
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiments_are_what_they_were(experiment, update_golden, monkeypatch):
    monkeypatch.delenv("TINYML_NAS_DATA", raising=False)  # whoever runs this
    path = GOLDEN / f"{experiment}.yaml"
    cfg = composed(f"experiment={experiment}")
    assert isinstance(config.build(cfg, Path("out")), Study)
    text = OmegaConf.to_yaml(cfg, resolve=True)
    if update_golden:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), "if this is meant: make golden, and look at the diff"


def test_no_golden_config_is_left_of_an_experiment_that_is_gone():
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == EXPERIMENTS


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiments_open_with_their_command(experiment):
    text = (config.CONF / "experiment" / f"{experiment}.yaml").read_text()
    assert text.startswith("# @package _global_\n")
    assert f"python run.py experiment={experiment}" in "".join(text.splitlines()[:4])


def test_a_study_can_be_compared_and_described():
    one, two = built(), built()
    assert one == two
    assert dataclasses.replace(one, seed=1) != two


@cache
def with_option(group: str, option: str):
    return composed("name=test", f"{group}={option}")


@pytest.mark.parametrize(
    ("first", "second"), list(combinations(("pruning", "quantizer", "learner"), 2))
)
def test_every_pair_of_pruning_quantizer_and_learner_builds(first, second):
    whole, chosen = {}, {}
    for group in (first, second):
        options = [option for name, option in OPTIONS if name == group]
        whole[group] = {option: with_option(group, option) for option in options}
        chosen[group] = {option: cfg[group] for option, cfg in whole[group].items()}
    for option, cached in whole[first].items():
        cfg = cached.copy()
        for other, node in chosen[second].items():
            # As composing both would: no option of these groups overrides another group.
            cfg[second] = node
            study = config.build(cfg, Path("out"))
            for group, name in ((first, option), (second, other)):
                target = f"{type(getattr(study, group)).__module__}.{type(getattr(study, group)).__qualname__}"
                assert target == chosen[group][name]._target_


def test_choosing_two_options_is_choosing_each():
    both = composed("name=test", "pruning=taylor", "quantizer=int8_qat")
    one = composed("name=test", "pruning=taylor")
    one.quantizer = composed("name=test", "quantizer=int8_qat").quantizer
    assert OmegaConf.to_container(both) == OmegaConf.to_container(one)


def test_a_network_of_the_base_classes_stands_in_where_others_join(tmp_path: Path) -> None:
    """Its data set has these classes alone, and the field all; elsewhere it is not asked for."""
    (tmp_path / "spec.json").write_text('{"classes": 8}')
    (tmp_path / "weights.safetensors").touch()
    given = ("network=omega_801kb", f"base_network={tmp_path}")
    joined = built(*given, "scenario=class_incremental")
    assert (joined.network, joined.dataset.classes, joined.field.classes) == (str(tmp_path), 8, 10)
    assert joined.scenario.rows(joined.dataset, joined.field) == tuple(range(8))
    for scenario in ("concept_drift", "none"):
        other = built(*given, f"scenario={scenario}")
        assert (other.network, other.dataset.classes) == ("omega_801kb", 10)
    with pytest.raises(config.ConfigError, match="tells 10 classes apart, and the data set has 8"):
        built("base_network=omega_801kb", "scenario=class_incremental")
