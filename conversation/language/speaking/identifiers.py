"""English: numbers that name something -> sign by sign; ratios and Roman numerals -> words. Pure.

An address, an account or a card is never an amount, whatever it looks like.
"""

import ipaddress
import re

from conversation.language.number_words import cardinal, digit_by_digit, ordinal, year
from conversation.language.spoken_rules import Match, Rule, rule

_SIGN_ENDS = r"(?![\w@]|[-/:.,]\w)"
_HEX = "[0-9A-Fa-f]"
_YEAR = r"(?:1[89][0-9]{2}|20[0-9]{2})"
_ROMAN = re.compile(r"(?=[IVXLC])(?:C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_BOOKS = (
    r"(?:Chapter|Part|Volume|Vol\.|Act|Scene|Book|Article|Title|Phase|Stage|Annex|World War"
    r"|Super Bowl)"
)
_KINDS = r"(?:Type|Section|Level|Class|Tier|Appendix)"
"""What may be followed by a letter as well."""
_RULERS = r"(?:King|Queen|Pope|Emperor|Empress|Tsar|Kaiser|Sultan|Prince|Duke)"
_PER = {
    **{"hr": "hour", "h": "hour", "hour": "hour", "day": "day", "wk": "week", "week": "week"},
    **{"mo": "month", "month": "month", "yr": "year", "year": "year", "quarter": "quarter"},
    **{name: name for name in ("night", "person", "user", "seat", "minute", "second", "item")},
    **{"min": "minute", "sec": "second", "kg": "kilogram", "km": "kilometer", "mile": "mile"},
    **{"GB": "gigabyte", "kWh": "kilowatt hour", "request": "request", "piece": "piece"},
}


def spelled(code: str) -> str:
    """Letters and digits one by one: `3F` is "three F"."""
    signs = [digit_by_digit(sign) if sign.isdecimal() else sign.upper() for sign in code]
    return " ".join(signs)


def _in_groups(code: str, *, of: int = 4) -> str:
    groups = re.split(r"[ :-]", code)
    if len(groups) == 1:
        groups = [code[at : at + of] for at in range(0, len(code), of)]
    return ", ".join(spelled(group) for group in groups)


def _issn(match: Match) -> str:
    return f"ISSN{match['colon']} {_in_groups(match['code'])}"


def _iban(match: Match) -> str:
    code = "".join(match["code"].split())
    digits = "".join(str(int(sign, 36)) for sign in code[4:] + code[:4])
    if not match["said"] and int(digits) % 97 != 1:
        return match.group()  # no account has this number
    return (match["said"] or "") + _in_groups(" ".join(re.findall(".{1,4}", code)))


def _ipv6(match: Match) -> str:
    address, prefix = match["address"], match["prefix"]
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return match.group()
    if not any(sign.isdecimal() for sign in address):
        return match.group()  # `a::b` is a name of some code
    parts: list[str] = re.findall(r"::|:|[0-9A-Fa-f]+", address)
    words = {"::": ", double colon, ", ":": " colon "}
    said = "".join(words.get(part) or spelled(part) for part in parts).strip(", ")
    return said + (f" slash {cardinal(prefix)}" if prefix else "")


def _ipv4(match: Match) -> str:
    said = " point ".join(cardinal(part) for part in match["address"].split("."))
    return f"{said} port {cardinal(match['port'])}"


def _ratio(match: Match) -> str:
    return " to ".join(cardinal(part.replace(",", "")) for part in match.group().split(":"))


def _years(match: Match) -> str:
    first, last = match["first"], match["last"]
    if len(last) == 2:
        is_later = last > first[2:]
        return f"{year(first)} to {cardinal(last)}" if is_later else match.group()
    return f"{year(first)} to {year(last)}" if last >= first else match.group()


def _number_of_roman(written: str) -> int | None:
    if not _ROMAN.fullmatch(written):
        return None
    values = [_VALUES[sign] for sign in written]
    after = [*values[1:], 0]
    return sum(-one if one < two else one for one, two in zip(values, after, strict=True))


