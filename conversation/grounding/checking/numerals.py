"""A number in digits -> the ways in which it can be meant. Pure."""

import re

_SCALES = {
    **{"k": 3, "thousand": 3, "tsd": 3, "tausend": 3, "mille": 3, "mil": 3, "\u5343": 3},
    **{"m": 6, "mn": 6, "mio": 6, "million": 6, "millions": 6, "millionen": 6, "millones": 6},
    **{"bn": 9, "billion": 9, "mrd": 9, "milliarden": 9, "milliards": 9},
    **{"\u4e07": 4, "\u842c": 4, "\ub9cc": 4, "\u5104": 8, "\u4ebf": 8},
}
"""Powers of ten that stand behind a number."""
_MOST_DIGITS = 18
_GROUPS = re.compile(r"[ \u00a0\u202f\u2009'\u2019](?=\d)")


def forms_of_number(written: str, *, scale: str = "") -> set[str]:
    """Each value that digits with separators can have, in plain decimals.

    Args:
        written: E.g. `1.500`, which is fifteen hundred or one and a half.
        scale: A word such as `million`, in lower case; with any other there are no values.
    """
    if scale and scale not in _SCALES:
        return set()
    plain = _GROUPS.sub("", written)
    return {
        _normal(reading, _SCALES.get(scale, 0))
        for reading in _readings(plain)
        if len(reading) <= _MOST_DIGITS
    }


def _readings(plain: str) -> list[str]:
    marks = re.sub(r"\d", "", plain)
    if not marks:
        return [plain]
    last = max(plain.rfind("."), plain.rfind(","))
    as_decimal = re.sub(r"[.,]", "", plain[:last]) + "." + plain[last + 1 :]
    if len(set(marks)) > 1:
        return [as_decimal]
    joined = plain.replace(marks[0], "")
    grouped = re.fullmatch(r"\d{1,3}(?:[.,]\d{2,3})*[.,]\d{3}", plain) is not None
    if len(marks) > 1:
        return [joined]
    return [joined, as_decimal] if grouped and plain[0] != "0" else [as_decimal]


def _normal(reading: str, power: int) -> str:
    whole, _, fraction = reading.partition(".")
    moved = fraction[:power].ljust(power, "0")
    rest = fraction[power:].rstrip("0")
    digits = (whole + moved).lstrip("0") or "0"
    return f"{digits}.{rest}" if rest else digits
