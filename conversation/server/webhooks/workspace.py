"""Settings that hold for every agent, and the webhooks they name."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from conversation.server.context import ServerContext, secrets_of
from conversation.server.keys.stored_secrets import KeptSecrets
from conversation.server.records import ApiRecord, RecordStore
from conversation.server.webhooks.deliveries import WebhookEvent

SETTINGS_ID = "workspace"
EventKind = Literal["transcript", "audio"]
EVENTS: dict[EventKind, WebhookEvent] = {
    "transcript": "post_call_transcription",
    "audio": "post_call_audio",
}
"""What is sent, by what the settings call it."""


class PostCallWebhook(BaseModel):
    """Which webhook is told when a conversation has ended, and what."""

    model_config = ConfigDict(extra="forbid")

    post_call_webhook_id: str | None = None
    events: list[EventKind] = ["transcript"]
    """Transcripts and recordings, masked where the agent says so, each in a request of its own."""
    transcript_format: Literal["json"] = "json"
    exclude_transcript: bool = False
    """Send metadata and analysis, and no turn."""
    send_audio: bool | None = None
    """The older name of `audio` in `events`."""

    @property
    def told(self) -> tuple[WebhookEvent, ...]:
        """What is sent of each conversation, in this order."""
        wanted = set(self.events) | ({"audio"} if self.send_audio else set[EventKind]())
        return tuple(event for kind, event in EVENTS.items() if kind in wanted)


class WorkspaceSettings(BaseModel):
    """What holds for every agent."""

    webhooks: PostCallWebhook = Field(default_factory=PostCallWebhook)
    tells_since: datetime | None = None
    """Since when the webhook is set: conversations that ended before are not told."""


@dataclass(frozen=True, slots=True)
class WorkspaceWebhook:
    """A webhook as it stands, with its secrets."""

    webhook_id: str
    body: Mapping[str, Any]
    secret: str
    headers: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self.body["webhook_url"])

    @property
    def is_on(self) -> bool:
        """Whether it is told anything now."""
        return not (self.body.get("is_disabled") or self.body.get("is_auto_disabled"))


def workspace_settings(records: RecordStore) -> WorkspaceSettings:
    """The settings as they stand."""
    found = records.get("settings", SETTINGS_ID)
    return WorkspaceSettings() if found is None else WorkspaceSettings.model_validate(found.body)


def change_settings(
    records: RecordStore, webhooks: PostCallWebhook, *, now: datetime
) -> WorkspaceSettings:
    """Keep new settings; a webhook that is set now is told of what ends from now on."""

    def made(body: Mapping[str, Any] | None) -> dict[str, Any]:
        old = WorkspaceSettings() if body is None else WorkspaceSettings.model_validate(body)
        is_new = webhooks.post_call_webhook_id != old.webhooks.post_call_webhook_id
        since = now if is_new else old.tells_since
        return WorkspaceSettings(webhooks=webhooks, tells_since=since).model_dump(mode="json")

    records.change("settings", SETTINGS_ID, made, now=now)
    return workspace_settings(records)


def add_webhook(
    context: ServerContext, body: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[str, str]:
    """Keep a new webhook. Returns its id, and the secret that it verifies with."""
    webhook_id, secret = uuid.uuid4().hex, f"wsec_{uuid.uuid4().hex}{uuid.uuid4().hex}"
    stored = secrets_of(context)
    stored.put(webhook_id, secret)
    keep_headers(stored, webhook_id, headers)
    context.records.put("webhook", webhook_id, body, now=context.clock())
    return webhook_id, secret


def keep_headers(stored: KeptSecrets, webhook_id: str, headers: Mapping[str, str]) -> None:
    """Keep what a webhook is sent besides; it often holds a token."""
    if headers:
        stored.put(_headers_id(webhook_id), json.dumps(dict(headers)))
    else:
        stored.remove(_headers_id(webhook_id))


def remove_webhook(context: ServerContext, webhook_id: str) -> bool:
    """Delete a webhook with its secrets, and where the settings name it; False without one."""
    if not context.records.remove("webhook", webhook_id):
        return False
    settings = workspace_settings(context.records)
    if settings.webhooks.post_call_webhook_id == webhook_id:
        without = settings.webhooks.model_copy(update={"post_call_webhook_id": None})
        change_settings(context.records, without, now=context.clock())
    stored = secrets_of(context)
    stored.remove(webhook_id)
    stored.remove(_headers_id(webhook_id))
    return True


def webhooks(records: RecordStore, stored: KeptSecrets) -> dict[str, WorkspaceWebhook]:
    """Every webhook by its id."""
    values = stored.values()
    return {
        record.record_id: _webhook(record, values)
        for record in records.all("webhook")
        if record.record_id in values
    }


def _webhook(record: ApiRecord, values: Mapping[str, str]) -> WorkspaceWebhook:
    headers = json.loads(values.get(_headers_id(record.record_id), "{}"))
    return WorkspaceWebhook(record.record_id, record.body, values[record.record_id], headers)


def _headers_id(webhook_id: str) -> str:
    return f"{webhook_id}.headers"
