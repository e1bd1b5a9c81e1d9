"""Conversations one after the other, read by the batch."""

from collections.abc import Callable, Iterator, Sequence

from conversation.store.database import batches
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript


def read_by_the_batch(
    conversations: ConversationStore,
    conversation_ids: Sequence[str],
    read: Callable[[str], Transcript] | None = None,
) -> Iterator[dict[str, Transcript]]:
    """Yield some conversations at a time, by id and in order; those deleted since are left out.

    Args:
        conversations: Where they are.
        conversation_ids: Which.
        read: How one is read; None reads them together, as the store gives them.

    Raises:
        ValidationError: What is stored of one is not a conversation.
    """
    for ids in batches(conversation_ids):
        if read is not None:
            yield {key: read(key) for key in ids}
            continue
        found = conversations.transcripts(ids)
        some: dict[str, Transcript] = {}
        for key in ids:
            if key in found:
                transcript = found[key]
                if not isinstance(transcript, Transcript):
                    raise transcript
                some[key] = transcript
        yield some
