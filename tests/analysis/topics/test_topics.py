from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from analysis.privacy.masked_stores import RedactedConversations
from analysis.store import tables
from analysis.store.forgetting import forget_conversations
from analysis.store.touched import take_touched
from analysis.topics.topic_store import topic_rows
from analysis.topics.topics import TopicRun, find_topics, topic_text
from conversation.agent.privacy_config import PrivacySection
from conversation.transcript import Transcript, Turn
from kb.embedding.embedder import Vectors
from tests.analysis.asked import WordsEmbedder
from tests.analysis.calls import AGENT, DAY, Stores, hold_call

REFUND = "I want a refund for the broken lamp number {}"
PARCEL = "Where is my parcel from Tuesday, tracking shows nothing {}"
LOGIN = "My password does not log me in to the account {}"


def hold(stores: Stores, questions: list[str], *, first: int = 0) -> None:
    for number, question in enumerate(questions, start=first):
        at = DAY + timedelta(minutes=number)
        hold_call(stores.conversations, f"c{number}", question=question, started_at=at)


def no_name(_texts: Sequence[str]) -> None:
    return None


def run(stores: Stores, embedder: WordsEmbedder | None = None, **changes: Any) -> TopicRun:
    given: dict[str, Any] = {
        "conversations": stores.conversations,
        "store": stores.evaluations,
        "embedder": embedder or WordsEmbedder(),
        "now": DAY,
    }
    return find_topics(AGENT.agent_id, **(given | changes))


def test_conversations_about_the_same_thing_have_one_topic(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(6)] + [PARCEL.format(n) for n in range(5)])
    hold(stores, ["Do you sell elephants wholesale, seriously"], first=50)
    found = run(stores)
    assert [len(topic.conversation_ids) for topic in found.topics] == [6, 5]
    assert "refund" in found.topics[0].name
    assert "parcel" in found.topics[1].name
    assert (found.conversations, found.without_topic) == (12, 1)


def test_a_topic_keeps_its_id_and_name_while_conversations_come_and_go(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(6)] + [PARCEL.format(n) for n in range(5)])
    before = {topic.name: topic.topic_id for topic in run(stores).topics}
    hold(stores, [PARCEL.format(n) for n in range(20, 28)], first=20)
    hold(stores, [LOGIN.format(n) for n in range(4)], first=40)
    stores.conversations.delete("c0")
    after = run(stores)
    assert {t.name: t.topic_id for t in after.topics if not t.is_new} == before
    assert [len(t.conversation_ids) for t in after.topics if t.is_new] == [4]


def test_a_conversation_is_embedded_once(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(4)])
    embedder = WordsEmbedder()
    assert run(stores, embedder).embedded == 4
    hold(stores, [REFUND.format(9)], first=9)
    assert run(stores, embedder).embedded == 1
    assert len(embedder.embedded) == 5


def test_simulated_conversations_and_other_agents_are_left_out(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(3)])
    stores.conversations.import_transcript(
        Transcript(
            conversation_id="played",
            agent_id=AGENT.agent_id,
            turns=(Turn(role="user", text=REFUND.format(7)),),
            started_at=DAY,
            simulated=True,
        )
    )
    assert run(stores).conversations == 3
    assert (
        find_topics(
            "other",
            conversations=stores.conversations,
            store=stores.evaluations,
            embedder=WordsEmbedder(),
            now=DAY,
        ).topics
        == ()
    )


def test_a_model_may_name_topics_and_typical_words_are_the_fallback(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(3)])
    asked: list[list[str]] = []

    def name(texts: Sequence[str]) -> str:
        asked.append(list(texts))
        return "Broken lamps"

    assert run(stores, name_topic=name, named_by="a/b").topics[0].name == "Broken lamps"
    assert run(stores, name_topic=name, named_by="a/b").topics[0].name == "Broken lamps"
    assert len(asked) == 1
    named = run(stores, name_topic=no_name, named_by="c/d").topics[0].name
    assert "refund" in named
    embedder = WordsEmbedder()
    again = run(stores, embedder, name_topic=name, named_by="c/d")
    assert again.topics[0].name == "Broken lamps", "a name that could not be had is asked for again"
    assert embedder.embedded == []


def test_forgetting_a_conversation_reaches_its_topic(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(3)])
    run(stores, name_topic=lambda _texts: "Mr Miller's lamp", named_by="a/b")
    stores.evaluations.forget("c0")
    rows = topic_rows(stores.evaluations.engine)
    assert [row["conversation_id"] for row in rows] == ["c1", "c2"]
    assert "Miller" not in rows[0]["topic"]
    stores.evaluations.forget("c1")
    stores.evaluations.forget("c2")
    assert topic_rows(stores.evaluations.engine) == []


