"""Tools: made, read, changed and deleted by themselves; agents name them by `tool_ids`."""

from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, ValidationError

from conversation.agent.tool_config import ToolConfig
from conversation.server.access.admission import require
from conversation.server.agents.agent_tools import tool_section
from conversation.server.agents.authoring import Authoring
from conversation.server.agents.bodies import AccessInfo, SentTool
from conversation.server.agents.field_kinds.agents import require_kinds_of_tool
from conversation.server.agents.files import AgentRecord
from conversation.server.agents.kept_tools import tool_ids_of
from conversation.server.agents.tool_wire import ToolItem
from conversation.server.context import Authored, Context, ServerContext
from conversation.server.errors import IN_THE_WAY, ApiError, not_found, not_supported
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.server.keys.write_only import with_hidden, without_hidden
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from conversation.server.parameters import ANY_PARAMETER
from conversation.server.records import ApiRecord

router = APIRouter(prefix="/v1/convai/tools", tags=["agents"])

MayRead = Annotated[ApiKey, Depends(require("read"))]
MayChange = Annotated[ApiKey, Depends(require("admin"))]
_EXAMPLE: dict[str, Any] = {
    "tool_config": {
        "type": "client",
        "name": "show_order",
        "description": "Shows an order to the user.",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
    }
}


