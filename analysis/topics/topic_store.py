"""Topics in the analysis store: their ids, names, middles and conversations."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from analysis.store import tables
from analysis.store.kept_rows import as_bytes, as_vector, read_kept_rows
from conversation.store.tables import conversations
from kb.embedding.embedder import Vectors


@dataclass(frozen=True, slots=True)
class KnownTopic:
    """A topic as it is kept."""

    topic_id: str
    name: str
    named_by: str
    """`words`, or the model string that was asked."""
    terms: tuple[str, ...]
    centroid: Vectors
    model_id: str


@dataclass(frozen=True, slots=True)
class TopicMember:
    """A conversation with its topic."""

    conversation_id: str
    topic_id: str | None
    """None: like no other conversation."""
    similarity: float | None
    """To the topic's middle."""
    text_sha256: str
    model_id: str
    vector: Vectors
    text: str | None
    """What was embedded; None in a store of before, until it was read again."""


def read_topics(engine: sa.Engine, agent_id: str) -> list[KnownTopic]:
    """Return the agent's topics, those without conversations included."""
    table = tables.topics
    return [
        KnownTopic(
            row["topic_id"],
            row["name"],
            row["named_by"],
            tuple(row["terms"]),
            as_vector(row["centroid"]),
            row["model_id"],
        )
        for row in read_kept_rows(engine, sa.select(table).where(table.c.agent_id == agent_id))
    ]


def read_members(engine: sa.Engine, agent_id: str) -> dict[str, TopicMember]:
    """Return what is kept of the agent's conversations, by id."""
    table = tables.conversation_topics
    return {
        row["conversation_id"]: TopicMember(
            row["conversation_id"],
            row["topic_id"],
            row["similarity"],
            row["text_sha256"],
            row["model_id"],
            as_vector(row["vector"]),
            row["text"],
        )
        for row in read_kept_rows(engine, sa.select(table).where(table.c.agent_id == agent_id))
    }


def save_topics(
    engine: sa.Engine,
    agent_id: str,
    topics: Sequence[KnownTopic],
    members: Sequence[TopicMember],
    *,
    gone: Sequence[str] = (),
    now: datetime,
) -> None:
    """Keep a run: topics are added or renewed, and what changed of conversations.

    Args:
        engine: Of the analysis store.
        agent_id: Whose.
        topics: Those that have conversations.
        members: Conversations that are new or of which anything is another than before.
        gone: Conversations of which nothing is to be kept.
        now: The time that is noted.
    """
    topic, member = tables.topics, tables.conversation_topics
    with engine.begin() as connection:
        found_at = {
            row.topic_id: row.found_at
            for row in connection.execute(
                sa.select(topic.c.topic_id, topic.c.found_at).where(topic.c.agent_id == agent_id)
            )
        }
        ids = [found.topic_id for found in topics]
        connection.execute(sa.delete(topic).where(topic.c.topic_id.in_(ids)))
        replaced = [*gone, *(kept.conversation_id for kept in members)]
        if replaced:
            this = member.c.conversation_id == sa.bindparam("replaced")
            connection.execute(sa.delete(member).where(this), [{"replaced": k} for k in replaced])
        if topics:
            connection.execute(
                sa.insert(topic),
                [
                    {
                        "topic_id": found.topic_id,
                        "agent_id": agent_id,
                        "name": found.name,
                        "named_by": found.named_by,
                        "terms": list(found.terms),
                        "centroid": as_bytes(found.centroid),
                        "model_id": found.model_id,
                        "found_at": found_at.get(found.topic_id, now),
                        "updated_at": now,
                    }
                    for found in topics
                ],
            )
        if members:
            connection.execute(
                sa.insert(member),
                [
                    {
                        "conversation_id": kept.conversation_id,
                        "agent_id": agent_id,
                        "topic_id": kept.topic_id,
                        "similarity": kept.similarity,
                        "text_sha256": kept.text_sha256,
                        "model_id": kept.model_id,
                        "vector": as_bytes(kept.vector),
                        "text": kept.text,
                        "assigned_at": now,
                    }
                    for kept in members
                ],
            )


