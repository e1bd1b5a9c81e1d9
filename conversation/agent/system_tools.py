"""System tools: what they are for, what they take, and what they mean for a turn. Pure."""

from collections.abc import Sequence
from typing import Any

from conversation.agent.config import AgentConfig
from conversation.agent.language_config import OWN_SENTENCES
from conversation.agent.tool_config import ToolConfig
from conversation.transcript import ToolCall

END_CALL = "end_call"
TRANSFER = "transfer_to_agent"
LANGUAGE_DETECTION = "language_detection"
SKIP_TURN = "skip_turn"
SEARCH = "search_knowledge_base"
REPORT_GAP = "report_knowledge_gap"

MAX_QUESTION_CHARS = 500
_NEED_NO_ANSWER = frozenset({END_CALL, SKIP_TURN, REPORT_GAP})
"""After one of these, what the agent said already is its whole turn."""

_DESCRIPTIONS = {
    END_CALL: (
        'End the conversation. Only when the user says goodbye or needs nothing else: "Bye!", '
        '"That is all, thank you."'
    ),
    TRANSFER: "Hand the conversation over to another agent, only when the user wants what it does:",
    LANGUAGE_DETECTION: (
        "Switch to another language. Only when the user's latest words are in that language, or "
        "the user asks for it."
    ),
    SKIP_TURN: (
        'Say nothing and wait. Only when the user asks for time: "One moment please", "Hold on."'
    ),
    SEARCH: (
        "Search the documents with a query of your own. Only when the user's latest words refer "
        'to something said before, and would find nothing by themselves: "And for that one?"'
    ),
    REPORT_GAP: (
        "Report a question that the documents do not answer. Only when the user says that "
        'something is missing or wrong in them: "Your pages say nothing about this."'
    ),
}
"""With examples: small models decide by them."""


def tool_description(tool: ToolConfig) -> str:
    """When to use the tool: in the words of the agent file, else in those it comes with."""
    text = tool.description.strip() or _DESCRIPTIONS.get(tool.name, "")
    targets = [f"{target.agent_id}: {target.when}" for target in tool.agents]
    return "\n  ".join([text, *targets])


def tool_parameters(tool: ToolConfig, agent: AgentConfig) -> dict[str, Any]:
    """JSON schema of what the tool takes."""
    if tool.name == TRANSFER:
        return _object(agent_id={"enum": [target.agent_id for target in tool.agents]})
    if tool.name == LANGUAGE_DETECTION:
        return _object(language={"enum": list(agent.languages)})
    if tool.name == SEARCH:
        return _object(query={"type": "string", "minLength": 1, "maxLength": MAX_QUESTION_CHARS})
    if tool.name == REPORT_GAP:
        return _object(question={"type": "string", "minLength": 1, "maxLength": MAX_QUESTION_CHARS})
    return tool.parameters


def ends_conversation(calls: Sequence[ToolCall]) -> bool:
    """Whether the agent decided that the conversation is over."""
    return _was_done(END_CALL, calls)


def skips_turn(calls: Sequence[ToolCall]) -> bool:
    """Whether the agent decided to say nothing."""
    return _was_done(SKIP_TURN, calls)


def need_no_answer(calls: Sequence[ToolCall]) -> bool:
    """Whether what the agent said beside these calls is its whole turn.

    What it wanted after it had ended the conversation needs none either.
    """
    names = [call.tool_name for call in calls]
    if ends_conversation(calls):
        names = names[: names.index(END_CALL)]
    return {*names} <= _NEED_NO_ANSWER


def was_handed_over(calls: Sequence[ToolCall]) -> bool:
    """Whether another agent took over in this turn."""
    return _was_done(TRANSFER, calls)


def in_language(agent: AgentConfig, language: str) -> AgentConfig:
    """The agent as it is in one of its languages; as it was in any other.

    Switching back works, too: the language left becomes one of the others.
    """
    section = agent.languages.get(language)
    if section is None:
        return agent
    left = type(section)(
        first_message=agent.first_message,
        system_prompt=agent.system_prompt,
        **{name: getattr(agent, name) for name in OWN_SENTENCES},
    )
    others = {code: each for code, each in agent.languages.items() if code != language}
    changed: dict[str, Any] = {
        name: text
        for name in ("first_message", "system_prompt")
        if (text := getattr(section, name)) is not None
    }
    changed |= {
        **{name: getattr(section, name) for name in OWN_SENTENCES},
        "language": language,
        "languages": {**others, agent.language: left},
    }
    return agent.model_copy(update=changed)


def _was_done(name: str, calls: Sequence[ToolCall]) -> bool:
    return any(call.tool_name == name and not call.is_error for call in calls)


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
