"""Where a conversation is held decides which day "tomorrow" is; what is stored stays UTC."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from analysis.evaluation.analyse import analyse_transcript
from analysis.results import CollectedValue
from conversation.agent.config import AgentConfig, DataCollectionField
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript, Turn
from tests.fakes import ScriptedChatModel

EVENING_IN_NEW_YORK = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
DAY = DataCollectionField(field_id="day", type="date", description="Day of the visit.")
ANSWER = json.dumps({"fields": [{"field": "day", "turn": 0, "value": "tomorrow"}]})


def call(started_at: datetime = EVENING_IN_NEW_YORK, **metadata: str) -> Transcript:
    return Transcript(
        conversation_id="c1",
        turns=(Turn(role="user", text="Tomorrow, please."),),
        started_at=started_at,
        metadata=metadata,
    )


def collected(transcript: Transcript, zone: str | None) -> tuple[CollectedValue, str]:
    judge = ScriptedChatModel(ANSWER)
    found = analyse_transcript(transcript, [], [DAY], judge, summary=False, timezone=zone)
    return found.collected[0], judge.prompt_texts[0]


@pytest.mark.parametrize(
    ("transcript", "agents_zone", "day"),
    [
        (call(), None, "2026-11-25"),
        (call(), "UTC", "2026-11-25"),
        (call(), "America/New_York", "2026-11-24"),
        (call(timezone="America/New_York"), None, "2026-11-24"),
        (call(timezone="America/New_York"), "Asia/Tokyo", "2026-11-24"),
        (call(timezone="Nowhere/Town"), "America/New_York", "2026-11-24"),
        (call(datetime(2026, 11, 23, 20, tzinfo=UTC)), "Asia/Tokyo", "2026-11-25"),
        (
            call(datetime(2026, 11, 23, 20, 30, tzinfo=timezone(timedelta(hours=-5)))),
            None,
            "2026-11-24",
        ),
    ],
)
def test_tomorrow_is_counted_from_the_day_where_the_conversation_was_held(
    transcript: Transcript, agents_zone: str | None, day: str
):
    found, prompt = collected(transcript, agents_zone)

    assert (found.value, found.status) == (day, "supported")
    today = datetime.fromisoformat(day) - timedelta(days=1)
    assert f"held on {today:%A}, {today:%Y-%m-%d}" in prompt


@pytest.mark.parametrize(
    ("agents_zone", "callers_zone", "kept"),
    [
        ("UTC", None, None),
        ("Europe/Berlin", None, "Europe/Berlin"),
        ("Europe/Berlin", "America/New_York", "America/New_York"),
        ("UTC", "Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_a_conversation_keeps_the_zone_that_it_is_held_in(
    agents_zone: str, callers_zone: str | None, kept: str | None
):
    agent = AgentConfig(
        agent_id="shop",
        name="Shop",
        timezone=agents_zone,
        first_message="It is {{system__date}} in {{system__timezone}}.",
    )
    variables = {} if callers_zone is None else {"system__timezone": callers_zone}
    with (
        ConversationStore.open("sqlite://") as store,
        Session.start(
            agent,
            store=store,
            chat_model=ScriptedChatModel(),
            variables=variables,
            clock=lambda: EVENING_IN_NEW_YORK,
        ) as session,
    ):
        transcript = session.transcript

    assert transcript.metadata.get("timezone") == kept
    assert transcript.started_at == EVENING_IN_NEW_YORK
    assert (kept or "UTC") in session.first_message


def test_a_zone_that_is_none_is_refused_with_what_to_write():
    with pytest.raises(ValidationError, match="no time zone 'Berlin'; use a name such as"):
        AgentConfig(agent_id="shop", name="Shop", timezone="Berlin")
