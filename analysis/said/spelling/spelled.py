"""Addresses, codes and numbers of something as they are spoken, compared with how they are written.

`ann dot lee at example dot com` is `ann.lee@example.com`, `A B four seven one two` is `AB4712`, and
so is `Alpha Bravo four seven one two`. Pure, and linear in the length of the text.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from analysis.said.language import Language
from analysis.said.normal_form import folded
from analysis.said.numbers import digit_runs
from analysis.said.spelling.letters_by_word import SaidLetter, letters_by_word
from conversation.language.spoken_addresses import LOW_LINE, marks_by_word

_TOKEN = re.compile(r"[^\W\d_]+|\S")
_LOW_LINE = re.compile(rf"(?<!\w){LOW_LINE}(?!\w)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s\-./()]")
_TELEPHONE_DIGITS = 6
_TRUNK_ZERO = re.compile(r"(?<=\d)\s?\(0\)")
"""Dialled within the country only: +44 (0)20 7946 0958."""
_LONGEST_PREFIX = 5
_CODE_DIGITS, _CODE_LETTERS = 4, 3
_LONGEST_CHARS = 200
_SPELLED_OUT = re.compile(r"(?<!\w)(?:[^\W\d_][\s.-]+){2,}[^\W\d_](?!\w)")
_PERSONS = frozenset({"me", "us", "him", "her", "them", "you", "it", "mich", "uns", "moi", "nous"})
_REACHED = frozenset(
    [
        "reach",
        "contact",
        "call",
        "met",
        "meet",
        "email",
        "mail",
        "write",
        "to",
        "see",
        "find",
        "ask",
        "tell",
        "with",
        "from",
        "saw",
    ]
)


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    written: str


def is_spelled(value: str) -> bool:
    """Return whether a value is one that people spell: an address, a code, a number."""
    plain = value.strip()
    if not plain or len(plain) > _LONGEST_CHARS:
        return False
    if any(char.isdecimal() for char in plain) or "@" in plain:
        return True
    return re.fullmatch(r"[A-Z]{2,8}|\S+\.[a-z]{2,}", plain) is not None


def spelled_words(text: str, value: str, language: Language | None) -> str | None:
    """Return the words of `text` that spell `value`, as they stand there, or None."""
    if not is_spelled(value) and not (value.isalpha() and _SPELLED_OUT.search(text)):
        return None
    wanted = folded(value.strip(" .,;:!?\"'")).text
    if "@" in wanted:
        wanted = _plain(wanted)
    digits = _SEPARATORS.sub("", wanted.lstrip("+"))
    telephone = digits.isdecimal() and len(digits) >= _TELEPHONE_DIGITS
    ignored = " -./()+," if telephone else " " if "@" in wanted else " -"
    wanted = "".join(char for char in wanted if char not in ignored)
    if not wanted:
        return None
    tokens = _tokens(_TRUNK_ZERO.sub(_blank, text) if telephone else text, language)
    if not telephone and (letters := letters_by_word(text)):
        tokens = _with_letters(tokens, letters)
        ignored += ","
    tokens = [token for token in tokens if token.written not in ignored]
    if "@" in wanted:
        tokens = [replace(token, written=_plain(token.written)) for token in tokens]
    return _found(text, tokens, wanted.removeprefix("00") if telephone else wanted)


def spelled_out(text: str, language: Language | None) -> list[tuple[str, str]]:
    """Return each address, code or longer number that `text` spells: its words, and as written.

    `A B four seven` is `AB47`; a code has a digit, or three letters that stand alone.
    """
    tokens = _tokens(text, language)
    found: list[tuple[str, str]] = []
    index = 0
    while index < len(tokens):
        end = _end_of_address(tokens, index) or _end_of_code(text, tokens, index)
        if end:
            written = "".join(token.written for token in tokens[index:end] if token.written != ",")
            is_mail = "@" in written
            words = text[tokens[index].start : tokens[end - 1].end]
            found.append((words, _plain(written) if is_mail else written.upper()))
        index = end or index + 1
    return found


def _end_of_address(tokens: Sequence[_Token], first: int) -> int | None:
    """Return where the address that begins at a token ends: words bound by marks, one of them @."""
    if _is_somebody(tokens, first):
        return None
    end, at = first, 0
    while end < len(tokens) and tokens[end].written[:1].isalnum():
        if end + 2 >= len(tokens) or tokens[end + 1].written not in tuple("@._-+"):
            break
        at += tokens[end + 1].written == "@"
        end += 2
    ends = end < len(tokens) and tokens[end].written[:1].isalnum() and end > first
    is_whole = at == 1 and ends and tokens[end - 1].written == "."
    return end + 1 if is_whole else None


def _end_of_code(text: str, tokens: Sequence[_Token], first: int) -> int | None:
    """Return where the letters and digits that begin at a token end, if they are a code."""
    end, letters, digits = first, 0, 0
    while end < len(tokens):
        token = tokens[end]
        if token.written.isdecimal():
            digits += len(token.written)
        elif _is_letter(text, token) or _is_tied(text, tokens, end):
            letters += token.end - token.start
        elif not (end > first and token.written in "-," and end + 1 < len(tokens)):
            break
        end += 1
    while end > first and tokens[end - 1].written in "-,":
        end -= 1
    is_code = digits >= _CODE_DIGITS or letters >= _CODE_LETTERS or (letters and digits)
    return end if is_code and end > first else None


def _tokens(text: str, language: Language | None) -> list[_Token]:
    """Return the words of `text` as they are written: digits for numbers, marks for their names."""
    tokens = [
        _Token(said.start, said.end, said.digits)
        for said in digit_runs(text, language)
        if said.digits
    ]
    covered = [False] * (len(text) + 1)
    for token in tokens:
        covered[token.start : token.end] = [True] * (token.end - token.start)
    for found in _LOW_LINE.finditer(text):
        if not any(covered[found.start() : found.end()]):
            tokens.append(_Token(found.start(), found.end(), "_"))
            covered[found.start() : found.end()] = [True] * (found.end() - found.start())
    marks = marks_by_word()
    for found in _TOKEN.finditer(text):
        if not covered[found.start()]:
            word = folded(found.group()).text
            tokens.append(_Token(found.start(), found.end(), marks.get(word, word)))
    return sorted(tokens, key=lambda token: token.start)


def _with_letters(tokens: Sequence[_Token], letters: Sequence[SaidLetter]) -> list[_Token]:
    """Return the tokens with one for each letter in place of the words that say it."""
    kept = [
        token
        for token in tokens
        if not any(said.start <= token.start < said.end for said in letters)
    ]
    said = [_Token(each.start, each.end, each.letter) for each in letters]
    return sorted([*kept, *said], key=lambda token: token.start)


def _found(text: str, tokens: Sequence[_Token], wanted: str) -> str | None:
    for first in range(len(tokens)):
        written, last = "", first
        while last < len(tokens) and len(written) < len(wanted):
            written += tokens[last].written
            if not wanted.startswith(written):
                break
            last += 1
        if "@" in wanted and _is_somebody(tokens, first):
            continue
        if written == wanted and _stands_alone(text, tokens, first, last):
            return text[tokens[first].start : tokens[last - 1].end]
    return None


def _stands_alone(text: str, tokens: Sequence[_Token], first: int, last: int) -> bool:
    """Return whether no part of a longer address or number stands beside the tokens."""
    before = tokens[first - 1] if first else None
    after = tokens[last] if last < len(tokens) else None
    if before and _goes_on(text, before, tokens[first]):
        return False
    following = tokens[last + 1] if last + 1 < len(tokens) else None
    if after and after.written in "/-_" and text[after.start : after.end] != after.written:
        # "Dot com slash help": the address goes on.
        return following is None
    if after and _is_mark(after) and after.written not in ".@":
        return True
    if after and _is_mark(after) and following and not text[after.end : following.start]:
        return False
    if after and _is_mark(after):
        # A full stop ends the sentence; its name goes on with the address.
        return text[after.start : after.end] == after.written or following is None
    return not (after and _goes_on(text, tokens[last - 1], after))


def _is_somebody(tokens: Sequence[_Token], first: int) -> bool:
    """Return whether a token is a person and no name of an address: "reach me at gmail dot com"."""
    before = tokens[first - 1].written if first else ""
    return tokens[first].written in _PERSONS and before in _REACHED


def _blank(found: re.Match[str]) -> str:
    return " " * len(found.group())


def _plain(text: str) -> str:
    """Return `text` without accents, which addresses rarely have."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _goes_on(text: str, left: _Token, right: _Token) -> bool:
    gap = text[left.end : right.start]
    if gap == "-":
        return True
    if left.written.isdecimal() and right.written.isdecimal():
        return not gap.strip(" -./()")
    if _is_mark(left):
        named = text[left.start : left.end] != left.written
        return left.written in "._-+" and (named or not gap)
    if _is_letter(text, left) and _is_letter(text, right):
        return not gap.strip(" -.")
    return not gap and not _is_mark(right)


def _is_letter(text: str, token: _Token) -> bool:
    """Return whether a token is one large letter, as codes are spelled; "I" stands for itself."""
    letter = text[token.start : token.end]
    return len(letter) == 1 and letter.isupper() and letter != "I"


def _is_tied(text: str, tokens: Sequence[_Token], index: int) -> bool:
    """Return whether a token is the large letters that a code begins with: "AB-4712", "AB4712"."""
    word = text[tokens[index].start : tokens[index].end]
    following = tokens[index + 1 : index + 2]
    is_tied = bool(following) and text[tokens[index].end : following[0].end] in (
        "-",
        following[0].written,
    )
    return word.isalpha() and word.isupper() and 1 < len(word) <= _LONGEST_PREFIX and is_tied


def _is_mark(token: _Token) -> bool:
    return len(token.written) == 1 and not token.written.isalnum()