class SentTools(Body):
    """A tool to keep."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    tool_config: SentTool


class ToolUse(BaseModel):
    """Calls are counted by the reports, `GET /api/reports/tool_usage`."""

    total_calls: int = 0
    avg_latency_secs: float = 0.0


class KeptTool(BaseModel):
    """A tool that is kept."""

    id: str
    tool_config: dict[str, Any]
    access_info: AccessInfo = AccessInfo()
    usage_stats: ToolUse = ToolUse()


class ToolPage(BaseModel):
    """One page of tools."""

    tools: list[KeptTool]
    next_cursor: str | None = None
    has_more: bool


class ToolAgent(BaseModel):
    """An agent that names a tool."""

    type: Literal["available"] = "available"
    id: str
    name: str
    referenced_resource_ids: list[str]
    created_at_unix_secs: int
    access_level: Literal["admin"] = "admin"


class ToolAgents(BaseModel):
    """One page of agents."""

    agents: list[ToolAgent]
    next_cursor: str | None = None
    has_more: bool


@router.post("", operation_id="create_tool")
def create_tool(body: SentTools, context: Context, key: MayChange) -> KeptTool:
    """Keep a tool; agents have it once they name its id in `prompt.tool_ids`."""
    config = _checked(body.tool_config, None)
    made = context.records.add("tool", {"tool_config": config}, now=context.clock())
    return _shown(made, key)


@router.get("", operation_id="list_tools")
def list_tools(
    context: Context,
    authored: Authored,
    key: MayRead,
    search: Annotated[str | None, Query(max_length=200, description="Start of the name.")] = None,
    types: Annotated[list[str] | None, Query(max_length=10)] = None,
    used_by_agent_id: Annotated[str | None, Query(max_length=128)] = None,
    sort_by: Literal["name", "created_at"] = "created_at",
    sort_direction: Literal["asc", "desc"] = "desc",
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> ToolPage:
    """Tools, newest first."""
    used = None
    if used_by_agent_id is not None:
        used = set(tool_ids_of(authored.records.get(used_by_agent_id).sent))
    found = [
        record
        for record in context.records.all("tool")
        if (search or "").lower() == _name(record).lower()[: len(search or "")]
        and (not types or record.body["tool_config"]["type"] in types)
        and (used is None or record.record_id in used)
    ]
    page = page_of(
        found,
        sort_key=lambda record: (
            _name(record).lower() if sort_by == "name" else record.created_at.timestamp(),
            record.record_id,
        ),
        page_size=page_size,
        cursor=cursor,
        descending=sort_direction == "desc",
    )
    return ToolPage(
        tools=[_shown(each, key) for each in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.get("/{tool_id}", operation_id="get_tool")
def get_tool(tool_id: str, context: Context, key: MayRead) -> KeptTool:
    """One tool; what keys that may not change it are not shown of it reads `__hidden__`."""
    return _shown(_known(tool_id, context), key)


@router.patch("/{tool_id}", operation_id="update_tool")
def update_tool(
    tool_id: str, body: SentTools, context: Context, authored: Authored, key: MayChange
) -> KeptTool:
    """Put another tool in its place, in every agent that names it."""
    before = _known(tool_id, context)
    config = _checked(body.tool_config, before)
    context.records.put("tool", tool_id, {"tool_config": config}, now=context.clock())
    try:
        for record in _agents_with(tool_id, authored):
            authored.name_tools(record.agent.agent_id, by=key.as_author, dropped=_name(before))
    except ApiError:
        context.records.put("tool", tool_id, before.body, now=context.clock())
        raise
    return _shown(_known(tool_id, context), key)


@router.delete("/{tool_id}", operation_id="delete_tool", status_code=204)
def delete_tool(
    tool_id: str, context: Context, authored: Authored, key: MayChange, force: bool = False
) -> None:
    """Delete a tool; with `force` also one that agents name, which lose it."""
    record = _known(tool_id, context)
    agents = _agents_with(tool_id, authored)
    if agents and not force:
        names = ", ".join(repr(each.agent.agent_id) for each in agents[:5])
        raise ApiError(
            IN_THE_WAY,
            "tool_in_use",
            f"Agents use it: {names}. Take it out of them first, or delete it with `force`.",
        )
    for each in agents:
        authored.name_tools(
            each.agent.agent_id, by=key.as_author, dropped=_name(record), dropped_id=tool_id
        )
    context.records.remove("tool", tool_id)


@router.get("/{tool_id}/dependent-agents", operation_id="get_agents_of_tool")
def get_agents(
    tool_id: str,
    context: Context,
    authored: Authored,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> ToolAgents:
    """The agents that name a tool."""
    _known(tool_id, context)
    page = page_of(
        _agents_with(tool_id, authored),
        sort_key=lambda record: (record.created_at.timestamp(), record.agent.agent_id),
        page_size=page_size,
        cursor=cursor,
    )
    agents = [
        ToolAgent(
            id=each.agent.agent_id,
            name=each.agent.name,
            referenced_resource_ids=[tool_id],
            created_at_unix_secs=int(each.created_at.timestamp()),
        )
        for each in page.items
    ]
    return ToolAgents(agents=agents, next_cursor=page.next_cursor, has_more=page.has_more)


@router.get("/{tool_id}/executions", include_in_schema=False, openapi_extra={ANY_PARAMETER: True})
def get_executions(tool_id: str, _key: MayRead) -> None:
    """Calls stand in the conversations in which they were made."""
    raise not_supported(
        "Calls of tools are read in conversations: `GET /v1/convai/conversations?tool_names=NAME`."
    )


def _agents_with(tool_id: str, authored: Authoring) -> list[AgentRecord]:
    return [each for each in authored.records.all() if tool_id in tool_ids_of(each.sent)]


def _checked(sent: SentTool, before: ApiRecord | None) -> dict[str, Any]:
    """What was sent, if an agent can have such a tool; what is hidden in it stays as before."""
    kept = None if before is None else before.body["tool_config"]
    config = with_hidden(sent.model_dump(exclude_unset=True), kept)
    require_kinds_of_tool(config)
    try:
        ToolConfig.model_validate(tool_section(cast(ToolItem, config), None))
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)[:5]
        )
        raise ApiError(422, "invalid_tool", f"No tool can be like that: {said}") from error
    return config


def _known(tool_id: str, context: ServerContext) -> ApiRecord:
    found = context.records.get("tool", tool_id)
    if found is None:
        raise not_found("tool", tool_id[:100])
    return found


def _name(record: ApiRecord) -> str:
    return str(record.body["tool_config"]["name"])


def _shown(record: ApiRecord, key: ApiKey) -> KeptTool:
    config = dict(record.body["tool_config"])
    shown = config if key.allows("admin") else without_hidden(config)
    return KeptTool(id=record.record_id, tool_config=shown)
