"""The dozen figures that people decide by; ``result.json`` has all others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tinyml_nas.report.result import flatten, show
from tinyml_nas.types import Figure, Result

Figures = Mapping[str, Any]
"""A result's figures by dotted name, as ``figures_of`` has them."""

KB = 1000
QUICKER = "omega.quicker."
UNCALIBRATED = (
    "not tried (scenario=none): learning rate and other knobs as configured, not calibrated"
)


@dataclass(frozen=True)
class Headline:
    """A figure that matters.

    Args:
        title: Its name beside one result.
        heading: Its name over a column of a sweep's table, with the unit, as narrow as can be.
        text: What a person reads; None where the result does not have it.
        cell: The same, without its unit, for a column.
    """

    title: str
    heading: str
    text: Callable[[Figures], str | None]
    cell: Callable[[Figures], str | None]


def figures_of(result: Result) -> Figures:
    """All figures of a result by dotted name, with its status, its board and its seconds."""
    more = {
        "status": result.status,
        "device": result.provenance.get("device"),
        "seconds": result.took.get("seconds"),
    }
    return {**dict(flatten(result.metrics)), **more}


def rows(result: Result) -> list[tuple[str, str]]:
    """Titles and texts of one result, in the order of the pipeline."""
    found = figures_of(result)
    told = [(headline.title, headline.text(found)) for headline in HEADLINES]
    return [(title, text) for title, text in told if text is not None]


def _board(found: Figures) -> str | None:
    if found["device"] is None:
        return None
    flash, ram = (found.get(f"memory.mcu.{name}_limit_bytes") for name in ("flash", "ram"))
    if flash is None or ram is None:
        return str(found["device"])
    return f"{found['device']}: {flash:,} B of flash, {ram:,} B of RAM"


def _fits(found: Figures) -> str | None:
    """Yes, or by how much not."""
    missing = _missing(found, r"memory\.(\w+)\.missing_bytes\.(\w+)")
    missing += [
        f"{name.removeprefix('search.exceeds.')} {size:,} too much"
        for name, size in found.items()
        if name.startswith("search.exceeds.")
    ]
    if missing:
        return f"no: {'; '.join(missing)}"
    return "yes" if "memory.mcu.ram_bytes" in found else None


def _missing(found: Figures, pattern: str) -> list[str]:
    """Bytes that memories lack; ``pattern`` finds the memory model and the memory in a figure's name."""
    told = []
    for name, size in found.items():
        if match := re.fullmatch(pattern, name):
            model, memory = match.groups()
            place = {"ram": "RAM"}.get(memory, memory)
            told.append(f"{place if model == 'mcu' else f'budget ({model})'} {size:,} B too small")
    return told


def _network(found: Figures) -> str | None:
    if "network.parameters" not in found:
        return None
    side = found.get("omega.resolution")
    image = "" if side is None else f", {side}×{side} pixels"
    macs = found["network.macs"] / 1e6
    return f"{found['network.parameters']:,} parameters, {macs:.2f} M multiply-adds{image}"


def _taps(found: Figures) -> str | None:
    if not found.get("taps.channels"):
        return None
    return (
        f"{found['taps.features']}: a logit of each class, and {found['taps.channels']:,} channels of "
        f"several blocks, folded"
    )


def _accuracy(name: str) -> Headline:
    title = {"deployed": "accuracy as deployed"}.get(name, f"accuracy, {name}")
    key = f"test_accuracy.{name}"

    def text(found: Figures) -> str | None:
        if key not in found:
            return None
        dtype = f" ({found['omega.dtype']})" if name == "deployed" else ""
        return _with_interval(found[key]) + dtype

    return Headline(title, f"{name} %", text, lambda found: _percent(found.get(key)))


def _card(found: Figures) -> str | None:
    """What a shipped network's card claims, beside what this run measured."""
    claimed, measured = (found.get(f"{where}.deployed") for where in ("card", "test_accuracy"))
    if claimed is None or measured is None:
        return None
    dtype, dataset = found["card.dtype"], found["card.dataset"]
    return (
        f"{_with_interval(claimed)} ({dtype}), of {claimed.n:,} test images of {dataset}; the one above is of "
        f"{measured.n:,}"
    )


def _with_interval(figure: Figure) -> str:
    if figure.interval is None:
        return show(figure)
    low, high = (100 * bound for bound in figure.interval)
    return f"{show(figure)} ({low:.1f} to {high:.1f})"


def _learned(found: Figures) -> str | None:
    """What the field did to the program, and what it made of it."""
    probes = {
        "end": "",
        "new_end": " on new classes",
        "old_end": " on old classes",
        "clean_end": " on images as they were",
    }
    parts = [
        f"{show(found[f'scenario.learner.{probe}'])}{of}"
        for probe, of in probes.items()
        if f"scenario.learner.{probe}" in found
    ]
    if not parts:
        in_a_world = any(name.startswith("scenario.") for name in found)
        deployed = "test_accuracy.deployed" in found and "omega.buffer_samples" in found
        return UNCALIBRATED if deployed and not in_a_world else None
    name, samples = found["scenario.learner.name"], found["scenario.samples"]
    return f"{', '.join(parts)} ({name}, {samples:,} samples)"


