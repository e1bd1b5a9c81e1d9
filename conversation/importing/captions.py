"""Captions of recorded calls: WebVTT as Teams, Zoom and Meet write it, and SubRip. Pure."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from conversation.importing.lines import SpokenLine, seconds_of
from conversation.importing.roles import RecordError

_TIMES = re.compile(r"^\s*((?:\d+:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?)\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s([^<>]+)>")
_TAG = re.compile(r"</?[A-Za-z0-9][^<>]*>|<\d[\d:.]*>")
_LABEL = re.compile(r"^\s*(?=\S)([^:\n]{1,80}?)\s*:\s+(.*)$")
"""A speaker before a cue's words; a long name that is overlooked would give them to another one."""
_NO_CUES = ("WEBVTT", "NOTE", "STYLE", "REGION")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class _Cue:
    offset_s: float
    payload: str
    """As it stands there, with its lines."""


def lines_of_vtt(
    text: str, agent_speakers: Sequence[str] = (), user_speakers: Sequence[str] = ()
) -> list[SpokenLine]:
    """The cues of a WebVTT file; speakers stand in `<v Name>` or as `Name:` before a cue's words.

    A colon further on in a cue belongs to the words: a cue has its speaker at the beginning. Where
    the names of both sides are given, no other word before a colon is a speaker.

    Raises:
        RecordError: It is no WebVTT, or its first cue names no speaker.
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
    lines: list[SpokenLine] = []
    for cue in cues:
        said = _voices(cue, lines) if by_voice else [_labelled(cue, lines, names)]
        lines += [line for line in said if line.text]
    return lines


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
    found: list[_Cue] = []
    for rows in _blocks(text):
        times = _times_of(rows)
        if times is not None:
            at, match = times
            found.append(_Cue(seconds_of(match.group(1)), "\n".join(rows[at + 1 :])))
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


def _labelled(cue: _Cue, before: Sequence[SpokenLine], names: frozenset[str] | None) -> SpokenLine:
    plain = _TAG.sub("", cue.payload)
    first, _, rest = plain.partition("\n")
    label = _LABEL.match(f"{first} ")
    name = html.unescape(label.group(1)).strip() if label else ""
    if label is None or (names is not None and name.casefold() not in names):
        return SpokenLine(_speaker_before(before), _words(plain), cue.offset_s)
    return SpokenLine(name, _words(f"{label.group(2)}\n{rest}"), cue.offset_s)


def _speaker_before(lines: Sequence[SpokenLine]) -> str:
    if not lines:
        raise RecordError("its first cue names no speaker; use `<v Name>words`")
    return lines[-1].speaker


def _words(payload: str) -> str:
    """Words of a cue on one line, without markup, and with entities as what they stand for."""
    return _BLANKS.sub(" ", html.unescape(_TAG.sub("", payload))).strip()
