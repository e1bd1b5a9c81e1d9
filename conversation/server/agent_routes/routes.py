"""Agents: made, read, changed and deleted. Each is a file that people can change as well."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Response

from conversation.server.access.admission import require
from conversation.server.agents.agent_wire import part
from conversation.server.agents.authoring import Authoring
from conversation.server.agents.bodies import (
    MAIN_BRANCH,
    AgentAnswer,
    AgentChanges,
    AgentId,
    AgentPage,
    AgentSummary,
    AgentTimes,
    CopyOfAgent,
    KnowledgeBaseSize,
    KnowledgeBaseState,
    NewAgent,
)
from conversation.server.agents.files import AgentRecord
from conversation.server.agents.model_names import in_closed_names
from conversation.server.agents.restoring import earlier
from conversation.server.agents.shown_agent import is_archived
from conversation.server.context import Authored, Context
from conversation.server.errors import ApiError
from conversation.server.keys.api_keys import ApiKey
from conversation.server.keys.write_only import without_hidden
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, SortKey, page_of
from conversation.store.listing.pages import last_starts

router = APIRouter(prefix="/v1/convai", tags=["agents"])

MayRead = Annotated[ApiKey, Depends(require("read"))]
MayChange = Annotated[ApiKey, Depends(require("admin"))]
IfMatch = Annotated[str | None, Header(description="Change only this version of the agent.")]
Branch = Annotated[str | None, Query(max_length=64, description="`main`: there is no other.")]
Client = Annotated[
    str | None,
    Header(alias="X-Fern-Language", description="What the client is written in, as SDKs say it."),
]
Versioned = Annotated[bool, Query(description="Versions of all agents are kept.")]
MAX_SEARCH_CHARS = 200
CHARS_PER_PAGE = 2_000
CLOSED_CLIENTS = {"JavaScript"}
"""Languages of SDKs that refuse to send back a name of a model that is not in their own lists."""
NO_WORKFLOW: dict[str, Any] = {"edges": {}, "nodes": {}, "prevent_subagent_loops": False}
"""What clients read where nothing was sent: the strict ones refuse an empty mapping."""


@router.post("/agents/create", operation_id="create_agent")
def create_agent(
    body: NewAgent, authored: Authored, key: MayChange, enable_versioning: Versioned = True
) -> AgentId:
    """Make an agent. Without `platform_settings.auth` nobody may talk to it without a key."""
    require_versioning(enable_versioning, "enable_versioning")
    record = authored.create(body, by=key.as_author)
    return AgentId(
        agent_id=record.agent.agent_id, without_effect=authored.without_effect(body, record)
    )


@router.get("/agents", operation_id="list_agents")
def list_agents(
    authored: Authored,
    context: Context,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
    search: Annotated[str | None, Query(max_length=MAX_SEARCH_CHARS)] = None,
    archived: bool | None = None,
    tags: Annotated[list[str] | None, Query()] = None,
    sort_by: Literal["name", "created_at"] = "created_at",
    sort_direction: Literal["asc", "desc"] = "desc",
) -> AgentPage:
    """Agents whose name holds `search` and that have one of `tags`, newest first."""
    wanted = [
        record
        for record in authored.records.all()
        if (search or "").lower() in record.agent.name.lower()
        and archived in (None, is_archived(record.sent or {}))
        and (not tags or set(tags) & set(record.tags))
    ]

    def key(record: AgentRecord) -> SortKey:
        first = record.agent.name.lower() if sort_by == "name" else record.created_at.timestamp()
        return (first, record.agent.agent_id)

    page = page_of(
        wanted,
        sort_key=key,
        page_size=page_size,
        cursor=cursor,
        descending=sort_direction == "desc",
    )
    return AgentPage(
        agents=_summaries(page.items, context),
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@router.get("/agents/summaries", operation_id="get_agent_summaries")
def get_summaries(
    authored: Authored,
    context: Context,
    _key: MayRead,
    agent_ids: Annotated[list[str], Query(max_length=100)],
) -> dict[str, dict[str, Any]]:
    """Several agents by their ids; one that is not there is an entry that says so."""
    wanted = [each for each in authored.records.all() if each.agent.agent_id in set(agent_ids)]
    known = {summary.agent_id: summary for summary in _summaries(wanted, context)}
    found: dict[str, dict[str, Any]] = {}
    for agent_id in agent_ids:
        if agent_id in known:
            found[agent_id] = {"status": "success", "data": known[agent_id].model_dump()}
        else:
            found[agent_id] = {
                "status": "failure",
                "error_code": 404,
                "error_status": "agent_not_found",
                "error_message": f"There is no agent {agent_id[:64]!r}.",
            }
    return found


@router.get("/agents/{agent_id}", operation_id="get_agent")
def get_agent(
    agent_id: str,
    authored: Authored,
    key: MayRead,
    response: Response,
    version_id: Annotated[str | None, Query(max_length=64)] = None,
    branch_id: Branch = None,
    client: Client = None,
) -> AgentAnswer:
    """An agent, complete, as it is or as it was. `ETag` and `version_id` name its version.

    What keys that may not change it are not shown of it, such as tokens in the headers of its
    tools, reads `__hidden__`.
    """
    require_main(branch_id)
    if version_id is None:
        record = authored.records.get(agent_id)
    else:
        record = earlier(authored.records, agent_id, version_id)
    return agent_answer(record, authored, response, key, client=client)


@router.patch("/agents/{agent_id}", operation_id="update_agent")
def update_agent(
    agent_id: str,
    body: AgentChanges,
    authored: Authored,
    key: MayChange,
    response: Response,
    if_match: IfMatch = None,
    enable_versioning_if_not_enabled: Versioned = True,
    branch_id: Branch = None,
    client: Client = None,
) -> AgentAnswer:
    """Change what is sent and leave the rest; lists are replaced whole.

    With `If-Match` it answers 412 when somebody else changed the agent meanwhile.
    """
    require_main(branch_id)
    require_versioning(enable_versioning_if_not_enabled, "enable_versioning_if_not_enabled")
    record = authored.change(agent_id, body, by=key.as_author, if_match=matched(if_match))
    answer = agent_answer(record, authored, response, key, client=client)
    answer.without_effect = authored.without_effect(body, record)
    return answer


@router.delete("/agents/{agent_id}", operation_id="delete_agent", status_code=204)
def delete_agent(agent_id: str, authored: Authored, _key: MayChange) -> None:
    """Delete an agent with its index. Its conversations stay, and documents of the library."""
    authored.delete(agent_id)


@router.post("/agents/{agent_id}/duplicate", operation_id="duplicate_agent")
def duplicate_agent(
    agent_id: str, authored: Authored, key: MayChange, body: CopyOfAgent | None = None
) -> AgentId:
    """Make a copy of an agent, which answers from the same documents."""
    copy = authored.duplicate(agent_id, None if body is None else body.name, by=key.as_author)
    return AgentId(agent_id=copy.agent.agent_id)


@router.get("/agent/{agent_id}/knowledge-base/size", operation_id="get_knowledge_base_size")
def get_knowledge_base_size(agent_id: str, authored: Authored, _key: MayRead) -> KnowledgeBaseSize:
    """How long the documents are that the agent answers from, as far as they were read."""
    authored.records.get(agent_id)
    chars = sum(document.chars for document in authored.indexed_documents(agent_id))
    return KnowledgeBaseSize(number_of_pages=round(chars / CHARS_PER_PAGE, 2))


def matched(if_match: str | None) -> str | None:
    """The version that a change is for; None for any."""
    return None if if_match in (None, "*") else if_match.removeprefix("W/").strip('"')


def require_main(branch_id: str | None) -> None:
    """Refuse any branch but the one that there is."""
    if branch_id not in (None, MAIN_BRANCH):
        raise ApiError(
            404,
            "branch_not_found",
            f"There is no branch {branch_id[:64]!r}: agents have one, {MAIN_BRANCH!r}.",
        )


def require_versioning(wanted: bool, parameter: str) -> None:
    """Refuse to keep no versions."""
    if not wanted:
        raise ApiError(
            422, "unsupported_parameter", f"`{parameter}`: versions of all agents are kept here."
        )


def agent_answer(
    record: AgentRecord,
    authored: Authoring,
    response: Response,
    key: ApiKey,
    *,
    client: str | None = None,
) -> AgentAnswer:
    """An agent, complete, with its version in the head of the answer."""
    response.headers["ETag"] = f'"{record.version}"'
    response.headers["Vary"] = "X-Fern-Language"
    agent, sent = record.agent, record.sent or {}
    shown = authored.shown(record)
    if not key.allows("admin"):
        shown, sent = without_hidden(shown), without_hidden(sent)
    sync = authored.queue.sync_states().get(agent.agent_id)
    config = shown["conversation_config"]
    if client in CLOSED_CLIENTS:
        config = in_closed_names(config)
    return AgentAnswer(
        agent_id=agent.agent_id,
        name=agent.name,
        conversation_config=config,
        platform_settings=shown["platform_settings"],
        metadata=AgentTimes(
            created_at_unix_secs=int(record.created_at.timestamp()),
            updated_at_unix_secs=int(record.updated_at.timestamp()),
        ),
        workflow=NO_WORKFLOW | dict(part(sent, "workflow")),
        tags=list(record.tags),
        version_id=record.version_id,
        knowledge_base_state=KnowledgeBaseState(
            status="succeeded" if sync is None else sync.status,
            message=None if sync is None else sync.detail,
        ),
    )


def _summaries(records: Sequence[AgentRecord], context: Context) -> list[AgentSummary]:
    """Agents of a list; when each was talked to last is asked for once, however many there are."""
    ids = [record.agent.agent_id for record in records]
    last = last_starts(context.store.engine, ids)
    return [_summary(record, last.get(record.agent.agent_id)) for record in records]


def _summary(record: AgentRecord, last_start: datetime | None) -> AgentSummary:
    agent = record.agent
    return AgentSummary(
        agent_id=agent.agent_id,
        name=agent.name,
        voice_id=agent.voice.voice_id if agent.voice else "",
        tags=list(record.tags),
        created_at_unix_secs=int(record.created_at.timestamp()),
        updated_at_unix_secs=int(record.updated_at.timestamp()),
        last_call_time_unix_secs=None if last_start is None else int(last_start.timestamp()),
        archived=is_archived(record.sent or {}),
    )
