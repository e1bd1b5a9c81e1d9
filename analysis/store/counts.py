"""Answers counted in the database: memory does not follow the store.

In force is the last answer of sample 0 to each question of a conversation. Functions that take days
look at ended conversations: of some days (UTC), or of all of them for None.

`day_counts_of` keeps what it counted. A day is counted again only when it was touched: a fault of
one day is neither hidden by the good days beside it nor forgotten when another day is judged.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa

from analysis.store import tables
from analysis.store.closed_days import utc_day
from analysis.store.tables import day_counts, day_marks
from analysis.store.touched import ended_on_day, take_touched
from conversation.store.database import READ_ONLY
from conversation.store.tables import conversations

Days = Collection[date] | None
_VERDICTS, _VALUES = tables.evaluations, tables.collected_values
Fault = Literal["failures", "unsupported", "flips"]
"""`failures`: questions without an answer because the judge failed, of all that were asked.
`unsupported`: values that rest on words nobody said, of all values that were found.
`flips`: repeated verdicts that differ from the one in force, of all repeated ones; a repetition
counts when it was asked the same question by the same judge."""

_DAYS_AT_ONCE = 50
_Selected = sa.Select[date | str, Any, str, Any, int]


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


class DayCount(NamedTuple):
    """`part` of `whole` answers to a question have a fault."""

    day: date
    agent_id: str
    question_id: str
    part: int
    whole: int


def day_counts_of(engine: sa.Engine, fault: Fault) -> list[DayCount]:
    """The answers of every day (UTC) by question, those without any fault too.

    Args:
        engine: Of both stores.
        fault: What is counted as `part`.
    """
    count_touched_days(engine)
    columns = day_counts.c
    query = (
        sa.select(columns.day, columns.agent_id, columns.question_id, columns.part, columns.whole)
        .where(columns.counted == fault)
        .order_by(columns.day, columns.agent_id, columns.question_id)
    )
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return [DayCount(*row) for row in connection.execute(query)]


def count_touched_days(engine: sa.Engine) -> int:
    """Count the answers of the days that changed since they were counted; returns how many."""
    take_touched(engine)
    marks = day_marks.c
    with engine.connect().execution_options(**READ_ONLY) as connection:
        query = sa.select(marks.day, marks.mark).where(~marks.counted).order_by(marks.day)
        waiting = [(row.day, row.mark) for row in connection.execute(query)]
    for start in range(0, len(waiting), _DAYS_AT_ONCE):
        with engine.begin() as connection:
            _count(connection, waiting[start : start + _DAYS_AT_ONCE])
    return len(waiting)


def _count(connection: sa.Connection, marked: Sequence[tuple[date, int]]) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE day_counts IN EXCLUSIVE MODE")
    days = [day for day, _ in marked]
    connection.execute(sa.delete(day_counts).where(day_counts.c.day.in_(days)))
    of_days = sa.or_(*map(ended_on_day, days))
    rows = [
        {
            "counted": fault,
            "day": date.fromisoformat(str(day)),
            "agent_id": agent_id,
            "question_id": question_id,
            "part": part,
            "whole": whole,
        }
        for fault, query in _queries(utc_day(connection), of_days)
        for day, agent_id, question_id, part, whole in connection.execute(query)
    ]
    if rows:
        connection.execute(sa.insert(day_counts), rows)
    for day, mark in marked:
        # One that was touched meanwhile has another mark and is counted again.
        connection.execute(
            sa.update(day_marks)
            .where(day_marks.c.day == day, day_marks.c.mark == mark)
            .values(counted=True)
        )


def _queries(
    day: sa.ColumnElement[date | str], of_days: sa.ColumnElement[bool]
) -> Iterator[tuple[Fault, _Selected]]:
    for table, question in ((_VERDICTS, "criterion_id"), (_VALUES, "field_id")):
        failed = table.c.error.is_not(None)
        yield "failures", _in_force(table, table.c[question], failed, sa.true(), day, of_days)
    status = _VALUES.c.status
    found = status.in_(["supported", "unsupported"])
    yield (
        "unsupported",
        _in_force(_VALUES, _VALUES.c.field_id, status == "unsupported", found, day, of_days),
    )
    yield "flips", _repeated(day, of_days)


def _in_force(
    table: sa.Table,
    question: sa.Column[str],
    faulty: sa.ColumnElement[bool],
    counts: sa.ColumnElement[bool],
    day: sa.ColumnElement[date | str],
    of_days: sa.ColumnElement[bool],
) -> _Selected:
    [key] = table.primary_key
    belongs = conversations.c.conversation_id == table.c.conversation_id
    last = (
        sa.select(sa.func.max(key))
        .join(conversations, belongs)
        .where(table.c.sample == 0, of_days)
        .group_by(table.c.conversation_id, question)
    )
    return (
        _shares(day, question, faulty)
        .select_from(table)
        .join(conversations, belongs)
        .where(key.in_(last), counts)
    )


def _repeated(day: sa.ColumnElement[date | str], of_days: sa.ColumnElement[bool]) -> _Selected:
    again, first = _VERDICTS.alias("again"), _VERDICTS.alias("first")
    same = [
        again.c[name] == first.c[name]
        for name in (
            *("conversation_id", "transcript_sha256", "criterion_id", "criterion_version"),
            *("judge_model", "judge_prompt_version"),
        )
    ]
    return (
        _shares(day, again.c.criterion_id, again.c.verdict != first.c.verdict)
        .select_from(again)
        .join(first, sa.and_(*same, first.c.sample == 0, first.c.verdict.is_not(None)))
        .join(conversations, conversations.c.conversation_id == again.c.conversation_id)
        .where(again.c.sample != 0, again.c.verdict.is_not(None), of_days)
    )


def _shares(
    day: sa.ColumnElement[date | str], question: sa.Column[str], faulty: sa.ColumnElement[bool]
) -> _Selected:
    agent_id = conversations.c.agent_id
    return sa.select(
        day.label("day"),
        agent_id,
        question.label("question_id"),
        sa.func.sum(sa.case((faulty, 1), else_=0)).label("part"),
        sa.func.count().label("whole"),
    ).group_by(sa.text("day"), agent_id, question)
