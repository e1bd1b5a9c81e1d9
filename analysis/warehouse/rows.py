"""Records -> rows of the warehouse, as the data dictionary names them. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from analysis.results import FieldValue
from analysis.store.store import StoredEvaluation, StoredRun, StoredValue
from analysis.warehouse.call_metrics import call_metrics
from conversation.transcript import Retrieval, Transcript, Turn, Usage
from kb.document import Document

Row = dict[str, Any]
"""One row; values are what `json.dumps` takes."""


def conversation_row(transcript: Transcript, runs: Sequence[StoredRun], *, day: date) -> Row:
    """Return the row of `conversations`."""
    summaries = [run.summary for run in runs if run.summary]
    started, ended = transcript.started_at, transcript.ended_at
    return {
        **ids(transcript, day),
        "agent_version": transcript.agent_version,
        "status": transcript.status,
        "started_at": timestamp(started),
        "ended_at": timestamp(ended),
        "duration_s": (ended - started).total_seconds() if started and ended else None,
        "end_reason": transcript.end_reason,
        "source": transcript.source,
        "simulated": transcript.simulated,
        "turn_count": len(transcript.turns),
        "user_turn_count": sum(turn.role == "user" for turn in transcript.turns),
        "summary": summaries[-1] if summaries else None,
        "analysis_error": runs[-1].error if runs else None,
        "metadata": transcript.metadata,
        "variables": _as_texts(transcript.variables),
        "overrides": _as_texts(transcript.overrides),
    }


def _as_texts(values: Mapping[str, object]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
    }


def turn_rows(transcript: Transcript, *, day: date) -> list[Row]:
    """Return the rows of `turns`, in order."""
    own = ids(transcript, day)
    rows: list[Row] = []
    answering: int | None = None
    for index, turn in reversed(list(enumerate(transcript.turns))):
        answering = index if turn.role == "agent" else answering
        places = {"turn_index": index, "answering_turn_index": answering}
        rows.append({**own, **places, **_turn_values(turn)})
    return rows[::-1]


def _turn_values(turn: Turn) -> Row:
    latency, sound = turn.latency, turn.sound
    return {
        "turn_id": turn.turn_id,
        "role": turn.role,
        "text": turn.text,
        "generated_text": turn.generated_text,
        "interrupted": turn.interrupted,
        "offset_s": turn.offset_s,
        "word_count": len(turn.text.split()),
        "request_to_retrieval_ms": latency and latency.request_to_retrieval_ms,
        "request_to_first_token_ms": latency and latency.request_to_first_token_ms,
        "request_to_last_token_ms": latency and latency.request_to_last_token_ms,
        "own_overhead_ms": latency and latency.own_overhead_ms,
        "sound_start_s": sound and sound.start_s,
        "sound_end_s": sound and sound.end_s,
        "speech_end_to_decided_ms": sound and sound.speech_end_to_decided_ms,
        "speech_end_to_transcript_ms": sound and sound.speech_end_to_transcript_ms,
        "speech_end_to_passages_ms": sound and sound.speech_end_to_passages_ms,
        "speech_end_to_first_token_ms": sound and sound.speech_end_to_first_token_ms,
        "speech_end_to_first_audio_ms": sound and sound.speech_end_to_first_audio_ms,
        "grounded_share": turn.grounded_share,
        "citation_count": len(turn.citations),
        "tool_call_count": len(turn.tool_calls),
        "error": turn.error,
    }


def retrieval_rows(
    transcript: Transcript, retrievals: Iterable[Retrieval], *, day: date
) -> list[Row]:
    """Return the rows of `retrievals`; those of a turn that was never spoken have no index."""
    index_of = {turn.turn_id: index for index, turn in enumerate(transcript.turns)}
    cited = {(t.turn_id, citation.chunk_id) for t in transcript.turns for citation in t.citations}
    own = ids(transcript, day)
    return [
        {
            **own,
            **vars(retrieval),
            "turn_index": index_of.get(retrieval.turn_id),
            "cited": (retrieval.turn_id, retrieval.chunk_id) in cited,
        }
        for retrieval in retrievals
    ]


def evaluation_row(evaluation: StoredEvaluation, transcript: Transcript, *, day: date) -> Row:
    """Return the row of `evaluations`."""
    return {**ids(transcript, day), **_answer_values(evaluation)}


def collected_value_row(value: StoredValue, transcript: Transcript, *, day: date) -> Row:
    """Return the row of `collected_values`."""
    number = value.value
    return {
        **ids(transcript, day),
        **_answer_values(value),
        "value": value_text(value.value),
        "value_number": number
        if isinstance(number, (int, float)) and not isinstance(number, bool)
        else None,
        "value_boolean": number if isinstance(number, bool) else None,
    }


def _answer_values(answer: StoredEvaluation | StoredValue) -> Row:
    usage = answer.usage
    return {
        # As they are: made into JSON once, when the row is written.
        **vars(answer),
        "evidence": [vars(each) for each in answer.evidence],
        **dict.fromkeys(("votes", "windows", "usage")),
        "evaluated_at": timestamp(answer.evaluated_at),
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "cost_usd": usage and usage.cost_usd,
    }


def value_text(value: FieldValue) -> str | None:
    """Return a collected value as text that casts back to its type in SQL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return None if value is None else str(value)


