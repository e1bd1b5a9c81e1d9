"""The words of a text that carry its meaning, in a form in which they can be compared. Pure.

Stop words of `stop-words` were measured in place of the list for English: 5 of 562 tests of answers
fail, since a question such as "how long does it take" is left without a word.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from conversation.language.number_words import number_in_words
from kb.words import negations
from kb.words.languages import DEFAULT, function_words, primary, recognised
from kb.words.languages import stem as stem_of_language
from kb.words.number_names import HAN_NUMERAL, han_number, number_names
from kb.words.spelling import MARKS, SPACELESS, folded, respelled, syllables

_WORD = re.compile(
    rf"\d+(?:[.,:]\d+)*|{SPACELESS}+"
    rf"|(?:(?!{SPACELESS})[^\W\d_])(?:(?!{SPACELESS})(?:[^\W\d_]|[{MARKS}]))*(?:'[^\W\d_]+)?"
)
_ASCII_WORD = re.compile(r"\d+(?:[.,:]\d+)*|[A-Za-z]+(?:'[A-Za-z]+)?")
_SAID_OF_ANSWERS = """
    according additionally based document documents done finally first gets however information
    like needs next one passage passages provided take takes therefore using via well within without
    yours aren't can't didn't doesn't don't i'll i'm isn't it's they're we're won't you'll you're"""
_ENGLISH = function_words("en") | frozenset(_SAID_OF_ANSWERS.split())
_SPACELESS = re.compile(SPACELESS)
_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_NOT_HIRAGANA = re.compile("[^\u3041-\u309f]+")
_EMPTY_SIGNS = frozenset("几幾哪谁誰何什么麼怎吗嗎呢吧的了之")
"""Chinese signs that ask, or bind words together: a pair with one of them is no word."""
_HAN_NUMERAL = re.compile(HAN_NUMERAL)
_APOSTROPHE = re.compile(r"^[a-z]{1,2}'(?=\w)")


@lru_cache(maxsize=8_192)
def telling_words(text: str, language: str = DEFAULT) -> frozenset[str]:
    """Stems of the words in `text` that are no function words, numbers as digits.

    Scripts without spaces give each two signs that stand side by side.

    Args:
        text: Of any length.
        language: Whose stems, function words and numbers are known, e.g. `de` or `pt-BR`. Texts
            that are to be compared are read in the same one.
    """
    spoken = primary(language) or DEFAULT
    return frozenset(_words(plain_quotes(text), spoken))


def written_in(text: str, likely: str) -> str:
    """The language of a text; `likely` where it does not tell.

    Args:
        text: A passage or an answer.
        likely: That of the conversation, e.g. `de-AT`.
    """
    spoken = primary(likely) or DEFAULT
    return _recognised(text, spoken) or spoken


@lru_cache(maxsize=2_048)
def _recognised(text: str, likely: str) -> str | None:
    return recognised(respelled(text), likely=likely)


def numbers_of(text: str, language: str = DEFAULT) -> frozenset[str]:
    """The numbers that `text` names, as digits. "One" counts only where it stands as a digit."""
    return frozenset(word for word in telling_words(text, language) if word[0].isdigit())


def is_negated(text: str, language: str = DEFAULT) -> bool:
    """Whether the text contains a negation."""
    return negations.is_negated(plain_quotes(text), primary(language) or DEFAULT)


def plain_quotes(text: str) -> str:
    """`text` with typewriter apostrophes; every character keeps its place."""
    return text.replace("\u2019", "'")


def stem(word: str, language: str = DEFAULT) -> str:
    """`word` without accents and endings of its language. Good for comparing, not for reading."""
    spoken = primary(language) or DEFAULT
    plain = word.removesuffix("'s") if spoken == "en" else word
    return stem_of_language(respelled(plain), spoken)


def _words(text: str, language: str) -> Iterator[str]:
    pattern = _WORD
    if text.isascii():
        pattern = _ASCII_WORD
    else:
        text = respelled(text)
    for match in pattern.finditer(text):
        word = match.group()
        if word[0].isdigit():
            yield _plain_number(word, language)
        elif _SPACELESS.match(word):
            yield from _without_spaces(word, language, text)
        elif told := _spaced(word, language):
            yield told


@lru_cache(maxsize=100_000)
def _spaced(word: str, language: str) -> str | None:
    """What one word tells; None for one that tells nothing. Few words make most of all texts."""
    idle = _ENGLISH if language == "en" else function_words(language)
    plain = word.casefold()
    if language != "en":
        # The article before a vowel: l'amende, un'ora.
        plain = _APOSTROPHE.sub("", plain)
    if len(plain) == 1 and plain.isascii():
        return None
    if language == "en":
        if plain in idle:
            return None
        number = number_in_words(plain, language)
        return stem(plain) if number is None else str(number)
    # Lists of function words hold numbers in many languages.
    number = number_in_words(plain, language) or number_names(language).get(folded(plain))
    if number is not None:
        return str(number)
    return stem(plain, language) if folded(plain) not in idle else None


def _without_spaces(run: str, language: str, text: str) -> Iterator[str]:
    """Numbers of a run, and each two of its signs, but for those of endings and small words."""
    for numeral in _HAN_NUMERAL.finditer(run):
        number = han_number(numeral.group())
        if number is not None:
            yield str(number)
    spoken = _of_signs(language, text)
    idle = function_words(spoken)
    if spoken == "ko" and len(run) > 1 and (number := number_names("ko").get(run)):
        yield str(number)
        return
    # Hiragana writes the endings and the small words of Japanese, and begins no word that tells.
    for piece in _NOT_HIRAGANA.findall(run):
        signs = syllables(piece)
        pairs = [first + second for first, second in pairwise(signs)] or signs
        for pair in map(folded, pairs):
            is_idle = pair in idle or set(pair) <= idle or not _EMPTY_SIGNS.isdisjoint(pair)
            if not is_idle:
                yield pair


def _of_signs(language: str, text: str) -> str:
    """The language of a text in signs, where the one that is spoken has none."""
    if language in {"zh", "ja", "ko", "th", "yue"}:
        return "zh" if language == "yue" else language
    if _KANA.search(text):
        return "ja"
    return "ko" if _HANGUL.search(text) else "zh"


def _plain_number(word: str, language: str) -> str:
    if ":" in word:
        return word
    if language != "en" and _decimal_mark(language) == ",":
        word = word.translate(str.maketrans(".,", ",."))
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", word):
        word = word.replace(",", "")
    return word.rstrip("0").rstrip(".") if "." in word and word.count(".") == 1 else word


@lru_cache(maxsize=64)
def _decimal_mark(language: str) -> str:
    # Babel takes its time; English texts never need it.
    from babel import Locale, UnknownLocaleError
    from babel.numbers import get_decimal_symbol

    try:
        return get_decimal_symbol(Locale.parse(language))
    except (UnknownLocaleError, ValueError):
        return "."
