"""Telephone numbers: one in all the ways that callers and pages write it. Pure.

"+49 (0)30 1234-567", "0049 30 1234567" and "(030) 123 45 67" are one number: with the code of the
country, as it is dialled inside of it, and without anything before it.
"""

import re
from collections.abc import Iterator

_MARK = r"[ ./\-\u2010-\u2015\u2212]"
_WRITTEN = re.compile(
    r"(?<![\w+.,/-])"
    rf"(?:(?P<abroad>\+{_MARK}?|00{_MARK}?|(?=1{_MARK}\(?\d{{3}}\)?{_MARK}\d{{3}}{_MARK}\d{{4}}(?!\w)))"
    r"|(?=\(?0|\(\d))"
    rf"(?P<digits>\(?\d{{1,15}}(?!\d)(?:(?:{_MARK}{{1,2}}\(?|\)?{_MARK}{{0,2}}\(|\){_MARK}{{0,2}})\d{{1,15}}(?!\d)){{0,8}})(?!\w)"
)
_TRUNK = re.compile(r"\(0\)")
_TWO_DIGITS = re.compile(r"2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
"""Codes of countries with two digits (ITU-T E.164); +1 and +7 have one, all others three."""
_LEAST, _MOST = 7, 15
"""Digits of a number that can be dialled from everywhere."""


def telephone_numbers(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Start, end and spellings in digits of every telephone number of a respelled text."""
    for match in _WRITTEN.finditer(text):
        forms = _spellings(match["digits"], is_abroad=match["abroad"] is not None)
        if forms:
            yield match.start(), match.end(), forms


def _spellings(written: str, *, is_abroad: bool) -> list[str]:
    code, trunk, rest = "", "", written
    if is_abroad:
        code, trunk, rest = _around_trunk(written)
    rest = _digits(rest)
    if not _LEAST <= len(code) + len(rest) <= _MOST:
        return []
    if not is_abroad:
        return [rest]
    own = rest if trunk else rest.removeprefix("0")
    return [f"00{code}{own}", f"{code}{own}", f"0{own}", *([own] if len(own) >= _LEAST else [])]


def _around_trunk(written: str) -> tuple[str, str, str]:
    """Code of the country, the zero that is dialled inside of it only, and what follows."""
    trunk = _TRUNK.search(written)
    if trunk is not None:
        return _digits(written[: trunk.start()]), trunk[0], written[trunk.end() :]
    digits = _digits(written)
    length = 1 if digits[:1] in ("1", "7") else 2 if _TWO_DIGITS.match(digits) else 3
    return digits[:length], "", digits[length:]


def _digits(written: str) -> str:
    return re.sub(r"[^0-9]", "", written)
