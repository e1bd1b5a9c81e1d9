"""What a session needs before its first word: a complete agent, checked. Pure."""

from collections.abc import Mapping
from datetime import datetime

from conversation.config import AgentConfig
from conversation.errors import AgentConfigError
from conversation.speaking import storable
from conversation.variables import VariableValue, fill_in


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
    """The agent with its first message, system prompt and what it says by itself filled in.

    `system__agent_id`, `system__conversation_id` and `system__time_utc` always have a value;
    `given` goes over the agent's own defaults.

    Raises:
        MissingVariableError: A placeholder has no value.
    """
    values: dict[str, VariableValue] = {
        "system__agent_id": agent.agent_id,
        "system__conversation_id": conversation_id,
        "system__time_utc": started_at.isoformat(timespec="seconds"),
        **agent.dynamic_variables,
        **given,
    }
    first_message = fill_in(agent.first_message, values, where="first message")
    system_prompt = fill_in(agent.system_prompt, values, where="system prompt")
    timed = {
        name: storable(fill_in(text, values, where=name.replace("_", " "))).strip()
        for name in ("reengagement_message", "goodbye_message")
        if (text := getattr(agent.turn_taking, name))
    }
    return agent.model_copy(
        update={
            "turn_taking": agent.turn_taking.model_copy(update=timed),
            "first_message": storable(first_message).strip(),
            "system_prompt": storable(system_prompt),
        }
    )
