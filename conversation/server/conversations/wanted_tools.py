"""Tools by their ids, as lists of conversations are asked for them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversation.agent.system_tools import TRANSFER
from conversation.server.agents.kept_tools import tool_ids_of
from conversation.server.context import ServerContext
from conversation.transcript import ToolCall

_SYSTEM = "__system_"
"""What a client writes before the name of a tool that the server has itself."""


@dataclass(frozen=True, slots=True)
class WantedTool:
    """One tool; another one may have its name, in other agents."""

    name: str
    agent_ids: frozenset[str] | None
    """The agents that have it; None where all do."""

    def is_among(self, names: set[str], agent_ids: frozenset[str]) -> bool:
        """Whether a conversation of these agents, which called these tools, called it."""
        return self.name in names and (
            self.agent_ids is None or not self.agent_ids.isdisjoint(agent_ids)
        )


def wanted_tools(context: ServerContext, tool_ids: Iterable[str]) -> list[WantedTool]:
    """The tools of these ids; an id that no tool has stands for none that was ever called.

    A kept tool is called by the agents that name it now, under the name that it has now.
    """
    wanted = dict.fromkeys(tool_ids)
    found = [
        WantedTool(each.removeprefix(_SYSTEM), None) for each in wanted if each.startswith(_SYSTEM)
    ]
    kept = {each.record_id: each for each in context.records.all("tool")} if wanted else {}
    if context.authoring is None or kept.keys().isdisjoint(wanted):
        return found
    users: dict[str, set[str]] = {each: set() for each in wanted if each in kept}
    for record in context.authoring.records.all():
        for tool_id in users.keys() & set(tool_ids_of(record.sent)):
            users[tool_id].add(record.agent.agent_id)
    for tool_id, agent_ids in users.items():
        name = str(kept[tool_id].body["tool_config"]["name"])
        found.append(WantedTool(name, frozenset(agent_ids)))
    return found


def visited_agents(agent_id: str, calls: Sequence[ToolCall]) -> frozenset[str]:
    """The agent of a conversation, and those that it was handed over to."""
    to = {
        str(call.parameters.get("agent_id"))
        for call in calls
        if call.tool_name == TRANSFER and not call.is_error
    }
    return frozenset({agent_id, *to})
