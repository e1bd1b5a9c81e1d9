"""Webhooks that are told when a conversation has ended, and what became of each telling."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator

from conversation.server.access.admission import require
from conversation.server.context import Context, ServerContext, secrets_of
from conversation.server.errors import ApiError, not_found
from conversation.server.incoming.body import Body
from conversation.server.incoming.names import ReadableName
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from conversation.server.records import ApiRecord
from conversation.server.webhooks.deliveries import Delivery, WebhookDeliveries
from conversation.server.webhooks.workspace import (
    add_webhook,
    keep_headers,
    remove_webhook,
    workspace_settings,
)
from kb.errors import DocumentError
from kb.web.addresses import check_literal, read_url

router = APIRouter(tags=["webhooks"])

CanAdminister = Annotated[ApiKey, Depends(require("admin"))]
_NAME = Field(min_length=1, max_length=200)
Headers = dict[
    Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")],
    Annotated[str, Field(max_length=4_000, pattern=r"^[\x20-\x7e]*$")] | None,
]


class WebhookSettings(BaseModel):
    """Where a webhook is. It is signed with HMAC-SHA256, as the SDKs verify."""

    model_config = ConfigDict(extra="forbid")

    auth_type: Literal["hmac"] = "hmac"
    name: Annotated[ReadableName, _NAME]
    webhook_url: str = Field(max_length=2_000)
    request_headers: Headers | None = None

    @field_validator("webhook_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        try:
            read_url(url)
        except DocumentError as error:
            raise ValueError(
                "write an address that begins with https:// or http://, with no password in it"
            ) from error
        return url


class NewWebhook(Body):
    """A webhook to keep."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "settings": {
                        "auth_type": "hmac",
                        "name": "Help desk",
                        "webhook_url": "https://desk.example.com/calls",
                    }
                }
            ]
        }
    )

    settings: WebhookSettings


class MadeWebhook(BaseModel):
    """A new webhook, with the secret that it verifies with. That is not shown again."""

    webhook_id: str
    webhook_secret: str


