"""The store on a real PostgreSQL server, started for the test from Debian's package."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from conversation.errors import SessionEndedError
from conversation.store.database import migrate, open_database
from conversation.store.store import ConversationStore
from conversation.store.tables import SCHEMA
from conversation.transcript import Retrieval, Transcript, Turn, Usage
from tests.servers import postgresql_server

pytestmark = pytest.mark.slow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANSWER = Turn(
    role="agent",
    text="Fourteen",
    generated_text="Fourteen days.",
    interrupted=True,
    usage=Usage(model="m", input_tokens=3, cost_usd=0.5),
    unsupported_spans=((0, 8),),
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as address:
        yield f"postgresql+psycopg://{address}"


def test_a_conversation_is_kept_found_and_deleted(url: str):
    with ConversationStore.open(url) as store:
        store.begin("conv_a", agent_id="support", started_at=NOON, metadata={"channel": "chat"})
        store.append_turn("conv_a", Turn(role="user", text="How long? \u4f60"), at=NOON)
        retrieved = Retrieval(
            turn_id="conv_a.1",
            query="How long?",
            chunk_id="c",
            document_id="d",
            document_name="a.md",
            start_char=0,
            end_char=5,
            rank=1,
            score=0.5,
        )
        store.append_turn("conv_a", ANSWER, at=NOON + HOUR, retrieved=[retrieved])
        store.end("conv_a", reason="user_ended", at=NOON + HOUR)

        transcript = store.transcript("conv_a")
        assert transcript.turns[1] == ANSWER.model_copy(update={"turn_id": "conv_a.1"})
        assert (transcript.started_at, transcript.ended_at) == (NOON, NOON + HOUR)
        assert transcript.metadata == {"channel": "chat"}
        assert store.retrievals("conv_a") == [retrieved]
        (summary,) = store.conversations(agent_id="support", ended_from=NOON)
        assert summary.turn_count == 2
        with pytest.raises(SessionEndedError):
            store.append_turn("conv_a", ANSWER, at=NOON)
        assert not store.import_transcript(Transcript(conversation_id="conv_a"))
        assert store.delete("conv_a")
        assert store.conversations() == []


def test_abandoned_conversations_are_closed(url: str):
    with ConversationStore.open(url) as store:
        store.begin("conv_b", agent_id="support", started_at=NOON)
        assert store.close_abandoned(NOON + 2 * HOUR, HOUR) == ["conv_b"]
        assert store.transcript("conv_b").end_reason == "interrupted_by_crash"
        store.delete("conv_b")


def test_a_list_is_paged_and_searched(url: str):
    with ConversationStore.open(url) as store:
        for number in range(3):
            store.begin(f"conv_{number}", agent_id="support", started_at=NOON + number * HOUR)
        store.append_turn("conv_1", Turn(role="user", text="100% REFUND"), at=NOON)

        first = store.page(limit=2)
        assert [each.conversation_id for each in first.conversations] == ["conv_2", "conv_1"]
        (last,) = store.page(limit=2, cursor=first.next_cursor).conversations
        assert last.conversation_id == "conv_0"
        assert [each.conversation_id for each in store.page(text="0% ref").conversations] == [
            "conv_1"
        ]
        for number in range(3):
            store.delete(f"conv_{number}")


def test_data_survives_a_way_down_and_up(url: str):
    engine = open_database(url, SCHEMA)
    with ConversationStore(engine) as store:
        store.begin("conv_m", agent_id="support", started_at=NOON)
        store.append_turn("conv_m", ANSWER, at=NOON + HOUR)
        before = (store.transcript("conv_m"), store.page())
        migrate(engine, SCHEMA, revision="0001")
        migrate(engine, SCHEMA)
        assert (store.transcript("conv_m"), store.page()) == before
        store.delete("conv_m")


def test_migrations_go_down_and_up(url: str):
    engine = open_database(url, SCHEMA)
    migrate(engine, SCHEMA, revision="base")
    migrate(engine, SCHEMA)
    with ConversationStore(engine) as store:
        assert store.conversations() == []


def test_a_turn_is_amended_and_its_answer_forgotten(url: str):
    with ConversationStore.open(url) as store:
        store.begin("conv_amended", agent_id="support", started_at=NOON)
        store.append_turn("conv_amended", Turn(role="user", text="How"), at=NOON)
        store.append_turn("conv_amended", ANSWER, at=NOON)
        longer = Turn(role="user", text="How long?", turn_id="conv_amended.0")
        discarded = ANSWER.model_copy(update={"turn_id": "conv_amended.1"})
        store.amend_turn("conv_amended", longer, at=NOON, discarded=discarded, is_stored=True)
        store.append_turn("conv_amended", ANSWER, at=NOON + HOUR)

        kept = store.transcript("conv_amended").turns
        assert [(turn.turn_id, turn.text) for turn in kept] == [
            ("conv_amended.0", "How long?"),
            ("conv_amended.1", "Fourteen"),
        ]
        assert [event.kind for event in store.events("conv_amended")][-3:] == [
            "user_turn_amended",
            "agent_turn_discarded",
            "agent_turn",
        ]
