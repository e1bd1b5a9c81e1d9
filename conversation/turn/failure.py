"""How a turn that fell short is told to the user, and to whoever runs the agent. Pure."""

from conversation.agent.config import AgentConfig
from conversation.agent.system_tools import ends_conversation, skips_turn
from conversation.language.set_sentences import FAILURE, GOODBYE, in_words_of
from conversation.llm.chat_model import FILTERED
from conversation.turn.turn_so_far import SpeakingTurn

BROKEN_OFF = frozenset({"length", "max_tokens"})
"""What providers give as the reason for ending an answer at its limit."""


def shortcoming(speaking: SpeakingTurn) -> str | None:
    """What is wrong with an answer that came without an error, for whoever runs the agent."""
    completion = speaking.completion
    reason = completion.finish_reason.casefold() if completion else ""
    if reason in FILTERED:
        return (
            "The provider's content filter stopped the answer. Ask in other words, or choose "
            "another model in `llm.model`."
        )
    silent_on_purpose = skips_turn(speaking.tool_calls) or ends_conversation(speaking.tool_calls)
    if not speaking.text and not silent_on_purpose:
        return "The model gave an empty answer. Ask again, or choose another model in `llm.model`."
    if reason in BROKEN_OFF:
        return (
            "The answer was cut at the token limit. Raise `llm.max_output_tokens` in the agent "
            "file, or ask for shorter answers in its system prompt."
        )
    return None


def last_words(speaking: SpeakingTurn, agent: AgentConfig) -> str:
    """What the agent adds by itself at the end of its turn; empty when nothing is missing."""
    if speaking.is_over:
        return ""
    if ends_conversation(speaking.tool_calls):
        if speaking.text:
            return ""
        return agent.turn_taking.goodbye_message or in_words_of(agent.language, GOODBYE)
    completion = speaking.completion
    is_cut = completion is not None and completion.finish_reason.casefold() in BROKEN_OFF
    if speaking.error is None or (is_cut and speaking.text and not speaking.has_failed):
        return ""
    own = agent.failure_message
    return in_words_of(agent.language, FAILURE) if own is None else own
