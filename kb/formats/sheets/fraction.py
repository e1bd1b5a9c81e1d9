"""Numbers that a sheet shows as fractions or with a power of ten."""

import re
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

_EXACT = Context(prec=500)
_FRACTION = re.compile(r"(?:([0#?,]+)(\D*?) +)?([0#?]+) ?/ ?([0#?\d]+)")
_POWER = re.compile(r"([0#?,]+)(\.[0#?]*)?E([+-])([0#?]+)", re.IGNORECASE)
_MAX_DIGITS = 9


def shown_fraction(number: Decimal, mask: str) -> str | None:
    """`number` under a mask such as `# ?/?`, `?/?` or `# ??/16`; None for another mask."""
    found = _FRACTION.fullmatch(mask.strip())
    if found is None:
        return None
    below = found[4][:_MAX_DIGITS]
    exact = Fraction(abs(number))
    whole, rest = (exact.numerator // exact.denominator, exact % 1) if found[1] else (0, exact)
    if below.strip("0#?"):
        denominator = int(re.sub(r"[#?]", "0", below))
        near = Fraction(round(rest * denominator), denominator)
        above = round(rest * denominator)
    else:
        near = rest.limit_denominator(10 ** len(below) - 1)
        above, denominator = near.numerator, near.denominator
    if found[1] and near == 1:
        whole, above = whole + 1, 0
    minus = "-" if number < 0 and (whole or above) else ""
    if found[1] and not above:
        return f"{minus}{whole}"
    return f"{minus}{whole} {above}/{denominator}" if whole else f"{minus}{above}/{denominator}"


def shown_power(number: Decimal, mask: str) -> str | None:
    """`number` under a mask such as `0.00E+00` or `##0.0E+0`; None for another mask."""
    found = _POWER.fullmatch(mask.strip())
    if found is None:
        return None
    step = len(found[1].replace(",", ""))
    decimals = len(found[2] or ".") - 1
    power = number.adjusted() // step * step if number else 0
    shown = _rounded(number, power, decimals)
    if shown.adjusted() >= step:
        power += step
        shown = _rounded(number, power, decimals)
    sign = "-" if power < 0 else "+" if found[3] == "+" else ""
    return f"{shown:f}E{sign}{abs(power):0{len(found[4])}}"


def _rounded(number: Decimal, power: int, decimals: int) -> Decimal:
    scaled = number.scaleb(-power, _EXACT)
    return scaled.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _EXACT)
