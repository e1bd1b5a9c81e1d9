"""Turns in which a model that follows a script uses tools. Shared by the tests."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from conversation.agent.config import AgentConfig
from conversation.llm.chat_model import Completion, RequestedTool
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import ToolCall, Turn, Usage
from conversation.turn.events import (
    AgentTurn,
    SessionEvent,
)
from kb.document import RetrievedPassage
from tests.fakes import ScriptedChatModel

NONE = {"action": {"tool": "none"}}
ORDER: Mapping[str, Any] = {
    "name": "order_status",
    "description": "Look up where an order is.",
    "parameters": {
        "type": "object",
        "properties": {"order": {"type": "integer"}},
        "required": ["order"],
        "additionalProperties": False,
    },
    "timeout_s": 60,
}


class NativeModel(ScriptedChatModel):
    """A model whose provider has tool calls."""

    def calls_tools(self) -> bool:
        return True

    @property
    def offers(self) -> list[list[str]]:
        """Names of the tools that each call offered."""
        return [[tool.name for tool in options.tools] for options in self.options]


class Documents:
    """A knowledge base that finds one passage for each query it knows."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.asked: list[str] = []

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        self.asked.append(query)
        return [
            RetrievedPassage("d", f"{word}.md", word, text, 0, len(text), (), None, 1.0, 1)
            for word, text in self.texts.items()
            if word in query
        ]


def use(tool: str, *, more: Sequence[Mapping[str, Any]] = (), **parameters: Any) -> dict[str, Any]:
    """A decision by schema."""
    chosen: dict[str, Any] = {"action": {"tool": tool, "parameters": parameters}}
    return chosen | ({"more": [each["action"] for each in more]} if more else {})


def call(text: str, *tools: tuple[str, Mapping[str, Any] | str]) -> Completion:
    """An answer of a provider with tool calls."""
    asked = [
        RequestedTool(name, given if isinstance(given, str) else json.dumps(given))
        for name, given in tools
    ]
    usage = Usage(model="scripted/model", input_tokens=3, output_tokens=2, cost_usd=0.1)
    return Completion(text, usage, "tool_calls", requested_tools=tuple(asked))


def agent(*tools: Mapping[str, Any] | str, **more: Any) -> AgentConfig:
    listed = [{"name": tool} if isinstance(tool, str) else dict(tool) for tool in tools]
    return AgentConfig.model_validate(
        {"agent_id": "shop", "name": "Shop", "system_prompt": "You sell.", "tools": listed, **more}
    )


def start(store: ConversationStore, config: AgentConfig, model: ScriptedChatModel, **more: Any):
    return Session.start(config, store=store, chat_model=model, **more)


def outcome(events: Sequence[SessionEvent]) -> tuple[list[ToolCall], AgentTurn]:
    assert isinstance(events[-1], AgentTurn)
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert tuple(calls) == events[-1].turn.tool_calls
    return calls, events[-1]


def kinds(store: ConversationStore, session: Session) -> list[str]:
    return [event.kind for event in store.events(session.conversation_id)]


TRANSFER = {
    "name": "transfer_to_agent",
    "agents": [{"agent_id": "billing", "when": "The user asks about invoices."}],
}
