"""The passages of a turn, found with the words of the user or with those of the model.

Where all documents stand in the prompt, they are searched all the same: scores, gaps and citations
are then those of every other agent.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from conversation.agent.config import AgentConfig
from conversation.errors import ConversationError
from conversation.grounding.passages import find_passages
from conversation.llm.chat_model import ChatModel
from conversation.llm.generator import prompt_memory
from conversation.transcript import Turn
from conversation.turn.events import RetrievalDone
from conversation.turn.speaker import Speaker
from kb.document import RetrievedPassage

EMBEDDED_SHARE = 0.7
"""Of the best passage's score, from which a model in this process reads another one.

It reads some 35 tokens a second. The best passage stands out in most turns: of 33 questions about
the sample documents, 32 find their answer in what is left, as in all passages, which are twice as
long.
"""


def found_passages(
    speaker: Speaker, turns: Sequence[Turn], query: str, *, timer_s: Callable[[], float]
) -> RetrievalDone:
    """What the speaker's documents hold for `query`, which stands in for the last of `turns`.

    Raises:
        ConversationError: The speaker has no documents.
    """
    if speaker.knowledge_base is None:
        raise ConversationError("there are no documents to search in.")
    began_s = timer_s()
    section = speaker.agent.knowledge_base
    *history, asked = turns
    found = find_passages(
        speaker.knowledge_base,
        [*history, asked.model_copy(update={"text": query})],
        limit=section.max_passages,
        deadline_s=section.retrieval_deadline_s,
    )
    return replace(found, latency_ms=(timer_s() - began_s) * 1_000)


def worth_reading(
    agent: AgentConfig, model: ChatModel, passages: Sequence[RetrievedPassage]
) -> list[RetrievedPassage]:
    """The passages that a prompt holds, as far as there is room: the good ones.

    Args:
        agent: Whose documents they are from.
        model: That reads them.
        passages: As they were found.
    """
    section = agent.knowledge_base
    share = section.min_passage_share
    if share is None:
        share = 0.0 if prompt_memory(model) is None else EMBEDDED_SHARE
    best = max((passage.score for passage in passages), default=0.0)
    least = max(section.min_passage_score, share * best)
    return [passage for passage in passages if passage.score >= least]
