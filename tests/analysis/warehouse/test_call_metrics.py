"""Call metrics against hand arithmetic."""

from datetime import UTC, datetime, timedelta

import pytest

from analysis.warehouse.call_metrics import call_metrics, percentile
from conversation.transcript import ToolCall, Transcript, Turn, TurnLatency, Usage

STARTED_AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def _agent(text: str, offset_s: float, first_token_ms: float, **more: object) -> Turn:
    return Turn(
        role="agent",
        text=text,
        offset_s=offset_s,
        latency=TurnLatency(request_to_first_token_ms=first_token_ms),
        usage=Usage(model="m/x", input_tokens=100, output_tokens=10, cost_usd=0.25),
        **more,  # pyright: ignore[reportArgumentType]
    )


CALL = Transcript(
    conversation_id="c1",
    started_at=STARTED_AT,
    ended_at=STARTED_AT + timedelta(seconds=61.5),
    turns=(
        Turn(role="user", text="my line is dead", offset_s=0.0),
        _agent("Please wait", 2.0, 300.0, generated_text="Please wait a bit", interrupted=True),
        Turn(role="user", text="no", offset_s=3.0),
        _agent(
            "It is fixed now",
            20.0,
            100.0,
            grounded_share=0.5,
            tool_calls=(ToolCall(tool_name="reset", tool_call_id="t", is_error=True),),
        ),
    ),
)


def test_counts_and_times_follow_the_turns():
    metrics = call_metrics(CALL)

    assert metrics.duration_s == 61.5
    assert (metrics.turns, metrics.user_turns, metrics.agent_turns) == (4, 2, 2)
    assert (metrics.user_words, metrics.words_per_user_turn) == (5, 2.5)
    assert (metrics.interruptions, metrics.unheard_words) == (1, 2)
    assert metrics.longest_gap_s == 17.0
    assert metrics.silence_s == pytest.approx(0.4 + 0.2 + 16.6)
    assert metrics.agent_word_share == pytest.approx(6 / 11)
    assert (metrics.tool_calls, metrics.failed_tool_calls) == (1, 1)
    assert metrics.grounded_share == 0.5
    assert metrics.request_to_first_token_p50_ms == 100.0
    assert metrics.request_to_first_token_p95_ms == 300.0
    assert (metrics.input_tokens, metrics.output_tokens, metrics.cost_usd) == (200, 20, 0.5)


def test_an_unknown_price_makes_the_cost_unknown():
    turn = Turn(role="agent", text="hi", usage=Usage(model="m/x", input_tokens=1))

    assert call_metrics(CALL.model_copy(update={"turns": (*CALL.turns, turn)})).cost_usd is None


def test_a_conversation_without_turns_has_zero_counts_and_no_averages():
    metrics = call_metrics(Transcript(conversation_id="c0"))

    assert metrics.turns == metrics.user_words == metrics.input_tokens == 0
    assert metrics.duration_s is metrics.words_per_user_turn is metrics.cost_usd is None


def test_without_times_the_duration_reaches_to_the_last_turn():
    call = CALL.model_copy(update={"started_at": None})

    assert call_metrics(call).duration_s == 20.0


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([], 50, None),
        ([7.0], 95, 7.0),
        ([1, 2, 3, 4], 50, 2),
        ([4, 3, 2, 1], 95, 4),
        ([1, 2], 1, 1),
    ],
)
def test_percentiles_are_nearest_rank(values: list[float], percent: float, expected: float | None):
    assert percentile(values, percent) == expected
