"""`why`: from a cell of a report back to the words said, the passages and the documents."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import duckdb

from analysis.errors import LineageError


@dataclass(frozen=True, slots=True)
class LineagePassage:
    """A passage that was found for the agent turn that answers a quoted one.

    As the published file has it: a retrieval with what its document was called, and where it came
    from.
    """

    rank: int
    score: float
    cited: bool
    """Whether that turn cites it."""
    in_prompt: bool
    """Whether the LLM was shown it."""
    query: str
    chunk_id: str
    start_char: int
    end_char: int
    page: str | None
    text: str
    document_id: str
    document_name: str
    document_version: int | None
    source: str | None
    """File, URL or given name; None when that version of the document was never exported."""


@dataclass(frozen=True, slots=True)
class LineageQuote:
    """Words that the answer rests on."""

    turn_index: int
    role: str
    quote: str
    turn_text: str
    """The whole turn."""
    answering_turn_index: int | None
    """The agent turn that the passages were found for."""
    passages: tuple[LineagePassage, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where one verdict or value comes from."""

    conversation_id: str
    agent_id: str
    kind: Literal["criterion", "field"]
    question_id: str
    question: str | None
    """The words that were asked; None when that version was not kept."""
    question_version: str
    version_number: int | None
    answer: str | None
    """Verdict, or value as text."""
    status: str | None
    """Of a value; None for a verdict."""
    confidence: float | None
    rationale: str | None
    error: str | None
    judge_model: str
    judge_prompt_version: str
    transcript_sha256: str
    evaluated_at: datetime
    """UTC."""
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    unsupported_quotes: tuple[str, ...]
    older_answers: int
    """Earlier answers to the same question, which are kept."""
    quotes: tuple[LineageQuote, ...]


def why(connection: duckdb.DuckDBPyConnection, conversation_id: str, name: str) -> Lineage:
    """Trace the answer in force for one criterion or field of one conversation.

    Args:
        connection: From `open_reports`.
        conversation_id: The conversation.
        name: Id of a criterion, or of a data collection field. Where both have the same id it is
            the criterion; `field:NAME` and `criterion:NAME` say which is meant.

    Raises:
        LineageError: There is no such conversation, criterion or field; names the nearest.
    """
    _check_conversation(connection, conversation_id)
    meant, _, rest = name.rpartition(":")
    cell = _cell(connection, conversation_id, rest, meant=meant)
    question = _one(
        connection,
        "SELECT question, version_number FROM question_versions WHERE agent_id = ? AND kind = ? "
        "AND question_id = ? AND version = ?",
        [cell["agent_id"], cell["kind"], rest, cell["question_version"]],
    )
    return Lineage(
        **{key: value for key, value in cell.items() if key != "evidence"},
        question=question["question"] if question else None,
        version_number=question["version_number"] if question else None,
        quotes=tuple(
            _quote(connection, conversation_id, cell["agent_id"], said)
            for said in cell["evidence"] or ()
        ),
    )


def _check_conversation(connection: duckdb.DuckDBPyConnection, conversation_id: str) -> None:
    found = connection.execute(
        "SELECT 1 FROM conversations WHERE conversation_id = ?", [conversation_id]
    ).fetchone()
    if found is None:
        ids = connection.execute(
            "SELECT conversation_id FROM conversations ORDER BY "
            "jaro_winkler_similarity(conversation_id, ?) DESC LIMIT 3",
            [conversation_id],
        ).fetchall()
        nearest = ", ".join(repr(row[0]) for row in ids)
        hint = f"The nearest are {nearest}." if ids else "No conversation is published yet."
        raise LineageError(
            f"The published reports hold no conversation {conversation_id!r}. {hint} If it ended "
            "since, publish again with `vivavoce report`."
        )


def _cell(
    connection: duckdb.DuckDBPyConnection, conversation_id: str, name: str, *, meant: str
) -> dict[str, Any]:
    shared = (
        "conversation_id, agent_id, judge_model, judge_prompt_version, transcript_sha256, "
        "rationale, evidence, unsupported_quotes, error, input_tokens, output_tokens, cost_usd, "
        "evaluated_at"
    )
    for kind, table, own in (
        (
            "criterion",
            "evaluations",
            "coalesce(score::VARCHAR, verdict::VARCHAR) AS answer, NULL AS status, confidence",
        ),
        (
            "field",
            "collected_values",
            "value AS answer, status::VARCHAR AS status, NULL AS confidence",
        ),
    ):
        if meant not in ("", kind):
            continue
        same = f"FROM {table} WHERE conversation_id = $1 AND {kind}_id = $2"
        cell = _one(
            connection,
            f"SELECT {shared}, {own}, {kind}_id AS question_id, "
            f"{kind}_version AS question_version, (SELECT count(*) - 1 {same}) AS older_answers "
            f"{same} AND is_current",
            [conversation_id, name],
        )
        if cell:
            quotes = tuple(cell["unsupported_quotes"] or ())
            return cell | {"kind": kind, "unsupported_quotes": quotes}
    raise _unknown_name(connection, conversation_id, name)


def _unknown_name(
    connection: duckdb.DuckDBPyConnection, conversation_id: str, name: str
) -> LineageError:
    names = [
        row[0]
        for row in connection.execute(
            "SELECT criterion_id FROM evaluations WHERE conversation_id = $1 AND is_current UNION "
            "SELECT field_id FROM collected_values WHERE conversation_id = $1 AND is_current "
            "ORDER BY 1",
            [conversation_id],
        ).fetchall()
    ]
    if not names:
        hint = "Nothing has been judged in it yet: run `vivavoce evaluate`."
    else:
        nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        meant = f"Did you mean {nearest[0]!r}? " if nearest else ""
        hint = f"{meant}It has {', '.join(map(repr, names))}."
    return LineageError(
        f"Conversation {conversation_id!r} has no criterion or field {name!r}. {hint}"
    )


def _quote(
    connection: duckdb.DuckDBPyConnection,
    conversation_id: str,
    agent_id: str,
    said: dict[str, Any],
) -> LineageQuote:
    turn = _one(
        connection,
        "SELECT role::VARCHAR AS role, text, answering_turn_index FROM turns "
        "WHERE conversation_id = ? AND turn_index = ?",
        [conversation_id, said["turn_index"]],
    )
    if turn is None:
        raise LineageError(
            f"Conversation {conversation_id!r} has no turn {said['turn_index']}, though an answer "
            "rests on it: the warehouse is out of date. Export its day again and publish."
        )
    found = connection.execute(
        "SELECT r.rank, r.score, r.cited, r.in_prompt, r.query, r.chunk_id, r.start_char, "
        "r.end_char, r.page, r.text, r.document_id, r.document_name, r.document_version, d.source "
        "FROM retrievals AS r LEFT JOIN documents AS d ON d.agent_id = ? "
        "AND d.document_id = r.document_id AND d.version = r.document_version "
        "WHERE r.conversation_id = ? AND r.turn_index = ? ORDER BY r.rank",
        [agent_id, conversation_id, turn["answering_turn_index"]],
    ).fetchall()
    return LineageQuote(
        turn_index=said["turn_index"],
        role=turn["role"],
        quote=said["quote"],
        turn_text=turn["text"],
        answering_turn_index=turn["answering_turn_index"],
        passages=tuple(LineagePassage(*row) for row in found),
    )


def _one(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]
) -> dict[str, Any] | None:
    found = connection.execute(sql, parameters)
    row = found.fetchone()
    if row is None:
        return None
    return dict(zip([column[0] for column in found.description or ()], row, strict=True))
