"""A sentence that repeats a passage but for one name: "Munich" where the passage says "Berlin".

Many scripts have no capitals, German has them on every noun, and the first word of a sentence has
one anyway, so that writing does not tell whether a word that a passage lacks is a name or only
another word for the same. Its place tells: where all around it is repeated and one piece stands
instead of another, the two say different things. Pure.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from conversation.grounding.checking.stated_names import is_inflected, names_in
from conversation.language.telling_words import stem
from kb.words.languages import CAPITALISED_NOUNS, function_words
from kb.words.sentences import split_sentences
from kb.words.spelling import MARKS, SPACELESS, folded

_TOKEN = re.compile(
    # Korean puts spaces between its words.
    rf"[\uac00-\ud7af]+|{SPACELESS}[{MARKS}]*|(?:(?!{SPACELESS})[^\W\d_])(?:(?!{SPACELESS})(?:[^\W\d_]|[{MARKS}]))*|\d+"
)
_SPACELESS = re.compile(SPACELESS)
_HANGUL = re.compile("[\uac00-\ud7af]")
_HIRAGANA = re.compile("[\u3041-\u309f]+")
_HAN_NUMERALS = frozenset("〇零一二三四五六七八九十百千万萬亿億两兩")
_REPEATED_SHARE = 0.6
"""Of the tokens of a sentence that stand in the passage in the same order."""
_LONGEST_WORDS = 3
_LONGEST_SIGNS = 8
"""What is longer is no name but another way to say it."""
_DETERMINER = re.compile(
    "d(?:er|ie|as|en|em|es)|(?:k?ein|[mds]ein|ihr|unser|eue?r|dies|jed|jen|welch|all)(?:e[rsmn]?)?"
    "|[ai]m|zu[mr]|vom|beim|ins|ans"
)
"""The closed class of German words that stand before nouns, but not before names."""
_MAX_TOKENS = 120
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    plain: str
    """As it is compared."""
    is_sign: bool


def replaces_a_name(sentence: str, passage: str, language: str) -> bool:
    """Whether `sentence` repeats one of `passage` with another name in the place of one.

    Args:
        sentence: Of an answer.
        passage: The sentences that say most of it.
        language: Of the passage.
    """
    said = _tokens(sentence, language)
    if not said or len(said) > _MAX_TOKENS:
        return False
    parts, names = _parts_and_names(passage, language)
    compared = [(_Compared(said, _tokens(part, language)), part) for part in parts]
    if not compared:
        return False
    nearest, shown = max(compared, key=lambda each: each[0].repeated)
    if _opens_with_another(said, nearest.shown, names, language):
        return True
    if nearest.repeated < _REPEATED_SHARE * len(said):
        return False
    # Where capitals tell names within a sentence, one of the passage must be such a name.
    capitals_tell = language not in CAPITALISED_NOUNS and shown.lower() != shown.upper()
    return any(
        _may_be_names(said, one, nearest.shown, language)
        and _may_be_names(nearest.shown, two, said, language)
        and (not capitals_tell or any(nearest.shown[at].plain in names for at in two))
        for one, two in nearest.replaced(anywhere=language in CAPITALISED_NOUNS)
    )


class _Compared:
    """A sentence of an answer beside one of a passage."""

    def __init__(self, said: Sequence[_Token], shown: Sequence[_Token]) -> None:
        self.said = said
        self.shown = shown if len(shown) <= _MAX_TOKENS else ()
        self._matcher = SequenceMatcher(
            None,
            [each.plain for each in self.said],
            [each.plain for each in self.shown],
            autojunk=False,
        )
        self.repeated = sum(block.size for block in self._matcher.get_matching_blocks())
        """Tokens that stand in both in the same order."""

    def replaced(self, *, anywhere: bool) -> Iterator[tuple[range, range]]:
        """Places of pieces that stand in one for pieces of the other.

        Args:
            anywhere: Also where they stand at other places, as where a sentence begins otherwise.
        """
        apart = self._apart()
        for one, instead in apart:
            for two in (place for _, place in apart) if anywhere else (instead,):
                if one and two and not _is_spelt_otherwise(self.said, one, self.shown, two):
                    yield one, two

    def _apart(self) -> list[tuple[range, range]]:
        """Places of what differs, with a sign that both have within it: 東京 and 京都."""
        found: list[tuple[range, range]] = []
        for kind, first, last, start, end in self._matcher.get_opcodes():
            if kind == "equal":
                continue
            before = found[-1] if found else None
            if before and first - before[0].stop == 1 and self.said[first - 1].is_sign:
                found[-1] = range(before[0].start, last), range(before[1].start, end)
            else:
                found.append((range(first, last), range(start, end)))
        return found


@lru_cache(maxsize=1_024)
def _tokens(text: str, language: str) -> tuple[_Token, ...]:
    """Of a sentence; those of passages come back turn after turn."""
    return tuple(_read(text, language))


@lru_cache(maxsize=1_024)
def _parts_and_names(passage: str, language: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """Sentences of a passage, and the stems of the names within it."""
    names = names_in(passage, 0, len(passage), language)
    parts = tuple(part.text for part in split_sentences(passage))
    return parts, frozenset(stem(name, language) for _, _, name in names)


def _read(text: str, language: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(text):
        word = match.group()
        is_sign = _SPACELESS.match(word) is not None and not _HANGUL.match(word)
        yield _Token(word, folded(word) if is_sign else stem(word, language), is_sign)


def _may_be_names(
    tokens: Sequence[_Token], piece: range, other: Sequence[_Token], language: str
) -> bool:
    """Whether a short piece, which stands in one text only, may be what the text is about."""
    held = [tokens[at] for at in piece]
    signs = all(each.is_sign for each in held)
    if len(held) > (_LONGEST_SIGNS if signs else _LONGEST_WORDS):
        return False
    there = {each.plain for each in other}
    idle = function_words(language)
    if signs:
        written = "".join(each.text for each in held)
        if _HIRAGANA.fullmatch(written) or folded(written) in idle:
            return False
        return any(
            each.plain not in there | idle and each.text not in _HAN_NUMERALS for each in held
        )
    return any(
        tokens[at].plain not in there
        and folded(tokens[at].text) not in idle
        and _is_written_as_name(tokens, at, language)
        for at in piece
    )


def _is_written_as_name(tokens: Sequence[_Token], at: int, language: str) -> bool:
    word = tokens[at].text
    if word.isdecimal() or len(word) < (_SHORTEST if word.lower() != word.upper() else 2):
        return False
    if not word[0].isupper():
        # A language without capitals ends its sentences in verbs, or begins them so.
        return word.lower() == word.upper() and at + 1 < len(tokens)
    if language not in CAPITALISED_NOUNS or at == 0:
        return True
    # "Das Münchner Büro" names a place, "das Büro" does not.
    is_followed = at + 1 < len(tokens) and tokens[at + 1].text[0].isupper()
    return is_followed or _DETERMINER.fullmatch(tokens[at - 1].text.casefold()) is None


def _is_spelt_otherwise(
    said: Sequence[_Token], one: range, shown: Sequence[_Token], two: range
) -> bool:
    """Whether a word of one piece holds one of the other: an ending, a compound, an initial."""
    return any(
        _is_same_word(said[one_at].plain, shown[two_at].plain)
        for one_at in one
        for two_at in two
        if not said[one_at].is_sign and not shown[two_at].is_sign
    )


def _is_same_word(one: str, other: str) -> bool:
    """Whether two words that differ hold one another, or have another ending."""
    if one == other:
        return False
    if _HANGUL.match(one):
        # Names have two syllables; what follows them is glued to them.
        return one[:2] == other[:2] or is_inflected(one, (other,))
    if min(len(one), len(other)) < _SHORTEST:
        return False
    return one in other or other in one or is_inflected(one, (other,))


def _opens_with_another(
    said: Sequence[_Token], shown: Sequence[_Token], names: Collection[str], language: str
) -> bool:
    """Whether a strange first word stands for a name of the sentence that is not said."""
    if language in CAPITALISED_NOUNS or not said[0].text[0].isupper():
        return False
    if not _may_be_names(said, range(1), shown, language):
        return False
    if _is_spelt_otherwise(said, range(1), shown, range(len(shown))):
        return False
    spoken = {each.plain for each in said}
    return any(
        each.plain in names and each.plain not in spoken and not is_inflected(each.plain, spoken)
        for each in shown
    )
