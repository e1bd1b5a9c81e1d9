"""Knowledge gaps in the analysis store: questions, states and their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from analysis.store import tables
from analysis.store.kept_rows import as_bytes, as_vector, read_kept_rows

if TYPE_CHECKING:
    from analysis.evaluators.unanswered import UnansweredQuestion
    from kb.embedding.embedder import Vectors

GapState = Literal["open", "fixed", "regressed"]


@dataclass(frozen=True, slots=True)
class KeptPassage:
    """A passage of the documents, as the store keeps it with a gap."""

    document_id: str
    document_name: str
    document_version: int | None
    chunk_id: str
    text: str
    score: float

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """An unanswered question, and what asking it again found."""

    conversation_id: str
    turn_index: int
    gap_id: str | None
    question: str
    asked_at: datetime
    reasons: tuple[str, ...]
    score: float | None
    seen_chunk_ids: tuple[str, ...]
    model_id: str
    vector: Vectors
    answered: bool | None = None
    score_now: float | None = None
    passage: KeptPassage | None = None

    @property
    def key(self) -> str:
        """Conversation and turn as one text."""
        return f"{self.conversation_id}:{self.turn_index}"


@dataclass(frozen=True, slots=True)
class KeptGap:
    """A gap without its questions."""

    gap_id: str
    title: str
    titled_by: str
    state: GapState
    state_since: datetime
    opened_at: datetime
    checked_at: datetime | None = None
    checked_index_version: int | None = None
    nearest: tuple[KeptPassage, ...] = ()
    """Best passage of each of the nearest documents."""
    missing_words: tuple[str, ...] = ()
    """Words of the questions that the nearest passages never say."""
    passage: KeptPassage | None = None
    """The one that fixes it."""


@dataclass(frozen=True, slots=True)
class GapChange:
    """A state that a gap came to, for its history."""

    gap_id: str
    state: GapState
    index_version: int | None
    questions: int
    answered: int


def read_questions(engine: sa.Engine, agent_id: str) -> list[KeptQuestion]:
    """Return the agent's unanswered questions, oldest first."""
    table = tables.gap_questions
    query = sa.select(table).where(table.c.agent_id == agent_id)
    rows = read_kept_rows(engine, query.order_by(table.c.asked_at, table.c.gap_question_id))
    return [
        KeptQuestion(
            conversation_id=row["conversation_id"],
            turn_index=row["turn_index"],
            gap_id=row["gap_id"],
            question=row["question"],
            asked_at=row["asked_at"],
            reasons=tuple(row["reasons"]),
            score=row["score"],
            seen_chunk_ids=tuple(row["seen_chunk_ids"]),
            model_id=row["model_id"],
            vector=as_vector(row["vector"]),
            answered=row["answered"],
            score_now=row["score_now"],
            passage=_passage(row["passage"]),
        )
        for row in rows
    ]


def read_gaps(engine: sa.Engine, agent_id: str) -> list[KeptGap]:
    """Return the agent's gaps, oldest first."""
    table = tables.knowledge_gaps
    query = sa.select(table).where(table.c.agent_id == agent_id)
    return [
        KeptGap(
            **{
                name: row[name]
                for name in KeptGap.__dataclass_fields__
                if name not in ("nearest", "missing_words", "passage")
            },
            nearest=tuple(KeptPassage(**each) for each in row["nearest"]),
            missing_words=tuple(row["missing_words"]),
            passage=_passage(row["passage"]),
        )
        for row in read_kept_rows(engine, query.order_by(table.c.opened_at, table.c.gap_id))
    ]


