"""What changed since it was looked at: the cost of a look follows what changed.

Triggers note each ended conversation that is added, changed or deleted, and each about which an
answer or a label is, in the transaction of the change. `take_touched` turns the notes into marks of
days and makes conversations that were settled open again. The analysis tables lie beside the
conversations.
"""

import random
from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from analysis.store.tables import day_marks, settled_conversations, touched_answers
from conversation.store.database import READ_ONLY, batches
from conversation.store.tables import conversations, touched_conversations

_TAKEN_AT_ONCE = 5_000
_LARGEST_STEP = 2**20
_FIRST_MARK = 2**40
_NOTES = (touched_conversations, touched_answers)


class DayMark(NamedTuple):
    """How far a day has changed."""

    day: date
    mark: int
    held: bool
    """Whether any conversation that ended on it is left."""


def take_touched(engine: sa.Engine) -> int:
    """Mark the days of everything that was touched; returns the number of notes that were taken.

    Whoever is killed half-way has taken nothing. Two processes take one after the other.
    """
    taken = 0
    while _any_noted(engine):
        with engine.begin() as connection:
            found = _take_some(connection)
        taken += found
        if not found:
            return taken  # another process was quicker
    return taken


def marks_of(engine: sa.Engine, days: Collection[date] | None = None) -> dict[date, DayMark]:
    """The marks of all days or of some; days on which nothing ever ended have none."""
    query = sa.select(day_marks.c.day, day_marks.c.mark, day_marks.c.held)
    if days is not None:
        query = query.where(day_marks.c.day.in_(sorted(days)))
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return {row.day: DayMark(*row) for row in connection.execute(query)}


def last_mark(engine: sa.Engine) -> int:
    """The greatest mark; it moves with every change that was taken. 0 while there is none."""
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return connection.execute(sa.select(sa.func.max(day_marks.c.mark))).scalar() or 0


def mark_in(connection: sa.Connection) -> int:
    """The greatest mark, which nobody moves before this transaction is over."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE day_marks IN SHARE MODE")
    return connection.execute(sa.select(sa.func.max(day_marks.c.mark))).scalar() or 0


def ended_between(first: datetime, last: datetime) -> sa.ColumnElement[bool]:
    """Conversations that are over and ended from `first` to before `last`."""
    columns = conversations.c
    return sa.and_(
        columns.ended_at >= first, columns.ended_at < last, columns.status != "in_progress"
    )


def ended_on_day(day: date) -> sa.ColumnElement[bool]:
    """Conversations that are over and ended on a UTC day."""
    return ended_between(*_bounds(day, day))


def ids_ended_on(engine: sa.Engine, days: Collection[date]) -> dict[str, date]:
    """Conversations that are over, each with the UTC day of `days` that it ended on.

    Day by day in the order that `days` has, those of a day in the order of their start.
    """
    columns = conversations.c
    query = sa.select(columns.conversation_id, columns.ended_at).where(
        sa.or_(*(ended_between(*_bounds(first, last)) for first, last in _runs(days)))
    )
    found: dict[date, list[str]] = {day: [] for day in days}
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for row in connection.execute(query.order_by(columns.started_at, columns.conversation_id)):
            found[day_of(row.ended_at)].append(row.conversation_id)
    return {each: day for day, ids in found.items() for each in ids}


def _runs(days: Collection[date]) -> list[tuple[date, date]]:
    """Days as runs of days that follow each other, first and last: one range of an index each."""
    runs: list[tuple[date, date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][1] <= timedelta(days=1):
            runs[-1] = runs[-1][0], day
        else:
            runs.append((day, day))
    return runs


def _bounds(first: date, last: date) -> tuple[datetime, datetime]:
    midnight = time(tzinfo=UTC)
    return datetime.combine(first, midnight), datetime.combine(last, midnight) + timedelta(days=1)


def _any_noted(engine: sa.Engine) -> bool:
    noted = [sa.exists().select_from(table) for table in _NOTES]
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return bool(connection.execute(sa.select(sa.or_(*noted))).scalar())


def _take_some(connection: sa.Connection) -> int:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE day_marks IN EXCLUSIVE MODE")
    changed = _taken(connection, touched_conversations)
    answered = _taken(connection, touched_answers)
    ids = sorted({row.touched for row in (*changed, *answered)})
    days = {day_of(row.ended_at) for row in changed if row.ended_at is not None}
    for some in batches(ids):
        ended = sa.select(conversations.c.ended_at).where(
            conversations.c.conversation_id.in_(some), conversations.c.ended_at.is_not(None)
        )
        days.update(map(day_of, connection.execute(ended).scalars()))
        settled = settled_conversations.c.settled
        connection.execute(sa.delete(settled_conversations).where(settled.in_(some)))
    _mark(connection, sorted(days))
    return len(changed) + len(answered)


def _taken(connection: sa.Connection, table: sa.Table) -> Sequence[sa.Row[tuple[object, ...]]]:
    oldest = sa.select(table.c.touch_id).order_by(table.c.touch_id).limit(_TAKEN_AT_ONCE)
    gone = sa.delete(table).where(table.c.touch_id.in_(oldest)).returning(*table.c)
    return connection.execute(gone).all()


def _mark(connection: sa.Connection, days: Sequence[date]) -> None:
    if not days:
        return
    last = connection.execute(sa.select(sa.func.max(day_marks.c.mark))).scalar()
    # In steps of chance: a store that was put back to an earlier state, or another one, has other
    # marks for what happens in it from then on.
    mark = (last or random.randrange(_FIRST_MARK)) + random.randint(1, _LARGEST_STEP)
    held = {day for day in days if _is_held(connection, day)}
    connection.execute(sa.delete(day_marks).where(day_marks.c.day.in_(days)))
    rows = [{"day": day, "mark": mark, "held": day in held} for day in days]
    connection.execute(sa.insert(day_marks), rows)


def _is_held(connection: sa.Connection, day: date) -> bool:
    return bool(connection.execute(sa.select(sa.exists().where(ended_on_day(day)))).scalar())


def day_of(moment: datetime) -> date:
    """Return the UTC day of a moment, by which days are marked."""
    return moment.astimezone(UTC).date()
