"""What fits into a prompt: a budget for each of its parts. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from conversation.agent.tool_config import SYSTEM_TOOLS
from conversation.language.tokens import chars_within, estimated_tokens
from conversation.prompt.parts import passage_tag
from conversation.transcript import ToolCall, Turn
from kb.document import RetrievedPassage

_MIN_CUT_PASSAGE_TOKENS = 50
"""A passage is cut to fit rather than left out when this much of it fits."""


def history_start(turns: Sequence[Turn], max_tokens: int) -> int:
    """Index of the first turn that the prompt keeps.

    When the turns outgrow the budget, they are cut to half of it at once. So the start moves
    seldom, and in between each prompt continues the one before and is found in the cache.
    """
    start, tokens = 0, 0
    for index, turn in enumerate(turns):
        tokens += estimated_tokens(turn.text)
        if tokens <= max_tokens:
            continue
        while start < index and tokens > max_tokens // 2:
            tokens -= estimated_tokens(turns[start].text)
            start += 1
    return start


def fit_passages(passages: Sequence[RetrievedPassage], max_tokens: int) -> list[RetrievedPassage]:
    """The best passages that fit the budget; the last one may be cut at a word.

    A cut passage ends earlier in its document, so that its offsets stay true.
    """
    shown: list[RetrievedPassage] = []
    room = max_tokens
    for passage in passages:
        space = room - estimated_tokens(passage_tag(len(shown) + 1, passage))
        tokens = estimated_tokens(passage.text)
        if tokens <= space:
            shown.append(passage)
            room = space - tokens
            continue
        if space >= _MIN_CUT_PASSAGE_TOKENS or not shown:
            shown.append(_cut(passage, max(space, _MIN_CUT_PASSAGE_TOKENS)))
        break
    return shown


def fit_notes(notes: Sequence[str], max_tokens: int) -> list[str]:
    """The newest notes that fit the budget, oldest first; at least the newest."""
    kept: list[str] = []
    for note in reversed(notes):
        max_tokens -= estimated_tokens(note)
        if kept and max_tokens < 0:
            break
        kept.insert(0, note)
    return kept


def fit_results(calls: Sequence[ToolCall], max_tokens: int) -> list[ToolCall]:
    """What tools returned that reach outside of the conversation, each cut to the budget."""
    outside = [call for call in calls if call.tool_name not in SYSTEM_TOOLS]
    results = [call.result or "" for call in outside]
    return [
        call.model_copy(update={"result": result[: chars_within(result, max_tokens)]})
        for call, result in zip(outside, results, strict=True)
    ]


def _cut(passage: RetrievedPassage, max_tokens: int) -> RetrievedPassage:
    max_chars = chars_within(passage.text, max_tokens)
    text = passage.text[:max_chars]
    border = text.rfind(" ")
    if border > max_chars // 2:
        text = text[:border]
    return replace(passage, text=text, end_char=passage.start_char + len(text))
