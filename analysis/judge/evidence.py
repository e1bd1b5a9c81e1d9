"""Quotes checked in code: what nobody said is no evidence."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from analysis.results import Evidence
from analysis.said.normal_form import words_that_repeat, words_that_say
from conversation.transcript import Turn
from kb.words.spelling import respelled, runs, syllables

_SENTENCE = re.compile(
    r"\S.*?(?:[.!?…]+(?=\s|$)|[\u3002\uff01\uff1f\u061f\u06d4\u0964]+|$)", re.DOTALL
)
_WORD = re.compile(r"\w+")
_LONGEST_WHOLE_TURN_CHARS = 160
_STEM_CHARS = 5
_EMPTY_WORDS = frozenset(
    _WORD.findall(
        "about after again agent all and any anything are ask asks asked because been before but "
        "can could did does done else empty every false field for from give given had has have her "
        "his how into its just know leave like may more not nothing now number one only other our "
        "out please said say says she should some tell text than that the their them then there "
        "these they thing this those true two use user wants was way were what when where whether "
        "which who whole why will with would yes yet you your"
    )
)
"""In questions and descriptions everywhere; they connect no turn with a field."""


def verbatim(text: str, quote: str, *, whole_words: bool = False) -> str | None:
    """Return the words of `text` that `quote` repeats, as they stand there, or None.

    White space, case and typography are folded, and nothing more: a changed word, a dropped comma
    or an ellipsis is not a quote. With `whole_words` a part of a longer word does not count.
    """
    return words_that_say(text, quote) if whole_words else words_that_repeat(text, quote)


def verify_quote(turns: Sequence[Turn], turn_index: int, quote: str) -> Evidence | None:
    """Return the evidence that `quote` is, if it stands in the turn it names; else None."""
    if not 0 <= turn_index < len(turns):
        return None
    found = verbatim(turns[turn_index].text, quote)
    return None if found is None else Evidence(turn_index=turn_index, quote=found)


def telling_sentence(text: str, hint: str) -> str:
    """Return the part of a turn that says most about `hint`: a short turn whole, else a sentence.

    It is verbatim by construction. Sentences are compared by the words they share with `hint`;
    of equal ones the last is taken, because a turn's conclusion comes at its end.
    """
    whole = text.strip()
    if len(whole) <= _LONGEST_WHOLE_TURN_CHARS:
        return whole
    wanted = _words(hint)
    return max(reversed(_sentences(whole)), key=lambda sentence: len(_words(sentence) & wanted))


def quote_of_turn(turns: Sequence[Turn], turn_index: int, hint: str) -> Evidence | None:
    """Return the telling sentence of a turn as evidence, None where there is no such turn."""
    if not 0 <= turn_index < len(turns):
        return None
    quote = telling_sentence(turns[turn_index].text, hint)
    return Evidence(turn_index=turn_index, quote=quote) if quote else None


def most_telling_turn(
    turns: Sequence[Turn], turn_indexes: Iterable[int], hint: str, *, min_shared: int
) -> Evidence | None:
    """Return the sentence that shares most words with `hint`, the user's first, then the earliest.

    Words count by their beginning, so that "transferred" is about a "transfer"; words that say
    nothing by themselves do not count. None where fewer than `min_shared` are shared.
    """
    wanted = _stems(hint)
    best: tuple[tuple[int, bool, int], Evidence] | None = None
    for index in turn_indexes:
        for sentence in _sentences(turns[index].text):
            shared = len(_stems(sentence) & wanted)
            rank = (shared, turns[index].role == "user", -index)
            if shared >= min_shared and (best is None or rank > best[0]):
                best = rank, Evidence(turn_index=index, quote=sentence)
    return best[1] if best else None


def shares_words(text: str, hint: str) -> bool:
    """Return whether `text` and `hint` have a telling word in common, by its beginning."""
    return not _stems(text).isdisjoint(_stems(hint))


def _sentences(text: str) -> list[str]:
    return [found.group() for found in _SENTENCE.finditer(text.strip())]


def _words(text: str) -> set[str]:
    if text.isascii():
        return {word.casefold() for word in _WORD.findall(text) if len(word) > 2}
    found: set[str] = set()
    for run in runs(respelled(text)):
        if run.kind == "word":
            # Two letters of other scripts are a word more often than two of ours.
            found.update({run.text.casefold()} if len(run.text) > 1 + run.text.isascii() else ())
        else:
            found.update(map("".join, pairwise(syllables(run.text))))
    return found


def _stems(text: str) -> set[str]:
    words = _words(text.replace("_", " ")) - _EMPTY_WORDS
    return {word[:_STEM_CHARS] for word in words}
