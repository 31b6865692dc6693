"""What the frame costs around the work: looking, a run that is stored, a stage's entry, and a sweep.

    OMP_NUM_THREADS=1 python -m benchmarks.framework DIR [--part look --part run --part store --part basic --part joblib --part ray]

Times the command line as a user has it, each thing as the best of three, in seconds of a clock and of processors: the
second hardly depends on what else the machine does. Then, for each launcher, a sweep of 18 jobs (3 prunings, 2 quantizers,
3 scenarios of ``experiment=smoke``) into an empty store: how long it took, how many stages ran, and how many would have,
had each job run its own. Parts stand alone; all but Ray's without ``--part``. DIR is for stores and results. Prints Markdown.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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


@dataclass(frozen=True, order=True)
class Spent:
    """Seconds of processors, of this process's children and theirs, and of a clock."""

    processor_s: float
    clock_s: float

    def __str__(self) -> str:
        return f"{self.clock_s:.1f} | {self.processor_s:.1f}"


def spent(arguments: Sequence[str]) -> Spent:
    """How long ``run.py`` takes with these arguments."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "run.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"error: {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr[-2000:]}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(used, time.monotonic() - started)


def best(arguments: Sequence[str]) -> Spent:
    """That of three tries which took processors the least."""
    return min(spent(arguments) for _ in range(TRIES))


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


def swept(folder: Path, launcher: str) -> tuple[Spent, dict[str, tuple[int, int]]]:
    """The sweep by a launcher, into an empty store: its seconds and its counts."""
    place = folder / launcher
    if place.exists():
        sys.exit(f"error: {place}: is there already; name another DIR")
    folders = (f"store={place / 'store'}", f"hydra.sweep.dir={place / 'sweep'}")
    taken = spent(["-m", *SWEEP, *LAUNCHERS[launcher], *folders])
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
    return taken, counts(stages)


def look(_: Path) -> None:
    """What is asked for most often."""
    for flags in (["--help"], ["--cfg", "job"]):
        sys.stdout.write(f"| `{' '.join(flags)}` | {best(flags)} |\n")


def run(folder: Path) -> None:
    """A run of a shipped network into an empty store, and again."""
    place = folder / "stored"
    if place.exists():
        sys.exit(f"error: {place}: is there already; name another DIR")
    given = [*RUN, f"store={place / 'store'}", f"hydra.run.dir={place / 'run'}"]
    sys.stdout.write(f"| a run, first | {spent(given)} |\n")
    sys.stdout.write(f"| the same, all stages stored | {best(given)} |\n")


def store(_: Path) -> None:
    """An entry of the store, without the stage that it is of."""
    written, taken = overhead()
    sys.stdout.write(f"| the store, to write a stage | {written:.4f} | |\n")
    sys.stdout.write(f"| the store, to take a stage | {taken:.4f} | |\n")


def sweep(folder: Path, launcher: str) -> None:
    """A sweep by a launcher, and its stages."""
    taken, stages = swept(folder, launcher)
    ran, asked = (sum(pair[side] for pair in stages.values()) for side in (0, 1))
    sys.stdout.write(f"| {JOBS} jobs, {launcher} | {taken} |\n")
    told = ", ".join(f"{name} {new} of {all_}" for name, (new, all_) in stages.items())
    sys.stdout.write(f"\n{launcher}: {ran} stages ran, {asked} would have: {told}\n\n")


PARTS: Mapping[str, Callable[[Path], None]] = {
    "look": look,
    "run": run,
    "store": store,
    **{name: partial(sweep, launcher=name) for name in LAUNCHERS},
}


def main() -> None:
    """Print the tables, a row as soon as it is known."""
    parser = argparse.ArgumentParser(description="Time the command line, the store and a sweep.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--part", action="append", choices=PARTS)
    arguments = parser.parse_args()
    sys.stdout.write("| | seconds | of processors |\n|---|---:|---:|\n")
    for name in arguments.part or [name for name in PARTS if name != "ray"]:
        PARTS[name](arguments.folder.absolute())


if __name__ == "__main__":
    main()
