"""What a session needs before its first word: a complete agent, checked. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from conversation.agent.config import AgentConfig
from conversation.agent.language_config import OWN_SENTENCES
from conversation.agent.variables import VariableValue, checked_variables, fill_in
from conversation.errors import AgentConfigError, VariableValueError
from conversation.prompt.parts import defuse
from conversation.tools.webhook import filled_webhook
from conversation.transcript import storable


def require_knowledge_base(agent: AgentConfig, *, given: bool) -> None:
    """Refuse an agent that lists documents when nobody gave it a knowledge base.

    Raises:
        AgentConfigError: The agent would answer from nothing.
    """
    section = agent.knowledge_base
    if not given and (section.files or section.links or section.sites or section.texts):
        raise AgentConfigError(
            f"The agent {agent.agent_id!r} answers from documents, but no knowledge base was "
            "given. Pass `knowledge_base=KnowledgeBase.open(...)` with its documents in, or "
            "remove the documents from its `knowledge_base` section."
        )


def with_variables(
    agent: AgentConfig,
    given: Mapping[str, VariableValue],
    *,
    conversation_id: str,
    started_at: datetime,
) -> AgentConfig:
    """The agent with every text filled in that it says, is told, or sends to a webhook.

    `given` goes over the agent's own defaults; `system_variables` are always there.

    Raises:
        AgentConfigError: A value cannot be used.
        MissingVariableError: A placeholder has no value.
    """
    own = checked_variables(given, agent.dynamic_variables)
    values = {
        **own,
        **system_variables(
            agent,
            conversation_id=conversation_id,
            started_at=started_at,
            timezone=str(own.get("system__timezone", agent.timezone)),
        ),
    }

    def filled(text: str, where: str) -> str:
        # A value may come from a web page: in a prompt it is data like all else from there.
        encode = defuse if where.startswith("system prompt") else str
        return storable(fill_in(text, values, where=where, encode=encode))

    timed = {
        name: filled(text, name.replace("_", " ")).strip()
        for name in ("reengagement_message", "goodbye_message", "soft_timeout_message")
        if (text := getattr(agent.turn_taking, name))
    }
    languages = {
        code: section.model_copy(
            update={
                name: filled(text, f"{name.replace('_', ' ')} for {code!r}")
                for name in ("first_message", "system_prompt", *OWN_SENTENCES)
                if (text := getattr(section, name)) is not None
            }
        )
        for code, section in agent.languages.items()
    }
    changed: dict[str, Any] = {
        "first_message": filled(agent.first_message, "first message").strip(),
        "system_prompt": filled(agent.system_prompt, "system prompt"),
        **{
            name: None if text is None else filled(text, name.replace("_", " ")).strip()
            for name in OWN_SENTENCES
            for text in (getattr(agent, name),)
        },
        "languages": languages,
        "turn_taking": agent.turn_taking.model_copy(update=timed),
        "tools": tuple(filled_webhook(tool, values) for tool in agent.tools),
    }
    if agent.voice is not None:
        changed["voice"] = agent.voice.with_own_texts(filled)
    return agent.model_copy(update=changed)


def system_variables(
    agent: AgentConfig, *, conversation_id: str, started_at: datetime, timezone: str
) -> dict[str, VariableValue]:
    """What a session knows by itself: who talks, in which conversation, and since when.

    Raises:
        AgentConfigError: There is no such time zone.
    """
    try:
        local = started_at.astimezone(ZoneInfo(timezone))
    except (ValueError, OSError, KeyError) as error:
        raise VariableValueError(
            f"There is no time zone {timezone!r}. Give `system__timezone` a name such as "
            "'Europe/Berlin'."
        ) from error
    return {
        "system__agent_id": agent.agent_id,
        "system__agent_name": agent.name,
        "system__conversation_id": conversation_id,
        "system__language": agent.language,
        "system__time_utc": started_at.isoformat(timespec="seconds"),
        "system__time": f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M}",
        "system__date": f"{local:%Y-%m-%d}",
        "system__timezone": timezone,
    }
