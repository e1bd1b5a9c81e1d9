"""Secrets for webhook tools: handed in by name, used in headers, never shown.

An agent's webhook tool writes `{{secret__NAME}}` into a header.
"""

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from conversation.agent.config import AgentConfig
from conversation.server.access.admission import require
from conversation.server.context import Context, ServerContext, secrets_of
from conversation.server.errors import IN_THE_WAY, ApiError, not_found
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.server.keys.stored_secrets import NAME_PREFIX
from conversation.server.pagination import Cursor, page_of
from conversation.server.records import ApiRecord, by_creation

router = APIRouter(prefix="/v1/convai/secrets", tags=["secrets"])
CanAdminister = Annotated[ApiKey, Depends(require("admin"))]
SecretName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
SecretText = Annotated[str, Field(min_length=1, max_length=10_000)]
ALL = 1_000_000


class NewSecret(Body):
    """A name, and what is never shown again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "new", "name": "CRM_TOKEN", "value": "..."}]}
    )

    type: Literal["new"] = "new"
    name: SecretName
    value: SecretText


class SecretChange(Body):
    """A new value, and maybe another name."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"type": "update", "name": "CRM_TOKEN", "value": "..."}]}
    )

    type: Literal["update"] = "update"
    name: SecretName
    value: SecretText | None = None


class StoredSecret(BaseModel):
    """A secret's id and name."""

    type: Literal["stored"] = "stored"
    secret_id: str
    name: str


class AgentReference(BaseModel):
    """An agent that uses a secret."""

    type: Literal["available"] = "available"
    id: str
    name: str
    referenced_resource_ids: list[str] = []
    created_at_unix_secs: int = 0
    access_level: Literal["admin"] = "admin"


class SecretUse(BaseModel):
    """What uses a secret."""

    tools: list[dict[str, Any]] = []
    tools_has_more: bool = False
    agents: list[AgentReference] = []
    agents_has_more: bool = False
    phone_numbers: list[dict[str, Any]] = []
    phone_numbers_has_more: bool = False
    mcp_servers: list[dict[str, Any]] = []
    others: list[str] = []


class SecretItem(StoredSecret):
    """A secret in a list."""

    used_by: SecretUse


class SecretList(BaseModel):
    """One page of secrets."""

    secrets: list[SecretItem]
    next_cursor: str | None = None
    has_more: bool = False


@router.post("", operation_id="create_secret")
def create_secret(given: NewSecret, context: Context, _key: CanAdminister) -> StoredSecret:
    """Keep a secret."""
    stored = secrets_of(context)
    if given.name in _names(context) or given.name in context.secrets:
        raise ApiError(IN_THE_WAY, "secret_exists", f"There is a secret {given.name!r} already.")
    secret_id = uuid.uuid4().hex[:20]
    stored.put(NAME_PREFIX + given.name, given.value)
    context.records.put("secret", secret_id, {"name": given.name}, now=context.clock())
    return StoredSecret(secret_id=secret_id, name=given.name)


@router.get("", operation_id="list_secrets")
def list_secrets(
    context: Context,
    _key: CanAdminister,
    search: Annotated[str | None, Query(max_length=100)] = None,
    page_size: Annotated[int | None, Query(ge=1, le=100)] = None,
    cursor: Cursor = None,
) -> SecretList:
    """Names and ids, never a value; all of them when no `page_size` is given."""
    found = [
        record
        for record in context.records.all("secret")
        if search is None or search.lower() in str(record.body["name"]).lower()
    ]
    page = page_of(
        found,
        sort_key=by_creation,
        page_size=page_size or ALL,
        cursor=cursor,
    )
    agents = context.agents.agents()
    return SecretList(
        secrets=[_item(record, agents) for record in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.get("/{secret_id}", operation_id="get_secret")
def get_secret(secret_id: str, context: Context, _key: CanAdminister) -> SecretItem:
    """One secret's name, and what uses it."""
    return _item(_known(context, secret_id), context.agents.agents())


@router.patch("/{secret_id}", operation_id="update_secret")
def update_secret(
    secret_id: str, given: SecretChange, context: Context, _key: CanAdminister
) -> StoredSecret:
    """Replace a secret's value, or rename it. Conversations that begin afterwards use it."""
    stored, old = secrets_of(context), str(_known(context, secret_id).body["name"])
    if given.name != old and (given.name in _names(context) or given.name in context.secrets):
        raise ApiError(IN_THE_WAY, "secret_exists", f"There is a secret {given.name!r} already.")
    value = given.value or stored.get(NAME_PREFIX + old)
    if value is None:
        raise ApiError(422, "secret_lost", "Its value is gone; give a new one.")
    stored.put(NAME_PREFIX + given.name, value)
    if given.name != old:
        stored.remove(NAME_PREFIX + old)
    context.records.put("secret", secret_id, {"name": given.name}, now=context.clock())
    return StoredSecret(secret_id=secret_id, name=given.name)


@router.delete("/{secret_id}", operation_id="delete_secret", status_code=204)
def delete_secret(secret_id: str, context: Context, _key: CanAdminister) -> None:
    """Delete a secret that no agent uses."""
    found = _known(context, secret_id)
    users = _users(str(found.body["name"]), context.agents.agents())
    if users:
        names = ", ".join(repr(agent.agent_id) for agent in users)
        raise ApiError(IN_THE_WAY, "secret_in_use", f"It is used by {names}; change those first.")
    secrets_of(context).remove(NAME_PREFIX + str(found.body["name"]))
    context.records.remove("secret", secret_id)


def _known(context: ServerContext, secret_id: str) -> ApiRecord:
    found = context.records.get("secret", secret_id)
    if found is None:
        raise not_found("secret", secret_id)
    return found


def _names(context: ServerContext) -> set[str]:
    return {str(record.body["name"]) for record in context.records.all("secret")}


def _item(record: ApiRecord, agents: Any) -> SecretItem:
    name = str(record.body["name"])
    used_by = [AgentReference(id=each.agent_id, name=each.name) for each in _users(name, agents)]
    return SecretItem(secret_id=record.record_id, name=name, used_by=SecretUse(agents=used_by))


def _users(name: str, agents: Any) -> list[AgentConfig]:
    """Agents with a header that names the secret."""
    wanted = f"secret__{name}"
    return [
        agent
        for agent in agents
        if any(
            tool.webhook is not None
            and any(_names_it(value, wanted) for value in tool.webhook.headers.values())
            for tool in agent.tools
        )
    ]


def _names_it(header: str, wanted: str) -> bool:
    return wanted in header.replace("}", " ").replace("{", " ").split()
