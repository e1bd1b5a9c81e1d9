"""The widget that pages of others load: its script, and what it asks of an agent."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from conversation.server.access.admission import may_look
from conversation.server.context import Context
from conversation.server.pages.client_config import client_config
from conversation.server.pages.routes import script_answer
from conversation.server.pages.scripts import widget_script

router = APIRouter(include_in_schema=False)


@router.get("/widget.js")
def widget(request: Request) -> Response:
    """Defines `<vivavoce-widget>`."""
    return script_answer(widget_script(), request)


@router.get("/widget/{agent_id}")
def widget_config(
    agent_id: str,
    request: Request,
    context: Context,
    conversation_signature: Annotated[str | None, Query(max_length=1_024)] = None,
) -> dict[str, Any]:
    """How the agent looks on a page. Open to whoever may talk to it, without a key."""
    agent = may_look(request, agent_id, context=context, signature=conversation_signature)
    return client_config(agent, has_voice=context.has_voice_for(agent))
