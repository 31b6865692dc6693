"""The thesis's table, from results that a sweep leaves."""

from __future__ import annotations

from benchmarks.table1 import caption, draw, row_of, table
from tinyml_nas.types import Result


def result(supernet: str, keep: str, size: int, accuracy: float, int8: float | None) -> Result:
    metrics = {
        "size_bytes": {"float": 8_000_000, "pruned": size},
        "test_accuracy": {"float": {"value": 0.9}, "pruned": {"value": accuracy}},
        "network": {"test_images": 10_000},
        "training": {"float": {"steps": 3510}, "pruned": {"steps": 351}},
        "memory": {
            "thesis": {"ram_parts": {"extractor_weights": 700, "head_weights": 40, "buffer": 9}}
        },
    }
    if int8 is not None:
        metrics["test_accuracy"]["deployed"] = {"value": int8}
    said = (f"supernet={supernet}", f"pruning.keep_ratio={keep}", "experiment=table1")
    return Result("ok" if int8 else "infeasible", metrics, said, {})


RESULTS = [
    result("thesis", "0.494", 3_952_000, 0.81, 0.8),
    result("lite0", "0.199", 1_592_000, 0.88, 0.879),
    result("lite0", "0.494", 3_960_000, 0.91, None),
]


def test_each_family_has_its_baseline_and_its_rows_by_falling_size():
    lines = table([row_of(item) for item in RESULTS]).splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [(row[0], row[1].split(" %")[0]) for row in cells] == [
        ("from ImageNet", "100"),
        ("from ImageNet", "49.5"),
        ("from ImageNet", "19.9"),
        ("CIFAR-10 alone", "100"),
        ("CIFAR-10 alone", "49.4"),
    ]
    whole, half, fifth = cells[:3]
    assert whole[2] == "90.00 % (89.4-90.6)"
    assert half[3:6] == ["-1.00", "does not fit", ""]
    assert fifth[2:7] == ["88.00 % (87.3-88.6)", "+2.00", "87.90 % (87.2-88.5)", "+0.10", "740"]
    assert half[7:] == ["79.48 %", "78.50 %"]
    assert fifth[7:] == ["13.26 %", ""]


def test_the_caption_says_how_long_each_family_was_trained():
    assert caption([row_of(item) for item in RESULTS]).splitlines() == [
        f"{family}: Υ was trained for 3,510 steps, each Φ for 351 more."
        for family in ("from ImageNet", "CIFAR-10 alone")
    ]


def test_a_job_that_trained_nothing_is_no_row():
    assert row_of(Result("failed", {"error": "x"}, ("supernet=lite0",), {})) is None


def test_the_picture_is_the_same_every_time(tmp_path):
    rows = [row_of(item) for item in RESULTS]
    for name in "ab":
        draw(rows, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