def call_metrics_row(transcript: Transcript, *, day: date) -> Row:
    """Return the row of `call_metrics`."""
    return {**vars(call_metrics(transcript)), **ids(transcript, day)}


def usage_rows(transcript: Transcript, runs: Iterable[StoredRun], *, day: date) -> list[Row]:
    """Return the rows of `usage`: what the conversation cost, and what judging it cost."""
    own = ids(transcript, day)
    spoken = [
        own | _usage_values("conversation", turn.usage, transcript.started_at, index)
        for index, turn in enumerate(transcript.turns)
        if turn.usage is not None
    ]
    judged = [
        own | _usage_values("analysis", Usage.model_validate(run.usage), run.evaluated_at, None)
        for run in runs
        if run.usage is not None
    ]
    return spoken + judged


def _usage_values(
    activity: str, usage: Usage, occurred_at: datetime | None, turn_index: int | None
) -> Row:
    return vars(usage) | {
        "activity": activity,
        "turn_index": turn_index,
        "occurred_at": timestamp(occurred_at),
    }


def label_row(label: Mapping[str, Any], transcript: Transcript, *, day: date) -> Row:
    """Return the row of `labels`."""
    return {
        **label,
        **ids(transcript, day),
        "labelled_at": timestamp(label["labelled_at"]),
    }


def document_row(document: Document, agent_id: str) -> Row:
    """Return the row of `documents`."""
    return document.model_dump(mode="json") | {
        "agent_id": agent_id,
        "updated_at": timestamp(document.updated_at),
    }


def question_version_rows(versions: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of `question_versions`, numbered in the order that they are given in."""
    numbers: Counter[tuple[str, str, str]] = Counter()
    rows: list[Row] = []
    for version in versions:
        key = (version["agent_id"], version["kind"], version["question_id"])
        numbers[key] += 1
        definition = version["definition"]
        scale: Mapping[str, float] = definition.get("scale") or {}
        rows.append(
            {
                **version,
                "version_number": numbers[key],
                "question": definition.get("prompt") or definition.get("description"),
                "scale_min": scale.get("min"),
                "scale_max": scale.get("max"),
                "first_used_at": timestamp(version["first_used_at"]),
            }
        )
    return rows


def timestamp(moment: datetime | None) -> str | None:
    """Return a time as the warehouse keeps it: UTC, without saying so."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def ids(transcript: Transcript, day: date) -> Row:
    """Return what every row of a day begins with."""
    return {
        "conversation_id": transcript.conversation_id,
        "agent_id": transcript.agent_id,
        "day": day.isoformat(),
    }
