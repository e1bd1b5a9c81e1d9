"""Words that a text may be named by, in the language it is in. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from conversation.language.telling_words import written_in
from kb.words.languages import DEFAULT, function_words
from kb.words.spelling import MARKS, SPACELESS, folded, respelled, runs, syllables

_SAID_EVERYWHERE = {
    # What is said in every conversation, beside the function words of the language.
    "ar": "أريد أرجو فضلك شكرا مرحبا كيف متى أين هل يمكن",
    "de": "bitte danke hallo möchte möchten gerne gern brauche wann wie wo warum "
    "kann könnte ja nein",
    "es": "favor gracias hola quiero quisiera necesito puedo puede cuándo cómo dónde",
    "fr": "bonjour merci plaît voudrais veux besoin puis peux quand comment où",
    "hi": "कृपया धन्यवाद नमस्ते मुझे चाहिए कब कैसे कहाँ",
    "it": "grazie ciao favore vorrei voglio posso bisogno quando come dove",
    "ko": "싶어요 주세요 언제 어떻게 어디",
    "nl": "alstublieft bedankt hallo graag wil kan wanneer hoe waar",
    "pl": "proszę dziękuję chcę chciałbym chciałabym mogę kiedy jak gdzie",
    "pt": "obrigado obrigada olá quero queria gostaria preciso posso quando como onde",
    "ru": "пожалуйста спасибо здравствуйте хочу хотел хотела можно нужно когда как где",
}
_ASKING_SIGNS = frozenset("几幾哪谁誰何什么麼怎吗嗎呢吧的了请請想我你您要能")
_NOT_HIRAGANA = re.compile("[^\u3041-\u309f]+")
_HANGUL = re.compile("[\uac00-\ud7af]")
_SPACELESS_WORD = re.compile(f"{SPACELESS}+")
_LONGEST = 8
"""Signs of a term in a script without spaces; Thai has several letters to one."""
_WORD = re.compile(rf"(?:[^\W\d_]|[{MARKS}])(?:[\w'-]|[{MARKS}])+")


def terms_of(text: str, language: str) -> set[str]:
    """Words and pairs of neighbouring words of a text; function words are left out.

    Scripts without spaces give every run of two to eight signs that binds no words together.

    Args:
        text: Of any length.
        language: Whose function words are left out, e.g. `de`.
    """
    found: set[str] = set()
    before: str | None = None
    idle = idle_words(language)
    for match in _WORD.finditer(text.casefold()):
        word = match.group()
        if has_signs(word):
            found.update(_of_signs(word, language))
            before = None
        elif len(word) > 1 and folded(word) not in idle:
            found.add(word)
            if before:
                found.add(f"{before} {word}")
            before = word
    return found


def without_parts(counts: Counter[str]) -> Counter[str]:
    """`counts` without the terms that only stand in a longer one that is counted as often."""
    parts: set[str] = set()
    for term, count in counts.items():
        if has_no_spaces(term):
            signs = syllables(term)
            for part in ("".join(signs[1:]), "".join(signs[:-1])):
                if counts.get(part) == count:
                    parts.add(part)
    return Counter({term: count for term, count in counts.items() if term not in parts})


def common_language(texts: Sequence[str]) -> str:
    """The language that most of the characters are in; English where it is not clear."""
    return written_in("\n".join(texts), DEFAULT)


def has_no_spaces(term: str) -> bool:
    """Whether a term is written in a script without spaces."""
    return _SPACELESS_WORD.fullmatch(term) is not None


def has_signs(word: str) -> bool:
    """Whether a part of a word is written in a script without spaces."""
    return _SPACELESS_WORD.search(word) is not None


@cache
def idle_words(language: str) -> frozenset[str]:
    """Folded words that say nothing of what a text in this language is about."""
    said = _SAID_EVERYWHERE.get(language, "").split()
    return function_words(language) | {folded(respelled(word)) for word in said}


def missing_signs(text: str, known: frozenset[str], language: str) -> list[str]:
    """Words of a text in a script without spaces of which no two neighbouring signs are known.

    Args:
        text: Of any length; its other words are left out.
        known: Telling words of the same language.
        language: Whose function words are left out.
    """
    return [
        missing
        for run in runs(respelled(text))
        if run.kind == "syllables"
        for piece in _NOT_HIRAGANA.findall(run.text)
        for missing in _missing_of(syllables(piece), known, idle_words(language))
    ]


def _missing_of(signs: Sequence[str], known: frozenset[str], idle: frozenset[str]) -> Iterator[str]:
    pairs = [folded(first + second) for first, second in pairwise(signs)]
    # A sign of a known word begins no other: of "gift voucher paid", the last is known.
    found = [False, *(pair in known or pair in idle for pair in pairs), False]
    word = ""
    for at, sign in enumerate(signs):
        if found[at] or found[at + 1] or sign in _ASKING_SIGNS or folded(sign) in idle:
            if len(word) > 1:
                yield word
            word = ""
        else:
            word += sign
    if len(word) > 1:
        yield word


def _of_signs(word: str, language: str) -> Iterator[str]:
    idle = idle_words(language)
    for piece in _NOT_HIRAGANA.findall(word):
        signs = syllables(piece)
        # Korean puts its endings after a word and a space before it.
        starts = range(1) if _HANGUL.match(piece) else range(len(signs))
        for start in starts:
            for end in range(start + 2, min(len(signs), start + _LONGEST) + 1):
                part = signs[start:end]
                term = "".join(part)
                bound = folded(part[0]) in idle or folded(part[-1]) in idle
                if not bound and folded(term) not in idle and _ASKING_SIGNS.isdisjoint(part):
                    yield term
