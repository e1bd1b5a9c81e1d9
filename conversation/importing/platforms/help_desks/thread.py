"""What the help desks have in common: messages with moments, notes among colleagues, HTML. Pure."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from html.parser import HTMLParser
from typing import cast

from conversation.importing.lines import SpokenLine, turns_of_lines
from conversation.importing.platforms.fields import id_at
from conversation.importing.platforms.record import (
    Record,
    RecordPlace,
    Taken,
    conversation_of,
    lines_left_out,
    mappings,
)
from conversation.importing.platforms.seen import told

TimedLine = tuple[SpokenLine, datetime | None]

_BREAKS = frozenset(
    {"br", "p", "div", "li", "tr", "blockquote", "h1", "h2", "h3", "h4", "ul", "ol"}
)
_UNSEEN = frozenset({"script", "style", "head"})


def taken_thread(
    source: str,
    record: Record,
    place: RecordPlace,
    lines: Sequence[TimedLine],
    *,
    user_id: str,
    left_out: Counter[str],
    source_id: str = "",
    metadata: Mapping[str, str] | None = None,
) -> Taken:
    """The conversation that messages are, in the order of their moments where all have one."""
    times = [at for _, at in lines if at is not None]
    begun, ended = (min(times), max(times)) if times else (None, None)
    timed = [
        SpokenLine(line.speaker, line.text, (at - begun).total_seconds() if at and begun else None)
        for line, at in lines
    ]
    if len(times) == len(lines):
        timed.sort(key=lambda line: line.offset_s or 0.0)
    turns = turns_of_lines(timed, place.agent_speakers, place.user_speakers, joiner="\n")
    source_id = source_id or id_at(record, "id")
    transcript = conversation_of(
        turns,
        source=source,
        source_id=source_id or place.where,
        # Their numbers are those of one workspace, and another one counts from 1 too.
        scope=place.file_name,
        agent_id=place.agent_id,
        started_at=begun,
        ended_at=ended,
        metadata={"user_id": user_id, "channel": "chat", **(metadata or {})},
    )
    unsaid = lines_left_out(source, [line for line, _ in lines], place)
    return Taken(transcript, left_out + unsaid)


def attachments(message: Record) -> int:
    """How many files came with a message; of them nothing is taken."""
    found = mappings(message, "attachments")
    told(found)
    return len(found)


def same_of_all(messages: Sequence[Record], key: str) -> str:
    """The id under `key` where every message that has one has the same; else empty."""
    named = [found for message in messages if (found := id_at(message, key))]
    return named[0] if len(set(named)) == 1 else ""


def words_of_html(text: str) -> str:
    """The words of a body that may be HTML."""
    if "<" not in text and "&" not in text:
        return text
    reader = _Words()
    reader.feed(text)
    reader.close()
    return re.sub(r"[^\S\n]*\n\s*", "\n", "".join(reader.words)).strip()


class _Words(HTMLParser):
    """Collects the words that a reader of the page sees, a line a block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag in _BREAKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag in _BREAKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)


def mappings_of(listed: object) -> list[Record]:
    """The mappings of a list, whatever else stands in it; none when it is no list."""
    if not isinstance(listed, list):
        return []
    return [cast(Record, each) for each in cast(list[object], listed) if isinstance(each, dict)]
