"""Conversations written as lines of text, `Speaker: words`, and lines into turns. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from conversation.importing.clocks import (
    CLOCK,
    offsets_of_clock,
    only_falls,
    seconds_of_clock,
    tells_the_day,
)
from conversation.importing.roles import RecordError, roles_of, side_of
from conversation.importing.times import moment_of_text
from conversation.importing.written_dates import Order, order_of
from conversation.transcript import Turn

LABEL = re.compile(r"^\s*(?=\S)(?:-\s+|>>\s*)?([^:\uff1a\n]{1,40}?)\s*(?::\s+|\uff1a\s*)(.*)$")
"""A speaker before what was said, with a colon or a wide one."""
_TIMED = re.compile(rf"^\s*[\[(]?({CLOCK})[\])]?(?:\s*[-\u2013]\s|\s)\s*(.*)$")
_MOMENT = re.compile(
    r"^\s*[\[(]?(\d{1,4}[-./]\d{1,2}[-./]\d{1,4}(?:,?\s?T?\s?\d{1,2}:\d{2}[\d:.,]{0,10}"
    r"(?:\s?[AaPp]\.?[Mm]\.?)?(?:\s?(?:Z|UTC|[+-]\d{2}:?\d{2}))?)?)[\])]?"
    r"(?:\s*[-\u2013:]\s|\s)\s*(.*)$"
)
"""A day, and perhaps a time of it, before the speaker: as chats are saved."""
_NAME_AND_TIME = re.compile(
    rf"^\s*(?=\S)([^:\uff1a\n\[(]{{1,40}}?)\s*[\[(]({CLOCK})[\])]\s*(?::|\uff1a)\s*(.*)$"
)
"""`Ann (00:05): Hi`"""
_BRACKETS = re.compile(r"^\s*\[([^\[\]\n]{1,40})\]\s+(.*)$")
"""`[Ann] Hi`"""
_NUMBER = re.compile(r"\W{0,3}\d")


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """What one speaker said without a break."""

    speaker: str
    text: str
    offset_s: float | None = None
    at: datetime | None = None
    """When it was said, where a day is written too."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A line of a file: its label may be a speaker, or words before a colon."""

    raw: str
    label: str | None
    words: str
    time: str = ""
    """As it is written; of a day or since the start."""
    is_moment: bool = False


def lines_of_text(
    text: str,
    agent_speakers: Iterable[str] = (),
    user_speakers: Iterable[str] = (),
    order: Order | None = None,
    left_out: Counter[str] | None = None,
) -> list[SpokenLine]:
    """`Speaker: words` on each line, perhaps after a time; other lines go on with the last one.

    `Large: 9 euros` is a line of whoever spoke before where both sides are known by other names,
    and it stands in a list of such lines that all say a number, has no time where turns have one,
    or the caller named who speaks.

    Args:
        text: The lines.
        agent_speakers: Names of agents.
        user_speakers: Names of users.
        order: What dates begin with, where somebody says so.
        left_out: Counts lines of the product: a moment and no name where turns have both.

    Raises:
        RecordError: The first line names no speaker, or a label may be a speaker or not.
    """
    written = [_written(raw) for raw in text.splitlines() if raw.strip()]
    speakers = _speakers(written, list(agent_speakers), list(user_speakers))
    if remarks := [each for each in written if _is_remark(each)]:
        turns = [each for each in written if each.label in speakers]
        if turns and all(_has_moment(each) for each in turns):
            written = [each for each in written if not _is_remark(each)]
            if left_out is not None:
                left_out["txt: lines that name no speaker"] += len(remarks)
    times = _times(
        [each if each.label in speakers else replace(each, time="") for each in written], order
    )
    lines: list[SpokenLine] = []
    for number, each in enumerate(written, start=1):
        if each.label is not None and each.label in speakers:
            lines.append(SpokenLine(each.label, each.words, *times[number - 1]))
            continue
        if not lines:
            raise RecordError(
                f"line {number} names no speaker; every turn starts with `Speaker: words`"
            )
        last = lines[-1]
        lines[-1] = replace(last, text=f"{last.text}\n{each.raw.strip()}".strip())
    return oldest_first(lines)


def oldest_first(lines: Sequence[SpokenLine]) -> list[SpokenLine]:
    """The lines, turned round where their times only ever fall: such a list is newest first."""
    times = [line.offset_s for line in lines if line.offset_s is not None]
    return [*reversed(lines)] if only_falls(times) else [*lines]


def _has_moment(line: _Written) -> bool:
    return line.is_moment and ":" in line.time


def _is_remark(line: _Written) -> bool:
    """Whether the line tells a day and a time, and nobody who speaks then."""
    return line.label is None and _has_moment(line)


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


def _written(raw: str) -> _Written:
    named = _NAME_AND_TIME.match(raw)
    if named is not None:
        return _Written(raw, named.group(1).strip(), named.group(3), named.group(2))
    dated = _MOMENT.match(raw)
    timed = dated or _TIMED.match(raw)
    time, rest = (timed.group(1), timed.group(2)) if timed else ("", raw)
    labelled = LABEL.match(f"{rest} ") or _BRACKETS.match(rest)
    if labelled is None:
        return _Written(raw, None, raw.strip(), time, is_moment=dated is not None)
    label, words = labelled.group(1).strip(), labelled.group(2).strip()
    return _Written(raw, label, words, time, is_moment=dated is not None)


def _times(
    written: Sequence[_Written], order: Order | None
) -> list[tuple[float | None, datetime | None]]:
    """Of each line its seconds from the start, and its moment where a day is written.

    Raises:
        RecordError: A day cannot be read.
    """
    dated = [each.time for each in written if each.is_moment and each.time]
    if dated:
        order = order or order_of(dated)
        moments = [
            moment_of_text(each.time, "time", order) if each.is_moment and each.time else None
            for each in written
        ]
        begun = min(at for at in moments if at is not None)
        return [(None if at is None else (at - begun).total_seconds(), at) for at in moments]
    given = [each.time for each in written if each.time]
    if tells_the_day(given):
        return [(offset_s, None) for offset_s in offsets_of_clock([each.time for each in written])]
    return [(seconds_of_clock(each.time) if each.time else None, None) for each in written]


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
    timed = {each.label for each in written if each.time} & unknown
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

    Neither those of lists are, several in a row of which each stands once and all say a number,
    nor those without a time where every turn has one. Two people who speak once each, one after the
    other, look like a list too, but for the numbers.
    """
    counts = Counter(each.label for each in written)
    is_timed = all(each.time for each in written if each.label in known)
    asked: set[str] = set()
    for is_row, row in groupby(written, key=lambda each: each.label in unknown):
        lines = list(row) if is_row else []
        is_list = len(lines) > 1 and all(
            counts[each.label] == 1 and _NUMBER.match(each.words) for each in lines
        )
        for each in lines:
            if each.label is not None and (each.time or not (is_list or is_timed)):
                asked.add(each.label)
    return asked
