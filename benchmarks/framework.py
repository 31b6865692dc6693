"""What the frame costs around the work: looking, a run that is stored, a stage's entry, and a sweep.

    OMP_NUM_THREADS=1 python -m benchmarks.framework DIR [--launcher basic --launcher joblib --launcher ray]

Times the command line as a user has it, each thing as the best of three; then, for each launcher, a sweep of 18 jobs
(3 prunings, 2 quantizers, 3 scenarios of ``experiment=smoke``) into an empty store: how long it took, how many stages
ran, and how many would have, had each job run its own. DIR is for stores and results. Prints Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tinyml_nas.report.summary import rows_of
from tinyml_nas.store.entries import Key, Store

TRIES = 3
ENTRIES = 200
JOBS = 18
SWEEP = (
    "experiment=smoke",
    "pruning=none,l1_0.49,l1_0.33",
    "quantizer=none,int8",
    "scenario=concept_drift,stationary,class_incremental",
    "device=pico2",  # whose flash holds the float programs too
    "memory.budget_bytes=8000000",
)
RUN = ("network=omega_256kb", "memory.budget_bytes=256000")
LAUNCHERS: Mapping[str, tuple[str, ...]] = {
    "basic": (),
    "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
    "ray": ("hydra/launcher=ray", "+hydra.launcher.ray.init.num_cpus=2"),
}


def seconds(arguments: Sequence[str]) -> float:
    """How long ``run.py`` takes with these arguments."""
    started = time.monotonic()
    command = [sys.executable, "run.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"error: {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr[-2000:]}"
        )
    return time.monotonic() - started


def best(arguments: Sequence[str]) -> float:
    """The shortest of three times."""
    return min(seconds(arguments) for _ in range(TRIES))


def overhead() -> tuple[float, float]:
    """Seconds to write an entry of a stage that does nothing, and to take it from the store."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        keys = [Key("nothing", {"number": number}, "", {}) for number in range(ENTRIES)]
        times = []
        for _ in range(2):
            started = time.monotonic()
            for key in keys:
                store.get(key, lambda files, work: {})
            times.append((time.monotonic() - started) / ENTRIES)
    return times[0], times[1]


def counts(jobs: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, tuple[int, int]]:
    """Of each stage: how often it ran, and how often it would have, had each job run its own.

    ``jobs`` have the ``stages`` of ``result.json``. What a job asks for twice, it would run once.
    """
    ran: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for stages in jobs:
        own: dict[tuple[str, str], bool] = {}
        for stage in stages:
            place = (stage["stage"], stage["key"])
            own[place] = own.get(place, False) or stage["seconds"] is not None
        for (name, _), is_new in own.items():
            asked[name] += 1
            ran[name] += is_new
    return {name: (ran[name], asked[name]) for name in asked}


def swept(folder: Path, launcher: str) -> tuple[float, dict[str, tuple[int, int]]]:
    """The sweep by a launcher, into an empty store: its seconds and its counts."""
    place = folder / launcher
    if place.exists():
        sys.exit(f"error: {place}: is there already; name another DIR")
    folders = (f"store={place / 'store'}", f"hydra.sweep.dir={place / 'sweep'}")
    spent = seconds(["-m", *SWEEP, *LAUNCHERS[launcher], *folders])
    results = [row.result for row in rows_of(place / "sweep")]
    if len(results) != JOBS:
        sys.exit(f"error: {place}: {len(results)} of {JOBS} jobs left a result")
    stages = [
        [
            {**stage, **took}
            for stage, took in zip(result.provenance["stages"], result.took["stages"], strict=True)
        ]
        for result in results
    ]
    return spent, counts(stages)


def main() -> None:
    """Print the tables, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description="Time the command line, the store and a sweep.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--launcher", action="append", choices=LAUNCHERS, default=[])
    arguments = parser.parse_args()
    say = sys.stdout.write
    say("| | seconds |\n|---|---:|\n")
    for flags in (["--help"], ["--cfg", "job"]):
        say(f"| `{' '.join(flags)}` | {best(flags):.2f} |\n")
    place = arguments.folder.absolute() / "stored"
    stored = [*RUN, f"store={place / 'store'}", f"hydra.run.dir={place / 'run'}"]
    say(f"| a run, first | {seconds(stored):.1f} |\n")
    say(f"| the same, all stages stored | {best(stored):.2f} |\n")
    written, taken = overhead()
    say(f"| the store, to write a stage | {written:.4f} |\n")
    say(f"| the store, to take a stage | {taken:.4f} |\n")
    for launcher in arguments.launcher:
        spent, stages = swept(arguments.folder.absolute(), launcher)
        ran, asked = (sum(pair[side] for pair in stages.values()) for side in (0, 1))
        say(f"| {JOBS} jobs, {launcher} | {spent:.0f} |\n")
        told = ", ".join(f"{name} {new} of {all_}" for name, (new, all_) in stages.items())
        say(f"\n{launcher}: {ran} stages ran, {asked} would have: {told}\n\n")


if __name__ == "__main__":
    main()
