"""What happens in conversations as traces and metrics: ids, counts and durations, never a word.

Written against the OpenTelemetry API only, which does nothing until somebody configures where
traces and metrics go: `orchestration.processes.telemetry` does, by setting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from conversation.transcript import LLMCall, Turn, TurnSound

SCOPE = "vivavoce.conversation"


@dataclass(frozen=True, slots=True)
class _Instruments:
    turns: Any
    turn_ms: Any
    first_token_ms: Any
    own_ms: Any
    tokens: Any
    usd: Any
    heard_turns: Any
    amended: Any
    transcript_ms: Any
    first_audio_ms: Any


def observe_turn(turn: Turn, *, conversation_id: str, agent_id: str, ended_at: datetime) -> None:
    """Report an agent's turn that has just been stored.

    Args:
        turn: With its latency, calls and usage.
        conversation_id: Of the span, so that a trace leads to the stored conversation.
        agent_id: Of spans and metrics.
        ended_at: When the turn was over.
    """
    _count(turn, {"agent_id": agent_id})
    _trace(turn, {"agent_id": agent_id, "conversation_id": conversation_id}, ended_at)


def observe_sound(
    turn: Turn, *, conversation_id: str, agent_id: str, call_began_at: datetime
) -> None:
    """Report an agent's turn that was heard, as far as it was.

    Args:
        turn: With its sound.
        conversation_id: Of the span.
        agent_id: Of spans and metrics.
        call_began_at: Where the call's sound begins.
    """
    sound = turn.sound
    if turn.role != "agent" or sound is None:
        return
    instruments, labels = _instruments(), {"agent_id": agent_id}
    outcome = "interrupted" if turn.interrupted else "heard"
    instruments.heard_turns.add(1, {**labels, "outcome": outcome})
    for instrument, value in (
        (instruments.transcript_ms, sound.speech_end_to_transcript_ms),
        (instruments.first_audio_ms, sound.speech_end_to_first_audio_ms),
    ):
        if value is not None:
            instrument.record(value, labels)
    ids = {**labels, "conversation_id": conversation_id, "turn_id": turn.turn_id or ""}
    _trace_sound(sound, {**ids, "interrupted": turn.interrupted}, call_began_at)


def _trace_sound(sound: TurnSound, ids: Mapping[str, str | bool], call_began_at: datetime) -> None:
    from opentelemetry import trace

    steps = sound.model_dump(exclude={"start_s", "end_s", "words"}, exclude_none=True)
    span = trace.get_tracer(SCOPE).start_span(
        "agent speaks",
        start_time=_nanoseconds(call_began_at + timedelta(seconds=sound.start_s)),
        attributes={**ids, **steps},
    )
    span.end(_nanoseconds(call_began_at + timedelta(seconds=sound.end_s)))


def observe_amended(*, agent_id: str) -> None:
    """Report that a user went on before anything of an answer was heard."""
    _instruments().amended.add(1, {"agent_id": agent_id})


def _count(turn: Turn, labels: Mapping[str, str]) -> None:
    instruments = _instruments()
    outcome = "failed" if turn.error else "interrupted" if turn.interrupted else "done"
    instruments.turns.add(1, {**labels, "outcome": outcome})
    latency = turn.latency
    if latency is not None:
        for instrument, value in (
            (instruments.turn_ms, latency.request_to_last_token_ms),
            (instruments.first_token_ms, latency.request_to_first_token_ms),
            (instruments.own_ms, latency.own_overhead_ms),
        ):
            if value is not None:
                instrument.record(value, labels)
    usage = turn.usage
    if usage is not None:
        by_model = {**labels, "model": usage.model}
        instruments.tokens.add(usage.input_tokens, {**by_model, "direction": "input"})
        instruments.tokens.add(usage.output_tokens, {**by_model, "direction": "output"})
        if usage.cost_usd is not None:
            instruments.usd.add(usage.cost_usd, by_model)


def _trace(turn: Turn, ids: Mapping[str, str], ended_at: datetime) -> None:
    from opentelemetry import trace

    tracer = trace.get_tracer(SCOPE)
    latency = turn.latency
    lasted_ms = latency.request_to_last_token_ms if latency is not None else None
    started_at = ended_at - timedelta(milliseconds=lasted_ms or 0.0)
    span = tracer.start_span(
        "turn",
        start_time=_nanoseconds(started_at),
        attributes={
            **ids,
            "turn_id": turn.turn_id or "",
            "interrupted": turn.interrupted,
            "citations": len(turn.citations),
            "tool_calls": len(turn.tool_calls),
        },
    )
    if turn.error:
        span.set_status(trace.StatusCode.ERROR)
    inside = trace.set_span_in_context(span)
    retrieved_ms = latency.request_to_retrieval_ms if latency is not None else None
    if retrieved_ms is not None:
        retrieval = tracer.start_span(
            "retrieval", context=inside, start_time=_nanoseconds(started_at)
        )
        retrieval.end(_nanoseconds(started_at + timedelta(milliseconds=retrieved_ms)))
    for call in turn.calls:
        _trace_call(tracer, inside, call, ended_at)
    span.end(_nanoseconds(ended_at))


def _trace_call(tracer: Any, inside: Any, call: LLMCall, ended_at: datetime) -> None:
    """A model call; its own start is not kept, so that it is drawn to the end of the turn."""
    lasted = timedelta(milliseconds=call.request_to_last_token_ms or 0.0)
    span = tracer.start_span(
        f"llm {call.purpose}",
        context=inside,
        start_time=_nanoseconds(ended_at - lasted),
        attributes={
            "model": call.usage.model,
            "input_tokens": call.usage.input_tokens,
            "output_tokens": call.usage.output_tokens,
            **({"error": call.error} if call.error else {}),
        },
    )
    span.end(_nanoseconds(ended_at))


@cache
def _instruments() -> _Instruments:
    from opentelemetry import metrics

    meter = metrics.get_meter(SCOPE)
    return _Instruments(
        turns=meter.create_counter("vivavoce_turns", description="Agent turns, by outcome."),
        turn_ms=meter.create_histogram(
            "vivavoce_turn", unit="ms", description="From the user's turn to the last token."
        ),
        first_token_ms=meter.create_histogram(
            "vivavoce_turn_first_token",
            unit="ms",
            description="From the user's turn to the first token.",
        ),
        own_ms=meter.create_histogram(
            "vivavoce_turn_own", unit="ms", description="Spent in this project's own code."
        ),
        tokens=meter.create_counter(
            "vivavoce_llm_tokens", description="Tokens of language models, by direction."
        ),
        usd=meter.create_counter("vivavoce_llm_usd", description="What known prices add up to."),
        heard_turns=meter.create_counter(
            "vivavoce_heard_turns", description="Spoken agent turns, heard to the end or not."
        ),
        amended=meter.create_counter(
            "vivavoce_amended_turns",
            description="User turns that went on before their answer was heard.",
        ),
        transcript_ms=meter.create_histogram(
            "vivavoce_speech_end_to_transcript",
            unit="ms",
            description="From the end of the user's speech to its words.",
        ),
        first_audio_ms=meter.create_histogram(
            "vivavoce_speech_end_to_first_audio",
            unit="ms",
            description="From the end of the user's speech to the agent's first sound.",
        ),
    )


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1e9)
