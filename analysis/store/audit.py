"""Questions about the stores as a whole: what was spent, and what does not fit together.

Counted in the database, so that no conversation and no answer is loaded for it.
The analysis tables lie beside the conversations, so that one query sees both.
"""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from analysis.store import tables
from conversation.store.database import READ_ONLY
from conversation.store.tables import conversations, turns
from conversation.transcript import Usage


class Agreed(NamedTuple):
    """Labels that a judge's verdict agrees with, of those that can be compared."""

    agreed: int
    compared: int


class LabelDrift(NamedTuple):
    """The older and the newer half of what people labelled, by the end of the conversations."""

    older: Agreed
    newer: Agreed


def usage_since(engine: sa.Engine, moment: datetime) -> list[Usage]:
    """What the judges of every run since `moment` used."""
    table = tables.analysis_runs
    query = sa.select(table.c.usage).where(table.c.evaluated_at >= moment)
    with engine.connect().execution_options(**READ_ONLY) as connection:
        found = [row.usage for row in connection.execute(query)]
    return [Usage.model_validate(usage) for usage in found if usage is not None]


def rows_without_conversation(engine: sa.Engine) -> list[tuple[str, int]]:
    """Tables with rows of conversations that are gone, and how many rows, by name."""
    found: list[tuple[str, int]] = []
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for table in tables.metadata.sorted_tables:
            if "conversation_id" not in table.c:
                continue
            is_known = sa.exists().where(conversations.c.conversation_id == table.c.conversation_id)
            query = sa.select(sa.func.count()).select_from(table).where(~is_known)
            found.append((table.name, connection.execute(query).scalar_one()))
    return sorted((name, count) for name, count in found if count)


def rows_to_publish(engine: sa.Engine, *, closed_to: datetime) -> dict[str, int]:
    """Rows, by table of the reports, of conversations that were closed by then."""
    columns = conversations.c
    closed = sa.and_(
        columns.status != "in_progress",
        sa.or_(columns.closed_at.is_(None), columns.closed_at <= closed_to),
    )
    counts = {"conversations": sa.select(sa.func.count()).select_from(conversations).where(closed)}
    for table in (turns, tables.evaluations, tables.collected_values):
        joined = table.join(conversations, columns.conversation_id == table.c.conversation_id)
        counts[table.name] = sa.select(sa.func.count()).select_from(joined).where(closed)
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return {name: connection.execute(query).scalar_one() for name, query in counts.items()}


def agreement_by_age(engine: sa.Engine) -> dict[str, LabelDrift]:
    """How often judge and people agree, by AGENT/CRITERION: verdicts in force, newest labels.

    Labels `unknown` and verdicts that failed say nothing. With an odd number of labels the newer
    half is the greater one.
    """
    compared = _compared().subquery()
    question = (compared.c.agent_id, compared.c.criterion_id)
    place = sa.func.row_number().over(
        partition_by=question, order_by=(compared.c.ended_at, compared.c.conversation_id)
    )
    total = sa.func.count().over(partition_by=question)
    aged = sa.select(
        *question,
        sa.case((place <= total // 2, 0), else_=1).label("half"),
        sa.case((compared.c.verdict == compared.c.label, 1), else_=0).label("agrees"),
    ).subquery()
    asked = (aged.c.agent_id, aged.c.criterion_id)
    query = (
        sa.select(*asked, aged.c.half, sa.func.sum(aged.c.agrees), sa.func.count())
        .group_by(*asked, aged.c.half)
        .order_by(*asked)
    )
    halves: dict[str, list[Agreed]] = {}
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for agent_id, criterion_id, half, agreed, count in connection.execute(query):
            nothing = [Agreed(0, 0), Agreed(0, 0)]
            parts = halves.setdefault(f"{agent_id}/{criterion_id}", nothing)
            parts[half] = Agreed(int(agreed), count)
    return {name: LabelDrift(*parts) for name, parts in halves.items()}


def _compared() -> sa.Select[str, str, str, datetime | None, str, str | None]:
    """One row for each labelled question: the newest label and the verdict in force."""
    labels, verdicts, columns = tables.labels, tables.evaluations, conversations.c
    newest = sa.select(sa.func.max(labels.c.label_id)).group_by(
        labels.c.conversation_id, labels.c.criterion_id
    )
    given = verdicts.alias("given")
    in_force = (
        sa.select(sa.func.max(given.c.evaluation_id))
        .where(
            given.c.conversation_id == labels.c.conversation_id,
            given.c.criterion_id == labels.c.criterion_id,
            given.c.sample == 0,
        )
        .correlate(labels)
        .scalar_subquery()
    )
    return (
        sa.select(
            columns.agent_id,
            labels.c.criterion_id,
            labels.c.conversation_id,
            columns.ended_at,
            labels.c.verdict.label("label"),
            verdicts.c.verdict,
        )
        .join(conversations, columns.conversation_id == labels.c.conversation_id)
        .join(verdicts, verdicts.c.evaluation_id == in_force)
        .where(labels.c.label_id.in_(newest), labels.c.verdict != "unknown")
        .where(verdicts.c.verdict.is_not(None))
        .where(columns.ended_at.is_not(None), columns.status != "in_progress")
    )
