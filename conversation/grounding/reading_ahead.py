"""Which prompts are read ahead of conversations, and whether documents stand in them whole."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from conversation.agent.config import AgentConfig
from conversation.grounding.passages import PassageSource, chunks_of_whole, whole_documents
from conversation.llm.chat_model import ChatModel, KeptPrompt
from conversation.llm.generator import prompt_memory
from conversation.prompt.prompt import common_beginning, documents_block
from kb.document import RetrievedPassage

WHOLE_TOKENS = 6_400
"""Size up to which documents stand in the prompt of a model that reads it ahead.

A turn of Qwen2.5-Coder 1.5B then reads its question alone, but each token costs more, because it
attends to all of the documents: 45 ms of CPU behind 2,500 tokens, about 100 behind 6,000. More
leaves a conversation too little of the 8,192 tokens that it has.
"""
_FOLDER = "prompts"


@runtime_checkable
class DerivedSource(Protocol):
    """Documents with a folder for what is made of them; `KnowledgeBase` is one."""

    @property
    def derived_dir(self) -> Path:
        """The folder, deleted with every change of the documents."""
        ...


@dataclass(frozen=True, slots=True)
class Beginning:
    """How the prompts of an agent begin."""

    text: str
    whole: tuple[RetrievedPassage, ...] = ()
    """All documents, when they stand in it."""
    chunks: tuple[RetrievedPassage, ...] = ()
    """Of `whole`, as they are cited."""
    folder: Path | None = None
    """Where it is kept once it was read; None where there is no such place."""


def chosen_beginning(
    agent: AgentConfig, source: PassageSource | None, model: ChatModel
) -> Beginning:
    """How prompts begin in a conversation that starts now.

    Without a size in the agent file, documents stand in the prompt only when somebody has read them
    ahead: a conversation would wait minutes for that.

    Args:
        agent: As its file has it, with placeholders.
        source: Its documents.
        model: That answers.
    """
    whole = _whole(agent, source, model)
    if not whole.whole or agent.prompt.whole_knowledge_base_tokens is not None:
        return whole
    memory = prompt_memory(model)
    documents = documents_block(whole.whole)
    if memory is None or whole.folder is None or not memory.has(documents, whole.folder):
        return _beginning(agent, source, ())
    return whole


def read_ahead(
    agent: AgentConfig,
    source: PassageSource,
    model: ChatModel,
    *,
    on_read: Callable[[int, int], None] = lambda _done, _total: None,
) -> KeptPrompt | None:
    """Read the beginning of an agent's prompts and keep it with its documents.

    Args:
        agent: As its file has it.
        source: Its documents.
        model: That answers.
        on_read: Told how many tokens of how many were read.

    Returns:
        None when the model keeps none, as providers over a network do.

    Raises:
        ModelError: It cannot be read, does not fit, or cannot be kept.
    """
    memory = prompt_memory(model)
    beginning = _whole(agent, source, model)
    if memory is None or beginning.folder is None or not beginning.text:
        return None
    kept = memory.make(beginning.text, beginning.folder, on_read=on_read)
    if _whole(agent, source, model).text != beginning.text:
        # The documents changed meanwhile: what was read holds what may be deleted by now.
        shutil.rmtree(beginning.folder, ignore_errors=True)
        return read_ahead(agent, source, model, on_read=on_read)
    return kept


def _whole(agent: AgentConfig, source: PassageSource | None, model: ChatModel) -> Beginning:
    budget = agent.prompt.whole_knowledge_base_tokens
    if budget is None:
        budget = 0 if prompt_memory(model) is None else WHOLE_TOKENS
    return _beginning(agent, source, tuple(whole_documents(source, budget)))


def _beginning(
    agent: AgentConfig, source: PassageSource | None, whole: tuple[RetrievedPassage, ...]
) -> Beginning:
    text = common_beginning(agent, grounded=source is not None, whole=whole)
    chunks = tuple(chunks_of_whole(source)) if whole else ()
    is_kept = isinstance(source, DerivedSource)
    folder = source.derived_dir / _FOLDER / agent.agent_id if is_kept else None
    return Beginning(text, whole, chunks, folder)
