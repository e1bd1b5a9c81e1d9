"""Moments as records from elsewhere write them. Pure."""

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from conversation.importing.roles import RecordError
from conversation.importing.written_dates import Order, written_date

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_FIRST_UNIX_S = 1e8
"""Numbers from here on are moments (1973), smaller ones seconds from the start of a call."""
_LAST_UNIX_S = 1e10
"""Larger numbers count milliseconds, then microseconds, then nanoseconds."""
_SHOWN = 40


def moment(value: object, key: str) -> datetime | None:
    """A moment in UTC: ISO 8601, RFC 2822, or a Unix time in s, ms, us or ns, also as text.

    A time without a zone is taken for UTC. None and an empty text are no time.

    Raises:
        RecordError: It is none of these; names `key`.
    """
    if value is None or value == "":
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
    if _NUMBER.fullmatch(plain):
        return _from_number(float(plain), key)
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
    while math.isfinite(number) and abs(number) >= _LAST_UNIX_S:
        number /= 1_000
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        raise RecordError(f"`{key}` must be a Unix time") from None


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
