"""Numbers -> English words, of which every digit is said; words of many languages -> numbers. Pure.

`num2words` (LGPL) was measured in its place: as it is 266 of 273 tests, with "and", commas and
"oh-" taken out all of them, 53 us a number against 2. Voices of other languages read digits.
"""

from functools import lru_cache
from typing import cast

_SMALL_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_SMALL = _SMALL_WORDS.split()
_TENS_WORDS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = _TENS_WORDS.split()
_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion")
MAX_CARDINAL_DIGITS = 15
"""Longer ones are no amounts but numbers of something, and are said digit by digit."""
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def cardinal(digits: str) -> str:
    """A whole number: `1234` is "one thousand two hundred thirty-four".

    With a leading zero, or too long for an amount, it is said digit by digit.
    """
    if len(digits) > MAX_CARDINAL_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return digit_by_digit(digits)
    number = int(digits)
    if number == 0:
        return _SMALL[0]
    groups: list[str] = []
    for scale in _SCALES:
        number, rest = divmod(number, 1_000)
        if rest:
            groups.insert(0, f"{_below_thousand(rest)} {scale}".rstrip())
    return " ".join(groups)


def ordinal(digits: str) -> str:
    """A place in an order: `23` is "twenty-third"."""
    words = cardinal(str(int(digits)))
    last = max(words.rfind("-"), words.rfind(" ")) + 1
    return words[:last] + _ordinal_word(words[last:])


def decimal(whole: str, fraction: str) -> str:
    """A number with a point: `2.50` is "two point five zero"."""
    return f"{cardinal(whole)} point {digit_by_digit(fraction)}"


def year(digits: str) -> str:
    """Four digits as a year: `1984` is "nineteen eighty-four", `2005` "two thousand five"."""
    century, rest = int(digits[:2]), int(digits[2:])
    if digits[0] == "0" or (digits[1] == "0" and rest < 10):
        return cardinal(digits)
    if rest == 0:
        return f"{cardinal(str(century))} hundred"
    if rest < 10:
        return f"{cardinal(str(century))} oh {_SMALL[rest]}"
    return f"{cardinal(str(century))} {cardinal(str(rest))}"


def digit_by_digit(digits: str) -> str:
    """`407` is "four zero seven"."""
    return " ".join(_SMALL[int(digit)] for digit in digits)


def read_number(words: str, language: str) -> int:
    """The whole number that words in lower case are in a language such as `de`.

    Raises:
        ValueError: They are none, or numbers of the language are not known.
    """
    import text_to_num  # pyright: ignore[reportMissingTypeStubs]

    return int(cast("str | int", text_to_num.text2num(words, language)))  # pyright: ignore[reportUnknownMemberType]


@lru_cache(maxsize=8_192)
def number_in_words(word: str, language: str) -> int | None:
    """The whole number that a word in lower case is; None for all others, and for `one`.

    In languages whose numbers are not known, only English words are numbers.
    """
    for known in dict.fromkeys((language.partition("-")[0].casefold(), "en")):
        try:
            number = read_number(word, known)
        except ValueError:
            continue
        # One is an article or a pronoun in most of them.
        return number if number != 1 else None
    return None


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    parts = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest:
        parts.append(_below_hundred(rest))
    return " ".join(parts)


def _below_hundred(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")


def _ordinal_word(word: str) -> str:
    if word in _ORDINALS:
        return _ORDINALS[word]
    return f"{word[:-1]}ieth" if word.endswith("y") else f"{word}th"
