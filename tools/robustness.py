"""Kill runs, fill their disk and start several at once; then see that nothing is lost.

    python tools/robustness.py [--kills 8] [--disks 4] [--parallel 2 3] [--seed 0] [KEY=VALUE ...]

The job is ``experiment=smoke`` unless overrides of another one are given. It is run once to its end
in a store of its own. Every trial has a store of its own too, and holds if the same command, given
once more where it was stopped, ends with that first result: the same metrics but for the time that
they took, the same network, the same project byte for byte, and the user's own file in it.

- killed: SIGKILL to the run and its compilers at moments that are drawn from the time of a whole
  run, several times in a row;
- disk full: store and run on a small file system, its size drawn from what a run fills. The run has
  to end with one line that names a file there. Needs the right to mount;
- one name: all but one of the processes have to be refused with exit status 2;
- own names: all of them, on one store, have to succeed.

The trials are the same for the same seed, but for where a process is when it is killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from codegen import durable  # noqa: E402
from tinyml_nas.network.shipped import FILES  # noqa: E402
from tinyml_nas.store.digest import digest_of  # noqa: E402

KILLS_IN_A_ROW = 4
REFUSED = 2
OF_THE_CLOCK = {"seconds", "hardware"}
MINE = Path("project", "user", "port.cpp")


@dataclass(frozen=True)
class Ended:
    """A process that ended, or was killed (status -9), and what it said."""

    status: int
    said: str
    seconds: float


@dataclass(frozen=True)
class Trials:
    """How many there were of a kind, how many held, and what the others showed."""

    kind: str
    count: int
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Job:
    """A run in a folder of its own, with its store."""

    folder: Path
    overrides: tuple[str, ...]

    @property
    def run_folder(self) -> Path:
        """Where the run leaves its results."""
        return self.folder / "run"

    def start(self, *overrides: str) -> subprocess.Popen[str]:
        """Start the run, with its compilers in a group of processes of its own."""
        own = (f"store={self.folder / 'store'}", f"hydra.run.dir={self.run_folder}", *overrides)
        return subprocess.Popen(
            [sys.executable, str(ROOT / "run.py"), *self.overrides, *own],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, kill_after_s: float | None = None) -> Ended:
        """Run to the end, or to the kill."""
        started = time.monotonic()
        process = self.start()
        try:
            _, said = process.communicate(timeout=kill_after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, said = process.communicate()
        return Ended(process.returncode, said, time.monotonic() - started)

    def outcome(self, run_folder: Path | None = None) -> dict[str, Any]:
        """What has to be the same in every trial."""
        folder = run_folder or self.run_folder
        result = json.loads((folder / "result.json").read_text())
        # The card beside a network tells of this run's folders and of the time that it took.
        chosen = {
            "project": lambda file: not file.startswith("user/"),
            "network": FILES.__contains__,
        }
        digests = {
            name: digest_of(folder / name, counts)
            for name, counts in chosen.items()
            if (folder / name).exists()
        }
        return {"status": result["status"], "metrics": _timeless(result["metrics"]), **digests}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in OF_THE_CLOCK}
    return value


def _difference(found: dict[str, Any], expected: dict[str, Any]) -> str:
    keys = [key for key in expected if found.get(key) != expected[key]]
    return f"another result: {', '.join(keys)} differ" if keys else ""


def _last_line(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip()), "no word")


# --- the kinds of trials -------------------------------------------------------------------------


def killed(
    folder: Path, first: Job, whole_s: float, count: int, rng: random.Random
) -> Generator[str]:
    """Some kills, then a run to the end, over an older project: what went wrong, or nothing."""
    expected, done = first.outcome(), 0
    while done < count:
        job = Job(folder / f"killed-{done}", first.overrides)
        shutil.copytree(first.run_folder / "project", job.run_folder / "project")
        durable.write(job.run_folder / MINE, "mine")
        kills, in_a_row = 0, min(KILLS_IN_A_ROW, count - done)
        while kills < in_a_row:
            ended = job.run(kill_after_s=rng.uniform(0, 1.5 * whole_s / in_a_row))
            if ended.status != -signal.SIGKILL:
                break  # it ended before the kill
            kills += 1
        else:
            ended = job.run()
        why = _last_line(ended.said) if ended.status else _difference(job.outcome(), expected)
        if not why and (job.run_folder / MINE).read_text() != "mine":
            why = "the user's file is lost"
        yield from [why] * kills
        done += kills
        shutil.rmtree(job.folder)


def disk_full(folder: Path, first: Job, count: int, rng: random.Random) -> Generator[str]:
    """A run on a disk that is too small, and the same on the disk when it has grown."""
    filled = sum(p.stat().st_blocks * 512 for p in first.folder.rglob("*") if p.is_file())
    for number in range(count):
        size = round(filled * rng.uniform(0.02, 0.95))
        with _small_disk(folder / f"disk-{number}", size) as disk:
            job = Job(disk, first.overrides)
            ended = job.run()
            why = "" if ended.status == 0 else _told(ended, disk)
            if not why:
                subprocess.run(["mount", "-o", f"remount,size={4 * filled}", disk], check=True)
                again = job.run()
                why = _last_line(again.said) if again.status else ""
            yield why or _difference(job.outcome(), first.outcome())


def _told(ended: Ended, disk: Path) -> str:
    """Whether the user was told in one line, with the path, that the disk is full."""
    errors = [line for line in ended.said.splitlines() if line.startswith("error:")]
    last = _last_line(ended.said)
    if "Traceback" in ended.said or errors != [last] or str(disk) not in last:
        return f"status {ended.status}, and said: {last[:300]}"
    return ""


def one_name(folder: Path, first: Job, processes: int) -> Generator[str]:
    """Several processes with one run folder: one succeeds, the others are refused."""
    job = Job(folder / f"one-name-{processes}", first.overrides)
    statuses = _together([job.start() for _ in range(processes)])
    if sorted(statuses) != [0] + [REFUSED] * (processes - 1):
        yield f"exit statuses {statuses}"
    else:
        yield _difference(job.outcome(), first.outcome())


def own_names(folder: Path, first: Job, processes: int) -> Generator[str]:
    """Several processes with folders of their own and one store: all of them succeed."""
    job = Job(folder / f"own-names-{processes}", first.overrides)
    folders = [job.folder / f"run-{number}" for number in range(processes)]
    statuses = _together([job.start(f"hydra.run.dir={path}") for path in folders])
    for status, path in zip(statuses, folders, strict=True):
        why = f"exit status {status}" if status else ""
        yield why or _difference(job.outcome(path), first.outcome())


def _together(running: Sequence[subprocess.Popen[str]]) -> list[int]:
    for process in running:
        process.communicate()
    return [process.returncode for process in running]


@contextmanager
def _small_disk(place: Path, size_bytes: int) -> Generator[Path]:
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "none", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _can_mount(folder: Path) -> bool:
    with (
        suppress(subprocess.CalledProcessError, PermissionError),
        _small_disk(folder / "try", 4096),
    ):
        return True
    return False


# --- the command ---------------------------------------------------------------------------------


def main() -> int:
    """Run all trials and print the table; 0 if all of them held."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--disks", type=int, default=4)
    parser.add_argument("--parallel", type=int, nargs="*", default=[2, 3], metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311  # moments and sizes, not secrets
    with tempfile.TemporaryDirectory(prefix="robustness-") as name:
        folder = Path(name)
        first = Job(folder / "first", tuple(options.overrides) or ("experiment=smoke",))
        whole = first.run()
        if whole.status:
            sys.exit(f"the job itself fails: {_last_line(whole.said)}")
        print(f"{' '.join(first.overrides)}: {whole.seconds:.0f} s", flush=True)
        trials = [_counted("killed", killed(folder, first, whole.seconds, options.kills, rng))]
        if _can_mount(folder):
            trials.append(_counted("disk full", disk_full(folder, first, options.disks, rng)))
        else:
            print("disk full: left out, mounting is not allowed here")
        for count in options.parallel:
            trials.append(_counted(f"one name, {count} at once", one_name(folder, first, count)))
            trials.append(_counted(f"own names, {count} at once", own_names(folder, first, count)))
    print("\n| trials | tries | held |\n|---|---:|---:|")
    for kind in trials:
        print(f"| {kind.kind} | {kind.count} | {kind.count - len(kind.failures)} |")
    return int(any(kind.failures for kind in trials))


def _counted(kind: str, outcomes: Generator[str]) -> Trials:
    """Carry out trials of a kind, telling of those that do not hold as they come."""
    failures = []
    count = 0
    for count, why in enumerate(outcomes, start=1):
        print(f"{kind} {count}: {why or 'held'}", flush=True)
        failures += [why] if why else []
    return Trials(kind, count, tuple(failures))


if __name__ == "__main__":
    sys.exit(main())
