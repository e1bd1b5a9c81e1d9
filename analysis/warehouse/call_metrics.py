"""What can be measured about a conversation without a model: durations, turns, latency, cost."""

import itertools
import math
from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from analysis.warehouse import voice_metrics
from conversation.transcript import Role, Transcript, Turn, TurnLatency

_WORDS_PER_S = 2.5
"""Of speech: 150 words a minute."""


class CallMetrics(BaseModel):
    """Measured numbers of one conversation. None means that the transcript does not tell."""

    model_config = ConfigDict(frozen=True)

    conversation_id: str
    duration_s: float | None
    """From start to end; without these times, to the start of the last turn."""
    turns: int
    user_turns: int
    agent_turns: int
    user_words: int
    agent_words: int
    words_per_user_turn: float | None
    words_per_agent_turn: float | None
    interruptions: int
    """Agent turns that the user cut short."""
    unheard_words: int
    """Words that the agent produced and the user did not hear."""
    longest_gap_s: float | None
    """Between the starts of two turns that follow each other: an upper bound on a silence."""
    silence_s: float | None
    """Between the first word and the last, nobody spoke: measured where every turn was spoken, else
    estimated from the starts of turns and their words."""
    agent_word_share: float | None
    """The agent's part of all words that were heard, 0 to 1."""
    agent_talk_share: float | None
    """The agent's part of all time that was spoken, 0 to 1; None without sound."""
    cut_off_turns: int
    """Turns of the user that were taken for over while they had more to say."""
    failed_turns: int
    """Turns with an error."""
    tool_calls: int
    failed_tool_calls: int
    citations: int
    grounded_share: float | None
    """Mean over the agent turns that were checked, 0 to 1."""
    request_to_retrieval_p50_ms: float | None
    request_to_first_token_p50_ms: float | None
    request_to_first_token_p95_ms: float | None
    request_to_last_token_p50_ms: float | None
    request_to_last_token_p95_ms: float | None
    own_overhead_p95_ms: float | None
    speech_end_to_first_audio_p50_ms: float | None
    speech_end_to_first_audio_p95_ms: float | None
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None when a turn's price is not known, or no turn has usage."""


def call_metrics(transcript: Transcript) -> CallMetrics:
    """Measure `transcript`. A conversation without turns has counts of zero."""
    turns = transcript.turns
    latencies = [turn.latency for turn in turns if turn.latency is not None]
    usages = [turn.usage for turn in turns if turn.usage is not None]
    costs = [usage.cost_usd for usage in usages]
    grounded = [turn.grounded_share for turn in turns if turn.grounded_share is not None]
    tool_calls = [call for turn in turns for call in turn.tool_calls]
    user_words, agent_words = _words(turns, "user"), _words(turns, "agent")
    all_words = sum(user_words) + sum(agent_words)
    first_token = _milliseconds(latencies, lambda latency: latency.request_to_first_token_ms)
    last_token = _milliseconds(latencies, lambda latency: latency.request_to_last_token_ms)
    first_audio, heard = voice_metrics.first_audio_ms(turns), voice_metrics.silence_s(turns)
    return CallMetrics(
        conversation_id=transcript.conversation_id,
        duration_s=_duration_s(transcript),
        turns=len(turns),
        user_turns=len(user_words),
        agent_turns=len(agent_words),
        user_words=sum(user_words),
        agent_words=sum(agent_words),
        words_per_user_turn=_mean(user_words),
        words_per_agent_turn=_mean(agent_words),
        interruptions=sum(turn.interrupted for turn in turns),
        unheard_words=sum(_unheard_words(turn) for turn in turns),
        longest_gap_s=_longest_gap_s(turns),
        silence_s=_silence_s(turns) if heard is None else heard,
        agent_word_share=sum(agent_words) / all_words if all_words else None,
        agent_talk_share=voice_metrics.agent_talk_share(turns),
        cut_off_turns=len(voice_metrics.cut_off_turns(turns)),
        failed_turns=sum(turn.error is not None for turn in turns),
        tool_calls=len(tool_calls),
        failed_tool_calls=sum(call.is_error for call in tool_calls),
        citations=sum(len(turn.citations) for turn in turns),
        grounded_share=_mean(grounded),
        request_to_retrieval_p50_ms=percentile(
            _milliseconds(latencies, lambda latency: latency.request_to_retrieval_ms), 50
        ),
        request_to_first_token_p50_ms=percentile(first_token, 50),
        request_to_first_token_p95_ms=percentile(first_token, 95),
        request_to_last_token_p50_ms=percentile(last_token, 50),
        request_to_last_token_p95_ms=percentile(last_token, 95),
        own_overhead_p95_ms=percentile(
            _milliseconds(latencies, lambda latency: latency.own_overhead_ms), 95
        ),
        speech_end_to_first_audio_p50_ms=percentile(first_audio, 50),
        speech_end_to_first_audio_p95_ms=percentile(first_audio, 95),
        input_tokens=sum(usage.input_tokens for usage in usages),
        cached_input_tokens=sum(usage.cached_input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cost_usd=None
        if not costs or None in costs
        else math.fsum(cost for cost in costs if cost is not None),
    )


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return the nearest-rank percentile: the least value that `percent` % do not exceed.

    It is always one of `values`, which matters for the few turns of one conversation; None of an
    empty list.
    """
    if not values:
        return None
    rank = max(1, math.ceil(percent / 100 * len(values)))
    return sorted(values)[rank - 1]


def _words(turns: Iterable[Turn], role: Role) -> list[int]:
    return [len(turn.text.split()) for turn in turns if turn.role == role]


def _unheard_words(turn: Turn) -> int:
    if turn.generated_text is None:
        return 0
    return max(0, len(turn.generated_text.split()) - len(turn.text.split()))


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _milliseconds(
    latencies: Iterable[TurnLatency], part: Callable[[TurnLatency], float | None]
) -> list[float]:
    return [value for latency in latencies if (value := part(latency)) is not None]


def _duration_s(transcript: Transcript) -> float | None:
    if transcript.started_at is not None and transcript.ended_at is not None:
        return (transcript.ended_at - transcript.started_at).total_seconds()
    offsets = _offsets(transcript.turns)
    return max(offsets) if offsets else None


def _longest_gap_s(turns: Sequence[Turn]) -> float | None:
    offsets = _offsets(turns)
    gaps = [later - earlier for earlier, later in itertools.pairwise(offsets)]
    return max(gaps) if gaps else None


def _silence_s(turns: Sequence[Turn]) -> float | None:
    timed = [(turn.offset_s, turn) for turn in turns if turn.offset_s is not None]
    if len(timed) < 2:
        return None
    silences = [
        later - earlier - len(turn.text.split()) / _WORDS_PER_S
        for (earlier, turn), (later, _) in itertools.pairwise(timed)
    ]
    return math.fsum(silence for silence in silences if silence > 0)


def _offsets(turns: Sequence[Turn]) -> list[float]:
    return [turn.offset_s for turn in turns if turn.offset_s is not None]
