"""The analysis store: append-only, versioned verdicts and values at a SQLAlchemy URL.

A verdict is kept by conversation, transcript, criterion version, judge, judge prompt version and
sample, and is never overwritten: asking again costs only what is missing. A failed attempt is kept
beside it and does not count as an answer.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

import sqlalchemy as sa

from analysis.evaluators.versions import judge_prompt_version
from analysis.results import AnalysisResult, CollectedValue, Evaluation, Evidence, Label
from analysis.store import tables
from analysis.store.answer_keys import AnalysisKey, Missing, missing_from
from analysis.store.forgetting import forget_about
from analysis.store.rows import (
    add_answer,
    add_reason,
    answer_row,
    answered_statements,
    insert_or_ignore,
    later_run,
    reason_columns,
    repeats_last_run,
)
from conversation.agent.config import AgentConfig
from conversation.agent.criteria import Criterion, DataCollectionField, JudgeVariant
from conversation.store.database import READ_ONLY, batches, open_database
from conversation.store.gathering import gather
from conversation.transcript import Usage
from kb.closing import ClosedAtTheEnd


class StoredEvaluation(Evaluation):
    """An evaluation as the store holds it."""

    evaluation_id: int
    """Counts up: of two evaluations of the same moment, the later has the greater id."""


class StoredValue(CollectedValue):
    """A collected value as the store holds it."""

    collected_value_id: int


class StoredRun(NamedTuple):
    """One time that a conversation was analysed."""

    analysis_run_id: int
    conversation_id: str
    transcript_sha256: str
    judge_model: str
    judge_prompt_version: str
    summary: str | None
    error: str | None
    usage: dict[str, Any] | None
    evaluated_at: datetime


class Answers(NamedTuple):
    """What was found in some conversations, each kind oldest first."""

    evaluations: list[StoredEvaluation]
    values: list[StoredValue]
    runs: list[StoredRun]


class AnalysisStore(ClosedAtTheEnd):
    """Evaluations, collected values, summaries and labels of finished conversations."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the store at a SQLAlchemy URL, creating or migrating its tables.

        Raises:
            StoreError: The database cannot be opened; says which and why.
        """
        return cls(open_database(url, tables.SCHEMA))

    @property
    def engine(self) -> sa.Engine:
        """The database connection, for modules that keep further tables at the same place."""
        return self._engine

    def close(self) -> None:
        """Release the database connections."""
        self._engine.dispose()

    def save(
        self,
        result: AnalysisResult,
        *,
        transcript_sha256: str,
        judge_model: str,
        judge_prompt_version: str,
        now: datetime,
        error: str | None = None,
    ) -> None:
        """Add everything that one run found, in one transaction.

        An answer whose key is answered already is left out, and so is an error for such a key:
        what stands is never replaced. An error that only repeats the last one of its key is not
        added again.
        """
        run = {
            "conversation_id": result.conversation_id,
            "transcript_sha256": transcript_sha256,
            "judge_model": judge_model,
            "judge_prompt_version": judge_prompt_version,
            "summary": result.summary,
            "error": error,
            "usage": result.usage.model_dump() if result.usage else None,
            "evaluated_at": now,
        }
        with self._engine.begin() as connection:
            for evaluation in result.evaluations:
                add_answer(connection, tables.evaluations, "criterion", answer_row(evaluation, now))
            for value in result.collected:
                add_answer(connection, tables.collected_values, "field", answer_row(value, now))
            if not (error and repeats_last_run(connection, run)):
                connection.execute(sa.insert(tables.analysis_runs), run)
            kept = tables.kept_answers
            connection.execute(
                sa.delete(kept).where(kept.c.conversation_id == result.conversation_id)
            )

    def add_reason(
        self,
        evaluation: StoredEvaluation,
        rationale: str,
        evidence: Sequence[Evidence],
        usage: Usage | None,
        now: datetime,
    ) -> bool:
        """Keep the reason of a verdict that was given without one, and what asking for it cost.

        Verdict, probability and evidence stay; `evidence` is taken where there was none.

        Returns:
            False when the verdict has a reason by now, which stays, or is gone.
        """
        with self._engine.begin() as connection:
            reason = reason_columns(evaluation, rationale, evidence, usage)
            is_kept = add_reason(connection, evaluation.evaluation_id, reason)
            known = tables.evaluations.c.evaluation_id == evaluation.evaluation_id
            is_left = connection.execute(sa.select(sa.exists().where(known))).scalar()
            if usage is not None and is_left:
                run = later_run(connection, evaluation, usage, now)
                connection.execute(sa.insert(tables.analysis_runs), run)
            return is_kept

    def remember_questions(self, agent: AgentConfig, now: datetime) -> None:
        """Keep what each version of the agent's criteria and fields asks, once."""
        rows = [
            {
                "agent_id": agent.agent_id,
                "kind": kind,
                "question_id": question_id,
                "version": question.version,
                "definition": question.model_dump(mode="json"),
                "first_used_at": now,
            }
            for kind, question_id, question in [
                *(("criterion", c.criterion_id, c) for c in agent.criteria),
                *(("field", f.field_id, f) for f in agent.data_collection),
            ]
        ]
        if rows:
            with self._engine.begin() as connection:
                statement = insert_or_ignore(connection, tables.question_versions)
                connection.execute(statement, rows)

    def question_versions(self) -> list[dict[str, Any]]:
        """Return every version of every criterion and field, in order of first use."""
        table = tables.question_versions
        return self._rows(sa.select(table).order_by(table.c.first_used_at, table.c.question_id))

    def missing(
        self,
        conversation_id: str,
        transcript_sha256: str,
        *,
        criteria: Sequence[Criterion],
        fields: Sequence[DataCollectionField],
        judge: str,
        prompt_version: Callable[[str, JudgeVariant | None], str] = judge_prompt_version,
        sample: int = 0,
    ) -> Missing:
        """Return what has no answer yet for this transcript, by these versions, from this judge."""
        return missing_from(
            self.answered([conversation_id]),
            conversation_id,
            transcript_sha256,
            criteria=criteria,
            fields=fields,
            judge=judge,
            prompt_version=prompt_version,
            sample=sample,
        )

    def answered(self, conversation_ids: Sequence[str]) -> frozenset[AnalysisKey]:
        """Return the keys of everything that is answered for these conversations."""
        keys: set[AnalysisKey] = set()
        with self._reading() as connection:
            for ids in batches(conversation_ids):
                for statement in answered_statements(ids):
                    keys.update(AnalysisKey(*row) for row in connection.execute(statement))
        return frozenset(keys)

    def evaluations(self, conversation_ids: Sequence[str]) -> list[StoredEvaluation]:
        """Return every evaluation of these conversations, errors included, oldest first."""
        table = tables.evaluations
        return [
            StoredEvaluation.model_validate(row)
            for row in self._rows_of(table, table.c.evaluation_id, conversation_ids)
        ]

    def collected_values(self, conversation_ids: Sequence[str]) -> list[StoredValue]:
        """Return every collected value of these conversations, errors included, oldest first."""
        table = tables.collected_values
        return [
            StoredValue.model_validate(row)
            for row in self._rows_of(table, table.c.collected_value_id, conversation_ids)
        ]

    def runs(self, conversation_ids: Sequence[str]) -> list[StoredRun]:
        """Return every analysis run of these conversations, oldest first."""
        table = tables.analysis_runs
        return [
            StoredRun(**row)
            for row in self._rows_of(table, table.c.analysis_run_id, conversation_ids)
        ]

    def answers(self, conversation_ids: Sequence[str]) -> Answers:
        """Return evaluations, values and runs of these conversations: one statement a batch."""
        found = Answers([], [], [])
        kept = (tables.evaluations, tables.collected_values, tables.analysis_runs)
        for ids in batches(conversation_ids):
            asked = {
                table.name: sa.select(table).where(table.c.conversation_id.in_(ids))
                for table in kept
            }
            with self._reading() as connection:
                rows = gather(connection, asked)
            evaluations, values, runs = (map(vars, rows[table.name]) for table in kept)
            found.evaluations.extend(map(StoredEvaluation.model_validate, evaluations))
            found.values.extend(map(StoredValue.model_validate, values))
            found.runs.extend(StoredRun(**row) for row in runs)
        found.evaluations.sort(key=lambda each: each.evaluation_id)
        found.values.sort(key=lambda each: each.collected_value_id)
        found.runs.sort(key=lambda each: each.analysis_run_id)
        return found

    def add_labels(self, labels: Sequence[Label], *, now: datetime) -> None:
        """Keep verdicts by people; a newer one of the same person replaces the older."""
        table = tables.labels
        with self._engine.begin() as connection:
            for label in labels:
                connection.execute(
                    sa.delete(table).where(
                        table.c.conversation_id == label.conversation_id,
                        table.c.criterion_id == label.criterion_id,
                        table.c.annotator == label.annotator,
                    )
                )
                row = label.model_dump() | {"labelled_at": label.labelled_at or now}
                connection.execute(sa.insert(table), row)

    def labels(self, conversation_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the verdicts by people on these conversations, oldest first."""
        table = tables.labels
        return self._rows_of(table, table.c.label_id, conversation_ids)

    def latest_evaluations(self, conversation_id: str) -> dict[str, StoredEvaluation]:
        """Return the evaluation in force for each criterion: the last one of sample 0."""
        found = self.evaluations([conversation_id])
        return {e.criterion_id: e for e in found if e.sample == 0}

    def latest_collected_values(self, conversation_id: str) -> dict[str, StoredValue]:
        """Return the value in force for each field: the last one of sample 0."""
        found = self.collected_values([conversation_id])
        return {v.field_id: v for v in found if v.sample == 0}

    def latest_summary(self, conversation_id: str) -> str | None:
        """Return the last summary; None when the conversation has none."""
        summaries = [run.summary for run in self.runs([conversation_id]) if run.summary]
        return summaries[-1] if summaries else None

    def forget(self, conversation_id: str) -> dict[str, int]:
        """Delete everything about one conversation. Returns the rows deleted by table."""
        with self._engine.begin() as connection:
            return forget_about(connection, tables.tables_of_conversations(), [conversation_id])

    def _reading(self) -> sa.Connection:
        return self._engine.connect().execution_options(**READ_ONLY)

    def _rows_of(
        self, table: sa.Table, key: sa.Column[int], conversation_ids: Sequence[str]
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for ids in batches(conversation_ids):
            rows += self._rows(
                sa.select(table).where(table.c.conversation_id.in_(ids)).order_by(key)
            )
        return rows

    def _rows(self, statement: sa.Select[Any]) -> list[dict[str, Any]]:
        with self._reading() as connection:
            found = connection.execute(statement)
            names = tuple(found.keys())
            return [dict(zip(names, row, strict=True)) for row in found]
