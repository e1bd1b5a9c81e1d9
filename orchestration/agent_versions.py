"""Versions of the agents of a deployment, as the command line shows and restores them."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import unified_diff
from typing import Any

from conversation.agent.agent_file import AgentListing
from conversation.agent.config import AgentConfig
from conversation.server.agent_routes.comparing import Change, changes
from conversation.server.agents.files import AgentRecords
from conversation.server.agents.restoring import earlier, restored
from conversation.server.errors import ApiError, NoSuchAgentError
from conversation.store.agent_versions import AgentVersion
from orchestration.deployment import Deployment
from orchestration.errors import UnknownAgentError, UnknownVersionError
from orchestration.terminal.tables import text_table

BY_COMMAND_LINE = "command line"
LIVE = "live"
_DIFFED_LINES = 2_000
"""Longer texts are shown one after the other: comparing lines takes the square of their number."""


def note_versions(deployment: Deployment, listings: Iterable[AgentListing]) -> None:
    """Keep what agent files say now, where somebody changed them."""
    now = datetime.now(UTC)
    for row in listings:
        if row.agent is not None:
            deployment.conversations.agent_versions.note(row.agent, at=now)


def history_text(deployment: Deployment, agent_id: str) -> str:
    """What was live of an agent and is kept, newest first."""
    records = _records(deployment)
    live = _live(records, agent_id)
    history = records.versions.history(agent_id)
    newest = next((each.number for each in history if each.version_id == live.version), None)
    rows: list[list[Any]] = [
        [
            each.number,
            each.version_id + (" (live)" if each.number == newest else ""),
            f"{each.made_at:%Y-%m-%d %H:%M:%S}",
            each.made_by,
            each.description,
        ]
        for each in history
    ]
    return text_table(["number", "version", "live from (UTC)", "made by", "description"], rows)


def difference_text(deployment: Deployment, agent_id: str, before: str, after: str) -> str:
    """What changed from one version of an agent to another, setting by setting."""
    records = _records(deployment)
    found = changes(_agent(records, agent_id, before), _agent(records, agent_id, after))
    if not found:
        return "Nothing differs."
    return "\n\n".join(_change_text(each) for each in found)


def restore_version(
    deployment: Deployment, agent_id: str, version: str, keep_documents: bool
) -> str:
    """Make an agent what it was, and say so.

    Raises:
        UnknownVersionError: This version is not kept, or answers from documents that are gone.
    """
    records = _records(deployment)
    version_id = _entry(records, agent_id, version).version_id
    before = _live(records, agent_id)
    try:
        wanted = earlier(records, agent_id, version_id)
        record = records.change(
            agent_id,
            lambda present: restored(present, wanted, keep_documents=keep_documents),
            now=datetime.now(UTC),
            by=BY_COMMAND_LINE,
            description=f"Back to version {version_id}.",
        )
    except ApiError as error:
        raise UnknownVersionError(error.message) from error
    said = f"{agent_id} is at version {record.version_id} (was {before.version})."
    if record.agent.knowledge_base != before.knowledge_base:
        said += f" Its documents changed: run `vivavoce ingest {agent_id}`."
    return said


def _records(deployment: Deployment) -> AgentRecords:
    store = deployment.conversations
    return AgentRecords(deployment.settings.agents_dir, store.engine, versions=store.agent_versions)


def _live(records: AgentRecords, agent_id: str) -> AgentConfig:
    try:
        return records.get(agent_id).agent
    except NoSuchAgentError as error:
        raise UnknownAgentError(
            f"{error} Versions are kept of the agents in {str(records.folder)!r}."
        ) from error


def _agent(records: AgentRecords, agent_id: str, version: str) -> AgentConfig:
    live = _live(records, agent_id)
    if version == LIVE:
        return live
    entry = _entry(records, agent_id, version)
    found = records.versions.agent(agent_id, entry.version_id)
    if found is None:  # it was let go this moment
        raise _unknown(agent_id, version)
    return found


def _entry(records: AgentRecords, agent_id: str, version: str) -> AgentVersion:
    """The version of this id, of this number, or whose id begins like this."""
    _live(records, agent_id)
    history = records.versions.history(agent_id)
    for each in history:
        if version in (each.version_id, str(each.number)):
            return each
    begun = [each for each in history if version and each.version_id.startswith(version)]
    if len({each.version_id for each in begun}) != 1:
        raise _unknown(agent_id, version)
    return begun[0]


def _unknown(agent_id: str, version: str) -> UnknownVersionError:
    return UnknownVersionError(
        f"No version {version!r} of {agent_id!r} is kept. `vivavoce agents versions {agent_id}` "
        "lists those that are, by number and id."
    )


def _change_text(change: Change) -> str:
    before, after = _lines(change.before), _lines(change.after)
    if len(before) + len(after) > _DIFFED_LINES:
        shown = [*(f"-{line}" for line in before), *(f"+{line}" for line in after)]
    else:
        found = [*unified_diff(before, after, lineterm="", n=2)][3:]
        shown = ["..." if line.startswith("@@") else line for line in found]
    return "\n".join([change.path, *(f"  {line}" for line in shown)])


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.splitlines() or [""]
    return json.dumps(value, ensure_ascii=False, indent=2).splitlines()
