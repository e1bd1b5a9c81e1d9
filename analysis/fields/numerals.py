"""Numbers as people say them, in digits or in words. Pure."""

import re

_NUMERAL = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")
_NUMBER_WORDS = {
    **{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7},
    **{"eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13},
    **{"fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18},
    **{"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60},
    **{"seventy": 70, "eighty": 80, "ninety": 90},
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ANY_WORD = "|".join([*_NUMBER_WORDS, *_SCALES])
_SPELLED = re.compile(
    # Not the "one" of "one-way".
    rf"\b(?:{_ANY_WORD})(?:[\s-]+(?:and\s+)?(?:{_ANY_WORD}))*\b(?!-)",
    re.IGNORECASE,
)


def numbers_in(text: str) -> list[tuple[str, float]]:
    """Return each number said in `text`: its words, and its value."""
    found = [
        (match.start(), match.group(), float(match.group().replace(",", "")))
        for match in _NUMERAL.finditer(text)
    ]
    found += [
        (match.start(), match.group(), float(_value_of_words(match.group())))
        for match in _SPELLED.finditer(text)
    ]
    return [(words, value) for _, words, value in sorted(found)]


def _value_of_words(words: str) -> int:
    total = part = 0
    for word in re.findall(r"[a-z]+", words.casefold()):
        if word in _NUMBER_WORDS:
            part += _NUMBER_WORDS[word]
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word in _SCALES:
            total += max(part, 1) * _SCALES[word]
            part = 0
    return total + part


def written_number(text: str) -> float | None:
    """Return the number that `text` is, in digits and nothing else; a leading zero is a code's."""
    digits = text.strip()
    if not _NUMERAL.fullmatch(digits) or re.match(r"[-+]?0\d", digits):
        return None
    return float(digits.replace(",", ""))
