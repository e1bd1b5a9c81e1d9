"""Conversations as tables: CSV with a row a message. Pure."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import cast

from conversation.importing.clocks import seconds_of
from conversation.importing.lines import SpokenLine
from conversation.importing.roles import RecordError
from conversation.importing.times import is_moment, moment_of_text
from conversation.importing.written_dates import Order, looks_like_a_date, order_of

_ID_COLUMNS = (
    "conversation_id", "call_id", "chat_id", "session_id", "thread_id", "ticket_id",
    "conversation", "id",
)  # fmt: skip
_SPEAKER_COLUMNS = (
    "role", "speaker", "sender", "from", "author", "participant", "sender_type", "author_type",
    "speaker_role", "sender_role", "participant_role", "speaker_name", "sender_name", "from_name",
    "author_name", "speaker_label", "said_by", "who",
)  # fmt: skip
_TEXT_COLUMNS = (
    "text", "message", "content", "utterance", "words", "body", "transcript",
    "message_text", "message_body", "message_content", "utterance_text", "what",
)  # fmt: skip
_TIME_COLUMNS = (
    "offset_s", "start_s", "start", "time", "timestamp", "offset", "created_at", "date",
    "datetime", "sent_at", "date_time", "time_stamp", "timestamp_utc", "start_time", "created",
    "sent", "message_time", "message_timestamp",
)  # fmt: skip
_USER_COLUMNS = ("user_id", "customer_id", "contact_id", "visitor_id")
MEANINGS = {
    "id": _ID_COLUMNS,
    "speaker": _SPEAKER_COLUMNS,
    "text": _TEXT_COLUMNS,
    "time": _TIME_COLUMNS,
    "user": _USER_COLUMNS,
}
"""What a column may be, with the names that say so by themselves."""


_COLUMN = " (column "
_HUMP = re.compile(r"([a-z0-9])([A-Z])")
_NO_WORD = re.compile(r"[\W_]+")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, as it stands there."""

    speaker: str
    text: str
    time: str


@dataclass(slots=True)
class TableConversation:
    """The rows of one conversation."""

    key: str | None
    """Its id in the table; None when the table has no such column."""
    rows: list[Row] = field(default_factory=list[Row])
    user_id: str = ""
    left_out: Counter[str] = field(default_factory=Counter[str])
    """Columns of which nothing is taken, with the cells that they fill."""
    is_torn: bool = False
    """Two columns of one name say that different people speak."""
    order: Order | None = None
    """Whether its dates begin with the day or the month, by the whole column."""
    overfull: int | None = None
    """The first line of the table with more cells than the header."""


def conversations_of_csv(
    text: str, columns: Mapping[str, str] = MappingProxyType({})
) -> Iterator[TableConversation]:
    """Conversations of a CSV table, each with its rows in order.

    Args:
        text: The table, with a header.
        columns: Names of columns by what they mean, one of `MEANINGS`; they come before the names
            that say it by themselves.

    Raises:
        RecordError: There is no column for the speaker or none for the words, or none of a name
            in `columns`.
    """
    first, _, rest = text.partition("\n")
    if first.strip().casefold().startswith("sep=") and len(first.strip()) == len("sep=") + 1:
        # A line for Excel alone that says what stands between the cells.
        text = rest
    stream = io.StringIO(text, newline="")
    between = _delimiter(text)
    head = csv.reader(stream, delimiter=between, skipinitialspace=True)
    header = _told_apart(next(head, list[str]()))
    reader = csv.DictReader(stream, header, delimiter=between, skipinitialspace=True)
    names: dict[str, str] = {}
    for name in header:
        # Of several columns of one name the first is taken, and the others are counted.
        names.setdefault(_name_of(name), name)
    chosen = [
        _named(names, columns[meaning], meaning) if meaning in columns else _column(names, usual)
        for meaning, usual in MEANINGS.items()
    ]
    id_column, speaker_column, text_column, time_column, user_column = chosen
    if speaker_column is None or text_column is None:
        raise RecordError(
            f"the table needs a column for the speaker ({', '.join(_SPEAKER_COLUMNS)}) and one for "
            f"the words ({', '.join(_TEXT_COLUMNS)}), but has {sorted(names)}. Say "
            "which are meant, e.g. `--map speaker=COLUMN --map text=COLUMN`"
        )
    others = [name for name in header if name not in chosen]
    rivals = [name for name in others if _name_of(name) == _name_of(speaker_column)]
    found: dict[str | None, TableConversation] = {}
    for row in reader:
        # Cells beyond the header stand under None.
        beyond = cast(Mapping[object, list[str] | None], row).get(None) or []
        key = (row.get(id_column) or "").strip() if id_column else None
        one = found.setdefault(key, TableConversation(key))
        one.rows.append(
            Row(_cell(row, speaker_column), _cell(row, text_column), _cell(row, time_column))
        )
        if one.overfull is None and any(cell.strip() for cell in beyond):
            one.overfull = reader.line_num + head.line_num
        one.is_torn = one.is_torn or any(
            _cell(row, rival) not in ("", _cell(row, speaker_column)) for rival in rivals
        )
        one.user_id = one.user_id or _cell(row, user_column)
        one.left_out.update(f"csv.{name}" for name in others if _cell(row, name))
    order = order_of(row.time for one in found.values() for row in one.rows if row.time)
    for one in found.values():
        one.order = order
        yield one


