"""Frames that only this project's own client asks for; published clients never get them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from conversation.transcript import Citation, Turn

DETAILS = "details"
"""Named in `extras` of the client's first frame."""
MAX_SOURCES = 12
MAX_PASSAGE_CHARS = 4_000


class _Named(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ShownSource(_Named):
    """Where a sentence of an answer comes from."""

    document: str
    page: str | None
    heading: tuple[str, ...]
    quote: str
    """The document's own words."""
    passage: str
    """What stands around them; empty where it is not known."""
    start_char: int
    end_char: int
    """Of the sentence that it supports, in the answer."""


class DetailsEvent(_Named):
    """What a turn rests on and how long it took."""

    event_id: int
    turn_id: str | None
    sources: tuple[ShownSource, ...]
    grounded_share: float | None
    latency_ms: dict[str, float]
    """By step, from the user's turn on; spoken turns count from the end of speech as well."""


class AgentResponseDetails(_Named):
    """Follows `agent_response`, for clients that asked for it; others never get it."""

    type: Literal["agent_response_details"] = "agent_response_details"
    agent_response_details: DetailsEvent


class PastTurn(_Named):
    """A turn from before the client came back."""

    role: Literal["user", "agent"]
    text: str
    interrupted: bool
    event_id: int | None
    """None for turns that had none on the wire."""


class ResumedEvent(_Named):
    """The conversation so far."""

    turns: tuple[PastTurn, ...]


class ConversationResumed(_Named):
    """Follows the metadata when a client came back: what it may have missed."""

    type: Literal["conversation_resumed"] = "conversation_resumed"
    conversation_resumed: ResumedEvent


def resumed(turns: Iterable[Turn], event_ids: Mapping[str, int]) -> ConversationResumed:
    """What was said before a client came back.

    Args:
        turns: All of them.
        event_ids: Ids on the wire, by those of turns.
    """
    past = tuple(
        PastTurn(
            role=turn.role,
            text=turn.text,
            interrupted=turn.interrupted,
            event_id=event_ids.get(turn.turn_id or ""),
        )
        for turn in turns
    )
    return ConversationResumed(conversation_resumed=ResumedEvent(turns=past))


def details_of(
    turn: Turn, event_id: int, *, passages: Mapping[str, str], with_sources: bool
) -> AgentResponseDetails:
    """What a finished turn rests on.

    Args:
        turn: As it was stored.
        event_id: The turn's id on the wire.
        passages: Texts of the passages that were found for it, by chunk id.
        with_sources: Whether the agent shows its documents to users.
    """
    steps = [*_steps(turn.sound), *_steps(turn.latency)]
    shown = _sources(turn.citations, passages) if with_sources else ()
    return AgentResponseDetails(
        agent_response_details=DetailsEvent(
            event_id=event_id,
            turn_id=turn.turn_id,
            sources=tuple(shown),
            grounded_share=turn.grounded_share,
            latency_ms={name: round(value, 1) for name, value in steps},
        )
    )


def _steps(record: BaseModel | None) -> Iterable[tuple[str, float]]:
    """How long the user waited for each step, of those that were taken."""
    found = {} if record is None else record.model_dump(exclude_none=True)
    return [(name, value) for name, value in found.items() if name.endswith("_ms")]


def _sources(citations: Iterable[Citation], passages: Mapping[str, str]) -> list[ShownSource]:
    """What tools returned is shown as the use of the tool, not as a document."""
    return [
        ShownSource(
            document=each.document_name,
            page=each.page,
            heading=each.heading_path,
            quote=each.quote,
            passage=_around(each.quote, passages.get(each.chunk_id, "")),
            start_char=each.turn_start_char,
            end_char=each.turn_end_char,
        )
        for each in citations
        if not each.document_id.startswith("tool:")
    ][:MAX_SOURCES]


def _around(quote: str, passage: str) -> str:
    """The part of a long passage that has the quote in its middle."""
    if len(passage) <= MAX_PASSAGE_CHARS:
        return passage
    at = max(0, passage.find(quote) - MAX_PASSAGE_CHARS // 2)
    return passage[at : at + MAX_PASSAGE_CHARS]
