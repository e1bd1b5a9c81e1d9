"""Numbers that identify people: what tells them from order numbers, dates and amounts. Pure."""

import re
import unicodedata
from collections.abc import Iterator

_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"(\w\w):(\d\d)",
        (
            "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BR:29 BY:28 CH:21 CR:22 CY:28 "
            "CZ:24 DE:22 DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 "
            "GR:27 GT:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30 KZ:20 LB:28 LC:32 "
            "LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MR:27 MT:31 MU:30 NL:18 NO:15 "
            "PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 SA:24 SC:31 SE:24 SI:19 SK:24 SM:27 ST:25 "
            "SV:28 TL:23 TN:24 TR:26 UA:29 VA:22 VG:24 XK:20"
        ),
    )
}
"""Characters by country. Source: SWIFT, "IBAN Registry", release 97."""

_PHONE_WORDS = re.compile(
    r"\b(?:phone|call|reach|mobile|cell|tel|telephone|fax|whatsapp|text|number is|dial|ring|"
    r"callback|telefon|telefonnummer|rufnummer|handy|handynummer|mobilnummer|nummer|téléphone|portable|"
    r"numéro|teléfono|móvil|número|cellulare|telefono|numero)\b",
    re.IGNORECASE,
)
_OTHER_NUMBER_WORDS = re.compile(
    r"\b(?:order|ticket|reference|ref|tracking|account|case|invoice|serial|booking|confirmation|"
    r"customer|article|item|sku|policy|model|part|version|isbn|id|flight|room|gate|seat|train|"
    r"zimmer|flug|vol|chambre|vuelo|commande|dossier|facture|réservation|pedido|factura|reserva|"
    r"cliente|client|ordine|prenotazione|kunde|bestellung|auftrag|rechnung)\b[^.,;?!]{0,24}$",
    re.IGNORECASE,
)
_CODE_LETTERS = re.compile(r"\b[A-Z]{2,3}\s?$")
"""As a flight has them: `LH 0400`."""
_COUNTED = re.compile(
    r"\s?(?:[%€$£]|(?!(?:always|as|has|is|plus|thanks|this|us|was|yes)\b)[^\W\d_]{3,}s\b|"
    r"(?:ms|sec|min|km|mm|cm|kg|kb|mb|gb|tb|people|euro|eur|usd|percent|prozent|millisekunden|"
    r"sekunden|minuten|stunden|meter|kilometer)\b)",
    re.IGNORECASE,
)
"""What a number counts that stands before it."""
_ROUND = re.compile(r"[1-9]\d*0{5,}")
_DATE = re.compile(r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[ T]\d+)?")
_GROUPED = re.compile(r"\(?\d{3}\)?[\s.\-]{1,2}\d{3}[\s.\-]\d{4}|1[\s.\-]\(?\d{3}\)?.\d{3}.\d{4}")
_TRUNK = re.compile(r"\(?0\d{1,5}\)?[\s./\-]{0,2}\d[\d\s./\-]{4,}\d")


def iban_length(text: str) -> int | None:
    """Return how many characters an IBAN has that begins as `text` does."""
    return _IBAN_LENGTHS.get(text[:2].upper())


def is_iban(text: str) -> bool:
    """Return whether the check digits are right (ISO 7064, mod 97-10)."""
    value = re.sub(r"[ -]", "", text).upper()
    if len(value) != iban_length(value):
        return False
    return int("".join(str(int(char, 36)) for char in value[4:] + value[:4])) % 97 == 1


def is_card_number(digits: str) -> bool:
    """Return whether the number is one of a payment card: issuer, length and Luhn's check digit."""
    if not _CARD.fullmatch(digits) or len(set(digits)) < 2:
        return False
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(map(int, digits[-1::-2])) + sum(value // 10 + value % 10 for value in doubled)
    return total % 10 == 0


def plain_digits(text: str) -> str:
    """Return `text` with the digits and signs of every script as those of ASCII."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(str(int(char)) if char.isdecimal() else char for char in plain)


def is_phone_number(shown: str, *, before: str, after: str = "") -> bool:
    """Return whether a run of digits is a phone number.

    Args:
        shown: The digits as they are written, with spaces and signs.
        before: The words in front of it, which tell what the number is.
        after: The words behind it: `1234567 milliseconds` are no number to call.
    """
    shown = plain_digits(shown)
    digits = re.sub(r"\D", "", shown)
    if not 7 <= len(digits) <= 15 or _DATE.fullmatch(shown):
        return False
    if shown.lstrip("(").startswith("+") or (digits.startswith("00") and len(digits) >= 11):
        return len(digits) >= 8
    if _OTHER_NUMBER_WORDS.search(before) or _CODE_LETTERS.search(before):
        return False
    if shown == digits and (_COUNTED.match(after) or _ROUND.fullmatch(digits)):
        return False
    if _GROUPED.fullmatch(shown) or (len(digits) >= 9 and _TRUNK.fullmatch(shown)):
        return True
    return bool(_PHONE_WORDS.search(before))


_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[0-8]|2[2-7]|6\d|35)\d{14}|6\d{12}|6\d{16,18}|3[47]\d{13}"
    r"|3[0689]\d{12}"
)
"""First digits and lengths that card issuers use."""
_ENGLISH_DIGITS = dict(
    zero="0", oh="0", o="0", one="1", two="2", three="3", four="4", five="5", six="6", seven="7",
    eight="8", nine="9",
)  # fmt: skip
_FOREIGN_DIGITS = (
    "null eins zwei drei vier fünf sechs sieben acht neun",
    "zéro un deux trois quatre cinq six sept huit neuf",
    "cero uno dos tres cuatro cinco seis siete ocho nueve",
)
_DIGIT_WORDS = {
    **{word: str(digit) for words in _FOREIGN_DIGITS for digit, word in enumerate(words.split())},
    **_ENGLISH_DIGITS,
    "zwo": "2",
}
_REPEATS = {"double": 2, "triple": 3}
_WORD = re.compile(r"[^\W\d_]+|\d")
_MIN_SPOKEN_DIGITS = 7


def spoken_digits(
    text: str, *, at_least: int = _MIN_SPOKEN_DIGITS
) -> Iterator[tuple[int, int, str]]:
    """Yield where at least so many digits are spelled out in a row, and which they are.

    Between them may stand white space, commas and hyphens; `double five` counts as two.
    """
    start, end, digits, times = 0, 0, "", 1
    for found in [*_WORD.finditer(text), None]:
        word = found.group().lower() if found else ""
        follows = found is not None and (not digits or not text[end : found.start()].strip(" ,-\n"))
        digit = _DIGIT_WORDS.get(word) or (word if word.isdigit() and digits else None)
        if found is not None and follows and (digit or word in _REPEATS):
            if not digits and times == 1:
                start = found.start()
            digits, times = (digits + digit * times, 1) if digit else (digits, _REPEATS[word])
            end = found.end()
            continue
        if at_least <= len(digits) <= 19 and not _before_other(text[:start]):
            yield start, end, digits
        restarted = found is not None and (_DIGIT_WORDS.get(word) or "")
        digits, times = restarted or "", _REPEATS.get(word, 1)
        if found is not None and (digits or word in _REPEATS):
            start, end = found.span()


def _before_other(before: str) -> bool:
    return bool(_OTHER_NUMBER_WORDS.search(before[-40:]))
