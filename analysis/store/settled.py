"""Conversations in which nothing is left to ask: found once, so that a plan follows what is open.

`settled_conversations` holds pairs of a conversation and a hash of everything that was asked of it.
Whoever touches a conversation or its answers takes its pairs away (`analysis.store.touched`).
"""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from analysis.store.rows import insert_or_ignore
from analysis.store.tables import settled_conversations
from analysis.store.touched import mark_in
from conversation.store.database import READ_ONLY, batches
from conversation.store.tables import conversations

_SETTLED = settled_conversations.c


def is_beside(conversations_engine: sa.Engine, engine: sa.Engine) -> bool:
    """Whether two stores are one database, so that one query sees both."""
    if conversations_engine is engine:
        return True
    in_memory = engine.url.get_backend_name() == "sqlite" and engine.url.database in (
        None,
        "",
        ":memory:",
    )
    return conversations_engine.url == engine.url and not in_memory


def ended_by_agent(engine: sa.Engine) -> dict[str, int]:
    """How many conversations of each agent are over."""
    columns = conversations.c
    query = (
        sa.select(columns.agent_id, sa.func.count())
        .where(columns.ended_at.is_not(None))
        .group_by(columns.agent_id)
    )
    with engine.connect().execution_options(**READ_ONLY) as connection:
        return {agent_id: count for agent_id, count in connection.execute(query)}


def open_ids(engine: sa.Engine, asked: Mapping[str, str], ended: Mapping[str, int]) -> list[str]:
    """Conversations that are over and not settled, in the order of their start.

    Args:
        engine: Of both stores.
        asked: By agent, the hash of everything it asks; other agents are left out.
        ended: From `ended_by_agent`: an agent of which all are settled costs no look at them.
    """
    counts = sa.select(_SETTLED.agent_id, sa.func.count()).where(_SETTLED.asked.in_(asked.values()))
    columns = conversations.c
    with engine.connect().execution_options(**READ_ONLY) as connection:
        settled = {
            agent_id: count
            for agent_id, count in connection.execute(counts.group_by(_SETTLED.agent_id))
        }
        unsettled = [name for name in asked if ended.get(name, 0) > settled.get(name, 0)]
        if not unsettled:
            return []
        is_settled = sa.exists().where(
            _SETTLED.settled == columns.conversation_id,
            _SETTLED.asked.in_([asked[name] for name in unsettled]),
        )
        query = (
            sa.select(columns.conversation_id)
            .where(columns.agent_id.in_(unsettled), columns.ended_at.is_not(None), ~is_settled)
            .order_by(columns.started_at, columns.conversation_id)
        )
        return list(connection.execute(query).scalars())


def settled_of(
    engine: sa.Engine, conversation_ids: Sequence[str], asked: Collection[str]
) -> set[str]:
    """Those of the conversations that are settled for one of these hashes."""
    found: set[str] = set()
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for ids in batches(conversation_ids):
            query = sa.select(_SETTLED.settled).where(
                _SETTLED.settled.in_(ids), _SETTLED.asked.in_(asked)
            )
            found.update(connection.execute(query).scalars())
    return found


def settle(
    engine: sa.Engine, settled: Mapping[str, str], asked: Mapping[str, str], *, seen: int
) -> bool:
    """Note that nothing is left to ask in these conversations.

    Args:
        engine: Of both stores.
        settled: Agents by conversation.
        asked: By agent, the hash of everything it asks.
        seen: `last_mark` of before they were read: when it moved, nothing is noted, as what moved
            it may have been one of them.

    Returns:
        Whether they were noted.
    """
    if not settled:
        return True
    rows = [
        {"settled": each, "agent_id": agent_id, "asked": asked[agent_id]}
        for each, agent_id in settled.items()
    ]
    with engine.begin() as connection:
        if mark_in(connection) != seen:
            return False
        connection.execute(insert_or_ignore(connection, settled_conversations), rows)
    return True