def save_questions(
    engine: sa.Engine,
    agent_id: str,
    conversation_ids: Sequence[str],
    questions: Sequence[tuple[UnansweredQuestion, Vectors]],
    *,
    model_id: str,
) -> None:
    """Replace the questions of some conversations; what is known of those that stay is kept."""
    table = tables.gap_questions
    replaced = set(conversation_ids)
    with engine.begin() as connection:
        held = {
            (row.conversation_id, row.turn_index): row
            for row in connection.execute(sa.select(table).where(table.c.agent_id == agent_id))
            if row.conversation_id in replaced
        }
        added: list[dict[str, object]] = []
        for question, vector in questions:
            values: dict[str, object] = {
                "question": question.question,
                "asked_at": question.asked_at,
                "reasons": list(question.reasons),
                "score": question.score,
                "seen_chunk_ids": list(question.seen_chunk_ids),
                "model_id": model_id,
                "vector": as_bytes(vector),
            }
            row = held.pop((question.conversation_id, question.turn_index), None)
            if row is None:
                ids = {
                    "conversation_id": question.conversation_id,
                    "turn_index": question.turn_index,
                    "agent_id": agent_id,
                }
                added.append(ids | values)
            elif any(getattr(row, name) != value for name, value in values.items()):
                where = table.c.gap_question_id == row.gap_question_id
                connection.execute(sa.update(table).where(where).values(values))
        if added:
            connection.execute(sa.insert(table), added)
        for row in held.values():
            where = table.c.gap_question_id == row.gap_question_id
            connection.execute(sa.delete(table).where(where))


def save_gaps(
    engine: sa.Engine,
    agent_id: str,
    gaps: Sequence[KeptGap],
    questions: Sequence[KeptQuestion],
    *,
    changes: Sequence[GapChange],
    now: datetime,
) -> None:
    """Keep the gaps of an agent as they are now, and note in their history what changed."""
    gap, asked, history = tables.knowledge_gaps, tables.gap_questions, tables.gap_history
    with engine.begin() as connection:
        connection.execute(sa.delete(gap).where(gap.c.agent_id == agent_id))
        if gaps:
            connection.execute(sa.insert(gap), [_gap_row(each, agent_id) for each in gaps])
        held = {
            (row.conversation_id, row.turn_index): row
            for row in connection.execute(sa.select(asked).where(asked.c.agent_id == agent_id))
        }
        changed: list[dict[str, Any]] = []
        for question in questions:
            values = {
                "gap_id": question.gap_id,
                "answered": question.answered,
                "score_now": question.score_now,
                "passage": question.passage and question.passage.as_json(),
            }
            row = held.get((question.conversation_id, question.turn_index))
            if row is not None and any(getattr(row, name) != each for name, each in values.items()):
                changed.append(values | {"changed": row.gap_question_id})
        if changed:
            where = asked.c.gap_question_id == sa.bindparam("changed")
            connection.execute(sa.update(asked).where(where), changed)
        if changes:
            noted = [
                {name: getattr(change, name) for name in change.__dataclass_fields__}
                for change in changes
            ]
            connection.execute(sa.insert(history), [each | {"noted_at": now} for each in noted])


def gap_history(engine: sa.Engine, gap_id: str | None = None) -> list[dict[str, Any]]:
    """Return every state that gaps came to, oldest first; of one gap, or of all."""
    table = tables.gap_history
    query = sa.select(table).order_by(table.c.gap_history_id)
    return read_kept_rows(
        engine, query if gap_id is None else query.where(table.c.gap_id == gap_id)
    )


def gap_rows(engine: sa.Engine) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return every gap and every question, for the reports."""
    gap, asked = tables.knowledge_gaps, tables.gap_questions
    columns = [c for c in asked.c if c.name not in ("vector", "seen_chunk_ids", "model_id")]
    return (
        read_kept_rows(
            engine, sa.select(gap).order_by(gap.c.agent_id, gap.c.opened_at, gap.c.gap_id)
        ),
        read_kept_rows(engine, sa.select(*columns).order_by(asked.c.agent_id, asked.c.asked_at)),
    )


_TITLE_CHARS = 90


def as_title(question: str) -> str:
    """Return a question as a title of one line."""
    line = " ".join(question.split())
    return line if len(line) <= _TITLE_CHARS else line[: _TITLE_CHARS - 1].rstrip() + "…"


def _gap_row(gap: KeptGap, agent_id: str) -> dict[str, Any]:
    row = {name: getattr(gap, name) for name in gap.__dataclass_fields__}
    return row | {
        "agent_id": agent_id,
        "nearest": [passage.as_json() for passage in gap.nearest],
        "missing_words": list(gap.missing_words),
        "passage": gap.passage and gap.passage.as_json(),
    }


def _passage(stored: dict[str, Any] | None) -> KeptPassage | None:
    return None if stored is None else KeptPassage(**stored)
