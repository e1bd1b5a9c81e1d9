"""The agent's turn once it is over: its record, and what is kept with it. Pure."""

from collections.abc import Callable
from dataclasses import replace

from conversation.grounding.citations import Attribution, Similarity, attribute, result_passage
from conversation.transcript import Retrieval, Turn, storable, total_of_calls
from conversation.turn.events import AgentTurn, RetrievalDone
from conversation.turn.turn_so_far import SpeakingTurn
from kb.document import RetrievedPassage

DISCARDED = "discarded"
"""Purpose of calls for an answer that nobody heard: the user went on speaking."""
Spoken = Callable[[str], str | None]
"""What a voice says for a text; None when it says the text itself, or there is no voice."""


def unchanged(text: str) -> str | None:
    """No voice, or one that says every text as it stands."""
    return None


def finished_turn(
    speaking: SpeakingTurn,
    *,
    interrupted: bool = False,
    heard_chars: int | None = None,
    error: str | None = None,
    spoken: Spoken = unchanged,
    similarity: Similarity | None = None,
) -> Turn:
    """The record of a turn that is over.

    Args:
        speaking: What was generated.
        interrupted: Whether the user cut it short.
        heard_chars: How much of the generated text the user heard; None for all of it.
        error: Why it is incomplete, when it failed.
        spoken: What a voice says for a text; None when it says the text itself.
        similarity: Compares a sentence with passages; without it, words alone decide.
    """
    generated = speaking.text
    heard = heard_part(generated, heard_chars)
    attribution = _attribution(speaking, heard[: len(speaking.model_text)], similarity)
    calls = speaking.used_tools()
    model_calls = speaking.all_calls()
    return Turn(
        role="agent",
        text=heard,
        turn_id=speaking.turn_id,
        offset_s=speaking.offset_s,
        generated_text=None if heard == generated else generated,
        spoken_text=spoken(heard),
        interrupted=interrupted,
        citations=attribution.citations,
        unsupported_spans=attribution.unsupported_spans,
        grounded_share=attribution.grounded_share,
        tool_calls=calls,
        latency=speaking.latency(),
        usage=total_of_calls(model_calls),
        calls=model_calls,
        error=error or (None if interrupted else speaking.error),
    )


def _attribution(speaking: SpeakingTurn, heard: str, similarity: Similarity | None) -> Attribution:
    """Which passages support the turn. What a tool returned supports a sentence, too."""
    if speaking.retrieval is None:
        return Attribution()
    prompt = speaking.prompt
    passages = () if prompt is None else prompt.passages
    results = () if prompt is None else prompt.results
    returned = [result_passage(call) for call in results if not call.is_error]
    attribution = attribute(
        heard,
        (*passages, *returned),
        similarity=similarity,
        language="en" if prompt is None else prompt.language,
        own_words="" if prompt is None else prompt.own_words,
    )
    by_tools = {passage.chunk_id for passage in returned}
    citations = [cited for cited in attribution.citations if cited.chunk_id not in by_tools]
    return replace(attribution, citations=tuple(citations))


def heard_part(generated: str, heard_chars: int | None) -> str:
    """The beginning of `generated` that was heard; never more than there is.

    What readers take for one sign (an emoji of several, a letter with its marks) was heard whole
    or not at all.
    """
    if heard_chars is not None and heard_chars < 0:
        raise ValueError(f"heard_chars counts characters and cannot be {heard_chars}")
    if heard_chars is None or heard_chars >= len(generated):
        return generated
    return generated[: _border_of_signs(generated, heard_chars)]


def _border_of_signs(text: str, at: int) -> int:
    """The last place up to `at` that is not within a sign."""
    if text[max(0, at - 1) : at + 1].isascii() and text[at] != "\n":
        return at
    import regex

    start = 0
    for sign in regex.finditer(r"\X", text):
        if sign.end() > at:
            return sign.start()
        start = sign.end()
    return start


def heard_turn(
    turn: Turn, heard_chars: int, *, was_complete: bool = False, spoken: Spoken = unchanged
) -> Turn:
    """A finished agent turn of which the user heard so much.

    One that `was_complete` when the agent ended it and was heard to the end is not interrupted.
    """
    generated = turn.text if turn.generated_text is None else turn.generated_text
    heard = heard_part(generated, heard_chars)
    if heard == turn.text:
        return turn
    return turn.model_copy(
        update={
            "text": heard,
            "generated_text": None if heard == generated else generated,
            "spoken_text": spoken(heard),
            "interrupted": heard != generated or not was_complete,
            "citations": tuple(
                citation for citation in turn.citations if citation.turn_end_char <= len(heard)
            ),
            "unsupported_spans": tuple(
                span for span in turn.unsupported_spans if span[1] <= len(heard)
            ),
        }
    )


def discarded_turn(turn: Turn) -> Turn:
    """An answer that nobody heard: its calls are paid for, and marked as in vain."""
    calls = tuple(call.model_copy(update={"purpose": DISCARDED}) for call in turn.calls)
    return turn.model_copy(update={"calls": calls})


def retrieved_passages(speaking: SpeakingTurn) -> list[Retrieval]:
    """Records of what was retrieved for the turn, with whether it stood in the prompt."""
    prompt = speaking.prompt
    shown = {passage.chunk_id for passage in prompt.passages} if prompt else set[str]()
    records: dict[str, Retrieval] = {}
    for search in speaking.searches:
        for passage in search.passages:
            record = _retrieval(
                search, passage, speaking.turn_id, in_prompt=passage.chunk_id in shown
            )
            records.setdefault(passage.chunk_id, record)
    return list(records.values())


def _retrieval(
    search: RetrievalDone, passage: RetrievedPassage, turn_id: str, *, in_prompt: bool
) -> Retrieval:
    return Retrieval(
        turn_id=turn_id,
        query=search.query,
        mode=search.mode,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        document_name=passage.document_name,
        document_version=passage.document_version,
        start_char=passage.start_char,
        end_char=passage.end_char,
        page=passage.page,
        rank=passage.rank,
        score=passage.score,
        in_prompt=in_prompt,
        text=storable(passage.text),
    )


def agent_turn_event(turn: Turn, *, is_answered: bool = True) -> AgentTurn:
    """The last event of the turn; `is_answered` tells whether a model said any of it."""
    return AgentTurn(
        text=turn.text,
        citations=turn.citations,
        latency=turn.latency,
        usage=turn.usage,
        grounded_share=turn.grounded_share,
        interrupted=turn.interrupted,
        error=turn.error,
        is_answered=is_answered,
        turn=turn,
    )
