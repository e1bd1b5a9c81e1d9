"""An answer while it comes in: what states something is held back until it is checked. Pure."""

import re
from dataclasses import dataclass

from conversation.grounding.checking.answer_check import AnswerCheck
from conversation.grounding.checking.quoting import quote_for
from conversation.grounding.not_knowing import admits_not_knowing
from conversation.language.set_sentences import DONT_KNOW

_CLAUSE_END = re.compile(
    "[,;:.!?\u2026]+[\"'\u201d\u2019)\\]]*(?=\\s)|[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]|\\n"
)
_SENTENCE_ENDS = frozenset(".!?\u2026\u3002\uff01\uff1f\n")
_ORDINAL = re.compile(r"(?<![\d.,$\u20ac\u00a3\u00a5])\d{1,2}\.\Z")
"""A full stop that may belong to its number, as in "5. März"."""
_ORDINAL_CHARS = 4
_WORD_BORDER = re.compile(r"(?<!\s)\s++\S*+\Z")


@dataclass(slots=True)
class HeldBack:
    """One answer.

    Words that state nothing pass at once. From the first number or unknown name on, a clause waits
    for its end, and goes on only when all of it stands in the passages.
    """

    check: AnswerCheck | None
    """None lets everything through."""
    is_refuted: bool = False
    """Whether something was stated that does not stand there: nothing comes any more."""
    text: str = ""
    """Everything that came in."""
    _given: int = 0
    _clause: int = 0
    """Where the clause begins that is not checked yet."""
    _sentence: int = 0
    _is_agreed: bool = False
    """Whether a sentence has said what the user asked for, where that is one cell of a table."""

    def take(self, piece: str) -> str:
        """More of the answer; returns what of it may be said."""
        if self.check is None:
            return piece
        if self.is_refuted:
            return ""
        searched = max(self._clause, len(self.text) - 4)
        self.text += piece
        for end in _CLAUSE_END.finditer(self.text, searched):
            is_within = _ORDINAL.search(self.text, max(0, end.end() - _ORDINAL_CHARS), end.end())
            if not is_within and not self._passes(self.check, end.end()):
                return ""
        return self._give(self._safe_end(self.check))

    def end(self) -> str:
        """The answer is complete; returns what is left of it."""
        if self.check is None or self.is_refuted or not self.text:
            return ""
        if self._clause < len(self.text) and not self._passes(self.check, len(self.text)):
            return ""
        if self._sentence < len(self.text) and not self._agrees(self.check, len(self.text)):
            return ""
        return self._give(len(self.text))

    def _passes(self, check: AnswerCheck, end: int) -> bool:
        if not check.is_stated(self.text, self._clause, end):
            self.is_refuted = True
            return False
        self._clause = end
        is_whole = not _SENTENCE_ENDS.isdisjoint(
            self.text[max(0, end - 4) : end].strip(" ") or "\n"
        )
        return not is_whole or self._agrees(check, end)

    def _agrees(self, check: AnswerCheck, end: int) -> bool:
        sentence = self.text[self._sentence : end]
        self._sentence = end
        if not self._is_agreed and any(map(str.isalnum, sentence)):
            self.is_refuted = not check.says_the_cell(sentence) or _says_too_little(check, sentence)
            self._is_agreed = True
        return not self.is_refuted

    def _safe_end(self, check: AnswerCheck) -> int:
        """How far the answer can be said before the next clause is complete."""
        if not self._is_agreed and (check.asked_cell is not None or self._may_not_know(check)):
            return self._given
        # The word that is still coming may become a number, and a sign may stand before one.
        risk = check.first_risk(self.text, self._clause)
        border = _WORD_BORDER.search(self.text[:risk], self._clause)
        return max(self._given, self._clause if border is None else border.start())

    def _may_not_know(self, check: AnswerCheck) -> bool:
        """Whether the answer may come to that nobody knows, where a sentence would be quoted."""
        begun = self.text.lstrip().replace("\u2019", "'")
        return check.is_near and any(
            begun.startswith(words.rstrip(".\u3002")[: len(begun)]) for words in DONT_KNOW.values()
        )

    def _give(self, end: int) -> str:
        given = self.text[self._given : end]
        self._given = end
        return given


def _says_too_little(check: AnswerCheck, sentence: str) -> bool:
    """Whether an answer knows nothing though the passages have a sentence about it."""
    return check.is_near and admits_not_knowing(sentence) and bool(quote_for(check))
