from __future__ import annotations

import io

import pytest

from tinyml_nas import progress


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def plain(total, clock, begun_at=0):
    stream = io.StringIO()
    return progress.PlainCounter("search", total, begun_at, stream, clock), stream


def test_short_work_writes_nothing(clock):
    counter, stream = plain(10, clock)
    for _ in range(10):
        clock.now += 0.9
        counter.advance()
    assert stream.getvalue() == ""


def test_a_line_every_ten_seconds_says_how_far_and_how_long(clock):
    counter, stream = plain(40, clock)
    for done in range(1, 21):
        clock.now += 4
        counter.advance(error=1 / done)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "search: 3/40 (8%), 2:28 left, 0:12 so far, error 0.3333"
    assert lines[-1] == "search: 18/40 (45%), 1:28 left, 1:12 so far, error 0.05556"
    assert len(lines) == 6


@pytest.mark.parametrize("begun_at", [0, 20, 30])
def test_what_is_left_is_told_by_the_pace_of_this_run(clock, begun_at):
    """A run that goes on from a checkpoint did not do in its own seconds what was done before."""
    counter, stream = plain(40, clock, begun_at)
    for _ in range(4):
        clock.now += 3
        counter.advance()
    left = 3 * (40 - begun_at - 4)
    assert stream.getvalue().split(", ")[1] == f"{left // 60}:{left % 60:02d} left"


def test_an_unknown_total_shows_the_count_alone(clock):
    counter, stream = plain(None, clock)
    clock.now += 65
    counter.advance(3, stage="doe")
    assert stream.getvalue() == "search: 3, 1:05 so far, stage doe\n"


def test_track_yields_every_item(capsys):
    assert list(progress.track(range(3), "items")) == [0, 1, 2]
    assert list(progress.track(iter("ab"), "items", total=2)) == ["a", "b"]
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_bars_may_be_nested_and_go_to_stderr(monkeypatch, capsys):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True)
    with progress.counter("outer", 1) as outer:
        assert list(progress.track(range(2), "inner")) == [0, 1]
        outer.advance(error=0.25)
    assert capsys.readouterr().out == ""


def test_reported_turns_running_totals_into_steps(monkeypatch):
    advances = []

    class Recorder:
        def __init__(self, description, total, begun_at):
            advances.append((description, total, begun_at))

        def advance(self, count=1):
            advances.append(count)

    monkeypatch.setattr(progress, "PlainCounter", Recorder)
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: False)
    with progress.reported("finetune") as report:
        report(5, 20)  # goes on from a checkpoint
        report(6, 20)
    assert advances == [("finetune", 20, 5), 1]


def test_reported_work_that_reports_nothing_shows_nothing(capsys):
    with progress.reported("finetune"):
        pass
    assert capsys.readouterr() == ("", "")