class WebhookChange(BaseModel):
    """What to change; switching on what was switched off by itself tries again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"is_disabled": False, "name": "Help desk"}]},
    )

    is_disabled: bool
    name: Annotated[ReadableName, _NAME]
    retry_enabled: bool | None = None
    request_headers: Headers | None = None
    events: list[str] | None = None


class WebhookUsage(BaseModel):
    """What uses a webhook."""

    usage_type: str


class WebhookItem(BaseModel):
    """A webhook as it stands; its secret and its headers are not shown."""

    name: str
    webhook_id: str
    webhook_url: str
    is_disabled: bool
    is_auto_disabled: bool
    """Ten attempts in a row failed, and none succeeded for seven days."""
    created_at_unix: int
    auth_type: Literal["hmac"] = "hmac"
    usage: list[WebhookUsage] | None = None
    events: list[str] = []
    most_recent_failure_error_code: int | None = None
    most_recent_failure_timestamp: int | None = None
    retry_enabled: bool = True


class WebhookList(BaseModel):
    """Every webhook."""

    webhooks: list[WebhookItem]


class Done(BaseModel):
    """It is done."""

    status: Literal["ok"] = "ok"


class DeliveryItem(BaseModel):
    """What became of telling a webhook of a conversation."""

    webhook_id: str
    conversation_id: str
    event: str
    state: Literal["waiting", "delivered", "dead"]
    """`dead` was given up: `revive` tries it again."""
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    error: str | None
    status_code: int | None


class DeliveryList(BaseModel):
    """One page of deliveries, oldest first."""

    deliveries: list[DeliveryItem]
    next_cursor: str | None = None
    has_more: bool


class Revived(BaseModel):
    """How many deliveries are tried again."""

    revived: int


@router.post("/v1/workspace/webhooks", operation_id="create_webhook")
def create_webhook(given: NewWebhook, context: Context, _key: CanAdminister) -> MadeWebhook:
    """Keep a webhook. The settings say which one is told when conversations end."""
    settings = given.settings
    _require_public(settings.webhook_url, context)
    body = {
        "name": settings.name,
        "webhook_url": settings.webhook_url,
        "is_disabled": False,
        "is_auto_disabled": False,
        "retry_enabled": True,
    }
    webhook_id, secret = add_webhook(context, body, _filled(settings.request_headers))
    return MadeWebhook(webhook_id=webhook_id, webhook_secret=secret)


@router.get("/v1/workspace/webhooks", operation_id="list_webhooks")
def list_webhooks(
    context: Context, _key: CanAdminister, include_usages: bool = False
) -> WebhookList:
    """Every webhook, oldest first."""
    used = workspace_settings(context.records).webhooks.post_call_webhook_id
    return WebhookList(
        webhooks=[
            _item(record, is_used=record.record_id == used if include_usages else None)
            for record in context.records.all("webhook")
        ]
    )


@router.patch("/v1/workspace/webhooks/{webhook_id}", operation_id="update_webhook")
def update_webhook(
    webhook_id: str, given: WebhookChange, context: Context, _key: CanAdminister
) -> Done:
    """Rename a webhook, or switch it off and on. What waits for it goes on waiting."""
    if given.events:
        raise ApiError(
            422,
            "unsupported_parameter",
            "`events`: what a webhook is told stands in the settings (`PATCH /v1/convai/settings`, "
            "`webhooks.events`).",
        )

    def made(body: Any) -> dict[str, Any] | None:
        if body is None:
            return None
        changed = {**body, "name": given.name, "is_disabled": given.is_disabled}
        if given.retry_enabled is not None:
            changed["retry_enabled"] = given.retry_enabled
        if not given.is_disabled:
            changed |= {"is_auto_disabled": False, "failures_in_a_row": 0}
        return changed

    if context.records.change("webhook", webhook_id, made, now=context.clock()) is None:
        raise not_found("webhook", webhook_id)
    if given.request_headers is not None:
        keep_headers(secrets_of(context), webhook_id, _filled(given.request_headers))
    return Done()


@router.delete("/v1/workspace/webhooks/{webhook_id}", operation_id="delete_webhook")
def delete_webhook(webhook_id: str, context: Context, _key: CanAdminister) -> Done:
    """Delete a webhook with what waits for it; settings that name it name none."""
    if not remove_webhook(context, webhook_id):
        raise not_found("webhook", webhook_id)
    WebhookDeliveries(context.store.engine).drop(webhook_id)
    return Done()


@router.get("/api/webhooks/deliveries", operation_id="list_webhook_deliveries")
def list_deliveries(
    context: Context,
    _key: CanAdminister,
    webhook_id: Annotated[str | None, Query(max_length=64)] = None,
    state: Literal["waiting", "delivered", "dead"] | None = None,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> DeliveryList:
    """What was told, what waits, and what was given up (`state=dead`)."""
    found = WebhookDeliveries(context.store.engine).listed(webhook_id=webhook_id, state=state)
    page = page_of(
        found,
        sort_key=lambda each: (
            each.created_at.timestamp(),
            each.conversation_id,
            each.webhook_id,
            each.event,
        ),
        page_size=page_size,
        cursor=cursor,
    )
    return DeliveryList(
        deliveries=[_delivery(each) for each in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.post("/api/webhooks/{webhook_id}/revive", operation_id="revive_webhook_deliveries")
def revive(webhook_id: str, context: Context, _key: CanAdminister) -> Revived:
    """Try again everything that was given up for this webhook."""
    if context.records.get("webhook", webhook_id) is None:
        raise not_found("webhook", webhook_id)
    queue = WebhookDeliveries(context.store.engine)
    return Revived(revived=queue.revive(webhook_id, now=context.clock()))


def _require_public(url: str, context: ServerContext) -> None:
    """Refuse at once what no delivery could reach; where a name leads is judged when it is told."""
    try:
        check_literal(read_url(url), allowed_cidrs=context.webhook_networks)
    except DocumentError as error:
        raise ApiError(
            422,
            error.reason,
            "`webhook_url` leads to an address that is not public. The operator may allow its "
            "network in `VIVAVOCE_WEBHOOK_NETWORKS`.",
        ) from error


def _filled(headers: Headers | None) -> dict[str, str]:
    return {name: value for name, value in (headers or {}).items() if value is not None}


def _item(record: ApiRecord, *, is_used: bool | None) -> WebhookItem:
    usage = [WebhookUsage(usage_type="ConvAI Settings")] if is_used else []
    return WebhookItem.model_validate(
        {
            **record.body,
            "webhook_id": record.record_id,
            "created_at_unix": int(record.created_at.timestamp()),
            "usage": None if is_used is None else usage,
        }
    )


def _delivery(delivery: Delivery) -> DeliveryItem:
    fields = {name: getattr(delivery, name) for name in Delivery.__dataclass_fields__}
    if delivery.state != "waiting":
        fields["next_attempt_at"] = None
    return DeliveryItem.model_validate(fields)
