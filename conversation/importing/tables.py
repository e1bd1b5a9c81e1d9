"""Conversations as tables: CSV with a row a message. Pure."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from conversation.importing.clocks import is_clock, offsets_of_clock, seconds_of, tells_the_day
from conversation.importing.lines import SpokenLine, oldest_first
from conversation.importing.roles import RecordError
from conversation.importing.times import (
    columns_of_dates,
    is_moment,
    moment_of_days,
    moment_of_text,
)
from conversation.importing.usual_words import (
    DAY_COLUMNS,
    ID_COLUMNS,
    SPEAKER_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    USER_COLUMNS,
    plain_name,
)
from conversation.importing.written_dates import Order, looks_like_a_date, order_of

MEANINGS = {
    "id": ID_COLUMNS,
    "speaker": SPEAKER_COLUMNS,
    "text": TEXT_COLUMNS,
    "time": TIME_COLUMNS,
    "user": USER_COLUMNS,
}
"""What a column may be, with the names that say so by themselves."""

DATES = " (dates)"
"""Behind the name of a column that is left out, and has a date in every row."""

_COLUMN = " (column "
_SHOWN = 6
"""Names of columns that an error lists."""
_OFFSET_COLUMNS = frozenset({"offset_s", "start_s", "start", "time", "offset", "start_time"})
"""Their numbers are seconds from the start, unless they can be none."""
_FIRST_MOMENT = 1e8
_FIRST_DAY, _LAST_DAY = 20_000.0, 80_000.0
"""Days of spreadsheets from 1954 to 2119."""
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
    unpaired: int | None = None
    """The first line of the table whose quotes do not pair."""


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
    between = _delimiter(text)
    cells = _rows(text, between)
    header = _told_apart(next(cells, _Cells(1, [])).cells)
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
            f"the table needs a column for the speaker ({', '.join(SPEAKER_COLUMNS[:_SHOWN])}, "
            f"...) and one for the words ({', '.join(TEXT_COLUMNS[:_SHOWN])}, ...), but has "
            f"{sorted(names)}. Say "
            "which are meant, e.g. `--map speaker=COLUMN --map text=COLUMN`"
        )
    dated: list[str] = []
    if time_column is None:
        unnamed = [name for name in header if name not in chosen]
        others_of_rows = (dict(zip(header, each.cells, strict=False)) for each in _body(text))
        time_column, dated = columns_of_dates(others_of_rows, unnamed, id_column)
    others = [name for name in header if name not in (*chosen, time_column)]
    rivals = [name for name in others if _name_of(name) == _name_of(speaker_column)]
    found: dict[str | None, TableConversation] = {}
    day_column = _column(names, DAY_COLUMNS) if time_column else None
    for number, listed, is_broken in (each.parts() for each in cells):
        row = dict(zip(header, listed, strict=False))
        key = _cell(row, id_column) if id_column else None
        one = found.setdefault(key, TableConversation(key))
        if is_broken:
            one.unpaired = one.unpaired or number
            continue
        time, day_is_taken = _time(row, time_column, day_column)
        one.rows.append(Row(_cell(row, speaker_column), _cell(row, text_column), time))
        if one.overfull is None and any(cell.strip() for cell in listed[len(header) :]):
            one.overfull = number
        one.is_torn = one.is_torn or any(
            _cell(row, rival) not in ("", _cell(row, speaker_column)) for rival in rivals
        )
        one.user_id = one.user_id or _cell(row, user_column)
        one.left_out.update(
            f"csv.{name}{DATES if name in dated else ''}"
            for name in others
            if _cell(row, name) and not (day_is_taken and name == day_column)
        )
    if not found:
        raise RecordError("the table has a header and no rows")
    _read_spreadsheet_days(found.values(), _name_of(time_column) if time_column else "")
    order = order_of(row.time for one in found.values() for row in one.rows if row.time)
    for one in found.values():
        one.order = order
        yield one


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row, and the line of the table on which it begins."""

    line: int
    cells: list[str]
    is_broken: bool = False

    def parts(self) -> tuple[int, list[str], bool]:
        return self.line, self.cells, self.is_broken


def _rows(text: str, between: str) -> Iterator[_Cells]:
    """The rows of a table. One whose quotes do not pair is broken, and costs no other row.

    After such a row reading goes on with the next line. Its quote has no partner up to where that
    was noticed, so that each line is read twice at most.
    """
    lines = [f"{line}\n" for line in text.split("\n")]
    at = 0
    while at < len(lines):
        rest = map(lines.__getitem__, range(at, len(lines)))
        reader = csv.reader(rest, delimiter=between, skipinitialspace=True, strict=True)
        begun = at
        try:
            for cells in reader:
                if cells:
                    yield _Cells(begun + 1, cells)
                begun = at + reader.line_num
            return
        except csv.Error:
            alone = lines[begun].replace('"', "").rstrip("\n").split(between)
            yield _Cells(begun + 1, alone, is_broken=True)
            at = begun + 1


