"""Conversations written as lines of text, `Speaker: words`, and lines into turns. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from conversation.importing.roles import RecordError, roles_of, side_of
from conversation.transcript import Turn

LABEL = re.compile(r"^\s*(?=\S)([^:\n]{1,40}?)\s*:\s+(.*)$")
"""A speaker before what was said."""
_TIMED = re.compile(r"^\s*\[?(\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?)\]?\s+(.*)$")


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """What one speaker said without a break."""

    speaker: str
    text: str
    offset_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """A line of a file: its label may be a speaker, or words before a colon."""

    raw: str
    label: str | None
    words: str
    offset_s: float | None


def lines_of_text(
    text: str, agent_speakers: Iterable[str] = (), user_speakers: Iterable[str] = ()
) -> list[SpokenLine]:
    """`Speaker: words` on each line, perhaps after a time; other lines go on with the last one.

    `Large: 9 euros` is a line of whoever spoke before where both sides are known by other names,
    and it stands in a list of such lines, has no time where turns have one, or the caller named
    who speaks.

    Raises:
        RecordError: The first line names no speaker, or a label may be a speaker or not.
    """
    written = [_written(raw) for raw in text.splitlines() if raw.strip()]
    speakers = _speakers(written, list(agent_speakers), list(user_speakers))
    lines: list[SpokenLine] = []
    for number, each in enumerate(written, start=1):
        if each.label is not None and each.label in speakers:
            lines.append(SpokenLine(each.label, each.words, each.offset_s))
            continue
        if not lines:
            raise RecordError(
                f"line {number} names no speaker; every turn starts with `Speaker: words`"
            )
        last = lines[-1]
        lines[-1] = replace(last, text=f"{last.text}\n{each.raw.strip()}".strip())
    return lines


def turns_of_lines(
    lines: Iterable[SpokenLine],
    agent_speakers: Iterable[str] = (),
    user_speakers: Iterable[str] = (),
    *,
    joiner: str = " ",
) -> tuple[Turn, ...]:
    """Lines to turns: neighbours of one side are one turn, silence is none.

    Raises:
        RecordError: Nobody said anything, or it cannot be told who the agent is.
    """
    spoken = [line for line in lines if line.text.strip()]
    if not spoken:
        raise RecordError("nobody says anything in it")
    roles = roles_of([line.speaker for line in spoken], agent_speakers, user_speakers)
    turns: list[Turn] = []
    parts: list[list[str]] = []
    for line in spoken:
        role = roles[line.speaker]
        if role is None:
            continue
        if turns and turns[-1].role == role:
            parts[-1].append(line.text.strip())
        else:
            turns.append(Turn(role=role, text="", offset_s=line.offset_s))
            parts.append([line.text.strip()])
    return tuple(
        turn.model_copy(update={"text": joiner.join(said)})
        for turn, said in zip(turns, parts, strict=True)
    )


def unsaid(
    lines: Iterable[SpokenLine],
    agent_speakers: Iterable[str] = (),
    user_speakers: Iterable[str] = (),
) -> Counter[str]:
    """The lines that nobody says to anybody, such as those of `system`, by their speaker."""
    agents = {name.casefold() for name in agent_speakers}
    users = {name.casefold() for name in user_speakers}
    return Counter(
        f"lines of {line.speaker}"
        for line in lines
        if line.text.strip() and side_of(line.speaker, agents, users) is None
    )


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


def _written(raw: str) -> _Written:
    timed = _TIMED.match(raw)
    offset_s = seconds_of(timed.group(1)) if timed else None
    labelled = LABEL.match(timed.group(2) if timed else raw)
    if labelled is None:
        return _Written(raw, None, raw.strip(), offset_s)
    return _Written(raw, labelled.group(1), labelled.group(2), offset_s)


def _speakers(written: Sequence[_Written], agents: list[str], users: list[str]) -> set[str]:
    """The labels that are speakers."""
    labels = {each.label for each in written if each.label is not None}
    sides = {
        label: side_of(label, {a.casefold() for a in agents}, {u.casefold() for u in users})
        for label in labels
    }
    known = {label for label, side in sides.items() if side != "?"}
    unknown = labels - known
    if not unknown:
        return known
    if {"agent", "user"} <= {sides[label] for label in known}:
        asked = set[str]() if agents or users else _perhaps_third(written, known, unknown)
        if asked:
            raise RecordError(
                f"it cannot be told whether {sorted(asked)} speaks or stands before a colon in the "
                f"words of {sorted(known)}. Name who speaks with `--agent-speaker` and "
                "`--user-speaker`: no other label is a speaker then"
            )
        return known
    timed = {each.label for each in written if each.offset_s is not None} & unknown
    if timed:
        # Where turns have times, a label without one is no speaker.
        return known | {label for label in unknown if label in timed}
    counts = {label: sum(each.label == label for each in written) for label in unknown}
    if agents or users or len(unknown) > 1 or max(counts.values()) > 1:
        return labels
    raise RecordError(
        f"it cannot be told whether {sorted(unknown)} speaks or stands before a colon in the words "
        f"of {sorted(known) or 'somebody'}. Name the speakers with `--agent-speaker` and "
        "`--user-speaker`"
    )


def _perhaps_third(written: Sequence[_Written], known: set[str], unknown: set[str]) -> set[str]:
    """Labels beside both sides that may be a third person.

    Neither those of lists are, several in a row of which each stands once, nor those without a
    time where every turn has one.
    """
    counts = Counter(each.label for each in written)
    is_timed = all(each.offset_s is not None for each in written if each.label in known)
    asked: set[str] = set()
    for is_row, row in groupby(written, key=lambda each: each.label in unknown):
        lines = list(row) if is_row else []
        is_list = len(lines) > 1 and all(counts[each.label] == 1 for each in lines)
        for each in lines:
            has_time = each.offset_s is not None
            if each.label is not None and (has_time or not (is_list or is_timed)):
                asked.add(each.label)
    return asked
