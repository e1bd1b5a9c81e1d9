"""A stored conversation in the shape that SDKs read. Pure."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conversation.server.ended.bodies import (
    CallAnalysis,
    CallFeedback,
    CallMetadata,
    CallOutcome,
    CallStatus,
    ConversationDetail,
    ConversationSummaryItem,
    RetrievalInfo,
    RetrievedChunk,
    ToolCallItem,
    ToolResultItem,
    TranscriptFile,
    TranscriptItem,
    TurnFeedback,
)
from conversation.server.socket.initiation import OVERRIDES
from conversation.store.store import ConversationEvent, ConversationSummary
from conversation.transcript import Retrieval, ToolCall, Transcript, Turn, TurnFile
from conversation.voice.recording.kept_calls import Sides

SILENT = Sides(user=False, agent=False)
_STATUS: dict[str, CallStatus] = {"in_progress": "in-progress", "done": "done", "failed": "failed"}


def call_status(status: str) -> CallStatus:
    """The protocol's name of a conversation's status."""
    return _STATUS[status]


UNKNOWN_MODEL = "unknown"
"""Of meanings, where the version of the agent that used it is not kept any more."""


def detail(
    transcript: Transcript,
    *,
    agent_name: str | None,
    language: str | None,
    retrievals: Sequence[Retrieval],
    events: Sequence[ConversationEvent],
    analysis: CallAnalysis | None,
    embedding_model: str = UNKNOWN_MODEL,
    listed_at: datetime | None = None,
    sides: Sides = SILENT,
) -> ConversationDetail:
    """Everything about one conversation.

    Args:
        transcript: As it may be read.
        agent_name: As it is now; None when the agent is gone.
        language: The agent's.
        retrievals: What was found for its turns.
        events: Of which feedback is read.
        analysis: What was found in it; None when it was not judged.
        embedding_model: With which meanings were compared in it.
        listed_at: Stands in for a start that is not known.
        sides: Who can be heard in its recording.
    """
    found: dict[str, list[Retrieval]] = {}
    for each in retrievals:
        found.setdefault(each.turn_id, []).append(each)
    rated = _turn_ratings(events)
    metadata = transcript.metadata
    return ConversationDetail(
        agent_id=transcript.agent_id,
        agent_name=agent_name,
        status=call_status(transcript.status),
        user_id=metadata.get("user_id"),
        version_id=transcript.agent_version,
        conversation_id=transcript.conversation_id,
        has_audio=sides.user or sides.agent,
        has_user_audio=sides.user,
        has_response_audio=sides.agent,
        transcript=[
            _item(
                turn,
                found.get(turn.turn_id or "", []),
                rated.get(turn.turn_id or ""),
                embedding_model,
            )
            for turn in transcript.turns
        ],
        metadata=_metadata(transcript, events, language, listed_at),
        analysis=analysis,
        conversation_initiation_client_data=_initiation_data(transcript),
    )


def _initiation_data(transcript: Transcript) -> dict[str, Any]:
    """What the conversation was started with, in the words of the protocol."""
    override: dict[str, Any] = {}
    for key, name in OVERRIDES.items():
        if name in transcript.overrides:
            *path, last = key.split(".")
            place = override
            for step in path:
                place = place.setdefault(step, {})
            place[last] = transcript.overrides[name]
    if transcript.overrides.get("text_only"):
        override["conversation"] = {"text_only": True}
    return {
        "conversation_config_override": override,
        "custom_llm_extra_body": {},
        "dynamic_variables": dict(transcript.variables),
    }


@dataclass(frozen=True, slots=True)
class ShownFindings:
    """What of its analysis a conversation of a list shows; None stands for all there is."""

    summary: bool = False
    criteria_ids: Collection[str] | None = None
    field_ids: Collection[str] | None = None


WITHOUT_SUMMARY = ShownFindings()


def list_item(
    summary: ConversationSummary,
    *,
    agent_name: str | None,
    analysis: CallAnalysis | None,
    language: str | None = None,
    feedback: CallFeedback | None = None,
    tag_ids: Sequence[str] = (),
    shown: ShownFindings,
    has_audio: bool = False,
) -> ConversationSummaryItem:
    """One conversation of a list, of a summary as it may be read."""
    results = analysis.evaluation_criteria_results if analysis else {}
    values = analysis.data_collection_results if analysis else {}
    criteria, fields = shown.criteria_ids, shown.field_ids
    return ConversationSummaryItem(
        agent_id=summary.agent_id,
        agent_name=agent_name,
        conversation_id=summary.conversation_id,
        start_time_unix_secs=int((summary.started_at or summary.listed_at).timestamp()),
        call_duration_secs=duration_s(summary.started_at, summary.ended_at),
        message_count=summary.turn_count,
        status=call_status(summary.status),
        call_successful=outcome_of(analysis),
        termination_reason=summary.end_reason,
        transcript_summary=analysis.transcript_summary if analysis and shown.summary else None,
        call_summary_title=analysis.call_summary_title if analysis else None,
        main_language=language,
        conversation_initiation_source=summary.metadata.get("client"),
        user_id=summary.metadata.get("user_id"),
        has_audio=has_audio,
        tag_ids=list(tag_ids),
        rating=feedback.rating if feedback else None,
        evaluation_criteria_results={
            key: {"result": each.result, "score": each.score, "max_score": each.max_score}
            for key, each in results.items()
            if criteria is None or key in criteria
        },
        data_collection_results={
            key: each.value for key, each in values.items() if fields is None or key in fields
        },
    )


def outcome_of(analysis: CallAnalysis | None) -> CallOutcome:
    """`unknown` for a conversation that was not judged."""
    return "unknown" if analysis is None else analysis.call_successful


def overall(results: Sequence[str]) -> CallOutcome:
    """One outcome of many: a failure counts most, then a success."""
    if "failure" in results:
        return "failure"
    return "success" if "success" in results else "unknown"


def duration_s(started_at: datetime | None, ended_at: datetime | None) -> int:
    """Whole seconds; 0 while it is not known."""
    if started_at is None or ended_at is None:
        return 0
    return max(0, round((ended_at - started_at).total_seconds()))


def call_feedback(events: Sequence[ConversationEvent]) -> CallFeedback:
    """What users said of the conversation: the last rating and comment, and thumbs by turn."""
    turns = _turn_ratings(events)
    feedback = CallFeedback(
        type="thumbs" if turns else None,
        likes=sum(score == "like" for score in turns.values()),
        dislikes=sum(score == "dislike" for score in turns.values()),
    )
    for event in events:
        payload = event.payload
        if event.kind != "feedback" or event.turn_id is not None:
            continue
        if payload.get("score") is not None and "event_id" not in payload:
            feedback.overall_score, feedback.type = payload["score"], feedback.type or "thumbs"
        if payload.get("rating") is not None:
            feedback.rating, feedback.type = payload["rating"], "rating"
        feedback.comment = payload.get("comment") or feedback.comment
    return feedback


def _turn_ratings(events: Sequence[ConversationEvent]) -> dict[str, str]:
    """The last opinion on each turn; taking one back leaves none."""
    rated: dict[str, str] = {}
    for event in events:
        if event.kind == "feedback" and event.turn_id is not None:
            rated.pop(event.turn_id, None)
            if event.payload.get("score") is not None:
                rated[event.turn_id] = event.payload["score"]
    return rated


def _metadata(
    transcript: Transcript,
    events: Sequence[ConversationEvent],
    language: str | None,
    listed_at: datetime | None,
) -> CallMetadata:
    given = transcript.metadata
    started_at = transcript.started_at or listed_at
    start = int(started_at.timestamp()) if started_at else 0
    failed = transcript.status == "failed" or transcript.end_reason == "failed"
    return CallMetadata(
        start_time_unix_secs=start,
        accepted_time_unix_secs=start,
        call_duration_secs=duration_s(transcript.started_at, transcript.ended_at),
        feedback=call_feedback(events),
        authorization_method=_authorization(given.get("authorization_method")),
        termination_reason=transcript.end_reason or "",
        error={"code": 1011, "reason": transcript.end_reason} if failed else None,
        warnings=sorted({turn.error for turn in transcript.turns if turn.error}),
        main_language=language,
        text_only=is_text_only(
            given, is_spoken=any(turn.sound is not None for turn in transcript.turns)
        ),
        conversation_initiation_source=given.get("client") or "unknown",
        conversation_initiation_source_version=given.get("client_version"),
        terms_accepted_at=given.get("terms_accepted_at"),
        terms_sha256=given.get("terms_sha256"),
    )


def is_text_only(given: Mapping[str, str], *, is_spoken: bool) -> bool:
    """Whether a conversation was held in writing alone, by its metadata and its turns."""
    is_written = given.get("text_only") == "true" or given.get("channel") != "websocket"
    return is_written and not is_spoken


def _authorization(method: str | None) -> str | None:
    """The protocol knows no API key here: that is a header."""
    return "authorization_header" if method == "api_key" else method


def _item(
    turn: Turn, retrieved: Sequence[Retrieval], score: str | None, embedding_model: str
) -> TranscriptItem:
    at_s = int(turn.offset_s or 0)
    usage = turn.usage
    files = [_file(each) for each in turn.files]
    return TranscriptItem(
        role=turn.role,
        message=turn.text,
        time_in_call_secs=at_s,
        tool_calls=[_call(call) for call in turn.tool_calls],
        tool_results=[_result(call) for call in turn.tool_calls if call.result is not None],
        feedback=TurnFeedback.model_validate({"score": score, "time_in_call_secs": at_s})
        if score
        else None,
        producing_llm=None if usage is None else usage.model,
        interrupted=turn.interrupted,
        source_medium="text" if turn.sound is None else "audio",
        original_message=turn.generated_text,
        conversation_turn_metrics=_metrics(turn),
        rag_retrieval_info=_retrieval_info(turn, retrieved, embedding_model),
        llm_usage=None
        if usage is None
        else {
            "model_usage": {
                usage.model: {
                    "input": {"tokens": usage.input_tokens - usage.cached_input_tokens},
                    "input_cache_read": {"tokens": usage.cached_input_tokens},
                    "output_total": {"tokens": usage.output_tokens},
                }
            }
        },
        file_input=files[0] if files else None,
        file_inputs=files,
        id=turn.turn_id,
    )


def _file(file: TurnFile) -> TranscriptFile:
    return TranscriptFile(
        file_id=file.file_id, original_filename=file.name, mime_type=file.mime_type
    )


def _metrics(turn: Turn) -> dict[str, Any] | None:
    named: dict[str, float | None] = {}
    if (latency := turn.latency) is not None:
        named |= {
            "convai_rag_latency": latency.request_to_retrieval_ms,
            "convai_llm_service_ttfb": latency.request_to_first_token_ms,
            "convai_llm_service_tt_last": latency.request_to_last_token_ms,
        }
    if (sound := turn.sound) is not None:
        named |= {
            "convai_turn_decided_latency": sound.speech_end_to_decided_ms,
            "convai_asr_trailing_service_latency": sound.speech_end_to_transcript_ms,
            "convai_first_token_latency": sound.speech_end_to_first_token_ms,
            "convai_first_audio_latency": sound.speech_end_to_first_audio_ms,
        }
    seconds = {name: round(ms / 1_000, 4) for name, ms in named.items() if ms is not None}
    if latency is None and not seconds:
        return None
    return {"metrics": {name: {"elapsed_time": value} for name, value in seconds.items()}}


def _retrieval_info(
    turn: Turn, retrieved: Sequence[Retrieval], embedding_model: str
) -> RetrievalInfo | None:
    if not retrieved:
        return None
    latency_ms = turn.latency.request_to_retrieval_ms if turn.latency else None
    return RetrievalInfo(
        chunks=[
            RetrievedChunk(
                document_id=each.document_id,
                chunk_id=each.chunk_id,
                vector_distance=round(max(0.0, 1 - each.score), 6),
            )
            for each in retrieved
        ],
        # Words alone, and documents that are read whole, need no model.
        embedding_model=embedding_model if retrieved[0].mode == "hybrid" else "none",
        retrieval_query=retrieved[0].query,
        rag_latency_secs=round((latency_ms or 0) / 1_000, 4),
        used_chunk_ids=list(dict.fromkeys(each.chunk_id for each in turn.citations)),
    )


def _call(call: ToolCall) -> ToolCallItem:
    return ToolCallItem(
        request_id=call.tool_call_id,
        tool_name=call.tool_name,
        params_as_json=json.dumps(call.parameters, default=str),
        tool_has_been_called=call.result is not None,
    )


def _result(call: ToolCall) -> ToolResultItem:
    return ToolResultItem(
        request_id=call.tool_call_id,
        tool_name=call.tool_name,
        result_value=call.result or "",
        is_error=call.is_error,
        tool_has_been_called=True,
        tool_latency_secs=round((call.latency_ms or 0) / 1_000, 3),
    )
