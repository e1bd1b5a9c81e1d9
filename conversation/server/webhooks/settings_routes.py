"""Settings that hold for every agent: which webhook is told of ended conversations."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from conversation.server.access.admission import require
from conversation.server.context import Context
from conversation.server.errors import ApiError, not_found
from conversation.server.keys.api_keys import ApiKey
from conversation.server.webhooks.call_sound import can_send
from conversation.server.webhooks.workspace import (
    PostCallWebhook,
    change_settings,
    workspace_settings,
)

router = APIRouter(prefix="/v1/convai/settings", tags=["settings"])
CanAdminister = Annotated[ApiKey, Depends(require("admin"))]


class SettingsItem(BaseModel):
    """The settings as they stand. What this server does not offer is off."""

    conversation_initiation_client_data_webhook: None = None
    webhooks: PostCallWebhook
    can_use_mcp_servers: Literal[False] = False
    rag_retention_period_days: int | None = None
    conversation_embedding_retention_days: int | None = None
    default_livekit_stack: Literal["standard"] = "standard"


class SettingsChange(BaseModel):
    """What to change; what is left out stays. Anything that would have no effect is refused."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "webhooks": {
                        "post_call_webhook_id": "0123456789abcdef0123456789abcdef",
                        "events": ["transcript"],
                    }
                }
            ]
        },
    )

    conversation_initiation_client_data_webhook: None = None
    webhooks: PostCallWebhook | None = None
    can_use_mcp_servers: Literal[False] | None = None
    rag_retention_period_days: None = None
    conversation_embedding_retention_days: None = None
    default_livekit_stack: Literal["standard"] | None = None


@router.get("", operation_id="get_settings")
def get_settings(context: Context, _key: CanAdminister) -> SettingsItem:
    """The settings as they stand."""
    return SettingsItem(webhooks=workspace_settings(context.records).webhooks)


@router.patch("", operation_id="update_settings")
def update_settings(given: SettingsChange, context: Context, _key: CanAdminister) -> SettingsItem:
    """Change settings. A webhook is told of conversations that end from then on."""
    if given.webhooks is not None:
        before = workspace_settings(context.records).webhooks
        sent: dict[str, Any] = given.webhooks.model_dump(exclude_unset=True)
        webhooks = before.model_copy(update=sent)
        webhook_id = webhooks.post_call_webhook_id
        if webhook_id is not None and context.records.get("webhook", webhook_id) is None:
            raise not_found("webhook", webhook_id)
        if "post_call_audio" in webhooks.told and not can_send(context):
            raise ApiError(
                422,
                "no_recordings",
                "`audio` would have no effect: this server keeps no recordings, or cannot make MP3 "
                "of them. Install `vivavoce[voice]`, and start it where calls are recorded.",
            )
        change_settings(context.records, webhooks, now=context.clock())
    return get_settings(context, _key)
