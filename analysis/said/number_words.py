"""Numbers in words: which words of a text are one whole number, and the words around them. Pure.

The value of a run of words is read by text2num; where a run begins and ends, and what it means
beside others, is decided here and in `numbers`.
"""

import re
from functools import lru_cache

from analysis.said.language import LANGUAGES, Language
from conversation.language.number_words import read_number
from kb.words.number_names import number_names
from kb.words.spelling import folded

_RESPELLED: dict[Language, tuple[tuple[re.Pattern[str], str], ...]] = {
    "en": ((re.compile(r"^an? (?=hundred|thousand|million|billion|dozen)"), "one "),),
    "de": (
        (re.compile(r"fuenf"), "fünf"),
        (re.compile(r"zwoelf"), "zwölf"),
        (re.compile(r"^eine (?=milli)"), "ein "),
        (re.compile(r"^zwo$"), "zwei"),
    ),
    "fr": (),
    "es": ((re.compile(r"veinti[uú]na?$"), "veintiuno"), (re.compile(r"\bún$"), "uno")),
}
LONGEST_RUN = 20
"""Words of one number: more than any amount that people say has."""
_ARTICLES: dict[Language, frozenset[str]] = {
    "en": frozenset(),
    "de": frozenset({"ein"}),
    "fr": frozenset({"un", "une"}),
    "es": frozenset({"un", "una"}),
}
"""They stand before every noun, and count nothing."""
_DOZENS = ("dozen", "dozens", "dutzend", "douzaine", "douzaines", "docena", "docenas")
_SCALES: dict[str, float] = {
    **{word: 100.0 for word in ("hundred", "hundert")},
    **{"lakh": 1e5, "lakhs": 1e5, "crore": 1e7, "crores": 1e7, "k": 1e3},
    **{word: 1e3 for word in ("thousand", "grand", "tausend", "tsd", "mille", "mil")},
    **{word: 1e6 for word in ("million", "millions", "mio", "millionen", "millón", "millones")},
    **{word: 1e9 for word in ("billion", "billions", "milliarde", "milliarden", "milliard")},
    **{word: 1e9 for word in ("milliards", "mrd")},
    **dict.fromkeys(_DOZENS, 12.0),
}
"""Behind a number: `1.5 million`."""
_NOUGHT_WORDS = {("en", "nought"): 0, ("de", "null"): 0}
REPEATS = {"double": 2, "triple": 3, "doppelt": 2, "dreifach": 3, "doble": 2}
"""How often the digit behind them counts."""
NOUGHTS = frozenset({"oh", "o"})
"""Noughts between other digits, in English."""
_LINKS: dict[Language, frozenset[str]] = {
    "en": frozenset({"and"}),
    "de": frozenset({"und"}),
    "fr": frozenset({"et"}),
    "es": frozenset({"y"}),
}
_GERMAN_HALF = re.compile(r"(?P<whole>\w*?)einhalb\b")


@lru_cache(maxsize=16_384)
def whole_number(words: str, language: Language) -> int | None:
    """Return the number that `words`, joined by single spaces and in lower case, are as a whole."""
    if words in _ARTICLES[language]:
        return None
    if (language, words) in _NOUGHT_WORDS:
        return 0
    for pattern, spelling in _RESPELLED[language]:
        words = pattern.sub(spelling, words)
    try:
        return read_number(words, language)
    except ValueError:
        pass
    return _german_millions(words) if language == "de" else None


def _german_millions(words: str) -> int | None:
    head, found, rest = words.partition("million")
    tail = rest.removeprefix("en").strip()
    if not found or not tail:
        return None
    try:
        return read_number(f"{head}million", "de") + read_number(tail, "de")
    except ValueError:
        return None


@lru_cache(maxsize=16_384)
def starts_number(word: str, language: Language) -> bool:
    """Return whether a number can begin with `word`."""
    begun = word in ("a", "an") if language == "en" else word in ("eine", *_ARTICLES[language])
    return begun or whole_number(word, language) is not None


@lru_cache(maxsize=16_384)
def half_number(word: str) -> float | None:
    """Return the value of a German number with a half: `zweieinhalb`, `anderthalb`."""
    if word in ("anderthalb", "eineinhalb"):
        return 1.5
    found = _GERMAN_HALF.fullmatch(word)
    whole = whole_number(found["whole"], "de") if found and found["whole"] else None
    return None if whole is None else whole + 0.5


def continues_number(word: str, language: Language) -> bool:
    """Return whether a number that has begun can go on with `word`."""
    # A nought is a digit of its own: "zero one" is not one.
    begins = starts_number(word, language) and whole_number(word, language) != 0
    return begins or word in _LINKS[language]


def is_article(word: str, language: Language) -> bool:
    """Return whether a word for one is the article, too."""
    return word in _ARTICLES[language]


def scale_of(word: str) -> float | None:
    """Return what a word behind a number multiplies it by."""
    return _SCALES.get(word)


def languages_tried(language: Language | None) -> tuple[Language, ...]:
    """Return the languages whose words count: the one that is known, or every one."""
    return LANGUAGES if language is None else (language,)


_OTHER_LANGUAGES = ("pt", "it", "nl")
"""Their number words are no values here, but tell where a word is part of a longer number."""


@lru_cache(maxsize=4_096)
def is_number_elsewhere(words: str) -> bool:
    """Return whether words, in lower case, are one number in a language that is not read here."""
    for language in _OTHER_LANGUAGES:
        try:
            read_number(words, language)
        except (ValueError, KeyError):
            continue
        return True
    return False


@lru_cache(maxsize=4_096)
def counts_elsewhere(word: str) -> bool:
    """Return whether a word, in lower case, is a number above one in a language not read here."""
    return any(folded(word) in number_names(language) for language in _OTHER_LANGUAGES)


def is_read(words: str) -> bool:
    """Return whether words, in lower case, are one number in a language that is read here."""
    return any(whole_number(words, language) is not None for language in LANGUAGES)


def is_also_english(word: str) -> bool:
    """Return whether a number word of another language is an English word, too."""
    return word in ("once", "sept", "cent", "elf", "null")
