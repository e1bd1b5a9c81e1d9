"""The form in which words that were said and words that are claimed are compared. Pure.

Typography, Unicode forms, HTML entities, case and white space make no difference, and every
comparison gives back the words as they stand in the text. Linear in the length of the text.
"""

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,10});")
_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4`\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u2039\u203a", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", ""),
    }
)
_END_MARKS = " .,;:!?\u3002\uff01\uff1f\u2026"
_TIED_BEFORE, _TIED_AFTER = re.compile(r"\d[.,:/'\u2019]"), re.compile(r"[.,:/'\u2019]\d")
_ADDRESS_BEFORE = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9.@_+/:%-]*)?[@._+/:%-]$")
_ADDRESS_AFTER = re.compile(r"[@._+/?#=&%-][A-Za-z0-9][A-Za-z0-9.@_+/?#=&%-]*")
_LONGEST_ADDRESS = 80
_AFTER_KOREAN = re.compile(
    "[은는이가을를에의로으와과랑도만까부께님씨처보마밖조나라입예요인고며하해할했되된됐받년월일역행쪽번한]"
)
"""What particles, endings and verbs that follow a Korean word begin with: no part of a name."""
_LOOSE_MARK = re.compile(r"(?<!\d)[.,:\-_](?=\d)|[.,:\-_](?!\d)|[;!?\"()\[\]\u3002\u3001]")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in the form in which it is compared."""

    text: str
    starts: tuple[int, ...]
    """Where each character begins in the text as it was said."""
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters `[start, end)` stand in the text as it was said."""
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=512)
def folded(text: str) -> Folded:
    """Return `text` without what makes no difference: each run of white space is one space."""
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        for char in _fold(text[start:end]):
            if char == " " and (not characters or characters[-1] == " "):
                continue
            characters.append(char)
            starts.append(start)
            ends.append(end)
    return Folded("".join(characters), tuple(starts), tuple(ends))


@lru_cache(maxsize=512)
def loosened(text: str) -> Folded:
    """Return `text` folded, and with a space for each mark that is no part of a number."""
    strict = folded(text)
    plain = _LOOSE_MARK.sub(lambda found: " " * len(found.group()), strict.text)
    kept = [
        index
        for index, char in enumerate(plain)
        if char != "'" and not (char == " " and (index == 0 or plain[index - 1] == " "))
    ]
    return Folded(
        "".join(plain[index] for index in kept),
        tuple(strict.starts[index] for index in kept),
        tuple(strict.ends[index] for index in kept),
    )


def words_that_repeat(text: str, quote: str) -> str | None:
    """Return the words of `text` that `quote` repeats, as they stand there, or None.

    A changed word, a dropped comma or an ellipsis is not a quote; a full stop more is one.
    """
    wanted = folded(quote).text.strip()
    for words in dict.fromkeys((wanted, wanted.rstrip(_END_MARKS))):
        if not words:
            return None
        said = folded(text)
        start = said.text.find(words)
        if start >= 0:
            first, end = said.span(start, start + len(words))
            return text[first:end]
    return None


def words_that_say(text: str, value: str) -> str | None:
    """Return the words of `text` that are `value`, as whole words, or None.

    Marks and full stops make no difference. Where a script has no space between words, a word may
    begin and end inside a sentence, but not inside a run of another script's characters.
    """
    said = folded(text)
    if found := _whole(text, said, folded(value).text.strip()):
        return found
    loose = loosened(value).text.strip()
    return _whole(text, loosened(text), loose) if any(map(str.isalnum, loose)) else None


def _whole(text: str, said: Folded, wanted: str) -> str | None:
    start = said.text.find(wanted) if wanted else -1
    while start >= 0:
        end = start + len(wanted)
        if _begins(said.text, start, wanted) and _ends(said.text, end, wanted):
            first, last = said.span(start, end)
            if not _is_part_of_a_code(text, first, last):
                return text[first:last]
        start = said.text.find(wanted, start + 1)
    return None


def _is_part_of_a_code(text: str, start: int, end: int) -> bool:
    """Return whether more of a code, a number or an address is tied to what stands there."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if any(map(str.isdecimal, text[start:end])) and (
        re.match(r"\w-", before) or re.match(r"-\w", after)
    ):
        return True
    if text[start].isdecimal() and _TIED_BEFORE.match(before):
        return True
    if text[end - 1].isdecimal() and _TIED_AFTER.match(after):
        return True
    return _is_part_of_an_address(text, start, end)


def _is_part_of_an_address(text: str, start: int, end: int) -> bool:
    around = _ADDRESS_BEFORE.search(text[max(0, start - _LONGEST_ADDRESS) : start])
    before = around.group() if around else ""
    found = _ADDRESS_AFTER.match(text[end : end + _LONGEST_ADDRESS])
    after = found.group() if found else ""
    if not before and not after:
        return False
    return "@" in before + text[start:end] + after or (
        "://" in before + text[start:end] and bool(after)
    )


def _begins(text: str, start: int, wanted: str) -> bool:
    if start == 0 or not _is_word(text[start - 1]) or not _is_word(wanted[0]):
        return True
    return len(wanted) > 1 and _parts(text[start - 1], wanted[0], text, at_end=False)


def _ends(text: str, end: int, wanted: str) -> bool:
    if end == len(text) or not _is_word(text[end]) or not _is_word(wanted[-1]):
        return True
    return len(wanted) > 1 and _parts(wanted[-1], text[end], text, at_end=True)


def _parts(left: str, right: str, text: str, *, at_end: bool) -> bool:
    """Return whether a word can end between two characters without a space between them."""
    first, second = script(left), script(right)
    if first != second:
        return bool(first or second)
    if first in ("thai", "hiragana"):
        return True
    if first == "hangul":
        # Particles follow a word; nothing goes before it.
        return at_end and _AFTER_KOREAN.match(right) is not None
    # In Japanese a word of ideographs begins where they do: "Kyoto" is no part of "Tokyo-to".
    return first == "han" and (at_end or not _is_japanese(text))


@lru_cache(maxsize=512)
def _is_japanese(text: str) -> bool:
    return any(script(char) == "hiragana" for char in text)


@lru_cache(maxsize=4_096)
def script(char: str) -> str:
    """Return the script of a character that is written without spaces; empty for the others."""
    name = unicodedata.name(char, "")
    if name.startswith(("CJK UNIFIED", "CJK COMPATIBILITY")):
        return "han"
    if name.startswith("KATAKANA") or char == "\u30fc":
        return "katakana"
    if name.startswith("HIRAGANA"):
        return "hiragana"
    if name.startswith("HANGUL"):
        return "hangul"
    return "thai" if name.startswith(("THAI", "LAO", "KHMER", "MYANMAR")) else ""


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.category(char)[0] == "M"


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each character begins and ends that may be written with several code points."""
    start = 0
    while start < len(text):
        entity = _ENTITY.match(text, start) if text[start] == "&" else None
        end = entity.end() if entity else start + 1
        while end < len(text) and not entity and _belongs_to_last(text[end]):
            end += 1
        yield start, end
        start = end


def _belongs_to_last(char: str) -> bool:
    return (
        unicodedata.combining(char) != 0
        or "\u1160" <= char <= "\u11ff"
        or char in "\uff9e\uff9f\u0e33"
    )


@lru_cache(maxsize=16_384)
def _fold(cluster: str) -> str:
    if cluster.isspace():
        return " "
    plain = html.unescape(cluster) if cluster[0] == "&" and len(cluster) > 1 else cluster
    composed = unicodedata.normalize("NFKC", plain.translate(_TYPOGRAPHY)).casefold()
    return unicodedata.normalize("NFC", composed).translate(_TYPOGRAPHY)