def without_ids(found: TopicRun) -> list[tuple[Any, ...]]:
    return [(topic.terms, topic.conversation_ids) for topic in found.topics]


def in_full(stores: Stores) -> list[tuple[Any, ...]]:
    """What a run finds that reads everything."""
    return without_ids(run(stores, read=stores.conversations.transcript))


def test_a_run_that_reads_what_changed_finds_what_a_full_one_does(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(6)] + [PARCEL.format(n) for n in range(5)])
    run(stores)
    engine = stores.evaluations.engine
    changes = [
        lambda: hold(stores, [LOGIN.format(n) for n in range(4)], first=40),
        lambda: forget_conversations(engine, ["c1"]),
        lambda: stores.conversations.delete("c7"),
        lambda: hold(stores, [PARCEL.format(3)], first=1),  # the id of one that was forgotten
        lambda: forget_conversations(engine, ["c40", "c41"]),
        lambda: stores.evaluations.forget("c2"),  # the conversation is still there
    ]
    for change in changes:
        change()
        found = without_ids(run(stores))
        assert found == without_ids(run(stores)) == in_full(stores)


def test_a_topic_that_lost_its_conversations_is_seen_at_once(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(3)])
    assert len(run(stores).topics) == 1
    forget_conversations(stores.evaluations.engine, ["c0"])
    found = run(stores)
    assert (found.topics, found.conversations, found.without_topic) == ((), 2, 2)


def test_forgotten_words_and_vectors_are_gone_before_the_next_run(stores: Stores):
    hold(stores, [*(REFUND.format(n) for n in range(3)), "A refund for Mildred's lamp"])
    run(stores)
    member = tables.conversation_topics
    forget_conversations(stores.evaluations.engine, ["c3"])
    with stores.evaluations.engine.connect() as connection:
        kept = {row.conversation_id: row.text for row in connection.execute(sa.select(member))}
    assert set(kept) == {"c0", "c1", "c2"}
    assert all(kept.values())
    assert "Mildred" not in str(kept)


def test_words_that_are_masked_from_now_on_are_read_and_kept_masked(stores: Stores):
    hold(stores, [f"A refund for {name}@example.com" for name in ("ann", "bob", "eve")])
    run(stores)
    engine = stores.conversations.engine
    masked = RedactedConversations(engine, {AGENT.agent_id: PrivacySection(redact=True)})
    assert run(stores, conversations=masked).embedded == 3
    assert run(stores, conversations=masked).embedded == 0
    with engine.connect() as connection:
        kept = connection.execute(sa.select(tables.conversation_topics.c.text)).scalars().all()
    assert len(kept) == 3
    assert "example.com" not in str(kept)


def test_another_model_embeds_everything_again(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(3)])
    run(stores)
    other = WordsEmbedder()
    other.model_id = "other words"
    assert run(stores, other).embedded == 3
    assert run(stores, other).embedded == 0


def test_a_store_of_before_is_read_once_more(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(3)])
    before = without_ids(run(stores))
    with stores.evaluations.engine.begin() as connection:
        connection.execute(sa.update(tables.conversation_topics).values(text=None))
        connection.execute(sa.delete(tables.finding_runs))
    hold(stores, [REFUND.format(9)], first=9)
    found = run(stores)
    assert (found.embedded, len(found.topics[0].conversation_ids)) == (1, 4)
    assert found.topics[0].terms[0] == before[0][0][0]


def test_what_is_touched_while_a_run_reads_is_read_again(stores: Stores):
    hold(stores, [REFUND.format(n) for n in range(4)])

    class Busy(WordsEmbedder):
        def embed(self, texts: Sequence[str]) -> Vectors:
            stores.conversations.delete("c0")
            hold(stores, [PARCEL.format(0)])
            take_touched(stores.evaluations.engine)
            return super().embed(texts)

    run(stores, Busy())
    embedder = WordsEmbedder()
    run(stores, embedder)
    assert embedder.embedded == [PARCEL.format(0)]


def test_greetings_do_not_tell_what_a_conversation_is_about():
    turns = [Turn(role="user", text="Hello!"), Turn(role="user", text="My lamp is broken.")]
    assert topic_text(Transcript(conversation_id="c", turns=tuple(turns))) == "My lamp is broken."
    assert topic_text(Transcript(conversation_id="c", turns=tuple(turns[:1]))) == ""
