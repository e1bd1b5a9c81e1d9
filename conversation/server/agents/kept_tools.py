"""Tools that clients keep apart from agents, by id: an agent's file holds what its tools say.

An agent that names `tool_ids` gets those tools into its file; when one is changed, so are the
files of the agents that named it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from conversation.agent.config import AgentConfig
from conversation.server.agents.agent_wire import PromptSettings, part
from conversation.server.agents.shown_agent import tool_item
from conversation.server.agents.tool_wire import ToolItem
from conversation.server.errors import ApiError
from conversation.server.records import ApiRecord

Json = dict[str, Any]
FindTool = Callable[[str], ApiRecord | None]


def tool_ids_of(sent: Mapping[str, Any] | None) -> list[str]:
    """The tools that an agent named by their ids."""
    prompt = part(part(part(sent or {}, "conversation_config"), "agent"), "prompt")
    return [str(each) for each in cast("list[object]", prompt.get("tool_ids") or [])]


def with_named_tools(
    body: Mapping[str, Any],
    agent: AgentConfig,
    *,
    named_before: Sequence[str],
    find: FindTool,
) -> Json:
    """A request with the tools that it names by their ids among its tools.

    Those that the agent named before and names no more are taken out; its other tools stay.

    Args:
        body: The request, in which `prompt.tool_ids` may stand.
        agent: As it stands.
        named_before: Ids that it has.
        find: The record of a tool.

    Raises:
        ApiError: There is no such tool, or two of them have one name.
    """
    config = part(body, "conversation_config")
    spoken = part(config, "agent")
    prompt = part(spoken, "prompt")
    if prompt.get("tool_ids") is None:
        return dict(body)
    wanted = [_config(str(each), find) for each in dict.fromkeys(prompt["tool_ids"])]
    names = [_name(each) for each in wanted]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ApiError(
            422, "tool_name_taken", f"Two of the tools in `tool_ids` are called {twice[:64]!r}."
        )
    listed = cast(PromptSettings, prompt).get("tools")
    if listed is None:
        known = [found for each in named_before if (found := find(each)) is not None]
        gone = {_name(tool_of(each)) for each in known}
        listed = [tool_item(tool) for tool in agent.all_tools if tool.kind != "system"]
        listed = [each for each in listed if _name(each) not in gone]
    tools = [*(each for each in listed if _name(each) not in names), *wanted]
    changed = {**prompt, "tools": tools}
    return {
        **body,
        "conversation_config": {**config, "agent": {**spoken, "prompt": changed}},
    }


def tool_of(record: ApiRecord) -> ToolItem:
    """The tool that a record keeps."""
    return cast(ToolItem, record.body["tool_config"])


def _config(tool_id: str, find: FindTool) -> ToolItem:
    found = find(tool_id)
    if found is None:
        raise ApiError(422, "tool_not_found", f"There is no tool {tool_id[:100]!r}.")
    return tool_of(found)


def _name(tool: ToolItem) -> str:
    return str(tool.get("name", ""))
