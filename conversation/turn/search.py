"""The passages of a turn, found with the words of the user or with those of the model.

Where all documents stand in the prompt, they are searched all the same: scores, gaps and citations
are then those of every other agent.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from conversation.errors import ConversationError
from conversation.grounding.passages import find_passages
from conversation.transcript import Turn
from conversation.turn.events import RetrievalDone
from conversation.turn.speaker import Speaker


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
