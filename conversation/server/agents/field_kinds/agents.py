"""Agents and tools as they are sent: every field is of its kind, or is refused by its name."""

from collections.abc import Mapping

from conversation.server.agents.field_kinds.kinds import require_kinds
from conversation.server.agents.field_kinds.surroundings import PLATFORM_SETTINGS
from conversation.server.agents.field_kinds.talking import CONVERSATION_CONFIG
from conversation.server.agents.field_kinds.tools import KEPT_TOOL

_OF_AGENT = {"conversation_config": CONVERSATION_CONFIG, "platform_settings": PLATFORM_SETTINGS}


def require_kinds_of_agent(body: Mapping[str, object]) -> None:
    """Raises `ApiError` (422) that names the first field which is of another kind."""
    for name, schema in _OF_AGENT.items():
        if name in body:
            require_kinds(name, schema, body[name])


def require_kinds_of_tool(config: Mapping[str, object]) -> None:
    """Raises `ApiError` (422) that names the first field which is of another kind."""
    require_kinds("tool_config", KEPT_TOOL, config)
