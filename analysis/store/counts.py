"""Answers in force and repeated ones, counted in the database: memory does not follow the store.

In force is the last answer of sample 0 to each question of a conversation. All functions look at
ended conversations: of some days (UTC), or of all of them for None.
"""

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from analysis.store import tables
from analysis.store.touched import ended_on_day
from conversation.store.database import READ_ONLY
from conversation.store.tables import conversations

Days = Collection[date] | None
_VERDICTS, _VALUES = tables.evaluations, tables.collected_values


class Flips(NamedTuple):
    """Repeated verdicts that can be compared with the one in force."""

    differing: int
    compared: int


def outcomes_in_force(engine: sa.Engine, days: Days) -> dict[str, Counter[str]]:
    """Verdicts by `AGENT/CRITERION`; `error` where the judge gave none."""
    outcome = sa.func.coalesce(_VERDICTS.c.verdict, "error")
    return _counted(engine, _VERDICTS, _VERDICTS.c.criterion_id, outcome, days)


def statuses_in_force(engine: sa.Engine, days: Days) -> dict[str, Counter[str]]:
    """Collected values by `AGENT/FIELD`: how many have which status."""
    return _counted(engine, _VALUES, _VALUES.c.field_id, _VALUES.c.status, days)


def failures_in_force(engine: sa.Engine, days: Days) -> dict[str, tuple[int, int]]:
    """By agent: questions without an answer because the judge failed, and all that were asked."""
    failed, asked = Counter[str](), Counter[str]()
    for table, question in _ASKED:
        error = sa.case((table.c.error.is_(None), "answered"), else_="failed")
        for name, counts in _counted(engine, table, table.c[question], error, days).items():
            agent_id, _, _ = name.partition("/")
            failed[agent_id] += counts["failed"]
            asked[agent_id] += counts.total()
    return {agent_id: (failed[agent_id], asked[agent_id]) for agent_id in asked}


def first_error(engine: sa.Engine, days: Days) -> str | None:
    """What a judge that failed on a criterion said the first time; None where none failed."""
    query = (
        sa.select(_VERDICTS.c.error)
        .join(conversations, conversations.c.conversation_id == _VERDICTS.c.conversation_id)
        .where(_VERDICTS.c.error.is_not(None), _of_days(days))
        .order_by(_VERDICTS.c.evaluation_id)
        .limit(1)
    )
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return connection.execute(query).scalar()


def flips(engine: sa.Engine, days: Days) -> dict[str, Flips]:
    """By agent: repetitions of a question by the same judge against the verdict of sample 0."""
    again, first = _VERDICTS.alias("again"), _VERDICTS.alias("first")
    same = [
        again.c[name] == first.c[name]
        for name in (
            *("conversation_id", "transcript_sha256", "criterion_id", "criterion_version"),
            *("judge_model", "judge_prompt_version"),
        )
    ]
    query = (
        sa.select(
            conversations.c.agent_id,
            sa.func.sum(sa.case((again.c.verdict != first.c.verdict, 1), else_=0)),
            sa.func.count(),
        )
        .select_from(again)
        .join(first, sa.and_(*same, first.c.sample == 0, first.c.verdict.is_not(None)))
        .join(conversations, conversations.c.conversation_id == again.c.conversation_id)
        .where(again.c.sample != 0, again.c.verdict.is_not(None), _of_days(days))
        .group_by(conversations.c.agent_id)
        .order_by(conversations.c.agent_id)
    )
    with engine.connect().execution_options(**READ_ONLY) as connection:
        found = connection.execute(query).all()
    return {agent_id: Flips(int(differing), compared) for agent_id, differing, compared in found}


def summarised(engine: sa.Engine, days: Days) -> tuple[int, int]:
    """Conversations with a summary, and all of them."""
    runs, columns = tables.analysis_runs, conversations.c
    has_one = sa.exists().where(
        runs.c.conversation_id == columns.conversation_id,
        runs.c.summary.is_not(None),
        runs.c.summary != "",
    )
    query = sa.select(sa.func.count(), sa.func.sum(sa.case((has_one, 1), else_=0)))
    with engine.connect().execution_options(**READ_ONLY) as connection:
        count, with_one = connection.execute(
            query.select_from(conversations).where(_of_days(days))
        ).one()
    return int(with_one or 0), count


def ids_that_ended(engine: sa.Engine, end_reason: str, days: Days) -> list[str]:
    """Conversations that ended for this reason, in the order of their end."""
    columns = conversations.c
    query = (
        sa.select(columns.conversation_id)
        .where(columns.end_reason == end_reason, _of_days(days))
        .order_by(columns.ended_at, columns.conversation_id)
    )
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return list(connection.execute(query).scalars())


_ASKED = ((_VERDICTS, "criterion_id"), (_VALUES, "field_id"))


def _counted(
    engine: sa.Engine,
    table: sa.Table,
    question: sa.Column[str],
    outcome: sa.ColumnElement[str],
    days: Days,
) -> dict[str, Counter[str]]:
    [key] = table.primary_key
    agent = conversations.c.agent_id
    in_force = (
        sa.select(sa.func.max(key))
        .join(conversations, conversations.c.conversation_id == table.c.conversation_id)
        .where(table.c.sample == 0, _of_days(days))
        .group_by(table.c.conversation_id, question)
    )
    query = (
        sa.select(agent, question, outcome.label("outcome"), sa.func.count())
        .join(conversations, conversations.c.conversation_id == table.c.conversation_id)
        .where(key.in_(in_force))
        .group_by(agent, question, sa.text("outcome"))
        .order_by(agent, question)
    )
    counts: dict[str, Counter[str]] = {}
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for agent_id, name, found, count in connection.execute(query):
            counts.setdefault(f"{agent_id}/{name}", Counter())[found] = count
    return counts


def _of_days(days: Days) -> sa.ColumnElement[bool]:
    if days is None:
        return sa.and_(
            conversations.c.ended_at.is_not(None), conversations.c.status != "in_progress"
        )
    return sa.or_(sa.false(), *(ended_on_day(day) for day in days))
