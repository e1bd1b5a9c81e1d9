"""Languages by their codes: stems, function words, and which one a text is in.

Stems are those of Snowball. `snowballstemmer` hands over to PyStemmer where that is installed and
gives the same stems (7 languages, 1,317 words each), so PyStemmer is asked itself.
"""

import importlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any, Protocol

import Stemmer
import stop_words  # pyright: ignore[reportMissingTypeStubs]

from kb.formats.language import guess_language
from kb.words.spelling import folded, respelled, runs

DEFAULT = "en"
"""Of texts that tell nothing and stand in no company that does."""
COMPOUNDING = frozenset({"da", "de", "fi", "hu", "nb", "nl", "no", "sv"})
"""Languages that write several words as one."""
CAPITALISED_NOUNS = frozenset({"de", "lb"})
"""Languages in which a capital says nothing of a name."""
SPELT_OUT = {
    **dict.fromkeys(("da", "nb", "nn", "no"), (("aa", "å"), ("ae", "æ"), ("oe", "ø"))),
    **dict.fromkeys(("fi", "sv"), (("aa", "å"), ("ae", "ä"), ("oe", "ö"))),
    "de": (("ae", "ä"), ("oe", "ö"), ("ue", "ü")),
}
"""What languages write where a keyboard lacks one of their letters."""
_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek",
    "en": "english", "es": "spanish", "eu": "basque", "fi": "finnish", "fr": "french",
    "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch",
    "nn": "norwegian", "no": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_LISTED = {
    "ar": "arabic", "bg": "bulgarian", "ca": "catalan", "cs": "czech", "da": "danish",
    "de": "german", "el": "greek", "es": "spanish", "fa": "persian", "fi": "finnish",
    "fr": "french", "gu": "gujarati", "he": "hebrew", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "it": "italian", "ja": "japanese", "ko": "korean", "ms": "malaysian",
    "nb": "norwegian", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sk": "slovak", "sv": "swedish",
    "tr": "turkish", "uk": "ukrainian", "vi": "vietnamese", "zh": "chinese",
}  # fmt: skip
_MIN_HITS = 1.5
_LEAD = 1.2
_LIKELIER = 2.0
_SAMPLE_CHARS = 4_000
_MIN_WORDS = 3
_MIN_LETTERS = 20
_LETTERS = re.compile(r"[^\W\d_]+")
_ENGLISH = frozenset(
    _LETTERS.findall(
        """
        a about after again all also am an and any anything are as at be because been before being
        but by can could d did do does doing don each else every few for from further get give go
        got had has have having he her here him his how i if in into is it its just ll m may me
        might more most much must my need no nor not now of off on once only or other our out over
        own please re s same shall she should so some something such t tell than that the their
        them then there these they this those through to too under until up us use used ve very
        want was we were what when where whether which while who whom whose why will with would
        yes you your
        """
    )
)


@lru_cache(maxsize=1_024)
def primary(language: str | None) -> str | None:
    """The language of a BCP 47 code without country and script, in lower case."""
    return language.replace("_", "-").partition("-")[0].lower() or None if language else None


@lru_cache(maxsize=200_000)
def stem(word: str, language: str) -> str:
    """The stem of one respelled word, folded; the folded word where no stemmer knows better."""
    algorithm = _ALGORITHMS.get(language)
    if algorithm is None or not word.isalpha():
        return folded(word)
    # Stemmers know the accents of their language; writers often leave them out.
    return folded(_stemmer(algorithm).stemWord(word.casefold()))


@lru_cache(maxsize=64)
def function_words(language: str) -> frozenset[str]:
    """Folded words that say little by themselves in a language; empty where none are known."""
    if language == "en":
        return _ENGLISH
    listed = _LISTED.get(language)
    if listed is None:
        return frozenset()
    words = stop_words.get_stop_words(listed)
    return frozenset(folded(run.text) for word in words for run in runs(respelled(word)))


def recognised(
    text: str, *, among: Collection[str] | None = None, likely: str | None = None
) -> str | None:
    """The language of a respelled text by script and function words; None when that is not clear.

    Args:
        text: Of any length; its first characters decide.
        among: Languages that it can be in; None takes all that are known.
        likely: The language of the texts around it, which needs less to be believed.
    """
    sample = text[:_SAMPLE_CHARS]
    guessed = guess_language(sample)
    if guessed is not None and (among is None or guessed in among):
        return guessed
    # Names are no function words of any language.
    words = {word for word in _LETTERS.findall(sample) if len(word) > 1 and word.islower()}
    return _by_function_words(set(map(folded, words)), among, likely)


def told_by_letters(text: str) -> str | None:
    """The language whose runs of letters a respelled text is made of, where it has a few words.

    Tells a single sentence, and takes most of a second to be ready: for what function words do not
    tell.
    """
    sample = " ".join(_LETTERS.findall(text[:_SAMPLE_CHARS]))
    if sample.count(" ") < _MIN_WORDS - 1 or len(sample) < _MIN_LETTERS:
        return None
    vendor: Any = importlib.import_module("py3langid")
    language, _ = vendor.classify(sample.lower())
    return language if language in _ALGORITHMS or language in _LISTED else None


def _by_function_words(
    words: Iterable[str], among: Collection[str] | None, likely: str | None
) -> str | None:
    languages_of = _languages_of_words()
    hits: dict[str, float] = defaultdict(float)
    for word in words:
        held = [code for code in languages_of.get(word, ()) if among is None or code in among]
        for language in held:
            hits[language] += 1 / len(held)
    if likely in hits:
        hits[likely] *= _LIKELIER
    ordered = sorted(hits, key=lambda language: (-hits[language], language))
    if not ordered or hits[ordered[0]] < _MIN_HITS:
        return None
    second = hits[ordered[1]] if len(ordered) > 1 else 0.0
    return ordered[0] if hits[ordered[0]] >= _LEAD * second else None


@lru_cache(maxsize=1)
def _languages_of_words() -> dict[str, tuple[str, ...]]:
    known: dict[str, list[str]] = defaultdict(list)
    for language in ("en", *_LISTED):
        if language not in ("nb", "nn"):
            for word in function_words(language):
                known[word].append(language)
    return {word: tuple(languages) for word, languages in known.items()}


class _Stems(Protocol):
    """What is used of PyStemmer, which brings no types."""

    def stemWord(self, word: str) -> str:  # noqa: N802
        """The stem of a word in lower case."""
        ...


@lru_cache(maxsize=64)
def _stemmer(algorithm: str) -> _Stems:
    vendor: Any = Stemmer
    return vendor.Stemmer(algorithm)
