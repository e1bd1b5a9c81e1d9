"""Versions of agents over the network, and the one branch that each agent has."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, Field

from conversation.agent.config import AgentConfig
from conversation.server.access.admission import require
from conversation.server.agent_routes.comparing import changes
from conversation.server.agent_routes.routes import (
    agent_answer,
    matched,
    require_main,
)
from conversation.server.agents.authoring import Authoring
from conversation.server.agents.bodies import (
    MAIN_BRANCH,
    MAX_DESCRIPTION_CHARS,
    AccessInfo,
    AgentAnswer,
)
from conversation.server.context import Authored
from conversation.server.errors import not_found
from conversation.server.incoming.body import Body
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from conversation.store.agent_versions import AgentVersion

router = APIRouter(prefix="/v1/convai/agents/{agent_id}", tags=["agents"])

MayRead = Annotated[ApiKey, Depends(require("read"))]
MayChange = Annotated[ApiKey, Depends(require("admin"))]
IfMatch = Annotated[str | None, Header(description="Change only this version of the agent.")]
_EXAMPLE: dict[str, Any] = {
    "id": "c07b6c2099dc",
    "agent_id": "agent_4f1c0a9b2e7d83650c1a",
    "branch_id": MAIN_BRANCH,
    "version_description": "Back to version c07b6c2099dc.",
    "seq_no_in_branch": 3,
    "time_committed_secs": 1795417864,
    "parents": {"in_branch_parent_id": "1f0c9e6d2a44", "out_of_branch_parent_id": None},
    "made_by": "key 869157d441ae",
    "is_live": True,
}


class Parents(BaseModel):
    """What was live before."""

    in_branch_parent_id: str | None = None
    out_of_branch_parent_id: str | None = None


class Version(BaseModel):
    """One time that an agent became like this. One that came back is there twice."""

    model_config = {"json_schema_extra": {"examples": [_EXAMPLE]}}

    id: str
    agent_id: str
    branch_id: str = MAIN_BRANCH
    version_description: str
    seq_no_in_branch: int
    time_committed_secs: int
    parents: Parents
    access_info: AccessInfo = AccessInfo()
    made_by: str
    """`key` and its id, `file` for a person who changed the file, `command line`, or
    `conversation`: what a conversation was held with, beside the file."""
    is_live: bool = False
    """Whether it is what the agent's file says now."""


class VersionPage(BaseModel):
    """Versions, newest first."""

    versions: list[Version]
    next_cursor: str | None = None
    has_more: bool


class VersionChange(BaseModel):
    """One setting that is otherwise; what may be a secret is hidden, as elsewhere."""

    path: str = Field(examples=["system_prompt"])
    before: Any
    after: Any


class VersionDifference(BaseModel):
    """What changed from one version to another."""

    from_version_id: str
    to_version_id: str
    changes: list[VersionChange]


class RestoreVersion(Body):
    """How an agent goes back to a version."""

    version_description: str = Field(default="", max_length=MAX_DESCRIPTION_CHARS)
    keep_documents: bool = False
    """Go on answering from what the agent answers from now."""


class Branch(BaseModel):
    """The one branch that an agent has."""

    id: str = MAIN_BRANCH
    name: str = MAIN_BRANCH
    agent_id: str
    description: str = "Everything that is live."
    created_at: int
    last_committed_at: int
    is_archived: bool = False
    access_info: AccessInfo = AccessInfo()
    current_live_percentage: float = 100.0


class WholeBranch(Branch):
    """With its versions, newest first, as many as one page has."""

    most_recent_versions: list[Version]


class BranchPage(BaseModel):
    """The branches of an agent."""

    results: list[Branch]


