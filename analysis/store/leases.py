"""One run at a time asks about a conversation, so that runs which overlap pay nothing twice."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from analysis.store import tables
from conversation.store.ownership import is_gone, this_process

LASTS = timedelta(hours=1)
"""Longer than a judge takes for all questions of one conversation. Only counts for holders on other
machines: whether one on this machine still lives is asked of the system."""


def take(engine: sa.Engine, conversation_id: str, *, holder: str, now: datetime) -> bool:
    """Take a conversation for asking; False when another run is asking about it.

    Args:
        engine: Of the analysis store.
        conversation_id: What is asked about.
        holder: From `new_holder`, one for each run.
        now: The time, from which the lease lasts.
    """
    table = tables.evaluation_leases
    this_one = table.c.conversation_id == conversation_id
    try:
        with engine.begin() as connection:
            held = connection.execute(sa.select(table).where(this_one)).first()
            if held is not None and held.holder != holder:
                if held.until > now and not is_gone(_process(held.holder), asked_by=this_process()):
                    return False
                # Only as it was seen: of two that find it abandoned, one takes it over.
                connection.execute(sa.delete(table).where(this_one, table.c.holder == held.holder))
            elif held is not None:
                return True
            row = {"conversation_id": conversation_id, "holder": holder, "until": now + LASTS}
            connection.execute(sa.insert(table), row)
    except IntegrityError:
        return False
    return True


def give_back(engine: sa.Engine, conversation_id: str, *, holder: str) -> None:
    """Let others ask about the conversation; does nothing when another run has it."""
    table = tables.evaluation_leases
    with engine.begin() as connection:
        connection.execute(
            sa.delete(table).where(
                table.c.conversation_id == conversation_id, table.c.holder == holder
            )
        )


@contextmanager
def given_back(engine: sa.Engine, holder: str) -> Generator[None]:
    """Give back what `holder` still has at the end, however that comes."""
    try:
        yield
    finally:
        table = tables.evaluation_leases
        with engine.begin() as connection:
            connection.execute(sa.delete(table).where(table.c.holder == holder))


def new_holder(number: str) -> str:
    """Name of a run: its process, and a number that tells it from others of that process."""
    return f"{this_process()} {number}"


def _process(holder: str) -> str:
    return holder.partition(" ")[0]