def _unlearned(found: Figures) -> str | None:
    figure = found.get("scenario.learner.frozen_end")
    return None if figure is None else f"{show(figure)} ({found['scenario.world']})"


def _baseline(found: Figures) -> str | None:
    name = found.get("scenario.baseline.name")
    if name is None:
        return None
    missing = _missing(found, r"scenario\.baseline\.missing_bytes\.(\w+)\.(\w+)")
    if missing:
        return f"{name} does not fit: {'; '.join(missing)}"
    figure = found.get("scenario.baseline.end")
    return None if figure is None else f"{show(figure)} ({name})"


def _buffer(found: Figures) -> str | None:
    samples = found.get("omega.buffer_samples")
    if samples is None:
        return None
    if not samples:
        return "none: the learner keeps no samples"
    slow = [
        f"; a label takes more than a second then, but with learner.{name.removeprefix(QUICKER)}={value}"
        for name, value in found.items()
        if name.startswith(QUICKER)
    ]
    return f"{samples:,} samples, as {found['omega.bound']} allows{''.join(slow)}"


def _used(model: str, memory: str) -> Callable[[Figures], str | None]:
    key = f"memory.{model}.{memory}"

    def text(found: Figures) -> str | None:
        used, limit = found.get(f"{key}_bytes"), found.get(f"{key}_limit_bytes")
        if used is None or limit is None:
            return None
        return f"{used:,} of {limit:,} B ({used / limit:.0%})"

    return text


def _thousands(key: str) -> Callable[[Figures], str | None]:
    def cell(found: Figures) -> str | None:
        return None if found.get(key) is None else f"{found[key] / KB:,.1f}"

    return cell


def _time(found: Figures) -> str | None:
    return None if found["seconds"] is None else f"{found['seconds']:,.1f} s"


def _seconds(found: Figures) -> str | None:
    return None if found["seconds"] is None else f"{found['seconds']:,.0f}"


def _percent(figure: Figure | None) -> str | None:
    if figure is None:
        return None
    spread = "" if figure.deviation is None else f" ± {100 * figure.deviation:.1f}"
    return f"{100 * figure.value:.1f}{spread}"


def _share(name: str) -> Callable[[Figures], str | None]:
    return lambda found: _percent(found.get(name))


def _came(found: Figures) -> str | None:
    """What came of a job, and by how much it misses."""
    fits = _fits(found) or ""
    return fits.replace("no: ", "does not fit: ") if fits.startswith("no") else str(found["status"])


def _trained(network: str) -> Headline:
    key = f"validation_accuracy{network and '.' + network}"
    title = f"validation accuracy{network and ', ' + network}"
    return Headline(
        title,
        f"{network or 'validation'} %",
        lambda found: _with_interval(found[key]) if key in found else None,
        _share(key),
    )


def _million(found: Figures) -> str | None:
    macs = found.get("network.macs")
    return None if macs is None else f"{macs / 1e6:.2f}"


def _samples(found: Figures) -> str | None:
    samples = found.get("omega.buffer_samples")
    return None if samples is None else f"{samples:,}"


def _nothing(found: Figures) -> None:
    """No column: it is the same for all jobs, or said by another."""


HEADLINES = (
    Headline("board", "", _board, _nothing),
    Headline("fits", "came of it", _fits, _came),
    Headline("error", "error", lambda found: found.get("error"), lambda found: found.get("error")),
    Headline("network", "M MACs", _network, _million),
    Headline("features of the head", "", _taps, _nothing),
    *(_trained(network) for network in ("", "smallest", "largest")),
    *(_accuracy(name) for name in ("given", "float", "pruned", "deployed")),
    Headline("the network's card says", "", _card, _nothing),
    Headline(
        "after the change, unlearned",
        "unlearned %",
        _unlearned,
        _share("scenario.learner.frozen_end"),
    ),
    Headline("after learning", "learned %", _learned, _share("scenario.learner.end")),
    Headline("baseline", "baseline %", _baseline, _share("scenario.baseline.end")),
    Headline(
        "replay buffer, N_B",
        "N_B",
        _buffer,
        _samples,
    ),
    Headline("flash", "flash kB", _used("mcu", "flash"), _thousands("memory.mcu.flash_bytes")),
    Headline("RAM", "RAM kB", _used("mcu", "ram"), _thousands("memory.mcu.ram_bytes")),
    Headline("budget of Ω", "Ω kB", _used("thesis", "ram"), _nothing),
    Headline("time", "s", _time, _seconds),
)
"""In the order in which they are read; a column that no job fills is left out."""