def _numbered(match: Match) -> str:
    number = _number_of_roman(match["roman"] or match["number"])
    what = match["what"] or match["kind"]
    return match.group() if number is None else f"{what} {cardinal(str(number))}"


def _ruler(match: Match) -> str:
    number = _number_of_roman(match["roman"])
    return match.group() if number is None else f"{match['who']} the {ordinal(str(number))}"


def _feet(match: Match) -> str:
    feet, inches = match["feet"], match["inches"]
    said = f"{cardinal(feet)} {'foot' if feet == '1' else 'feet'}"
    return f"{said} {cardinal(inches)} {'inch' if inches == '1' else 'inches'}"


def _offset(match: Match) -> str:
    sign = "plus" if match["sign"] == "+" else "minus"
    minutes = f" hours {cardinal(match['minutes'])}" if match["minutes"] else ""
    name = " ".join(match["zone"])
    return f"{name} {sign} {cardinal(str(int(match['hours'])))}{minutes}"


def _coded(code: str) -> str:
    """Digit by digit, with a pause between what hyphens part; letters as they are written."""
    first, *others = code.split("-")
    said = [" ".join(_signs_apart(part)) for part in others]
    return f"{first} {', '.join(said)}"


def _signs_apart(part: str) -> list[str]:
    runs: list[str] = re.findall(r"[0-9]+|[A-Z]+", part)
    return [digit_by_digit(run) if run.isdecimal() else run for run in runs]


