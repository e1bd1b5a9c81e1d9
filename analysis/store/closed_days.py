"""Days of conversations as the database counts them: no conversation is loaded to find them.

The analysis tables lie beside the conversations, so that one query sees both.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa

from analysis.store.tables import analysis_runs
from conversation.store.database import READ_ONLY
from conversation.store.tables import conversations

CLOSED_AT_ONCE = 100_000
"""Conversations that one look counts at most: some tenths of a second on SQLite."""
LATE_BY = timedelta(minutes=10)
"""A conversation is written down this much later than its `closed_at` says at most: writers wait
for one another for up to a minute, and the clocks of several servers are not quite the same."""


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day (UTC) with conversations that the store learned the end of lately."""

    day: date
    is_new: bool
    """Whether any of them was closed since the last look."""
    unjudged: bool
    """Whether no run got through any of them since it was closed, though its agent asks."""


@dataclass(frozen=True, slots=True)
class Closed:
    """What one look found."""

    days: tuple[ClosedDay, ...]
    """Oldest first."""
    closed_to: datetime | None
    """Where the next look goes on; None while no conversation was ever closed."""


def look_at_closed(
    engine: sa.Engine,
    *,
    closed_to: datetime | None,
    now: datetime,
    asking: Mapping[str, datetime | None],
    limit: int = CLOSED_AT_ONCE,
) -> Closed:
    """Return the days of conversations that were closed since the last look, whenever they ended.

    What was closed up to `LATE_BY` before it is looked at again, in case it was written late.

    Args:
        engine: Of the stores.
        closed_to: What the last look returned; None for the first one.
        now: The next look goes on here at the latest, also when a clock is ahead.
        asking: By agent that asks anything of its conversations: the end of the oldest one that
            is still judged, None for no bound.
        limit: Look at so many newly closed ones, and at those of the same moment as the last.
    """
    columns = conversations.c
    with engine.connect().execution_options(**READ_ONLY) as connection:
        reached = _reached(connection, closed_to, limit)
        if reached is None:
            return Closed((), closed_to)
        is_new = sa.true() if closed_to is None else columns.closed_at > closed_to
        judged = sa.exists().where(
            analysis_runs.c.conversation_id == columns.conversation_id,
            analysis_runs.c.error.is_(None),
            analysis_runs.c.evaluated_at >= columns.closed_at,
        )
        rows = (
            sa.select(
                utc_day(connection).label("day"),
                sa.case((is_new, 1), else_=0).label("is_new"),
                sa.case((sa.and_(_is_asked(asking), ~judged), 1), else_=0).label("unjudged"),
            )
            .where(columns.closed_at <= reached)
            .where(columns.ended_at.is_not(None), columns.status != "in_progress")
        )
        if closed_to is not None:
            rows = rows.where(columns.closed_at >= closed_to - LATE_BY)
        inner = rows.subquery()
        found = connection.execute(
            sa.select(inner.c.day, sa.func.max(inner.c.is_new), sa.func.max(inner.c.unjudged))
            .group_by(inner.c.day)
            .order_by(inner.c.day)
        )
        days = tuple(ClosedDay(_day(day), bool(new), bool(open_)) for day, new, open_ in found)
    return Closed(days, min(max(reached, closed_to or reached), now))


def state_of_day(engine: sa.Engine, day: date) -> str:
    """Return how many conversations of a day were closed, and when the last of them was.

    It moves when another one comes, and stays while they are judged.
    """
    closed_at = conversations.c.closed_at
    query = sa.select(sa.func.count(closed_at), sa.func.max(closed_at)).where(_on(day))
    with engine.connect().execution_options(**READ_ONLY) as connection:
        count, last = connection.execute(query).one()
    return f"{count} {last.isoformat() if last else 'never'}"


def agents_by_day(
    engine: sa.Engine, days: Collection[date] | None = None
) -> dict[date, frozenset[str]]:
    """Return by day (UTC) the agents whose conversations ended on it; None looks at every day."""
    found: dict[date, set[str]] = defaultdict(set)
    ended = [conversations.c.ended_at.is_not(None)] if days is None else [_on(d) for d in days]
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for condition in ended:
            query = sa.select(utc_day(connection), conversations.c.agent_id).where(condition)
            for day, agent_id in connection.execute(query.distinct()):
                found[_day(day)].add(agent_id)
    return {day: frozenset(agents) for day, agents in sorted(found.items())}


def agents_talked_to(engine: sa.Engine) -> frozenset[str]:
    """Return the agents that have conversations, ended or not."""
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return frozenset(
            connection.execute(sa.select(conversations.c.agent_id).distinct()).scalars()
        )


def _reached(connection: sa.Connection, closed_to: datetime | None, limit: int) -> datetime | None:
    """When the last of the next `limit` was closed, or the last of all before `closed_to`."""
    closed_at = conversations.c.closed_at
    following = sa.select(closed_at).where(closed_at.is_not(None))
    if closed_to is not None:
        following = following.where(closed_at > closed_to)
    last = following.order_by(closed_at).offset(limit - 1).limit(1)
    newest = sa.select(sa.func.max(closed_at))
    return connection.execute(last).scalar() or connection.execute(newest).scalar()


def _is_asked(asking: Mapping[str, datetime | None]) -> sa.ColumnElement[bool]:
    columns = conversations.c
    always = columns.agent_id.in_([name for name, since in asking.items() if since is None])
    bounded = [
        sa.and_(columns.agent_id == name, columns.ended_at >= since)
        for name, since in asking.items()
        if since is not None
    ]
    return sa.or_(always, *bounded)


def _on(day: date) -> sa.ColumnElement[bool]:
    midnight = datetime.combine(day, time(), UTC)
    ended_at = conversations.c.ended_at
    return sa.and_(ended_at >= midnight, ended_at < midnight + timedelta(days=1))


def utc_day(connection: sa.Connection) -> sa.ColumnElement[date | str]:
    """The day (UTC) on which a conversation ended, as SQL; SQLite returns it as text."""
    ended_at = conversations.c.ended_at
    if connection.dialect.name == "postgresql":
        return sa.cast(sa.func.timezone(sa.literal_column("'UTC'"), ended_at), sa.Date)
    return sa.func.date(ended_at)


def _day(found: date | str) -> date:
    return date.fromisoformat(str(found))