def _body(text: str) -> Iterator[_Cells]:
    """The rows below the header whose quotes pair."""
    rows = _rows(text, _delimiter(text))
    next(rows, None)
    return (each for each in rows if not each.is_broken)


def _time(
    row: Mapping[str, str], time_column: str | None, day_column: str | None
) -> tuple[str, bool]:
    """The time of a row, with the day of another column where it is a time of day alone."""
    time, day = _cell(row, time_column), _cell(row, day_column)
    seconds = _number(time)
    if time_column and _name_of(time_column).endswith("_ms") and seconds is not None:
        # Large numbers are moments, which tell by themselves what they count.
        return (str(seconds / 1_000) if seconds < _FIRST_MOMENT else time), False
    if time_column != day_column and is_clock(time) and day and not is_clock(day):
        return f"{day} {time}", True
    return time, False


def _read_spreadsheet_days(found: Iterable[TableConversation], column: str) -> None:
    """Turn numbers of days, as spreadsheets keep moments, into moments.

    A small number is a moment in a column that has the name of one. In one that may hold seconds
    from a start, it is where every number is far too large for the start of a call and has parts
    of a day.
    """
    rows = [(one, at) for one in found for at, row in enumerate(one.rows) if row.time]
    numbers = [_number(one.rows[at].time) for one, at in rows]
    in_range = [each for each in numbers if each is not None and _FIRST_DAY <= each <= _LAST_DAY]
    if not numbers or len(in_range) != len(numbers):
        return
    if column in _OFFSET_COLUMNS and any(each == int(each) for each in in_range):
        return
    for (one, at), number in zip(rows, in_range, strict=True):
        one.rows[at] = replace(one.rows[at], time=moment_of_days(number).isoformat())


def _number(time: str) -> float | None:
    try:
        return float(time.replace(",", "."))
    except ValueError:
        return None


def check_rows(one: TableConversation) -> None:
    """Refuse rows of which it cannot be told what was said, by whom, or in which conversation.

    Raises:
        RecordError: A row has quotes that do not pair, too many cells, no speaker, or no id where
            others have one.
    """
    if one.unpaired is not None:
        raise RecordError(
            f"the quotes on line {one.unpaired} of the table do not pair; write each double quote "
            "within words twice"
        )
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
        if any(is_moment(time, order) for time in times):
            moment_of_text(next(time for time in times if not is_moment(time, order)), "time")
        if tells_the_day(times):
            offsets = offsets_of_clock([row.time for row in rows])
        else:
            offsets = [seconds_of(row.time) if row.time else None for row in rows]
        return _in_order(rows, offsets), None
    moments = [moment_of_text(row.time, "time", order) if row.time else None for row in rows]
    begun = min(moment for moment in moments if moment is not None)
    offsets = [None if at is None else (at - begun).total_seconds() for at in moments]
    return _in_order(rows, offsets), begun


def _in_order(rows: Sequence[Row], offsets: Sequence[float | None]) -> list[SpokenLine]:
    """The lines by their times; those of one time as they stand, or the other way round."""
    lines = oldest_first(
        [SpokenLine(row.speaker, row.text, at) for row, at in zip(rows, offsets, strict=True)]
    )
    return lines if None in offsets else sorted(lines, key=lambda line: line.offset_s or 0.0)


def _name_of(column: str) -> str:
    return plain_name(column.partition(_COLUMN)[0])


def _told_apart(header: Sequence[str]) -> list[str]:
    """Names of columns, those that stand there twice with their place behind them."""
    seen: set[str] = set()
    found: list[str] = []
    for number, name in enumerate(header, start=1):
        found.append(f"{name}{_COLUMN}{number})" if plain_name(name) in seen else name)
        seen.add(plain_name(name))
    return found


def _delimiter(text: str) -> str:
    """What stands between the cells of the header.

    Not what `csv.Sniffer` guesses: it also guesses from the first rows that quotes are not doubled,
    and words of later rows are lost.
    """
    header = _QUOTED.sub("", text.lstrip("\ufeff\r\n").partition("\n")[0])
    return max(",;\t|", key=header.count)


def _cell(row: Mapping[str, str], column: str | None) -> str:
    return (row.get(column) or "").strip() if column else ""


def _named(names: Mapping[str, str], wanted: str, meaning: str) -> str:
    found = names.get(plain_name(wanted))
    if found is None:
        raise RecordError(
            f"the table has no column {wanted!r} for the {meaning}, but {sorted(names.values())}"
        )
    return found


def _column(names: dict[str, str], wanted: Iterable[str]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)
