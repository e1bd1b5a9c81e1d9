"""Signed URLs and conversation tokens: how a page talks to an agent that is not public."""

import uuid
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict

from conversation.server.access.admission import require
from conversation.server.access.own_address import require_base_url
from conversation.server.context import Context
from conversation.server.keys.api_keys import ApiKey
from conversation.server.keys.signing import VALID_S, Grant, signed_url

router = APIRouter(prefix="/v1/convai/conversation", tags=["conversations"])


class SignedUrl(BaseModel):
    """Where to open the WebSocket."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "signed_url": "wss://agents.example.com/v1/convai/conversation"
                    "?agent_id=support&conversation_signature=eyJhIjoic3VwcG9ydCJ9.c2lnbmF0dXJl",
                    "conversation_id": None,
                }
            ]
        }
    )

    signed_url: str
    conversation_id: str | None = None
    """Of the one conversation that it starts, when that was asked for."""


@router.get("/get-signed-url", operation_id="get_signed_url")
@router.get("/get_signed_url", include_in_schema=False)
def get_signed_url(
    request: Request,
    context: Context,
    agent_id: Annotated[str, Query(max_length=128)],
    _key: Annotated[ApiKey, Depends(require("converse"))],
    include_conversation_id: bool = False,
) -> SignedUrl:
    """An address that starts conversations with one agent, for fifteen minutes.

    With `include_conversation_id` it starts one conversation, once, and its id is fixed now.
    """
    agent = context.agents.agent(agent_id)
    conversation_id = f"conv_{uuid.uuid4().hex}" if include_conversation_id else None
    grant = Grant(
        agent_id=agent.agent_id,
        expires_at_s=int((context.clock() + timedelta(seconds=VALID_S)).timestamp()),
        signature_id=uuid.uuid4().hex,
        conversation_id=conversation_id,
    )
    url = signed_url(require_base_url(request, context), grant, secret=context.secret)
    return SignedUrl(signed_url=url, conversation_id=conversation_id)
