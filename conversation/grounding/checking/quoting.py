"""What an agent says in place of an answer that its documents do not carry. Pure."""

from collections.abc import Sequence

from conversation.grounding.checking.answer_check import AnswerCheck, is_about
from conversation.language.choosing.best_sentences import best_sentences, quotable_sentences
from conversation.language.telling_words import telling_words
from kb.document import RetrievedPassage

MAX_ROWS = 2
MAX_QUOTE_CHARS = 400
"""Of a sentence: a longer one is no answer, or none that was cut rightly."""
_ASKS = ("?", "\u037e", "\u061f", "\uff1f")


def quote_for(check: AnswerCheck) -> str:
    """The rows that the user names, else the sentences that fit the question best, verbatim.

    Returns:
        Each behind the name of its document; empty where nothing fits.
    """
    rows = [
        row
        for row in check.asked_rows()
        if row.label.casefold() in check.asked.casefold() or is_about(check, row)
    ]
    if 0 < len(rows) <= MAX_ROWS:
        return _told([(row.passage.document_name, f"{row.said()}.") for row in rows])
    texts = [(passage.document_name, passage.text) for passage in check.passages]
    query = telling_words(check.asked, check.language)
    context = telling_words(check.earlier, check.language) - query
    told = [
        each
        for each in quotable_sentences(texts, check.language)
        if len(each.text) <= MAX_QUOTE_CHARS and not each.text.endswith(_ASKS)
    ]
    chosen = best_sentences(told, query, context, most=1)
    return _told([(each.document, each.text) for each in chosen])


def nearest_topic(passages: Sequence[RetrievedPassage], least_score: float) -> str:
    """What the best passage is about; empty where none comes near.

    Args:
        passages: Best first.
        least_score: What a passage scores at least that has to do with the question.
    """
    best = next((passage for passage in passages if passage.score >= least_score), None)
    if best is None:
        return ""
    headings = [heading for heading in best.section or best.heading_path if "|" not in heading]
    return " > ".join([best.document_name, *headings[-1:]])


def _told(quotes: Sequence[tuple[str, str]]) -> str:
    parts: list[str] = []
    for number, (document, text) in enumerate(quotes):
        is_same = number > 0 and quotes[number - 1][0] == document
        parts.append(text if is_same else f"{document}: {text}")
    return " ".join(parts)
