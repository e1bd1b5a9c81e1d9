"""`tool_calls` and `feedback`: what agents used and what users said, one row each."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.reports import open_reports
from conversation.transcript import ToolCall, Turn
from tests.analysis.calls import AGENT, DAY, Stores, hold_call, open_stores, refresh

CANCEL = ToolCall(
    tool_name="cancel_order",
    tool_call_id="call_1",
    parameters={"order": "A-17", "notify": True},
    result="no such order",
    is_error=True,
    latency_ms=120.0,
)
LOOK_UP = ToolCall(tool_name="look_up", tool_call_id="call_2", parameters={})


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as opened:
        yield opened


def ask(stores: Stores, sql: str) -> list[tuple[Any, ...]]:
    refresh(stores)
    with open_reports(stores.reports) as connection:
        return connection.execute(sql).fetchall()


def test_each_use_of_a_tool_is_a_row(stores: Stores):
    store = stores.conversations
    store.begin("c1", agent_id=AGENT.agent_id, started_at=DAY)
    store.append_turn("c1", Turn(role="user", text="Cancel A-17."), at=DAY)
    said = Turn(role="agent", text="I could not.", tool_calls=(CANCEL, LOOK_UP))
    store.append_turn("c1", said, at=DAY)
    store.end("c1", reason="user_ended", at=DAY + timedelta(seconds=5))

    columns = "turn_index, call_index, tool_call_id, tool_name, result, is_error, latency_ms"
    assert ask(stores, f"select {columns} from tool_calls order by call_index") == [
        (1, 0, "call_1", "cancel_order", "no such order", True, 120.0),
        (1, 1, "call_2", "look_up", None, False, None),
    ]
    (parameters,) = ask(stores, "select parameters from tool_calls where call_index = 0")[0]
    assert json.loads(parameters) == CANCEL.parameters
    assert ask(stores, "select parameters->>'order' from tool_calls where call_index = 0") == [
        ("A-17",)
    ]


def test_feedback_after_the_report_was_published_is_in_the_next_one(stores: Stores):
    hold_call(stores.conversations, "c1")
    assert ask(stores, "from feedback") == []

    stores.conversations.add_event("c1", "feedback", at=DAY, payload={"rating": 4})

    rows = "select about, turn_index, score, rating, comment, in_force from feedback order by all"
    assert ask(stores, rows) == [("conversation", None, None, 4.0, None, True)]


def test_opinions_on_turns_and_on_the_whole_are_told_apart(stores: Stores):
    hold_call(stores.conversations, "c1")

    def say(payload: dict[str, object], turn_id: str | None = None) -> None:
        stores.conversations.add_event("c1", "feedback", at=DAY, payload=payload, turn_id=turn_id)

    say({"score": "like", "event_id": 2}, "c1-answer")
    say({"score": None, "event_id": 2}, "c1-answer")
    say({"score": "dislike", "event_id": 77})
    say({"rating": 2})
    say({"comment": "Too slow."})
    say({"rating": 5})

    rows = "select about, turn_index, score, rating, comment, in_force from feedback"
    assert sorted(ask(stores, rows), key=str) == sorted(
        [
            ("turn", 2, "like", None, None, False),
            ("turn", 2, None, None, None, True),
            ("turn", None, "dislike", None, None, True),
            ("conversation", None, None, 2.0, None, False),
            ("conversation", None, None, None, "Too slow.", True),
            ("conversation", None, None, 5.0, None, True),
        ],
        key=str,
    )
