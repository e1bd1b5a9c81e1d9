"""Whether the server is there, and whether it can work."""

import logging
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from sqlalchemy import text

from conversation.errors import ConversationError
from conversation.server.context import Context
from conversation.store.database import READ_ONLY

router = APIRouter(prefix="/api", tags=["operation"])
_log = logging.getLogger(__name__)


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """What works. Not one word of it tells a stranger what is inside."""

    status: Literal["ready", "not_ready"]
    store: bool
    agents: bool
    """At least one agent can be used."""
    warming: bool = False
    """What the first conversation needs is still being loaded."""
    stopping: bool
    conversations: int
    """At this moment."""


@router.get("/health")
async def health() -> Health:
    """Answers as long as the process runs."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness}})
def ready(context: Context, response: Response) -> Readiness:
    """Answers 200 when a conversation could start now, else 503."""
    store, agents = _store_answers(context), _has_agents(context)
    is_ready = store and agents and not (context.stopping or context.warming)
    if not is_ready:
        response.status_code = 503
    return Readiness(
        status="ready" if is_ready else "not_ready",
        store=store,
        agents=agents,
        warming=context.warming,
        stopping=context.stopping,
        conversations=context.gate.running,
    )


def _store_answers(context: Context) -> bool:
    try:
        with context.store.engine.connect().execution_options(**READ_ONLY) as connection:
            connection.execute(text("select 1"))
    except Exception as error:
        # Whatever it is, the answer to the question is no.
        _log.error("the store does not answer: %s", type(error).__name__)
        return False
    return True


def _has_agents(context: Context) -> bool:
    try:
        return bool(context.agents.agents())
    except ConversationError as error:
        _log.error("the agents cannot be read: %s", error)
        return False
