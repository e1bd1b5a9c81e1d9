"""What a page knows of an agent before anybody talks: its look, its words, its questions. Pure."""

from typing import Any

from conversation.agent.config import AgentConfig
from conversation.agent.variables import variable_names
from conversation.widget.words import words_for


def client_config(agent: AgentConfig, *, has_voice: bool) -> dict[str, Any]:
    """As `Look` in the client's `look.js` reads it; it holds nothing that a user may not know.

    Args:
        agent: As it stands now.
        has_voice: Whether this server can hear and speak for it.
    """
    widget = agent.widget
    greetings = {code: texts.first_message for code, texts in agent.languages.items()}
    may_choose = agent.overrides.language
    languages = [agent.language, *sorted(agent.languages)] if may_choose else []
    return {
        "agent_id": agent.agent_id,
        "name": widget.name or agent.name,
        "avatar": widget.avatar,
        "language": agent.language,
        "languages": languages,
        "greetings": {
            code: shown
            for code, text in {agent.language: agent.first_message, **greetings}.items()
            if (shown := _greeting(widget.first_message or text))
        },
        "examples": list(widget.examples),
        "variables": list(agent.required_variables),
        "settable": None if widget.variables is None else list(widget.variables),
        "voice": has_voice,
        "colours": widget.colours.model_dump(exclude_none=True),
        "position": widget.position,
        "texts": words_for(languages or [agent.language], widget.texts),
        "terms": widget.terms,
        "feedback": widget.feedback,
        "sources": widget.sources,
        "tool_calls": widget.tool_calls,
    }


def _greeting(text: str | None) -> str | None:
    """A greeting with a name in it cannot be shown before the name is known."""
    return text if text and not variable_names(text) else None
