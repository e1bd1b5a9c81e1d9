"""Tool calls of providers: how tools are offered, and how a request for one comes in pieces."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from conversation.llm.chat_model import OfferedTool, RequestedTool


def tool_definitions(tools: Sequence[OfferedTool]) -> list[dict[str, Any]]:
    """The request field that offers `tools`."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in tools
    ]


@dataclass(slots=True)
class _Part:
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class ToolCallParts:
    """Requests for tools while they stream in."""

    _parts: dict[int, _Part] = field(default_factory=dict[int, _Part])
    """By the provider's own number of the call."""

    def take(self, deltas: Iterable[Any]) -> None:
        """Add what one chunk of the stream brought."""
        for delta in deltas:
            part = self._parts.setdefault(int(delta.index or 0), _Part())
            function = delta.function
            if function is None:
                continue
            # The name comes once; some servers repeat it with every piece of the arguments.
            part.name = part.name or function.name or ""
            part.arguments += function.arguments or ""

    def requested(self) -> tuple[RequestedTool, ...]:
        """The calls that were asked for, in order. Empty arguments are an empty object."""
        return tuple(
            RequestedTool(part.name, part.arguments.strip() or "{}")
            for _, part in sorted(self._parts.items())
            if part.name
        )
