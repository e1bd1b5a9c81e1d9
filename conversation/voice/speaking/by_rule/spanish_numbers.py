"""Numbers of a Spanish text -> the words that are said for them. Pure."""

import re
from collections.abc import Iterator

_BELOW_30 = (
    "cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez",
    "once", "doce", "trece", "catorce", "quince", "dieciséis", "diecisiete", "dieciocho",
    "diecinueve", "veinte", "veintiuno", "veintidós", "veintitrés", "veinticuatro",
    "veinticinco", "veintiséis", "veintisiete", "veintiocho", "veintinueve",
)  # fmt: skip
_TENS = (
    "", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa",
)  # fmt: skip
_HUNDREDS = (
    "", "ciento", "doscientos", "trescientos", "cuatrocientos", "quinientos", "seiscientos",
    "setecientos", "ochocientos", "novecientos",
)  # fmt: skip
_SCALES = ((10**12, "un billón", "billones"), (10**6, "un millón", "millones"))
_LONGEST = 15
"""Digits of a number that is read as one; longer ones are codes."""
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+")
_FEMININE = re.compile(r"(?:as?|dad(?:es)?|ción|ciones|sión|siones)$")
_MASCULINE = frozenset({"día", "días", "problema", "problemas", "programa", "programas"})
_BETWEEN = {",": "coma", ".": "punto", "/": "barra", ":": ""}


def number_words(written: str, following: str = "") -> str:
    """What is said for digits with `.`, `,`, `:` or `/` between them.

    Args:
        written: E.g. `1.250,50`, `9:30`, `14/3`, `007`.
        following: The word after it, which a one, or hundreds, agree with: `una hora`.
    """
    whole, comma, decimals = written.partition(",")
    if _GROUPED.fullmatch(whole) and (not comma or decimals.isdigit()):
        written = whole.replace(".", "") + comma + decimals
    said = [
        _BETWEEN[part] if part in _BETWEEN else _run_words(part)
        for part in re.split(r"([.,:/])", written)
        if part
    ]
    return _agreed(" ".join(word for word in said if word), following)


def cardinal(number: int) -> str:
    """`number`, from 0 to below 10^18, in words, as it is counted."""
    if number < 30:
        return _BELOW_30[number]
    if number < 100:
        tens, one = divmod(number, 10)
        return _TENS[tens] + (f" y {_BELOW_30[one]}" if one else "")
    if number == 100:
        return "cien"
    if number < 1_000:
        hundreds, rest = divmod(number, 100)
        return _joined(_HUNDREDS[hundreds], rest)
    if number < 1_000_000:
        thousands, rest = divmod(number, 1_000)
        return _joined("mil" if thousands == 1 else f"{_short(thousands)} mil", rest)
    scale, one, several = next(each for each in _SCALES if number >= each[0])
    count, rest = divmod(number, scale)
    return _joined(one if count == 1 else f"{_short(count)} {several}", rest)


def _joined(begun: str, rest: int) -> str:
    return f"{begun} {cardinal(rest)}" if rest else begun


def _short(number: int) -> str:
    """`number` before a noun: `veintiún mil`, `treinta y un millones`."""
    said = cardinal(number)
    if said.endswith("veintiuno"):
        return said.removesuffix("uno") + "ún"
    return said.removesuffix("o") if said == "uno" or said.endswith(" uno") else said


def _run_words(digits: str) -> str:
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)
    if len(digits) > _LONGEST or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(_digit_words(digits))
    return cardinal(int(digits))


def _digit_words(digits: str) -> Iterator[str]:
    for digit in digits:
        yield _BELOW_30[int(digit)]


def _agreed(said: str, following: str) -> str:
    """`said` as it stands before a noun: a one, and hundreds, have its gender."""
    noun = following.lower()
    if not noun:
        return said
    if not _FEMININE.search(noun) or noun in _MASCULINE:
        if said.endswith("veintiuno"):
            return said.removesuffix("uno") + "ún"
        return said[:-1] if said == "uno" or said.endswith(" uno") else said
    if said.endswith("uno"):
        said = said.removesuffix("o") + "a"
    return re.sub(r"(?<=cient)os\b|(?<=quinient)os\b", "as", said)
