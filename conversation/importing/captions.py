"""Captions of recorded calls: WebVTT as Teams, Zoom and Meet write it, and SubRip. Pure."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from conversation.importing.clocks import seconds_of
from conversation.importing.lines import SpokenLine
from conversation.importing.roles import RecordError, is_role_word

_TIMES = re.compile(r"^\s*((?:\d+:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?)\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s([^<>]+)>")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>|<\d[\d:.]*>")
_LABEL = re.compile(r"^\s*(?=\S)(?:-\s*|>>\s*)?([^:\uff1a\n]{1,80}?)\s*(?::\s+|\uff1a\s*)(.*)$")
"""A speaker before a cue's words; a long name that is overlooked would give them to another one."""
_BRACKETS = re.compile(r"^\s*\[([^\[\]\n]{1,80})\]\s+(.*)$")
"""`[Ann] Hi`"""
_DASH = re.compile(r"^\s*(?:-|>>)")
"""Before each speaker where one cue holds several."""
_NO_CUES = ("WEBVTT", "NOTE", "STYLE", "REGION")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Cue:
    offset_s: float
    payload: str
    """As it stands there, with its lines."""

    @property
    def rows(self) -> list[str]:
        """Its lines without markup."""
        return _TAG.sub("", self.payload).split("\n")


def lines_of_vtt(
    text: str, agent_speakers: Sequence[str] = (), user_speakers: Sequence[str] = ()
) -> list[SpokenLine]:
    """The cues of a WebVTT file; speakers stand in `<v Name>` or as `Name:` before a cue's words.

    A cue has its speaker at the beginning. In its other lines a word before a colon is a speaker
    where it begins other cues too, or where each line has a dash; else it belongs to the words.
    Where the names of both sides are given, no other word before a colon is a speaker.

    Raises:
        RecordError: It is no WebVTT, its first cue names no speaker, or a word in the midst of a
            cue may be a speaker or not.
    """
    if not text.lstrip("\ufeff").startswith("WEBVTT"):
        raise RecordError("a .vtt file starts with the word WEBVTT, and this one does not")
    return lines_of_captions(text, agent_speakers, user_speakers)


def lines_of_captions(
    text: str, agent_speakers: Sequence[str] = (), user_speakers: Sequence[str] = ()
) -> list[SpokenLine]:
    """The cues of a file of captions; see `lines_of_vtt`."""
    cues = _cues(text)
    given = {name.casefold() for name in (*agent_speakers, *user_speakers)}
    names = frozenset(given) if agent_speakers and user_speakers else None
    by_voice = any(_VOICE.search(cue.payload) for cue in cues)
    begin = frozenset(found[0].casefold() for cue in cues if (found := _label(cue.rows[0])))
    lines: list[SpokenLine] = []
    for cue in cues:
        said = _voices(cue, lines) if by_voice else _labelled(cue, lines, names, begin)
        lines += [line for line in said if line.text]
    # Where several people are heard at once, cues are not always written in their order.
    return sorted(lines, key=lambda line: line.offset_s or 0.0)


def blocks_without_times(text: str) -> int:
    """How many blocks hold words that no cue has: what follows an empty line inside a cue."""
    blocks = [rows for rows in _blocks(text) if any(row.strip() for row in rows)]
    return sum(
        _times_of(rows) is None
        and not rows[0].lstrip("\ufeff").startswith(_NO_CUES)
        and any(row.strip() and not row.strip().isdigit() for row in rows)
        for rows in blocks
    )


def _blocks(text: str) -> list[list[str]]:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return [block.strip("\n").split("\n") for block in re.split(r"\n[ \t]*\n", plain)]


def _times_of(rows: Sequence[str]) -> tuple[int, re.Match[str]] | None:
    return next(((at, match) for at, row in enumerate(rows) if (match := _TIMES.match(row))), None)


def _cues(text: str) -> list[_Cue]:
    """Each cue from its times to the next empty line, or to the times of the next cue."""
    found: list[_Cue] = []
    for rows in _blocks(text):
        at_times = [at for at, row in enumerate(rows) if _TIMES.match(row)]
        for number, at in enumerate(at_times, start=1):
            match = _TIMES.match(rows[at])
            following = at_times[number] if number < len(at_times) else None
            payload = rows[at + 1 : following]
            if following is not None and payload and payload[-1].strip().isdigit():
                # The number of the next cue.
                payload = payload[:-1]
            if match is not None:
                found.append(_Cue(seconds_of(match.group(1)), "\n".join(payload)))
    return found


def _voices(cue: _Cue, before: Sequence[SpokenLine]) -> list[SpokenLine]:
    """The voices of a cue; what stands before the first goes on with the last one before it."""
    pieces = _VOICE.split(cue.payload)
    lines: list[SpokenLine] = []
    if head := _words(pieces[0]):
        lines.append(SpokenLine(_speaker_before(before), head, cue.offset_s))
    for name, words in zip(pieces[1::2], pieces[2::2], strict=True):
        lines.append(SpokenLine(html.unescape(name).strip(), _words(words), cue.offset_s))
    return lines


def _labelled(
    cue: _Cue, before: Sequence[SpokenLine], names: frozenset[str] | None, begin: frozenset[str]
) -> list[SpokenLine]:
    """What the speakers of a cue say; without a speaker it goes on with whoever spoke before."""
    said: list[tuple[str, list[str]]] = []
    has_dashes = len(cue.rows) > 1 and all(_DASH.match(row) for row in cue.rows if row.strip())
    for number, row in enumerate(cue.rows):
        label = _label(row)
        is_speaker = label is not None and (
            label[0].casefold() in names
            if names is not None
            else number == 0 or has_dashes or label[0].casefold() in begin
        )
        if label is not None and is_speaker:
            said.append((label[0], [label[1]]))
            continue
        if label is not None and names is None and is_role_word(label[0]):
            raise RecordError(
                f"it cannot be told whether {label[0]!r} speaks or stands before a colon in the "
                "midst of a cue. Name who speaks with `--agent-speaker` and `--user-speaker`: no "
                "other label is a speaker then"
            )
        if not said:
            said.append(("", []))
        said[-1][1].append(row)
    return [
        SpokenLine(name or _speaker_before(before), _words("\n".join(rows)), cue.offset_s)
        for name, rows in said
    ]


def _label(row: str) -> tuple[str, str] | None:
    """The speaker before the words of a row, and the words."""
    found = _LABEL.match(f"{row} ") or _BRACKETS.match(row)
    return (html.unescape(found.group(1)).strip(), found.group(2)) if found else None


def _speaker_before(lines: Sequence[SpokenLine]) -> str:
    if not lines:
        raise RecordError("its first cue names no speaker; use `<v Name>words`")
    return lines[-1].speaker


def _words(payload: str) -> str:
    """Words of a cue on one line, without markup, and with entities as what they stand for."""
    return _BLANKS.sub(" ", html.unescape(_TAG.sub("", payload))).strip()
