"""Accuracy over samples, drawn in text."""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT = 10
WIDTH = 64
ALL, RECENT, ALARM = "·", "●", "▲"


def chart(
    accuracy: Sequence[float],
    recent: Sequence[float],
    alarms: Sequence[int] = (),
    width: int = WIDTH,
    height: int = HEIGHT,
) -> list[str]:
    """Lines of text: both series from 0 to 1, squeezed into ``width`` columns.

    ``accuracy`` is over all samples, ``recent`` a moving average; ``alarms`` are numbers of
    samples, from 1, that are marked below.
    """
    count = len(accuracy)
    columns = min(width, count)
    cells = [[" "] * width for _ in range(height)]
    for column in range(columns):
        at = (column + 1) * count // columns - 1  # the last sample of the column
        for series, mark in ((accuracy, ALL), (recent, RECENT)):
            row = min(int(series[at] * height), height - 1)
            cells[height - 1 - row][column] = mark
    marks = [" "] * width
    for number in alarms:
        if 1 <= number <= count:
            marks[min((number - 1) * columns // count, width - 1)] = ALARM
    lines = [
        f"{_percent((height - row) / height) if row % 2 == 0 else '':>6} │{''.join(cells[row])}"
        for row in range(height)
    ]
    lines.append(f"{'0 %':>6} └{'─' * width}")
    lines.append(f"{'':>8}{''.join(marks)}".rstrip())
    legend = f"{RECENT} recent  {ALL} all samples" + (f"  {ALARM} drift alarm" if alarms else "")
    lines.append(f"{'':>8}{legend}")
    return lines


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