@router.get("/versions", operation_id="list_agent_versions")
def list_versions(
    agent_id: str,
    authored: Authored,
    _key: MayRead,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> VersionPage:
    """Every version that was live and is kept, newest first."""
    page = page_of(
        _versions(agent_id, authored),
        sort_key=lambda each: (each.seq_no_in_branch,),
        page_size=page_size,
        cursor=cursor,
        descending=True,
    )
    return VersionPage(versions=page.items, next_cursor=page.next_cursor, has_more=page.has_more)


@router.get("/versions/{version_id}", operation_id="get_agent_version")
def get_version(agent_id: str, version_id: str, authored: Authored, _key: MayRead) -> Version:
    """When this version became live last, and by whom."""
    found = (each for each in _versions(agent_id, authored) if each.id == version_id)
    version = next(found, None)
    if version is None:
        raise not_found("version", version_id[:64])
    return version


@router.get("/versions/{version_id}/diff", operation_id="compare_agent_versions")
def get_difference(
    agent_id: str,
    version_id: str,
    authored: Authored,
    _key: MayChange,
    to: Annotated[str | None, Query(max_length=64, description="Else what is live.")] = None,
) -> VersionDifference:
    """What changed from this version to another one, setting by setting.

    For keys that may change agents: addresses of tools may carry what lets somebody in.
    """
    live = authored.records.get(agent_id).agent
    before = _agent(agent_id, version_id, authored)
    after = live if to is None else _agent(agent_id, to, authored)
    return VersionDifference(
        from_version_id=before.version,
        to_version_id=after.version,
        changes=[
            VersionChange(path=each.path, before=each.before, after=each.after)
            for each in changes(before, after)
        ],
    )


@router.post("/versions/{version_id}/restore", operation_id="restore_agent_version")
def restore_version(
    agent_id: str,
    version_id: str,
    authored: Authored,
    key: MayChange,
    response: Response,
    body: RestoreVersion | None = None,
    if_match: IfMatch = None,
) -> AgentAnswer:
    """Make the agent what it was; that is a version more. Its tags stay."""
    how = body or RestoreVersion()
    record = authored.restore(
        agent_id,
        version_id,
        by=key.as_author,
        description=how.version_description,
        keep_documents=how.keep_documents,
        if_match=matched(if_match),
    )
    return agent_answer(record, authored, response, key)


@router.get("/branches", operation_id="list_agent_branches")
def list_branches(
    agent_id: str,
    authored: Authored,
    _key: MayRead,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> BranchPage:
    """The one branch that the agent has."""
    versions = _versions(agent_id, authored)
    return BranchPage(results=[Branch(**_branch(agent_id, versions, authored))][:limit])


@router.get("/branches/{branch_id}", operation_id="get_agent_branch")
def get_branch(agent_id: str, branch_id: str, authored: Authored, _key: MayRead) -> WholeBranch:
    """The one branch, with the newest versions."""
    versions = _versions(agent_id, authored)
    require_main(branch_id)
    recent = versions[:DEFAULT_PAGE_SIZE]
    return WholeBranch(**_branch(agent_id, versions, authored), most_recent_versions=recent)


def _branch(agent_id: str, versions: Sequence[Version], authored: Authoring) -> dict[str, Any]:
    record = authored.records.get(agent_id)
    return {
        "agent_id": agent_id,
        "created_at": int(record.created_at.timestamp()),
        "last_committed_at": versions[0].time_committed_secs,
    }


def _versions(agent_id: str, authored: Authoring) -> list[Version]:
    live = authored.records.get(agent_id).version_id
    history = authored.records.versions.history(agent_id)
    last = next((each.number for each in history if each.version_id == live), None)
    return [_shown(each, is_live=each.number == last) for each in history]


def _agent(agent_id: str, version_id: str, authored: Authoring) -> AgentConfig:
    found = authored.records.versions.agent(agent_id, version_id)
    if found is None:
        raise not_found("version", version_id[:64])
    return found


def _shown(version: AgentVersion, *, is_live: bool) -> Version:
    return Version(
        id=version.version_id,
        agent_id=version.agent_id,
        version_description=version.description,
        seq_no_in_branch=version.number,
        time_committed_secs=int(version.made_at.timestamp()),
        parents=Parents(in_branch_parent_id=version.before_id),
        made_by=version.made_by,
        is_live=is_live,
    )
