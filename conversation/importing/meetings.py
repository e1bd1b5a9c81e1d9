"""Transcripts of meetings as text: times and speakers stand on lines of their own. Pure.

Four forms are told by their first lines:

* Google Meet: a time alone on a line (`00:06:20`, also as a heading), below it lines of
  `Speaker: words`, and at the end a remark of the product that nobody said;
* captions that Zoom saves: `[Speaker] 10:02:03`, below it the words;
* Teams and Otter: `Speaker   0:03`, below it the words, with a blank line before each speaker;
* chats that Zoom saves: `10:02:03 From Speaker to Everyone:`, with the words behind it or below.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from conversation.importing.lines import LABEL, SpokenLine, seconds_of

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?(?:\s?[AaPp]\.?[Mm]\.?)?"
_TIME_ALONE = re.compile(r"^[\s#*]*(\d{1,2}:\d{2}:\d{2})[\s*]*$")
"""With seconds: `10:30` alone on a line may be what somebody answered."""
_BRACKETS = re.compile(rf"^\s*\[([^\[\]\n]{{1,80}})\]\s+({_CLOCK})\s*$")
_NAME_AND_TIME = re.compile(rf"^\s*(\S[^\n:]{{0,79}}?)(?:\s{{2,}}|\t)({_CLOCK})\s*$")
_CHAT = re.compile(
    rf"^\s*({_CLOCK})\s+From\s+(\S[^\n:]{{0,119}}?)\s*(?:\(Direct Message\))?\s*:(?:\s+(.*))?$"
)
_RECEIVER = re.compile(r"\s+to\s+\S.*$", re.IGNORECASE)
_DAY_S = 24 * 3_600


@dataclass(slots=True)
class Meeting:
    """What was said, and what stands in the file beside it."""

    lines: list[SpokenLine] = field(default_factory=list[SpokenLine])
    left_out: Counter[str] = field(default_factory=Counter[str])


def meeting_of_text(text: str) -> Meeting | None:
    """The meeting that a text is; None when it has none of these forms."""
    rows = text.splitlines()
    found = (
        _blocks(rows, _BRACKETS, needs_blank=False)
        or _times_alone(rows)
        or _chat(rows)
        or _blocks(rows, _NAME_AND_TIME, needs_blank=True)
    )
    return found if found is not None and found.lines else None


def _times_alone(rows: Sequence[str]) -> Meeting | None:
    at_times = [at for at, row in enumerate(rows) if _TIME_ALONE.match(row)]
    if not at_times or not all(_speaks_next(rows, at) for at in at_times):
        return None
    first = at_times[0]
    meeting = Meeting()
    before = sum(bool(row.strip()) for row in rows[:first])
    if before:
        meeting.left_out["lines before the first time"] = before
    clock = _Clock()
    offset_s: float | None = None
    for row in rows[first:]:
        if (time := _TIME_ALONE.match(row)) is not None:
            offset_s = clock.offset_s(time.group(1))
        elif (label := _label(row)) is not None:
            meeting.lines.append(SpokenLine(label[0], label[1], offset_s))
        elif row.strip():
            # Each contribution is one line here: others are remarks of the product.
            meeting.left_out["lines that name no speaker"] += 1
    return meeting


def _speaks_next(rows: Sequence[str], at: int) -> bool:
    """Whether somebody speaks on the line after this one, whatever is empty between."""
    following = next((row for row in rows[at + 1 : at + 10] if row.strip()), "")
    return _label(following) is not None


def _blocks(rows: Sequence[str], head: re.Pattern[str], *, needs_blank: bool) -> Meeting | None:
    """Blocks of a head with the speaker and a time, and below it the words."""
    heads = [
        at
        for at, row in enumerate(rows)
        if head.match(row) and (not needs_blank or at == 0 or not rows[at - 1].strip())
    ]
    if not heads or (needs_blank and len(heads) < 2):
        return None
    meeting = Meeting()
    if before := sum(bool(row.strip()) for row in rows[: heads[0]]):
        meeting.left_out["lines before the first speaker"] = before
    clock = _Clock()
    for at, end in zip(heads, [*heads[1:], len(rows)], strict=True):
        match = head.match(rows[at])
        if match is not None:
            words = " ".join(row.strip() for row in rows[at + 1 : end] if row.strip())
            offset_s = clock.offset_s(match.group(2))
            meeting.lines.append(SpokenLine(match.group(1).strip(), words, offset_s))
    return meeting


def _chat(rows: Sequence[str]) -> Meeting | None:
    if not any(_CHAT.match(row) for row in rows):
        return None
    meeting = Meeting()
    clock = _Clock()
    for row in rows:
        if (match := _CHAT.match(row)) is not None:
            name = _RECEIVER.sub("", match.group(2)).strip()
            offset_s = clock.offset_s(match.group(1))
            meeting.lines.append(SpokenLine(name, (match.group(3) or "").strip(), offset_s))
        elif row.strip() and meeting.lines:
            last = meeting.lines[-1]
            meeting.lines[-1] = replace(last, text=f"{last.text}\n{row.strip()}".strip())
        elif row.strip():
            meeting.left_out["lines before the first speaker"] += 1
    return meeting


def _label(row: str) -> tuple[str, str] | None:
    """Speaker and words of a line, whose name may be bold."""
    bold = re.match(r"^\s*\*\*([^*\n]{1,80}?)\s*:\s*\*\*\s*(.*)$", row)
    match = bold or LABEL.match(f"{row} ")
    return (match.group(1).strip(), match.group(2).strip()) if match else None


class _Clock:
    """Seconds from the first time on; times of day go on after midnight."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def offset_s(self, time: str) -> float:
        found = _seconds(time)
        while self._first is not None and found < self._last - _DAY_S / 2:
            found += _DAY_S
        if self._first is None:
            self._first = found
        self._last = found
        return max(0.0, found - self._first)


def _seconds(time: str) -> float:
    half = re.search(r"([ap])\.?m\.?$", time.strip(), re.IGNORECASE)
    digits = time[: half.start()].strip() if half else time.strip()
    parts = digits.replace(",", ".").split(":")
    if half is None:
        return seconds_of(digits)
    hour = int(parts[0]) % 12 + (12 if half.group(1).lower() == "p" else 0)
    rest = seconds_of(":".join(["0", *parts[1:]] if len(parts) == 3 else ["0", parts[1], "0"]))
    return hour * 3_600 + rest
