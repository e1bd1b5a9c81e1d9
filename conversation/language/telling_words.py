"""The words of a text that carry its meaning, in a form in which they can be compared. Pure."""

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?", re.UNICODE)
_NEGATION = re.compile(r"\b(?:not|no|never|none|without|cannot|neither|nor)\b|n't\b", re.IGNORECASE)
_FUNCTION_WORD_LIST = """
    a about after all also am an and any are as at be been before being but by can could did do
    does doing done for from get gets got had has have having he her here him his how i if in into
    is it its just like may me might more most must my need needs no not of on once one only or
    other our out over own please shall she should so some such take takes than that the their them
    then there these they this those through to too under until up us use used using very via was
    we well were what when where which while who whom why will with within without would you your
    yours it's i'm you're we're they're i'll you'll don't doesn't isn't aren't can't won't didn't
    passage passages document documents according based information provided however therefore
    additionally first next finally"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())
_NUMBER_WORD_LIST = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty"""
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(_NUMBER_WORD_LIST.split())} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "ninety": "90",
}
_SUFFIXES = ("ations", "ation", "ingly", "ings", "ing", "edly", "ed", "es", "ly", "s")
_MIN_STEM_CHARS = 3


@lru_cache(maxsize=8_192)
def telling_words(text: str) -> frozenset[str]:
    """Stems of the words in `text` that are no function words, numbers as digits."""
    found: set[str] = set()
    for match in _WORD.finditer(plain_quotes(text)):
        word = match.group().casefold()
        if word in _NUMBER_WORDS and word != "one":
            found.add(_NUMBER_WORDS[word])
        elif word[0].isdigit():
            found.add(_plain_number(word))
        elif word not in _FUNCTION_WORDS and (len(word) > 1 or not word.isascii()):
            found.add(stem(word))
    return frozenset(found)


def numbers_of(text: str) -> frozenset[str]:
    """The numbers that `text` names, as digits. "One" counts only where it stands as a digit."""
    return frozenset(word for word in telling_words(text) if word[0].isdigit())


def is_negated(text: str) -> bool:
    """Whether the text contains a negation."""
    return _NEGATION.search(plain_quotes(text)) is not None


def plain_quotes(text: str) -> str:
    """`text` with typewriter apostrophes; every character keeps its place."""
    return text.replace("\u2019", "'")


def stem(word: str) -> str:
    """`word` without accents and common English endings. Good for comparing, not for reading."""
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char)
    )
    plain = plain.removesuffix("'s")
    if plain.endswith(("ies", "ied")) and len(plain) > _MIN_STEM_CHARS + 1:
        return plain[:-2]
    for suffix in _SUFFIXES:
        if plain.endswith(suffix) and len(plain) - len(suffix) >= _MIN_STEM_CHARS:
            plain = plain[: -len(suffix)]
            break
    plain = plain.removesuffix("e") if len(plain) > _MIN_STEM_CHARS else plain
    if len(plain) > _MIN_STEM_CHARS and plain[-1] == plain[-2]:
        plain = plain[:-1]
    return plain.removesuffix("y") + "i" if plain.endswith("y") and len(plain) > 3 else plain


def _plain_number(word: str) -> str:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", word):
        word = word.replace(",", "")
    return word.rstrip("0").rstrip(".") if "." in word and word.count(".") == 1 else word
