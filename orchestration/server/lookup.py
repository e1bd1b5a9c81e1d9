"""Whose conversations these are."""

from collections.abc import Iterable

from sqlalchemy import Engine, select

from conversation.store.database import READ_ONLY, batches
from conversation.store.tables import conversations


def owners(engine: Engine, conversation_ids: Iterable[str]) -> dict[str, str]:
    """The agent of each conversation; those that are not there are left out."""
    ids, found = list(conversation_ids), dict[str, str]()
    columns = (conversations.c.conversation_id, conversations.c.agent_id)
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for batch in batches(ids):
            query = select(*columns).where(columns[0].in_(batch))
            found.update({row.conversation_id: row.agent_id for row in connection.execute(query)})
    return found
