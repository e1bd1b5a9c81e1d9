import io

import pytest

from orchestration.terminal.progress import (
    ProgressDisplay,
    format_duration,
    format_rate,
    progress_line,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(
    ("seconds", "text"), [(-1, "0:00"), (7.4, "0:07"), (200, "3:20"), (3723, "1:02:03")]
)
def test_durations_are_short(seconds: float, text: str):
    assert format_duration(seconds) == text


def test_a_line_says_how_far_the_work_is():
    assert progress_line("chunks", 300, total=1200, left_s=60, per_s=15) == (
        "  chunks: 300 of 1,200 (25 %), 15/s, about 1:00 left"
    )


@pytest.mark.parametrize(
    ("per_s", "text"), [(1200, "1,200/s"), (9.96, "10.0/s"), (3.5, "3.5/s"), (1 / 15, "4.0/min")]
)
def test_rates_are_short(per_s: float, text: str):
    assert format_rate(per_s) == text


def test_the_remaining_time_follows_from_the_speed_of_this_run():
    clock = Clock()
    stream = io.StringIO()
    progress = ProgressDisplay(stream, clock)
    progress("conversations", 40, 100)  # 40 were judged before this run
    clock.now_s += 20
    progress("conversations", 50, 100)

    assert stream.getvalue() == "  conversations: 50 of 100 (50 %), 30.0/min, about 1:40 left\n"


def test_a_stage_of_something_larger_shows_what_is_left_of_that():
    clock = Clock()
    stream = io.StringIO()
    progress = ProgressDisplay(stream, clock)
    with progress.timed_by(lambda stage_s: stage_s + 60):
        progress("chunks", 0, 100)
        clock.now_s += 20
        progress("chunks", 50, 100)
        clock.now_s += 20
        progress("chunks", 100, 100)
        progress("pages", 0, 2)
        clock.now_s += 20
        progress("pages", 0, 2)
    progress("links", 1, 4)
    clock.now_s += 20
    progress("links", 2, 4)

    assert stream.getvalue().splitlines() == [
        "  chunks: 50 of 100 (50 %), 2.5/s, about 1:20 left",
        "  pages: 0 of 2 (0 %), about 1:00 left",
        "  links: 2 of 4 (50 %), 3.0/min, about 0:40 left",
    ]


def test_a_log_gets_a_line_every_few_seconds():
    clock = Clock()
    stream = io.StringIO()
    progress = ProgressDisplay(stream, clock)
    for done in range(121):
        progress("chunks", done, 120)
        clock.now_s += 0.1

    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert all("of 120" in line and "left" in line for line in lines)


def test_a_terminal_gets_one_line_that_is_removed_before_other_text():
    clock = Clock()
    stream = Terminal()
    progress = ProgressDisplay(stream, clock)
    for done in range(60):
        progress("chunks", done, 120)
        clock.now_s += 0.1
    progress.say("next")

    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().endswith("\rnext\n")


def test_a_line_longer_than_the_terminal_is_cut_so_that_it_can_be_removed():
    clock = Clock()
    stream = Terminal()
    progress = ProgressDisplay(stream, clock, columns=lambda: 20)
    progress("MB of 多言語モデル", 1, 100)
    clock.now_s += 20
    progress("MB of 多言語モデル", 2, 100)
    drawn = stream.getvalue().removeprefix("\r")
    progress.clear()

    assert drawn == "  MB of 多言語モデ…"
    assert stream.getvalue().endswith(f"\r{' ' * 19}\r")


def test_waiting_is_removed_and_a_log_sees_nothing_of_it():
    for stream in (io.StringIO(), Terminal()):
        progress = ProgressDisplay(stream)
        with progress.waiting("agent: ") as waiting:
            waiting.stop()
            progress.say("agent: Hello")
        assert stream.getvalue() == "agent: Hello\n"


def test_work_that_is_done_at_once_prints_nothing():
    stream = io.StringIO()
    progress = ProgressDisplay(stream, Clock())
    progress("chunks", 0, 1)
    progress("chunks", 1, 1)

    assert stream.getvalue() == ""
