"""Rows of the analysis store: how answers are added, and which of them count as answered."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from analysis.results import CollectedValue, Evaluation, Evidence
from analysis.store import tables
from conversation.transcript import Usage


def answer_row(answer: Evaluation | CollectedValue, now: datetime) -> dict[str, Any]:
    """Turn an answer into a row; `now` stands in when it does not say when it was given."""
    row = answer.model_dump(mode="json", exclude={"evaluation_id", "collected_value_id"})
    return row | {"evaluated_at": answer.evaluated_at or now}


def add_answer(
    connection: sa.Connection, table: sa.Table, question: str, row: dict[str, Any]
) -> None:
    """Add `row` unless its key is answered, or it is an error that repeats the key's last one."""
    if row["error"] is None:
        connection.execute(insert_or_ignore(connection, table), row)
        return
    same_key = sa.and_(
        *(
            table.c[name] == row[name]
            for name in (
                "conversation_id",
                "transcript_sha256",
                f"{question}_id",
                f"{question}_version",
                "judge_model",
                "judge_prompt_version",
                "sample",
            )
        )
    )
    last = connection.execute(
        sa.select(table.c.error)
        .where(same_key)
        .order_by(*(key.desc() for key in table.primary_key))
        .limit(1)
    ).first()
    answered = connection.execute(
        sa.select(sa.literal(1)).where(same_key, table.c.error.is_(None)).limit(1)
    ).first()
    if answered is None and (last is None or last.error != row["error"]):
        connection.execute(sa.insert(table), row)


def reason_columns(
    evaluation: Evaluation, rationale: str, evidence: Sequence[Evidence], usage: Usage | None
) -> dict[str, Any]:
    """Return what changes in the row of a verdict when a reason is written beside it."""
    asked = [each for each in (evaluation.usage, usage) if each is not None]
    changed: dict[str, Any] = {"rationale": rationale}
    if asked:
        from analysis.judge.asking import total_usage

        total = total_usage(asked)
        changed["usage"] = total.model_dump() if total else None
    if not evaluation.evidence:
        changed["evidence"] = [each.model_dump(mode="json") for each in evidence]
    return changed


def add_reason(connection: sa.Connection, evaluation_id: int, reason: dict[str, Any]) -> bool:
    """Write a reason beside a verdict that has none; False where there is one, or no verdict."""
    table = tables.evaluations
    given_without = sa.and_(table.c.evaluation_id == evaluation_id, table.c.rationale.is_(None))
    return connection.execute(sa.update(table).where(given_without).values(reason)).rowcount == 1


def later_run(
    connection: sa.Connection, evaluation: Evaluation, usage: Usage, now: datetime
) -> dict[str, Any]:
    """Return the run that asked for a reason and nothing else.

    It says of the conversation what the last run said: whether it could be judged.
    """
    table = tables.analysis_runs
    last = connection.execute(
        sa.select(table.c.error)
        .where(table.c.conversation_id == evaluation.conversation_id)
        .order_by(table.c.analysis_run_id.desc())
        .limit(1)
    ).scalar()
    return {
        "conversation_id": evaluation.conversation_id,
        "transcript_sha256": evaluation.transcript_sha256,
        "judge_model": evaluation.judge_model,
        "judge_prompt_version": evaluation.judge_prompt_version,
        "summary": None,
        "error": last,
        "usage": usage.model_dump(),
        "evaluated_at": now,
    }


def repeats_last_run(connection: sa.Connection, run: dict[str, Any]) -> bool:
    """Whether the conversation's last run failed with the same error on the same transcript."""
    table = tables.analysis_runs
    last = connection.execute(
        sa.select(table.c.error, table.c.transcript_sha256)
        .where(table.c.conversation_id == run["conversation_id"])
        .order_by(table.c.analysis_run_id.desc())
        .limit(1)
    ).first()
    return last is not None and tuple(last) == (run["error"], run["transcript_sha256"])


def insert_or_ignore(connection: sa.Connection, table: sa.Table) -> sa.Executable:
    """Return an insert that leaves out rows whose key is there already."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert(table).on_conflict_do_nothing()


def answered_statements(ids: Sequence[str]) -> Iterable[sa.Select[*tuple[Any, ...]]]:
    """Return queries for the keys, in the order of `AnalysisKey`, that are answered."""
    for kind, table, question in (
        ("criterion", tables.evaluations, "criterion"),
        ("field", tables.collected_values, "field"),
    ):
        yield sa.select(
            sa.literal(kind),
            table.c.conversation_id,
            table.c.transcript_sha256,
            table.c[f"{question}_id"],
            table.c[f"{question}_version"],
            table.c.judge_model,
            table.c.judge_prompt_version,
            table.c.sample,
        ).where(table.c.conversation_id.in_(ids), table.c.error.is_(None))
    runs = tables.analysis_runs
    yield sa.select(
        sa.literal("summary"),
        runs.c.conversation_id,
        runs.c.transcript_sha256,
        sa.literal(""),
        sa.literal(""),
        runs.c.judge_model,
        runs.c.judge_prompt_version,
        sa.literal(0),
    ).where(runs.c.conversation_id.in_(ids), runs.c.summary.is_not(None))