IDENTIFIER_RULES: tuple[Rule, ...] = (
    rule(
        rf"\bISSN(?P<colon>:?)\s?(?P<code>[0-9]{{4}}-?[0-9]{{3}}[0-9xX]){_SIGN_ENDS}",
        _issn,
    ),
    rule(
        rf"(?P<said>\bIBAN:?\s)?\b(?P<code>[A-Z]{{2}}[0-9]{{2}}(?:\s?[A-Z0-9]{{4}}){{2,7}}"
        rf"(?:\s?[A-Z0-9]{{1,3}})?){_SIGN_ENDS}",
        _iban,
    ),
    rule(
        # Four digits and more behind capitals are no amount: SKU-4411B is nothing in bytes.
        r"(?<![\w-])(?P<code>[A-Z]{1,6}-(?=[A-Z0-9-]*[0-9]{4})[A-Z0-9]{1,12}(?:-[A-Z0-9]{1,12}){0,4})"
        r"(?![\w-])",
        lambda match: _coded(match["code"]),
    ),
    rule(
        rf"(?<![\w-]){_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}(?![\w-])"
        rf"|(?<![\w:-]){_HEX}{{2}}(?P<by>[:-])(?:{_HEX}{{2}}(?P=by)){{4}}{_HEX}{{2}}(?![\w:-])",
        lambda match: _in_groups(match.group()),
    ),
    rule(
        rf"(?<![\w:.])(?P<address>(?:{_HEX}{{0,4}}:){{2,7}}{_HEX}{{0,4}})"
        r"(?:/(?P<prefix>[0-9]{1,3}))?(?![\w:]|\.[0-9])",
        _ipv6,
    ),
    rule(
        r"(?<![\w.])(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}):(?P<port>[0-9]{1,5})(?![\w:.])",
        _ipv4,
    ),
    rule(
        r"(?<![\w.,-])[0-9]{4}(?: [0-9]{4}){2,4}(?: [0-9]{1,3})?(?![\w@]|[.,/:-]\w)"
        r"|(?<![\w.,-])3[47][0-9]{2} [0-9]{6} [0-9]{5}(?!\w)",
        lambda match: _in_groups(match.group()),
    ),
    rule(
        r"(?<![\w-])(?P<digits>1-[0-9]{3})-(?P<word>[A-Z]{3,7}(?:-[A-Z]{2,7})?)(?![\w-])",
        lambda match: f"{_in_groups(match['digits'])}, {match['word'].replace('-', ' ')}",
    ),
    rule(
        rf"#(?P<code>(?=[0-9a-fA-F]{{0,5}}[a-fA-F])(?:{_HEX}{{6}}|{_HEX}{{3}}))\b",
        lambda match: f"hash {spelled(match['code'])}",
    ),
    rule(
        r"\b(?P<zone>UTC|GMT)(?P<sign>[+\u2212-])(?P<hours>[0-9]{1,2})(?::(?P<minutes>[0-5][0-9]))?"
        r"(?![\w:])",
        _offset,
    ),
    rule(
        rf"\b(?P<what>{_BOOKS})\s(?P<roman>I(?!\s[a-z])|[VX]|[IVXLC]{{2,9}})(?!\w|['\u2019])"
        rf"|\b(?P<kind>{_KINDS})\s(?P<number>[IVX]{{2,6}})(?!\w|['\u2019])",
        _numbered,
    ),
    rule(r"(?<![\w:.,-])1:[0-9]{1,3}(?:,[0-9]{3})+(?![\w:.,])", _ratio),
    rule(
        rf"\b(?P<who>{_RULERS}\s[A-Z][^\W\d_]{{2,20}}(?:\s[A-Z][^\W\d_]{{2,20}})?)"
        r"\s(?P<roman>[IVX]{1,6})(?!\w|['\u2019])",
        _ruler,
    ),
    rule(
        r"(?<![\w'\u2032])(?P<feet>[1-9])['\u2032]\s?(?P<inches>[0-9]|1[01])(?:\"|\u2033|'')", _feet
    ),
    rule(
        r"(?<=[0-9$\u20ac\u00a3\u00a5%A-Z])\s?/\s?(?P<unit>"
        + "|".join(sorted(_PER, key=len, reverse=True))
        + r")(?![\w/])",
        lambda match: f" per {_PER[match['unit']]}",
    ),
    rule(
        r"(?<![\w.,])(?P<whole>[0-9]{1,3}(?:\.[0-9]{3})+),(?P<part>[0-9]{2})(?![\w.,])"
        r"|(?<![\w.,])(?P<short>[0-9]{1,4}),(?P<cents>[0-9]{2})(?=\s?(?:[$\u20ac\u00a3]|EUR|CHF))",
        lambda match: (
            f"{match['whole'].replace('.', '')}.{match['part']}"
            if match["whole"]
            else f"{match['short']}.{match['cents']}"
        ),
    ),
    rule(r">=(?=\s?[0-9])", lambda match: "at least "),
    rule(r"<=(?=\s?[0-9])", lambda match: "at most "),
)
"""Before the rules of numbers and dates."""
RATIO_RULES: tuple[Rule, ...] = (
    rule(
        rf"(?<![\w.,:/-])(?P<first>{_YEAR})\s?[-\u2013]\s?(?P<last>{_YEAR}|[0-9]{{2}})"
        r"(?![\w@]|[.,/:-][0-9])",
        _years,
    ),
    rule(
        rf"(?i:\bq(?P<quarter>[1-4])[ /]|\bfy\s?)(?P<year>{_YEAR})(?!\w|[.,/:-]\w)",
        lambda match: (
            f"{'Q ' + cardinal(match['quarter']) if match['quarter'] else 'F Y'} "
            f"{year(match['year'])}"
        ),
    ),
    rule(r"(?<![\w:.,-])[0-9]{1,4}(?::[0-9]{1,3}(?:,[0-9]{3})?){1,3}(?![\w:]|[.,][0-9])", _ratio),
    rule(
        r"(?<![\w/.,])(?P<n>[1-9]|[1-5][0-9])/(?P<of>16|32|64)(?![\w/])",
        lambda match: (
            f"{cardinal(match['n'])} {ordinal(match['of'])}{'' if match['n'] == '1' else 's'}"
        ),
    ),
)
"""After those of dates and times, which look the same."""
