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

from conversation.importing.clocks import CLOCK, Clock
from conversation.importing.lines import LABEL, SpokenLine

_TIME_ALONE = re.compile(r"^[\s#*]*(\d{1,2}:\d{2}:\d{2})[\s*]*$")
"""With seconds: `10:30` alone on a line may be what somebody answered."""
_BRACKETS = re.compile(rf"^\s*\[([^\[\]\n]{{1,80}})\]\s+({CLOCK})\s*$")
_NAME_AND_TIME = re.compile(rf"^\s*(\S[^\n:]{{0,79}}?)(?:\s{{2,}}|\t)({CLOCK})\s*$")
_CHAT = re.compile(
    rf"^\s*({CLOCK})\s+From\s+(\S[^\n:]{{0,119}}?)\s*(?:\(Direct Message\))?\s*:(?:\s+(.*))?$"
)
_RECEIVER = re.compile(r"\s+to\s+\S.*$", re.IGNORECASE)


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
    clock = Clock()
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
    clock = Clock()
    for at, end in zip(heads, [*heads[1:], len(rows)], strict=True):
        match = head.match(rows[at])
        if match is not None:
            said = rows[at + 1 : end]
            if needs_blank and end == len(rows):
                said = _without_remark(said, [rows[each] for each in heads], meeting)
            words = " ".join(row.strip() for row in said if row.strip())
            offset_s = clock.offset_s(match.group(2))
            meeting.lines.append(SpokenLine(match.group(1).strip(), words, offset_s))
    return meeting


def _without_remark(said: Sequence[str], heads: Sequence[str], meeting: Meeting) -> Sequence[str]:
    """The last words without a line behind them on which the product tells who ended it.

    It stands alone, at the end, and begins with the name of somebody who spoke.
    """
    last = max((at for at, row in enumerate(said) if row.strip()), default=0)
    names = {match.group(1).strip() for head in heads if (match := _NAME_AND_TIME.match(head))}
    is_alone = last > 1 and not said[last - 1].strip()
    if is_alone and any(said[last].strip().startswith(f"{name} ") for name in names):
        meeting.left_out["lines that name no speaker"] += 1
        return said[:last]
    return said


def _chat(rows: Sequence[str]) -> Meeting | None:
    if not any(_CHAT.match(row) for row in rows):
        return None
    meeting = Meeting()
    clock = Clock()
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
