import pytest
import sqlalchemy as sa

from analysis.privacy.masked_stores import RedactedConversations
from analysis.store import tables
from analysis.store.forgetting import (
    conversations_of_user,
    forget_conversations,
    forget_evaluations,
    forget_findings,
    orphans,
    said_by_others,
    with_evaluations,
    with_replays,
)
from analysis.store.store import AnalysisStore
from conversation.agent.privacy_config import PrivacySection
from conversation.store.listing.compacting import compact
from conversation.store.store import ConversationStore
from conversation.transcript import Turn
from tests.analysis.calls import DAY, Stores, a_verdict, hold_call, save_answers
from tests.servers import postgresql_server

SAID = "My zanzibar parcel is late."


def hold_of_user(store: ConversationStore, conversation_id: str, **metadata: str) -> None:
    turn = Turn(role="user", text=SAID)
    store.begin(conversation_id, agent_id="shop-desk", started_at=DAY, metadata=metadata, turn=turn)
    store.end(conversation_id, reason="user_ended", at=DAY)


def forget_a_user(conversations: ConversationStore, evaluations: AnalysisStore) -> None:
    """The whole path, on any database."""
    engine = evaluations.engine
    hold_of_user(conversations, "c1", user_id="ann")
    hold_of_user(conversations, "c2", replay_of="c1")
    hold_of_user(conversations, "c3", user_id="bo")
    save_answers(evaluations, "c1", a_verdict("c1"))
    masked = RedactedConversations(engine, {"shop-desk": PrivacySection(redact=True)})
    assert masked.transcript("c1").turns[0].text == SAID
    assert conversations_of_user(engine, "ann") == ["c1"]
    assert with_replays(engine, ["c1"]) == ["c1", "c2"]
    assert with_evaluations(engine, ["c1", "c3"]) == ["c1"]

    deleted = forget_conversations(engine, ["c1", "c2"])

    assert deleted["conversations"] == 2
    assert (deleted["evaluations"], deleted["redacted_transcripts"]) == (1, 1)
    assert [row.conversation_id for row in conversations.conversations()] == ["c3"]
    assert said_by_others(engine, [SAID, "never said by anyone"]) == {SAID}
    assert compact(engine) is None
    assert [row.conversation_id for row in conversations.page(text="zanzibar").conversations] == [
        "c3"
    ]
    assert forget_conversations(engine, ["c1"]) == {}


def test_a_user_is_forgotten_on_sqlite(stores: Stores):
    forget_a_user(stores.conversations, stores.evaluations)

    stores.conversations.delete("c3")
    assert compact(stores.evaluations.engine) is None
    with stores.evaluations.engine.connect() as connection:
        assert connection.exec_driver_sql("select term from turn_search_terms").all() == []


@pytest.mark.slow
def test_a_user_is_forgotten_on_postgresql(tmp_path_factory: pytest.TempPathFactory):
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as address:
        url = f"postgresql+psycopg://{address}"
        with ConversationStore.open(url) as conversations, AnalysisStore.open(url) as evaluations:
            forget_a_user(conversations, evaluations)


