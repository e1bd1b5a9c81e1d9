"""Addresses of models that clients set over the API before they named the key of each."""

from typing import Any, cast

from sqlalchemy import Engine, select

from conversation.store.database import READ_ONLY
from conversation.store.tables import agent_notes

_PATH = ("conversation_config", "agent", "prompt", "custom_llm", "url")


def endpoints_from_clients(engine: Engine) -> frozenset[str]:
    """The addresses that notes of agents hold.

    Today the file of an agent says which key its endpoint gets, and what clients sent is kept
    without the address: what is found here was saved before that.
    """
    with engine.connect().execution_options(**READ_ONLY) as connection:
        sent = connection.execute(select(agent_notes.c.sent)).scalars().all()
    found = (_at(each, *_PATH) for each in sent)
    return frozenset(url for url in found if isinstance(url, str) and url)


def _at(value: Any, *path: str) -> object:
    for key in path:
        value = cast("dict[str, Any]", value).get(key) if isinstance(value, dict) else None
    return value
