"""Conversations written as lines of text: `Speaker: words`, WebVTT and CSV. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from conversation.importing.roles import RecordError, roles_of
from conversation.transcript import Turn

_SPEAKER = re.compile(
    r"^\s*(?:\[?(\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?)\]?\s+)?([^:\n]{1,40}?)\s*:\s+(.*)$"
)
_CUE_TIMES = re.compile(r"^((?:\d+:)?\d{2}:\d{2}[.,]\d{3})\s+-->\s+((?:\d+:)?\d{2}:\d{2}[.,]\d{3})")
_VOICE = re.compile(r"^<v(?:\.[^ >]*)?\s+([^>]+)>(.*)$", re.DOTALL)
_TAG = re.compile(r"</?[^>]*>")
_ID_COLUMNS = ("conversation_id", "call_id", "id", "conversation")
_SPEAKER_COLUMNS = ("role", "speaker", "from", "author", "participant")
_TEXT_COLUMNS = ("text", "message", "content", "utterance", "words")
_TIME_COLUMNS = ("offset_s", "start_s", "start", "time", "timestamp", "offset")


@dataclass(frozen=True, slots=True)
class Line:
    """What one speaker said without a break."""

    speaker: str
    text: str
    offset_s: float | None = None


class CSVRow(NamedTuple):
    """One row of a table, as it stands there."""

    speaker: str
    text: str
    time: str


def lines_of_text(text: str) -> list[Line]:
    """`Speaker: words` on each line, perhaps after a time; other lines go on with the last one."""
    lines: list[Line] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        match = _SPEAKER.match(raw)
        if match:
            time, speaker, words = match.groups()
            lines.append(Line(speaker, words, seconds_of(time) if time else None))
        elif raw.strip():
            if not lines:
                raise RecordError(
                    f"line {number} names no speaker; every turn starts with `Speaker: words`"
                )
            last = lines[-1]
            lines[-1] = Line(last.speaker, f"{last.text}\n{raw.strip()}".strip(), last.offset_s)
    return lines


def lines_of_vtt(text: str) -> list[Line]:
    """The cues of a WebVTT file; speakers stand in `<v Name>` or as `Name: words`."""
    if not text.startswith("WEBVTT"):
        raise RecordError("a .vtt file starts with the word WEBVTT, and this one does not")
    lines: list[Line] = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        rows = block.strip().split("\n")
        at = next((index for index, row in enumerate(rows) if _CUE_TIMES.match(row)), None)
        if at is None:
            continue
        times = _CUE_TIMES.match(rows[at])
        offset_s = seconds_of(times.group(1)) if times else None
        words = "\n".join(rows[at + 1 :]).strip()
        lines.extend(_cue_lines(words, offset_s, lines))
    return lines


def rows_of_csv(text: str) -> Iterator[tuple[str | None, list[CSVRow]]]:
    """Conversations of a CSV table: its id, when there is a column for it, and its rows in order.

    Raises:
        RecordError: There is no column for the speaker or none for the words.
    """
    try:
        dialect = csv.Sniffer().sniff(text[:4_096], delimiters=",;\t|")
    except csv.Error:
        dialect = csv.excel
    reader = csv.DictReader(io.StringIO(text, newline=""), dialect=dialect)
    names = {name.strip().casefold(): name for name in reader.fieldnames or []}
    id_column = _column(names, _ID_COLUMNS)
    speaker_column = _column(names, _SPEAKER_COLUMNS)
    text_column = _column(names, _TEXT_COLUMNS)
    time_column = _column(names, _TIME_COLUMNS)
    if speaker_column is None or text_column is None:
        raise RecordError(
            f"the table needs a column for the speaker ({', '.join(_SPEAKER_COLUMNS)}) and one for "
            f"the words ({', '.join(_TEXT_COLUMNS)}), but has {sorted(names)}"
        )
    conversations: dict[str | None, list[CSVRow]] = {}
    for row in reader:
        key = (row.get(id_column) or "").strip() if id_column else None
        conversations.setdefault(key, []).append(
            CSVRow(
                (row.get(speaker_column) or "").strip(),
                (row.get(text_column) or "").strip(),
                (row.get(time_column) or "").strip() if time_column else "",
            )
        )
    yield from conversations.items()


def lines_of_rows(rows: Iterable[CSVRow]) -> list[Line]:
    """Rows of one conversation as lines."""
    return [Line(row.speaker, row.text, seconds_of(row.time) if row.time else None) for row in rows]


def turns_of_lines(lines: Iterable[Line], agent_speakers: Iterable[str] = ()) -> tuple[Turn, ...]:
    """Lines to turns: neighbours of one side are one turn, silence is none.

    Raises:
        RecordError: Nobody said anything, or it cannot be told who the agent is.
    """
    spoken = [line for line in lines if line.text.strip()]
    if not spoken:
        raise RecordError("nobody says anything in it")
    roles = roles_of([line.speaker for line in spoken], agent_speakers)
    turns: list[Turn] = []
    for line in spoken:
        role = roles[line.speaker]
        if role is None:
            continue
        if turns and turns[-1].role == role:
            turns[-1] = turns[-1].model_copy(update={"text": f"{turns[-1].text} {line.text}"})
        else:
            turns.append(Turn(role=role, text=line.text.strip(), offset_s=line.offset_s))
    return tuple(turns)


def seconds_of(time: str) -> float:
    """`1:02:03.5`, `02:03` or `123.5` in seconds.

    Raises:
        RecordError: It is none of these.
    """
    try:
        seconds = 0.0
        for part in time.replace(",", ".").split(":"):
            seconds = seconds * 60 + float(part)
    except ValueError:
        raise RecordError(f"{time!r} is no time: use seconds or hours:minutes:seconds") from None
    return seconds


def _cue_lines(words: str, offset_s: float | None, before: list[Line]) -> list[Line]:
    lines: list[Line] = []
    for row in words.split("\n"):
        voice = _VOICE.match(row)
        speaker = _SPEAKER.match(_TAG.sub("", row))
        if voice:
            lines.append(Line(voice.group(1).strip(), _TAG.sub("", voice.group(2)), offset_s))
        elif speaker:
            lines.append(Line(speaker.group(2), speaker.group(3), offset_s))
        elif lines or before:
            name = (lines or before)[-1].speaker
            lines.append(Line(name, _TAG.sub("", row), offset_s))
        elif row.strip():
            raise RecordError("its first cue names no speaker; use `<v Name>words`")
    return lines


def _column(names: dict[str, str], wanted: Iterable[str]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)