def check_rows(one: TableConversation) -> None:
    """Refuse rows of which it cannot be told what was said, by whom, or in which conversation.

    Raises:
        RecordError: A row has too many cells, no speaker, or no id where others have one.
    """
    if one.overfull is not None:
        raise RecordError(
            f"line {one.overfull} of the table has more cells than the header; put words that hold "
            "the separator into double quotes"
        )
    if one.key == "":
        raise RecordError(
            f"{len(one.rows)} rows have an empty id, so it cannot be told which conversations they "
            "belong to. Fill it in on every row"
        )
    if one.is_torn:
        raise RecordError(
            "two columns for the speaker have one name and name different people. Rename one"
        )
    if nameless := sum(bool(row.text) and not row.speaker for row in one.rows):
        raise RecordError(f"{nameless} rows with words name no speaker. Fill it in on every row")


def lines_of_rows(
    rows: Sequence[Row], order: Order | None = None
) -> tuple[list[SpokenLine], datetime | None]:
    """Rows of one conversation as lines, and when it began where its times are moments.

    Raises:
        RecordError: A time is neither a moment nor seconds from the start.
    """
    times = [row.time for row in rows if row.time]
    if not times or not all(is_moment(time, order) for time in times):
        if unclear := next((time for time in times if looks_like_a_date(time)), None):
            moment_of_text(unclear, "time", order)
        timed = [(row, seconds_of(row.time) if row.time else None) for row in rows]
        return [SpokenLine(row.speaker, row.text, offset_s) for row, offset_s in timed], None
    moments = [moment_of_text(row.time, "time", order) if row.time else None for row in rows]
    begun = min(moment for moment in moments if moment is not None)
    lines = [
        SpokenLine(row.speaker, row.text, (at - begun).total_seconds() if at is not None else None)
        for row, at in zip(rows, moments, strict=True)
    ]
    if None not in moments:
        lines.sort(key=lambda line: line.offset_s or 0.0)
    return lines, begun


def _name_of(column: str) -> str:
    return _plain(column.partition(_COLUMN)[0])


def _told_apart(header: Sequence[str]) -> list[str]:
    """Names of columns, those that stand there twice with their place behind them."""
    seen: set[str] = set()
    found: list[str] = []
    for number, name in enumerate(header, start=1):
        found.append(f"{name}{_COLUMN}{number})" if _plain(name) in seen else name)
        seen.add(_plain(name))
    return found


def _delimiter(text: str) -> str:
    """What stands between the cells of the header.

    Not what `csv.Sniffer` guesses: it also guesses from the first rows that quotes are not doubled,
    and words of later rows are lost.
    """
    header = _QUOTED.sub("", text.lstrip("\ufeff\r\n").partition("\n")[0])
    return max(",;\t|", key=header.count)


def _plain(name: str) -> str:
    """`conversationId`, `Conversation ID` and `conversation-id` as `conversation_id`."""
    plain = _NO_WORD.sub("_", _HUMP.sub(r"\1_\2", name.strip())).strip("_").casefold()
    return plain or name.strip()


def _cell(row: dict[str, str], column: str | None) -> str:
    return (row.get(column) or "").strip() if column else ""


def _named(names: Mapping[str, str], wanted: str, meaning: str) -> str:
    found = names.get(_plain(wanted))
    if found is None:
        raise RecordError(
            f"the table has no column {wanted!r} for the {meaning}, but {sorted(names.values())}"
        )
    return found


def _column(names: dict[str, str], wanted: Iterable[str]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)
