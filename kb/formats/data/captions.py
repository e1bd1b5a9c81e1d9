"""Captions (WebVTT, SubRip): who said what, without times and markup."""

import html
import re
from collections.abc import Iterator

from kb.document import ParsedDocument
from kb.formats.decoding import decode
from kb.formats.text_builder import ParseRequest, TextBuilder, clean, malformed, one_line

_BLANK = re.compile(r"\n(?:[ \t]*\n)+")
_TIME = r"(?:\d+:)?\d{1,2}:\d{1,2}[.,]\d{1,3}"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?", re.ASCII)
_VOICE = re.compile(r"<(/?)v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>")
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|lang|ruby|rt|font)(?:[.\s][^<>]*)?>|<\d[\d:.]*>|\{\\[^{}]*\}",
    re.IGNORECASE | re.ASCII,
)
_NEW_SPEAKER = re.compile(r"(?:-|>>)\s*\S|[^\W\d_][^:.?!]{0,40}:\s")
_SENTENCE_END = tuple(".?!\u2026\u3002\uff01\uff1f\u061f\u0964")
_LONG_TURN = 600
"""Characters; from there on a turn goes on in a block of its own, under its speaker again."""


def parse(data: bytes, request: ParseRequest) -> ParsedDocument:
    """Read captions: a block for each turn of a speaker, entities decoded.

    A cue without readable times is left out and counted; so are the notes of a WebVTT file.
    """
    text, hidden = clean(decode(data, stated=request.charset))
    builder = TextBuilder(request)
    builder.hidden_chars += hidden
    turns = _Turns(builder)
    is_subrip = not text.startswith("WEBVTT")
    for words in _cues(text, builder, is_subrip=is_subrip):
        turns.cue(words)
    turns.finish()
    parsed = builder.build(title=request.name)
    if not parsed.text and builder.left_out["broken cue"]:
        raise malformed(request.name, "caption file", "none of its cues can be read")
    return parsed


def _cues(text: str, builder: TextBuilder, *, is_subrip: bool) -> Iterator[list[str]]:
    """Yield the lines of words of each cue."""
    blocks = [block.strip("\n").split("\n") for block in _BLANK.split(text) if block.strip()]
    is_after_cue = False
    for lines in blocks if is_subrip else _without_header(blocks, builder):
        at = next((at for at, line in enumerate(lines[:2]) if _TIMING.fullmatch(line)), None)
        if at is not None:
            yield lines[at + 1 :]
        elif is_subrip and is_after_cue and not _looks_like_cue(lines):
            # SubRip has blank lines inside of what is said.
            yield lines
            continue
        else:
            builder.leave_out("broken cue")
        is_after_cue = at is not None


def _without_header(blocks: list[list[str]], builder: TextBuilder) -> Iterator[list[str]]:
    for at, lines in enumerate(blocks):
        kind = lines[0].split(maxsplit=1)[0] if lines[0].strip() else ""
        if kind == "NOTE":
            builder.leave_out("comment")
        elif at > 0 and kind not in ("STYLE", "REGION"):
            yield lines
        elif at == 0 and any(map(_TIMING.fullmatch, lines)):
            # Some leave out the blank line below the header.
            first = next(at for at, line in enumerate(lines) if _TIMING.fullmatch(line))
            yield lines[first:]


def _looks_like_cue(lines: list[str]) -> bool:
    return any("->" in line for line in lines[:2]) or lines[0].strip().isdecimal()


class _Turns:
    """Joins cues of the same speaker, and writes each turn as a block."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._speaker = ""
        self._words: list[str] = []
        self._length = 0

    def cue(self, lines: list[str]) -> None:
        """Take what one cue says; a voice holds until its end tag or the end of the cue."""
        speaker = ""
        for line in lines:
            pieces = _VOICE.split(line)
            self._say(speaker, pieces[0])
            for end, name, words in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
                speaker = "" if end else one_line(html.unescape(name or ""))
                self._say(speaker, words)

    def finish(self) -> None:
        """Write the turn so far."""
        label = f"{self._speaker}: " if self._speaker else ""
        if self._words:
            self._builder.add("paragraph", label + " ".join(self._words))
        self._words, self._length = [], 0

    def _say(self, speaker: str, words: str) -> None:
        words = one_line(html.unescape(_TAG.sub("", words)))
        if not words:
            return
        if speaker != self._speaker or self._is_long() or _begins_turn(speaker, words):
            self.finish()
        self._speaker = speaker
        self._words.append(words)
        self._length += len(words)

    def _is_long(self) -> bool:
        return self._length > _LONG_TURN and self._words[-1].endswith(_SENTENCE_END)


def _begins_turn(speaker: str, words: str) -> bool:
    return not speaker and _NEW_SPEAKER.match(words) is not None
