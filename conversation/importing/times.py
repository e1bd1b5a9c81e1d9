"""Moments as records from elsewhere write them. Pure."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise

from conversation.importing.roles import RecordError
from conversation.importing.written_dates import (
    Order,
    looks_like_a_date,
    order_of,
    written_date,
)

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_FIRST_UNIX_S = 1e8
"""Numbers from here on are moments (1973), smaller ones seconds from the start of a call."""
_LAST_UNIX_S = 1e10
"""Larger numbers count milliseconds, then microseconds, then nanoseconds."""
_FIRST_CONVERSATION_S = 946_684_800
"""2000-01-01. An earlier Unix time counts something else, such as days or seconds of a call."""
_TICKS = (630_822_816_000_000_000, 662_380_416_000_000_000)
""".NET counts tenths of microseconds since the year 1; these are 2000 and 2100. As nanoseconds
since 1970 they would stand for days of 1989 and 1990."""
_DOT_NET = re.compile(r"\\?/Date\((-?\d+)(?:[+-]\d{4})?\)\\?/")
"""Milliseconds since 1970; the zone says where they were written and changes nothing."""
_OFFSET_AND_PLACE = re.compile(r"(.*(?:Z|[+-]\d{2}:?\d{2}))\[[\w/+:-]+\]")
"""As Java writes it, `2026-03-01T12:00:00+01:00[Europe/Berlin]`."""
_SHOWN = 40


def moment(value: object, key: str) -> datetime | None:
    """A moment in UTC: ISO 8601, RFC 2822, or a Unix time in s, ms, us or ns, also as text.

    A time without a zone is taken for UTC. None, an empty text and 0 are no time.

    Raises:
        RecordError: It is none of these; names `key`.
    """
    if value is None or value in ("", "0") or (value == 0 and value is not False):
        return None
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(float(value), key)
    if isinstance(value, str):
        return moment_of_text(value, key)
    raise RecordError(f"`{key}` must be a time such as 2026-03-01T12:00:00Z or a Unix time")


def moment_of_text(text: str, key: str, order: Order | None = None) -> datetime:
    """The moment that `text` writes; see `moment`.

    Other forms of dates are read where day and month cannot be mistaken for each other; `order`
    says for a column which of them comes first.
    """
    plain = text.strip()
    if dot_net := _DOT_NET.fullmatch(plain):
        plain = dot_net[1]
    if _NUMBER.fullmatch(plain):
        return _from_number(float(plain), key)
    if placed := _OFFSET_AND_PLACE.fullmatch(plain):
        plain = placed[1]
    try:
        return _in_utc(datetime.fromisoformat(_ZONE.sub("+00:00", plain)))
    except ValueError:
        pass
    written = written_date(plain, order)
    if written is not None:
        return _in_utc(written)
    try:
        return _in_utc(parsedate_to_datetime(plain))
    except ValueError:
        raise RecordError(
            f"`{key}` must be a time such as 2026-03-01T12:00:00Z or a Unix time; in "
            f"{plain[:_SHOWN]!r} day and month can be mistaken for each other, or it is none. "
            "Of tables and texts `--date-order` says what stands first"
        ) from None


def is_offset(value: object) -> bool:
    """Whether a number, also as text, counts from the start of a call: no Unix time is so small."""
    if isinstance(value, str):
        return _NUMBER.fullmatch(value.strip()) is not None and abs(float(value)) < _FIRST_UNIX_S
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _FIRST_UNIX_S


def moment_of_days(number: float) -> datetime:
    """The moment, to the second, that spreadsheets keep as days since the end of 1899."""
    return datetime(1899, 12, 30, tzinfo=UTC) + timedelta(seconds=round(number * 86_400))


def is_moment(text: str, order: Order | None = None) -> bool:
    """Whether a cell of a table holds a moment rather than seconds from the start."""
    plain = text.strip()
    if _NUMBER.fullmatch(plain):
        return abs(float(plain)) >= _FIRST_UNIX_S
    try:
        moment_of_text(plain, "time", order)
    except RecordError:
        return False
    return True


def columns_of_dates(
    rows: Iterable[Mapping[str, str]], columns: Sequence[str], id_column: str | None
) -> tuple[str | None, list[str]]:
    """Which columns of a table hold dates, whatever they are called.

    Args:
        rows: Cells by column.
        columns: Those that may.
        id_column: Tells one conversation from another.

    Returns:
        The one column that says when each message was sent: it never goes back within a
        conversation, and goes on in one; None where there is none, or more than one. And all
        columns with a date in every row, which may be anything, such as a birthday.
    """
    cells: dict[str, list[tuple[str, str]]] = {name: [] for name in columns}
    for row in rows:
        key = row.get(id_column, "") if id_column else ""
        for name in list(cells):
            cell = row.get(name, "").strip()
            if looks_like_a_date(cell) or (not _NUMBER.fullmatch(cell) and is_moment(cell)):
                cells[name].append((key, cell))
            else:
                del cells[name]
    dated = [name for name, found in cells.items() if found]
    going_on = [name for name in dated if _goes_on(cells[name])]
    return going_on[0] if len(going_on) == 1 else None, dated


def _goes_on(cells: Sequence[tuple[str, str]]) -> bool:
    order = order_of(cell for _, cell in cells)
    moments: dict[str, list[datetime]] = {}
    try:
        for key, cell in cells:
            moments.setdefault(key, []).append(moment_of_text(cell, "time", order))
    except RecordError:
        return False
    steps = [later - earlier for found in moments.values() for earlier, later in pairwise(found)]
    return all(step >= timedelta() for step in steps) and any(step > timedelta() for step in steps)


def check_order(started_at: datetime | None, ended_at: datetime | None) -> None:
    """Refuse a conversation that ended before it began.

    Raises:
        RecordError: It did.
    """
    if started_at is not None and ended_at is not None and ended_at < started_at:
        raise RecordError(
            f"it ends ({ended_at:%Y-%m-%d %H:%M:%S}) before it begins "
            f"({started_at:%Y-%m-%d %H:%M:%S}, UTC)"
        )


def _from_number(number: float, key: str) -> datetime:
    if _TICKS[0] <= number < _TICKS[1]:
        return datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=number / 10)
    while math.isfinite(number) and abs(number) >= _LAST_UNIX_S:
        number /= 1_000
    try:
        found = datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        raise RecordError(f"`{key}` must be a Unix time") from None
    if number < _FIRST_CONVERSATION_S:
        raise RecordError(
            f"`{key}` must be a Unix time or one such as 2026-03-01T12:00:00Z: {number:g} would be "
            f"one of {found.year}, and counts something else"
        )
    return found


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
