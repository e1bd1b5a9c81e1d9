"""Delete conversations from the database: every row of theirs in every table, and what was said.

Tables are found by looking at the database, so that one that is added later is not forgotten here.
Topics and knowledge gaps outlive a conversation, but not its words.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from analysis.store import tables
from conversation.store.database import batches
from conversation.store.listing.words import turns_that_may_say
from conversation.store.tables import conversations, turns

_FOUND_OVER_MANY = (tables.conversation_topics, tables.gap_questions)
"""Of a conversation too, but found by looking at many: they go with the words."""
_ANALYSIS_TABLES = tuple(
    table for table in tables.tables_of_conversations() if table not in _FOUND_OVER_MANY
)
_WORD = re.compile(r"\w+")


def conversations_of_user(engine: sa.Engine, user_id: str) -> list[str]:
    """Return the conversations whose metadata names this `user_id`, oldest first."""
    statement = (
        sa.select(conversations.c.conversation_id)
        # The column has an index, and long ids are cut in it.
        .where(conversations.c.user_id == user_id[:255])
        .where(conversations.c.metadata["user_id"].as_string() == user_id)
        .order_by(conversations.c.started_at, conversations.c.conversation_id)
    )
    with engine.connect() as connection:
        return list(connection.execute(statement).scalars())


def with_replays(engine: sa.Engine, conversation_ids: Sequence[str]) -> list[str]:
    """Return the conversations and those in which what their users said was asked again."""
    found = list(conversation_ids)
    named = conversations.c.metadata["replay_of"].as_string()
    with engine.connect() as connection:
        latest = found
        while latest:
            replays = [
                replay
                for ids in batches(latest)
                for replay in connection.execute(
                    sa.select(conversations.c.conversation_id)
                    .where(named.in_(ids))
                    .order_by(conversations.c.conversation_id)
                ).scalars()
            ]
            latest = [replay for replay in replays if replay not in found]
            found += latest
    return found


def forget_conversations(engine: sa.Engine, conversation_ids: Sequence[str]) -> dict[str, int]:
    """Delete every row of these conversations. Returns the rows deleted by table."""
    reflected = sa.MetaData()
    reflected.reflect(engine)
    owned = [
        table for table in reversed(reflected.sorted_tables) if "conversation_id" in table.columns
    ]
    with engine.begin() as connection:
        deleted = forget_about(connection, owned, conversation_ids)
    return {name: count for name, count in sorted(deleted.items()) if count}


def forget_about(
    connection: sa.Connection, owned: Iterable[sa.Table], conversation_ids: Sequence[str]
) -> dict[str, int]:
    """Delete the rows that these tables have of conversations, and their words in topics and gaps.

    A topic or a gap that nothing is left of goes too. Returns the rows deleted by table.
    """
    deleted: Counter[str] = Counter()
    topics = _named_by(connection, tables.conversation_topics, "topic_id", conversation_ids)
    gaps = _named_by(connection, tables.gap_questions, "gap_id", conversation_ids)
    for ids in batches(conversation_ids):
        for table in owned:
            statement = sa.delete(table).where(table.c.conversation_id.in_(ids))
            deleted[table.name] += connection.execute(statement).rowcount
        # What is kept of them is gone: whoever looks at one that is still there reads it again.
        settled = tables.settled_conversations
        connection.execute(sa.delete(settled).where(settled.c.settled.in_(ids)))
    deleted["topics"] += _tidy_topics(connection, topics)
    deleted["knowledge_gaps"] += _tidy_gaps(connection, gaps)
    return deleted


def forget_evaluations(engine: sa.Engine, conversation_ids: Sequence[str]) -> dict[str, int]:
    """Delete verdicts, values, labels, masked transcripts, kept answers, ...; the words stay."""
    deleted: Counter[str] = Counter()
    with engine.begin() as connection:
        for ids in batches(conversation_ids):
            for table in _ANALYSIS_TABLES:
                statement = sa.delete(table).where(table.c.conversation_id.in_(ids))
                deleted[table.name] += connection.execute(statement).rowcount
    return {name: count for name, count in deleted.items() if count}


def forget_findings(engine: sa.Engine, agent_id: str) -> dict[str, int]:
    """Delete the topics and knowledge gaps of an agent; the next runs find them again.

    For an agent that begins to mask: what was found before holds words as they were said.
    """
    gaps, history = tables.knowledge_gaps, tables.gap_history
    own = sa.select(gaps.c.gap_id).where(gaps.c.agent_id == agent_id)
    deleted: dict[str, int] = {}
    with engine.begin() as connection:
        statement = sa.delete(history).where(history.c.gap_id.in_(own))
        deleted[history.name] = connection.execute(statement).rowcount
        runs = tables.finding_runs
        connection.execute(sa.delete(runs).where(runs.c.agent_id == agent_id))
        for table in (gaps, tables.gap_questions, tables.topics, tables.conversation_topics):
            statement = sa.delete(table).where(table.c.agent_id == agent_id)
            deleted[table.name] = connection.execute(statement).rowcount
    return {name: count for name, count in deleted.items() if count}


def with_evaluations(engine: sa.Engine, conversation_ids: Sequence[str]) -> list[str]:
    """Return those of the conversations that `forget_evaluations` would delete something of."""
    found: set[str] = set()
    with engine.connect() as connection:
        for ids in batches(conversation_ids):
            for table in _ANALYSIS_TABLES:
                column = table.c.conversation_id
                found.update(connection.execute(sa.select(column).where(column.in_(ids))).scalars())
    return [conversation_id for conversation_id in conversation_ids if conversation_id in found]


def orphans(engine: sa.Engine) -> list[str]:
    """Return conversations that are gone while answers about them are not.

    That is what a judge leaves that was asked about a conversation while it was deleted.
    """
    known = sa.select(conversations.c.conversation_id)
    found: set[str] = set()
    with engine.connect() as connection:
        for table in tables.tables_of_conversations():
            column = table.c.conversation_id
            found.update(
                connection.execute(sa.select(column).where(column.not_in(known))).scalars()
            )
    return sorted(found)


def said_by_others(engine: sa.Engine, texts: Iterable[str]) -> set[str]:
    """Return those of the texts that stand in a turn that is still there: "Thank you so much!"."""
    found: set[str] = set()
    with engine.connect() as connection:
        for text in texts:
            statement = sa.select(turns.c.turn_id).where(
                turns.c.heard_text.contains(text, autoescape=True)
            )
            may_say = turns_that_may_say(connection, text)
            if may_say is not None:
                statement = statement.where(may_say)
            if connection.execute(statement.limit(1)).first() is not None:
                found.add(text)
    return found


def _named_by(
    connection: sa.Connection, table: sa.Table, name: str, conversation_ids: Sequence[str]
) -> set[str]:
    """Topics or gaps that these conversations have."""
    found: set[str] = set()
    for ids in batches(conversation_ids):
        statement = sa.select(table.c[name]).where(table.c.conversation_id.in_(ids))
        found.update(value for value in connection.execute(statement).scalars() if value)
    return found


def _tidy_topics(connection: sa.Connection, topic_ids: Iterable[str]) -> int:
    """Delete topics that are left without conversations; keep of others what is still said."""
    members, topics = tables.conversation_topics, tables.topics
    deleted = 0
    for topic_id in topic_ids:
        said = connection.execute(
            sa.select(turns.c.heard_text)
            .join(members, members.c.conversation_id == turns.c.conversation_id)
            .where(members.c.topic_id == topic_id)
        ).scalars()
        words = _words(said)
        this = topics.c.topic_id == topic_id
        if not words:
            deleted += connection.execute(sa.delete(topics).where(this)).rowcount
            continue
        row = connection.execute(sa.select(topics.c.name, topics.c.terms).where(this)).first()
        if row is not None:
            terms = [term for term in row.terms if _words([term]) <= words]
            name = row.name if _words([row.name]) <= words else ", ".join(terms[:3])
            connection.execute(sa.update(topics).where(this).values(name=name, terms=terms))
    return deleted


def _tidy_gaps(connection: sa.Connection, gap_ids: Iterable[str]) -> int:
    """Delete gaps that are left without questions; keep of others what is still asked."""
    questions, gaps = tables.gap_questions, tables.knowledge_gaps
    deleted = 0
    for gap_id in gap_ids:
        asked = [
            str(text)
            for text in connection.execute(
                sa.select(questions.c.question)
                .where(questions.c.gap_id == gap_id)
                .order_by(questions.c.gap_question_id)
            ).scalars()
        ]
        this = gaps.c.gap_id == gap_id
        if not asked:
            history = tables.gap_history
            connection.execute(sa.delete(history).where(history.c.gap_id == gap_id))
            deleted += connection.execute(sa.delete(gaps).where(this)).rowcount
            continue
        row = connection.execute(sa.select(gaps.c.title, gaps.c.missing_words).where(this)).first()
        if row is not None:
            values = _still_asked(row.title, row.missing_words, asked)
            connection.execute(sa.update(gaps).where(this).values(values))
    return deleted


def _still_asked(title: str, missing: Sequence[str], asked: Sequence[str]) -> dict[str, object]:
    words = _words(asked)
    kept: dict[str, object] = {"missing_words": [w for w in missing if _words([w]) <= words]}
    if _words([title]) <= words:
        return kept
    return {**kept, "title": asked[0], "titled_by": "question"}


def _words(texts: Iterable[str]) -> set[str]:
    return {word.casefold() for text in texts for word in _WORD.findall(text)}
