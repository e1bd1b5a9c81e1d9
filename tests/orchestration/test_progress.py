import io

import pytest

from orchestration.progress import Progress, format_duration, progress_line


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


def test_the_remaining_time_follows_from_the_speed_so_far():
    line = progress_line("weights", done=300, total=1200, unit="MB", elapsed_s=20)

    assert line == "  weights: 300 of 1,200 MB (25 %), about 1:00 left"


def test_without_a_total_the_time_so_far_is_shown():
    line = progress_line("reading", done=0, total=None, unit="pages", elapsed_s=9)

    assert line == "  reading: 0 pages, 0:09 so far"


def test_a_log_gets_a_line_every_few_seconds_and_a_terminal_one_that_is_redrawn():
    for stream, lines in ((io.StringIO(), 3), (Terminal(), 0)):
        clock = Clock()
        with Progress(stream, clock).work("work", unit="chunks") as work:
            for done in range(120):
                clock.now_s += 0.1
                work(done, 120)
        assert stream.getvalue().count("\n") == lines
        assert "119 of 120" not in stream.getvalue() or lines == 0
        if lines == 0:
            assert stream.getvalue().endswith("\r"), "the line was not cleared"


def test_work_that_is_done_at_once_prints_nothing():
    stream = io.StringIO()
    with Progress(stream, Clock()).work("work") as work:
        work(1, 1)
    assert stream.getvalue() == ""
