"""Times of lines: seconds from the start of a call, or what a clock on the wall shows. Pure."""

import math
import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from conversation.importing.roles import RecordError

CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,6})?(?:\s?[AaPp]\.?[Mm]\.?)?"
"""A time of day or since the start, as text writes it."""
_CLOCK = re.compile(CLOCK)
_HALF = re.compile(r"([ap])\.?m\.?$", re.IGNORECASE)
_DAY_S = 24 * 3_600
_LATEST_START_S = 3_600
"""A call whose first line stands an hour or more after its start tells the time of day."""


class Clock:
    """Seconds from the first time on; times of day go on after midnight."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def offset_s(self, time: str) -> float:
        """Seconds since the first time that was asked for."""
        found = seconds_of_clock(time)
        while self._first is not None and found < self._last - _DAY_S / 2:
            found += _DAY_S
        if self._first is None:
            self._first = found
        self._last = found
        return max(0.0, found - self._first)


def only_falls(times: Sequence[float]) -> bool:
    """Whether a list with these times is newest first: they fall and never rise."""
    falls = all(later <= earlier for earlier, later in pairwise(times))
    return falls and len(times) > 1 and times[0] > times[-1]


def offsets_of_clock(times: Sequence[str]) -> list[float | None]:
    """Seconds since the earliest of these times of a day, which may go over midnight.

    None stands for an empty one. A list whose times only fall is newest first.
    """
    shown = [seconds_of_clock(time) for time in times if time]
    steps = [later - earlier for earlier, later in pairwise(shown)]
    # Where a step is longer than half a day, midnight lies in between.
    over_midnight = [step - round(step / _DAY_S) * _DAY_S for step in steps]
    backwards = only_falls([0.0, *accumulate(over_midnight)])
    clock = Clock()
    found = [clock.offset_s(time) if time else None for time in times[:: -1 if backwards else 1]]
    return found[::-1] if backwards else found


def is_clock(time: str) -> bool:
    """Whether it is a time with a colon and without a day."""
    return _CLOCK.fullmatch(time.strip()) is not None


def seconds_of(time: str) -> float:
    """`1:02:03.5`, `02:03` or `123.5` in seconds.

    Raises:
        RecordError: It is none of these.
    """
    try:
        seconds = 0.0
        for part in time.replace(",", ".").split(":"):
            seconds = seconds * 60 + float(part)
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError
    except ValueError:
        raise RecordError(f"{time!r} is no time: use seconds or hours:minutes:seconds") from None
    return seconds


def seconds_of_clock(time: str) -> float:
    """Like `seconds_of`; `9:15 PM` is in seconds from midnight."""
    half = _HALF.search(time.strip())
    if half is None:
        return seconds_of(time.strip())
    parts = time.strip()[: half.start()].strip().replace(",", ".").split(":")
    hour = int(parts[0]) % 12 + (12 if half.group(1).lower() == "p" else 0)
    rest = seconds_of(":".join(["0", *parts[1:]] if len(parts) == 3 else ["0", parts[1], "0"]))
    return hour * 3_600 + rest


def tells_the_day(times: Sequence[str]) -> bool:
    """Whether times are of a day rather than since the start of a call.

    They name a half of the day, or have hours and begin an hour or more after a start.
    """
    plain = [time.strip() for time in times]
    if not plain or not all(is_clock(time) for time in plain):
        return False
    if any(_HALF.search(time) for time in plain):
        return True
    return all(time.count(":") == 2 for time in plain) and (
        seconds_of_clock(plain[0]) >= _LATEST_START_S
    )
