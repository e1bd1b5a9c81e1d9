"""Who speaks in a session: an agent with its model, documents and tools, ready to answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from conversation.agent.config import AgentConfig, LLMConfig
from conversation.agent.system_tools import TRANSFER, in_language
from conversation.agent.variables import VariableValue
from conversation.errors import AgentConfigError
from conversation.grounding.passages import PassageSource
from conversation.grounding.query_rewriting import with_query_rewriting
from conversation.grounding.reading_ahead import Beginning, chosen_beginning
from conversation.llm.chat_model import ChatModel, Doubt
from conversation.llm.generator import prompt_memory
from conversation.prompt.prompt import DONT_KNOW, next_beginning
from conversation.tools.toolbox import ClientTool, Toolbox, ToolFunction
from conversation.transcript import Turn
from conversation.turn.preparing import require_knowledge_base, with_variables
from kb.document import RetrievedPassage

DOUBT_SHARE = 0.15
"""Probability of "I" from which a model that begins otherwise is taken not to know.

Chosen on 32 questions about the sample documents, then 24 others were asked of Qwen2.5-Coder 1.5B:
it reached that for 12 of 12 that no document answers, and for 2 of 12 that one does.
"""


@dataclass(frozen=True, slots=True)
class ResolvedAgent:
    """Another agent, as a conversation can be handed over to it."""

    agent: AgentConfig
    knowledge_base: PassageSource | None = None
    chat_model: ChatModel | None = None
    """None opens the model of its configuration."""


ResolveAgent = Callable[[str], ResolvedAgent]
"""The agent with this id; raises any `ConversationError` when there is none."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is the same for every agent that speaks in a session."""

    conversation_id: str
    started_at: datetime
    open_model: Callable[[LLMConfig], ChatModel]
    variables: Mapping[str, VariableValue]
    secrets: Mapping[str, str]
    """By name, without `secret__`."""
    functions: Mapping[str, ToolFunction]
    client_tool: ClientTool | None = None
    resolve_agent: ResolveAgent | None = None
    text_only: bool = False


@dataclass(frozen=True, slots=True)
class Speaker:
    """An agent, ready to answer."""

    agent: AgentConfig
    """With every dynamic variable filled in, in the language that is spoken."""
    model: ChatModel
    knowledge_base: PassageSource | None
    tools: Toolbox
    beginning: Beginning
    """How its prompts begin, before anything differs by conversation."""

    @property
    def whole(self) -> tuple[RetrievedPassage, ...]:
        """All documents, when they stand in every prompt."""
        return self.beginning.whole

    @property
    def doubt(self) -> Doubt | None:
        """When its model is taken not to know; None where that is told behind each question."""
        hears = prompt_memory(self.model) is not None and self.agent.language == "en"
        return Doubt(f"{DONT_KNOW}.", DOUBT_SHARE) if hears and self.whole else None

    def speaking(self, language: str) -> "Speaker":
        """The same one in another language."""
        return replace(self, agent=in_language(self.agent, language))


def prepared_speaker(
    resolved: ResolvedAgent, circumstances: Circumstances, *, hands_over: bool = False
) -> Speaker:
    """Make an agent ready to speak.

    Args:
        resolved: The agent with what it answers from.
        circumstances: Of the session.
        hands_over: Whether it takes over from another agent, whose functions it may not need.

    Raises:
        AgentConfigError: Something that it needs is not there.
        ModelError: Its model cannot be used.
    """
    agent = resolved.agent
    require_knowledge_base(agent, given=resolved.knowledge_base is not None)
    filled = with_variables(
        agent,
        circumstances.variables,
        conversation_id=circumstances.conversation_id,
        started_at=circumstances.started_at,
    )
    if circumstances.text_only:
        filled = filled.model_copy(update={"voice": None})
    names = {tool.name for tool in agent.all_tools}
    if TRANSFER in names and circumstances.resolve_agent is None:
        raise AgentConfigError(
            f"The agent {agent.agent_id!r} hands over to other agents, but nobody can say who they "
            "are. Give `Session.start(agent, resolve_agent=...)`, or take the tool away."
        )
    may_be_for_others = hands_over or circumstances.resolve_agent is not None
    functions = {
        name: function
        for name, function in circumstances.functions.items()
        if name in names or not may_be_for_others
    }
    model = resolved.chat_model or circumstances.open_model(agent.llm)
    tools = Toolbox(
        filled,
        model=model,
        functions=functions,
        client_tool=circumstances.client_tool,
        secrets=circumstances.secrets,
        has_knowledge_base=resolved.knowledge_base is not None,
    )
    model.check()
    source = _searched(resolved, model, circumstances)
    beginning = chosen_beginning(agent, resolved.knowledge_base, model)
    return Speaker(filled, model, source, tools, beginning)


def read_ahead(
    speaker: Speaker,
    turns: Sequence[Turn],
    *,
    notes: Sequence[str] = (),
    summary: str = "",
    is_wanted: Callable[[], bool] = lambda: True,
) -> None:
    """Have the speaker's model read how its next prompt after `turns` begins, where it can.

    Args:
        speaker: Who is going to answer.
        turns: All that was said so far.
        notes: What the application said about the user meanwhile.
        summary: Of turns that no prompt holds any more.
        is_wanted: Asked before anything is read: whether nobody has said anything since.
    """
    memory = prompt_memory(speaker.model)
    if memory is not None:
        beginning = next_beginning(
            speaker.agent,
            turns,
            grounded=speaker.knowledge_base is not None,
            whole=speaker.whole,
            notes=notes,
            summary=summary,
            reminds=speaker.doubt is None,
        )
        memory.prepare(beginning, speaker.beginning.folder, is_wanted=is_wanted)


def _searched(
    resolved: ResolvedAgent, model: ChatModel, circumstances: Circumstances
) -> PassageSource | None:
    """What the agent answers from, asked through a model where its configuration says so."""
    if resolved.knowledge_base is None:
        return None
    agent = resolved.agent

    def rewriter() -> ChatModel:
        return model if agent.rewriter == agent.llm else circumstances.open_model(agent.rewriter)

    rewriting = agent.knowledge_base.query_rewriting
    return with_query_rewriting(resolved.knowledge_base, rewriting, rewriter)
