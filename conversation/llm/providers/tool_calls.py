"""Tool calls of providers: how tools are offered, and how a request for one comes in pieces."""

import json
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
    call_id: str = ""


@dataclass(slots=True)
class ToolCallParts:
    """Requests for tools while they stream in."""

    _parts: list[_Part] = field(default_factory=list[_Part])
    _last: dict[int, _Part] = field(default_factory=dict[int, _Part])
    """The newest part with each of the provider's own numbers."""
    _old: _Part = field(default_factory=_Part)
    """The one call that an answer could ask for before calls were numbered."""

    def take_from(self, delta: Any) -> None:
        """Add what one chunk's delta brought, in `tool_calls` or in the older `function_call`."""
        self.take(getattr(delta, "tool_calls", None) or ())
        old = getattr(delta, "function_call", None)
        if old is not None:
            _add(self._old, old)

    def take(self, deltas: Iterable[Any]) -> None:
        """Add what one chunk of the stream brought."""
        for delta in deltas:
            function = delta.function
            call_id = getattr(delta, "id", None) or ""
            part = self._part(int(delta.index or 0), call_id, function)
            part.call_id = part.call_id or call_id
            if function is not None:
                _add(part, function)

    def _part(self, number: int, call_id: str, function: Any) -> _Part:
        """The call that a piece belongs to: some providers give the same number to all of them."""
        part = self._last.get(number)
        if part is None or _is_another(part, call_id, function):
            part = self._last[number] = _Part()
            self._parts.append(part)
        return part

    def requested(self) -> tuple[RequestedTool, ...]:
        """The calls that were asked for, in order. Empty arguments are an empty object.

        A server that streams one call in both forms asks for it once.
        """
        named = [part for part in self._parts if part.name]
        return tuple(
            RequestedTool(part.name, part.arguments.strip() or "{}")
            for part in named or [self._old]
            if part.name
        )


def _add(part: _Part, function: Any) -> None:
    # The name comes once; some servers repeat it with every piece of the arguments.
    part.name = part.name or getattr(function, "name", None) or ""
    part.arguments += getattr(function, "arguments", None) or ""


def _is_another(part: _Part, call_id: str, function: Any) -> bool:
    """Whether a piece begins another call than `part`, which has the same number."""
    if call_id and part.call_id:
        return call_id != part.call_id
    name = getattr(function, "name", None) or ""
    more = (getattr(function, "arguments", None) or "").strip()
    return bool(name and part.name) and (
        name != part.name or (bool(more) and _is_whole(part.arguments))
    )


def _is_whole(arguments: str) -> bool:
    """Whether nothing can follow: a server that repeats the name does so before that."""
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return True