def test_topics_and_gaps_keep_only_what_is_still_said(stores: Stores):
    engine = stores.evaluations.engine
    for conversation_id, question in (("c1", SAID), ("c2", "Where is my parcel now?")):
        hold_call(stores.conversations, conversation_id, question=question)
    terms = ["zanzibar", "parcel"]
    topic = {
        **{"agent_id": "shop-desk", "named_by": "words", "centroid": b"", "model_id": "m"},
        **{"found_at": DAY, "updated_at": DAY},
    }
    member = {"agent_id": "shop-desk", "text_sha256": "", "model_id": "m", "vector": b""}
    gap = {
        **{"agent_id": "shop-desk", "titled_by": "question", "state": "open", "state_since": DAY},
        **{"opened_at": DAY, "nearest": []},
    }
    question = {
        **{"turn_index": 1, "agent_id": "shop-desk", "asked_at": DAY, "reasons": []},
        **{"seen_chunk_ids": [], "model_id": "m", "vector": b""},
    }
    with engine.begin() as connection:
        connection.execute(
            sa.insert(tables.topics),
            [
                topic | {"topic_id": "t1", "name": "zanzibar, parcel", "terms": terms},
                topic | {"topic_id": "t2", "name": "zanzibar", "terms": terms[:1]},
            ],
        )
        connection.execute(
            sa.insert(tables.conversation_topics),
            [
                member | {"conversation_id": "c1", "topic_id": "t1", "assigned_at": DAY},
                member | {"conversation_id": "c2", "topic_id": "t1", "assigned_at": DAY},
            ],
        )
        connection.execute(
            sa.insert(tables.knowledge_gaps),
            [
                gap | {"gap_id": "g1", "title": SAID, "missing_words": ["zanzibar", "parcel"]},
                gap | {"gap_id": "g2", "title": SAID, "missing_words": ["zanzibar"]},
            ],
        )
        connection.execute(
            sa.insert(tables.gap_questions),
            [
                question | {"conversation_id": "c1", "gap_id": "g1", "question": SAID},
                question | {"conversation_id": "c2", "gap_id": "g1", "question": "My parcel?"},
                question
                | {"conversation_id": "c1", "turn_index": 3, "gap_id": "g2", "question": SAID},
            ],
        )

    deleted = forget_conversations(engine, ["c1"])

    assert deleted["knowledge_gaps"] == 1
    with engine.connect() as connection:
        topics = connection.execute(
            sa.select(tables.topics.c.name, tables.topics.c.terms).where(
                tables.topics.c.topic_id == "t1"
            )
        ).all()
        gaps = connection.execute(
            sa.select(tables.knowledge_gaps.c.title, tables.knowledge_gaps.c.missing_words)
        ).all()
    assert [tuple(row) for row in topics] == [("parcel", ["parcel"])]
    assert [tuple(row) for row in gaps] == [("My parcel?", ["parcel"])]
    assert forget_findings(engine, "shop-desk") == {
        "knowledge_gaps": 1,
        "gap_questions": 1,
        "topics": 2,
        "conversation_topics": 1,
    }


def test_evaluations_can_go_alone(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1"), summary="Words.")
    assert forget_evaluations(stores.evaluations.engine, ["c1"]) == {
        "evaluations": 1,
        "analysis_runs": 1,
    }
    assert len(stores.conversations.conversations()) == 1


def leave_rows_everywhere(stores: Stores, conversation_id: str) -> set[str]:
    """Put a row about a conversation into each table of the analysis store that has such rows."""
    engine = stores.evaluations.engine
    filled = set[str]()
    for table in tables.metadata.sorted_tables:
        if "conversation_id" not in table.columns:
            continue
        row: dict[str, object] = {"conversation_id": conversation_id}
        for column in table.columns:
            if column.name in row or column.nullable or column.autoincrement is True:
                continue
            if column.primary_key and isinstance(column.type, sa.Integer):
                continue
            row[column.name] = {
                "String": "x",
                "Text": "x",
                "Integer": 1,
                "Float": 1.0,
                "Boolean": True,
                "JSON": [],
                "LargeBinary": b"x",
            }.get(type(column.type).__name__, DAY)
        with engine.begin() as connection:
            connection.execute(sa.insert(table), row)
        filled.add(table.name)
    return filled


def left_about(stores: Stores, conversation_id: str) -> set[str]:
    with stores.evaluations.engine.connect() as connection:
        return {
            table.name
            for table in tables.metadata.sorted_tables
            if "conversation_id" in table.columns
            and connection.execute(
                sa.select(table).where(table.c.conversation_id == conversation_id)
            ).first()
        }


def test_no_table_of_the_schema_is_forgotten(stores: Stores):
    hold_call(stores.conversations, "c1")
    filled = leave_rows_everywhere(stores, "c1")
    leave_rows_everywhere(stores, "c2")
    assert {"kept_answers", "evaluation_leases", "redacted_transcripts"} <= filled
    assert orphans(stores.evaluations.engine) == ["c2"]

    stores.evaluations.forget("c1")

    assert left_about(stores, "c1") == set()
    assert left_about(stores, "c2") == filled
    forget_conversations(stores.evaluations.engine, ["c2"])
    assert left_about(stores, "c2") == set()


@pytest.mark.parametrize("name", ["kept_answers", "evaluation_leases", "redacted_transcripts"])
def test_one_row_that_is_left_makes_an_orphan(stores: Stores, name: str):
    leave_rows_everywhere(stores, "gone")
    engine = stores.evaluations.engine
    with engine.begin() as connection:
        for table in tables.tables_of_conversations():
            if table.name != name:
                connection.execute(sa.delete(table))

    assert orphans(engine) == ["gone"]
    assert with_evaluations(engine, ["gone"]) == ["gone"]


def test_retention_of_evaluations_keeps_topics_and_gaps_and_nothing_else(stores: Stores):
    leave_rows_everywhere(stores, "c1")

    forget_evaluations(stores.evaluations.engine, ["c1"])

    assert left_about(stores, "c1") == {"conversation_topics", "gap_questions"}
