"""Text -> one spelling: however a letter, a digit or a mark was written, it is the same here. Pure.

NFC and NFD, full and half width, accents, capitals, digits of other scripts. Nothing of this is
stored as a document's text: terms have no offsets.
"""

import importlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

_FOLDED_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4]"
)
"""Accents, points and vowel signs that writers leave out. Marks of other scripts are letters."""
_UNSEEN = {
    **dict.fromkeys(map(ord, "\u00ad\u0640\u200b\u200c\u200d\u2060\ufeff"), None),
    # Directions of writing, which stand within numbers of Arabic and Hebrew texts.
    **dict.fromkeys((0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), None),
    ord("_"): "-",
    # Between the digits of Arabic numbers: of thousands, and of decimal places.
    ord("\u066c"): ",",
    ord("\u066b"): ".",
    # Letters that Persian and Arabic keyboards write differently.
    ord("\u06a9"): "\u0643",
    ord("\u06cc"): "\u064a",
    ord("\u0649"): "\u064a",
}
_PLAIN: Mapping[int, str] = {
    # Letters of their own, which keyboards of other countries do not have.
    **str.maketrans(
        {
            "œ": "oe",
            "æ": "ae",
            "ø": "o",
            "ł": "l",
            "đ": "d",
            "ð": "d",
            "þ": "th",
            "\u0131": "i",
            "ħ": "h",
            "ŋ": "n",
        }
    ),
    # Children, search fields and subtitles write words of Katakana in Hiragana.
    **{code: chr(code + 0x60) for code in (*range(0x3041, 0x3097), 0x309D, 0x309E)},
}
# A power or the mark of a footnote is no digit of the number before it.
_RAISED = re.compile(r"(?<=\d)(?=[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻])")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_SIGN = re.compile(
    # A minus, but no hyphen; "C#", but no heading; "x > 5", but no quoted line; no bar of a table.
    r"(?m)(?<![\w-])-(?=\d)|(?<=\w)#|(?<!^)>|[^\w\s|#>-]"
)
_BULLETS = re.compile("[\u25a0-\u25ff]")


def _mark_ranges() -> str:
    """All combining marks as ranges of a character class: `str.isalnum` leaves them out."""
    codes = [code for code in range(0x300, 0x1E100) if unicodedata.category(chr(code))[0] == "M"]
    held = set(codes)
    starts = [code for code in codes if code - 1 not in held]
    ends = [code for code in codes if code + 1 not in held]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))


MARKS = _mark_ranges()
"""All combining marks, for a character class of a pattern."""
_RUN = re.compile(rf"[\w{MARKS}]+")
_CLUSTERED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Thai, Lao, Burmese, Khmer: no spaces between words, several characters to a syllable."""
_IDEOGRAPHIC = (
    "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Chinese, Japanese, Korean: words, or words with their endings, run together."""
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
IDEOGRAPH = f"[{_IDEOGRAPHIC}]"
SPACELESS = f"[{_CLUSTERED}{_IDEOGRAPHIC}]"
"""Pattern of one character of a script that writes no spaces between words."""
_SPACELESS = re.compile(f"{SPACELESS}+")
_CLUSTER = re.compile(rf"[^{MARKS}][{MARKS}]*|[{MARKS}]+")

RunKind = Literal["word", "syllables"]


@dataclass(frozen=True, slots=True)
class Run:
    """Letters and digits that stand together, of one kind of script."""

    text: str
    kind: RunKind
    start: int
    end: int


def respelled(text: str) -> str:
    """`text` with compatible characters made equal; capitals and accents are kept."""
    if text.isascii():
        return text.replace("_", "-")
    # Digits of other scripts are no compatible characters of ours.
    text = unicodedata.normalize("NFKC", _RAISED.sub(" ", text)).translate(_UNSEEN)
    return _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)


def folded(word: str) -> str:
    """A respelled word without capitals, accents and points, in the plainest letters and signs."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFD", word.casefold())
    plain = unicodedata.normalize("NFC", _FOLDED_MARKS.sub("", parts)).translate(_PLAIN)
    return _HAN.sub(lambda sign: _simplified(sign[0]), plain)


@lru_cache(maxsize=50_000)
def _simplified(sign: str) -> str:
    """A sign as it is written in mainland China; Taiwan, Hong Kong and Japan have others."""
    return _converter()(sign)


@lru_cache(maxsize=1)
def _converter() -> Callable[[str], str]:
    # A fifth of a second, which nobody else should wait.
    vendor: Any = importlib.import_module("opencc")
    variants, simplified = vendor.OpenCC("jp2t"), vendor.OpenCC("t2s")
    return lambda sign: simplified.convert(variants.convert(sign))


def runs(text: str) -> Iterator[Run]:
    """The runs of a respelled text in order; a change of script ends one."""
    for match in _RUN.finditer(text):
        found, start = match[0], match.start()
        if found.isascii():
            yield Run(found, "word", start, match.end())
            continue
        at = 0
        for spaceless in _SPACELESS.finditer(found):
            if spaceless.start() > at:
                yield _run(found, "word", at, spaceless.start(), start)
            yield _run(found, "syllables", spaceless.start(), spaceless.end(), start)
            at = spaceless.end()
        if at < len(found):
            yield _run(found, "word", at, len(found), start)


def respelt(text: str, words: Mapping[str, str]) -> str:
    """`text` with some words written in another way, by their folded forms."""
    text = respelled(text)
    parts: list[str] = []
    end = 0
    for run in runs(text):
        parts += (text[end : run.start], words.get(folded(run.text), run.text))
        end = run.end
    return "".join((*parts, text[end:]))


def numbers_and_names(text: str) -> list[str]:
    """What holds a digit or begins with a capital, folded and in order."""
    return [
        folded(run.text)
        for run in runs(respelled(text))
        if run.text[0].isupper() or any(map(str.isdigit, run.text))
    ]


def signs(text: str) -> list[str]:
    """Signs that say something by themselves, in order: "-5", "5 €", "x < 5", "A+", a tick."""
    found = _SIGN.findall(unicodedata.normalize("NFC", text).replace("\u2212", "-"))
    return [sign for sign in found if _tells(sign)]


def _tells(sign: str) -> bool:
    if sign in "-%#":
        return True
    return unicodedata.category(sign) in ("Sc", "Sm", "So") and not _BULLETS.match(sign)


def whole_characters(text: str) -> str:
    """`text` with halves of surrogate pairs joined, or replaced where they are alone."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def syllables(text: str) -> list[str]:
    """What a spaceless run is made of: characters with their marks."""
    return _CLUSTER.findall(text)


def _run(text: str, kind: RunKind, start: int, end: int, offset: int) -> Run:
    return Run(text[start:end], kind, offset + start, offset + end)