def read_members_by_topic(engine: sa.Engine, agent_id: str) -> dict[str, list[str]]:
    """Return the conversations of each topic, the most typical first, without their texts."""
    member = tables.conversation_topics
    query = sa.select(member.c.topic_id, member.c.conversation_id, member.c.similarity).where(
        member.c.agent_id == agent_id, member.c.topic_id.is_not(None)
    )
    found: dict[str, list[tuple[float, str]]] = {}
    for row in read_kept_rows(engine, query):
        likeness = (-row["similarity"], row["conversation_id"])
        found.setdefault(row["topic_id"], []).append(likeness)
    return {key: [each for _, each in sorted(members)] for key, members in found.items()}


@dataclass(frozen=True, slots=True)
class TopicTimes:
    """A topic without what it was found by."""

    topic_id: str
    name: str
    terms: tuple[str, ...]
    found_at: datetime
    updated_at: datetime


def read_topic_times(engine: sa.Engine, agent_id: str) -> list[TopicTimes]:
    """Return the agent's topics with the times of the runs that found them first and last."""
    table = tables.topics
    columns = (table.c.topic_id, table.c.name, table.c.terms, table.c.found_at, table.c.updated_at)
    return [
        TopicTimes(
            row["topic_id"], row["name"], tuple(row["terms"]), row["found_at"], row["updated_at"]
        )
        for row in read_kept_rows(engine, sa.select(*columns).where(table.c.agent_id == agent_id))
    ]


def conversations_by_topic(
    engine: sa.Engine,
    agent_id: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[str, list[str]]:
    """Return the ids of an agent's conversations by topic, of those that began in a window.

    Args:
        engine: Of a database that holds the conversations as well.
        agent_id: Whose.
        since: Begun at this time or later.
        until: Begun before this time.
    """
    member = tables.conversation_topics
    query = sa.select(member.c.topic_id, member.c.conversation_id).where(
        member.c.agent_id == agent_id, member.c.topic_id.is_not(None)
    )
    if since is not None or until is not None:
        query = query.join(
            conversations, conversations.c.conversation_id == member.c.conversation_id
        )
        if since is not None:
            query = query.where(conversations.c.started_at >= since)
        if until is not None:
            query = query.where(conversations.c.started_at < until)
    found: dict[str, list[str]] = {}
    for row in read_kept_rows(engine, query.order_by(member.c.conversation_id)):
        found.setdefault(row["topic_id"], []).append(row["conversation_id"])
    return found


def conversations_about(
    engine: sa.Engine, topic_ids: Collection[str], *, among: Collection[str]
) -> set[str]:
    """Those of some conversations that have one of these topics.

    Args:
        engine: Of the database of the analysis.
        topic_ids: A few.
        among: A page of conversations.
    """
    member = tables.conversation_topics
    query = sa.select(member.c.conversation_id).where(
        member.c.topic_id.in_(topic_ids), member.c.conversation_id.in_(among)
    )
    return {row["conversation_id"] for row in read_kept_rows(engine, query)}


def topic_rows(engine: sa.Engine) -> list[dict[str, Any]]:
    """Return each conversation of each agent with its topic, for the reports."""
    topic, member = tables.topics, tables.conversation_topics
    return read_kept_rows(
        engine,
        sa.select(
            member.c.agent_id,
            member.c.conversation_id,
            member.c.topic_id,
            topic.c.name.label("topic"),
            topic.c.terms,
            member.c.similarity,
            member.c.assigned_at,
        )
        .select_from(member.outerjoin(topic, topic.c.topic_id == member.c.topic_id))
        .order_by(member.c.agent_id, member.c.conversation_id),
    )
