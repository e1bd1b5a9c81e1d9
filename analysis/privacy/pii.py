"""Personal data in text, found by form and check digits: no model, nothing to install.

What is found rather errs to silence than to noise: an order number is no phone number, and a
version is no address. Names and places need a model: `presidio_detector`.
"""

import ipaddress
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from analysis.privacy.pii_numbers import (
    iban_length,
    is_card_number,
    is_iban,
    is_phone_number,
    plain_digits,
    spoken_digits,
)
from conversation.agent.privacy_config import PIIKind
from conversation.language.spoken_addresses import LOW_LINE


@dataclass(frozen=True, slots=True)
class PIISpan:
    """Personal data at `[start, end)` of a text."""

    kind: PIIKind
    start: int
    end: int
    value: str
    """What identifies it, however it is written: a card number without its spaces."""


class Detector(Protocol):
    """Finds personal data."""

    @property
    def version(self) -> str:
        """Changes when other things are found."""
        ...

    def find(self, text: str, kinds: Collection[PIIKind]) -> list[PIISpan]:
        """Return what is found of `kinds`, in order, without overlaps."""
        ...


class BuiltinDetector:
    """E-mail, phone, card (Luhn), IBAN (mod 97), IP, links with tokens, keys and passwords.

    Addresses and numbers are found as they are written and as they are spoken: `ann at example
    dot com`, `five five five, oh one two three`.
    """

    version = "builtin-3"

    def find(self, text: str, kinds: Collection[PIIKind]) -> list[PIISpan]:
        """Return what is found of `kinds`, in order, without overlaps."""
        found = (
            finding for finder in _FINDERS for finding in finder(text) if finding.kind in kinds
        )
        return without_overlaps(found)


def without_overlaps(findings: Iterable[PIISpan]) -> list[PIISpan]:
    """Keep of findings that overlap the one that was named first, in order of the text."""
    kept: list[PIISpan] = []
    for finding in findings:
        # Those kept are apart from each other: only the two neighbours can overlap.
        place = bisect_left(kept, finding.start, key=lambda other: other.start)
        is_after = place == 0 or kept[place - 1].end <= finding.start
        is_before = place == len(kept) or finding.end <= kept[place].start
        if is_after and is_before:
            kept.insert(place, finding)
    return kept


_URL = re.compile(r"\b(?:https?|ftp|wss?)://[^\s<>\"')\]]+", re.IGNORECASE)
_URL_SECRET = re.compile(
    r"://[^/\s]+:[^/\s]+@"
    r"|[?&#](?:[\w.-]*(?:token|key|sig|signature|auth|secret|password|pwd|session|sid|otp|code|"
    r"jwt)[\w.-]*)=[^&\s]{4,}"
    r"|/(?:reset|verify|confirm|invite|unsubscribe|magic|activate)[\w-]*/[\w~.-]{12,}",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"\b(?:sk|pk|rk)[-_](?:[A-Za-z0-9]{1,64}[-_]){0,8}[A-Za-z0-9]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAKIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{6,}"
)
_TOLD = r"\s*+(?:(?:is|was|ist|lautet|war|est|es|è|é)\b|:|=)?\s*+[\"'`]?"
_PASSWORD = re.compile(
    rf"\b(?:password|passphrase|passwort|kennwort|mot de passe|contraseña|clave|senha|wachtwoord|"
    rf"hasło)\b{_TOLD}"
    r"(?P<value>(?=[^\s\"'`]*[\d!@#$%^&*_+=])[^\s\"'`,;]{3,64})",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"\b(?:bearer|api key|token)\b{_TOLD}"
    r"(?P<value>(?=[^\s\"'`]*[\d!@#$%^&*_+=])[^\s\"'`,;]{10,64})",
    re.IGNORECASE,
)
_CODE_NAME = (
    r"(?i:\b(?:pin|passcode|cvv|cvc|security code|verification code|one[- ]time code|otp|ssn|"
    r"social security(?: number)?|my social|geheimzahl|sicherheitscode|code secret|"
    r"nip)\b(?:\s+(?:number|code))?)"
)
_CODE = re.compile(
    rf"{_CODE_NAME}{_TOLD}"
    r"(?P<value>\d{3}-\d{2}-\d{4}|\d[\d -]{1,14}\d|(?=[A-Z]*\d)[A-Z0-9]{4,12})(?![\w-])"
)
"""Digits, or large letters with digits: not the "code4" of "the pin code4 thing"."""
_SPOKEN_CODE = re.compile(rf"{_CODE_NAME}{_TOLD}")
_MIN_SPOKEN_CODE_DIGITS = 3
_LONGEST_SPOKEN_CODE_CHARS = 120
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?![\w-])"
)
_SPOKEN_HOST = re.compile(
    r"(?<!\s)\s++(?:(?P<at>at|ät)|arobase|arroba|chiocciola|apenstaartje|małpa)\s++[\w-]{1,63}"
    r"(?:\s++(?:dash|hyphen|minus|bindestrich|tiret|guion|trattino)\s++[\w-]{1,63})?"
    # "At this point in time" is no address: the dot of a language stands behind its own at.
    r"(?(at)(?:\s++(?:dot|punkt)\s++[a-z]{2,15}){1,4}\b|"
    r"(?:\s++(?:dot|point|punto|ponto|punt|kropka)\s++[a-z]{2,15}){1,4}\b)",
    re.IGNORECASE,
)
_PROVIDER_HOST = re.compile(
    r"(?<!\s)\s++at\s++(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|aol|gmx|protonmail|proton|msn|live|"
    r"web|laposte|orange)\s++(?:com|net|org|de|fr|es|at|ch|me|co\s+uk)\b",
    re.IGNORECASE,
)
"""Providers of mailboxes are known without the dot of their name, which transcripts leave out."""
_SPOKEN_MAILBOX = re.compile(
    rf"\b\w+(?:(?:\s+(?:{LOW_LINE}|dot|dash|hyphen|plus|punkt|minus|bindestrich|"
    r"point|tiret|punto|gui[oó]n|ponto|punt|kropka|trattino)\s+|[.+-])\w+)*$",
    re.IGNORECASE,
)
_LOW_LINE_SAID = re.compile(rf"\s{LOW_LINE}\s", re.IGNORECASE)
_LONGEST_MAILBOX_CHARS = 80
_NO_MAILBOX = re.compile(
    r"am|are|arrived|available|bought|found|here|i|is|it|log|logged|look|looked|looking|looks|me|"
    r"online|order|ordered|page|read|saw|see|shop|shopped|site|start|started|there|us|was|were|"
    r"works?",
    re.IGNORECASE,
)
"""Words before `at` that no mailbox is called by: `I looked at example dot com`."""
_SPOKEN_MARKS: dict[str, str] = {
    **{"underscore": "_", "unterstrich": "_", "plus": "+"},
    **dict.fromkeys(("dot", "punkt", "point", "punto", "ponto", "punt", "kropka"), "."),
    **dict.fromkeys(
        ("dash", "hyphen", "minus", "bindestrich", "tiret", "guion", "guión", "trattino"), "-"
    ),
    **dict.fromkeys(("at", "ät", "arobase", "arroba", "chiocciola", "apenstaartje", "małpa"), "@"),
}
_IBAN_START = re.compile(r"\b[A-Za-z]{2}\d{2}(?=[ -]?[A-Za-z0-9])")
_LONGEST_IBAN_CHARS = 44
"""34 letters and digits, in groups of four."""
_CARD = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?!\d)")
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?=[0-9A-Fa-f]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]{3,39}(?:%\w+)?(?![\w:])")
_VERSION_BEFORE = re.compile(
    r"\b(?:version|release|build|firmware|section|chapter|v)\.?\s*$", re.IGNORECASE
)
_LONGEST_VERSION_CHARS = 40
_PHONE = re.compile(
    r"(?<![\w.,/+\uff0b])(?:[+\uff0b]|\([+\uff0b]?)?\d(?:[\s().\-/]{0,2}\d){6,16}(?![\w]|[.,]\d)"
)


def _urls(text: str) -> Iterator[PIISpan]:
    for found in _URL.finditer(text):
        link = found.group().rstrip(".,;:!?")
        if _URL_SECRET.search(link):
            yield PIISpan("url", found.start(), found.start() + len(link), link)


def _secrets(text: str) -> Iterator[PIISpan]:
    for found in _KEY.finditer(text):
        yield PIISpan("secret", found.start(), found.end(), found.group())
    for pattern in (_PASSWORD, _TOKEN, _CODE):
        for found in pattern.finditer(text):
            value = found["value"].rstrip(".?)")
            yield PIISpan("secret", found.start("value"), found.start("value") + len(value), value)
    for found in _SPOKEN_CODE.finditer(text):
        spoken = text[found.end() : found.end() + _LONGEST_SPOKEN_CODE_CHARS]
        first = next(spoken_digits(spoken, at_least=_MIN_SPOKEN_CODE_DIGITS), None)
        if first is not None and first[0] == 0:
            yield PIISpan("secret", found.end(), found.end() + first[1], first[2])


def _emails(text: str) -> Iterator[PIISpan]:
    for found in _EMAIL.finditer(text):
        yield PIISpan("email", found.start(), found.end(), found.group().lower())
    for host in (*_SPOKEN_HOST.finditer(text), *_PROVIDER_HOST.finditer(text)):
        before = max(0, host.start() - _LONGEST_MAILBOX_CHARS)
        mailbox = _SPOKEN_MAILBOX.search(text[before : host.start()])
        if mailbox is None or _NO_MAILBOX.fullmatch(mailbox.group().split()[0]):
            continue
        start = before + mailbox.start()
        words = _LOW_LINE_SAID.sub(" underscore ", text[start : host.end()].lower()).split()
        value = "".join(_SPOKEN_MARKS.get(word, word) for word in words)
        if host.re is _PROVIDER_HOST:
            mailbox_words = text[start : host.start()].lower().split()
            name = "".join(_SPOKEN_MARKS.get(word, word) for word in mailbox_words)
            value = f"{name}@{'.'.join(host.group().lower().split()[1:])}"
        yield PIISpan("email", start, host.end(), value)


def _ibans(text: str) -> Iterator[PIISpan]:
    for found in _IBAN_START.finditer(text):
        shown = text[found.start() : found.start() + _LONGEST_IBAN_CHARS]
        length = iban_length(shown)
        end = _end_of(shown, length) if length else None
        if end is not None and is_iban(shown[:end]):
            value = re.sub(r"[ -]", "", shown[:end]).upper()
            yield PIISpan("iban", found.start(), found.start() + end, value)


def _end_of(text: str, length: int) -> int | None:
    """Where the first `length` letters and digits of `text` end, at the end of a word."""
    ends = [index + 1 for index, char in enumerate(text) if char.isalnum()]
    if len(ends) < length:
        return None
    end = ends[length - 1]
    return None if text[end : end + 1].isalnum() else end


def _cards(text: str) -> Iterator[PIISpan]:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found.group())
        if is_card_number(digits):
            yield PIISpan("card", found.start(), found.end(), digits)


def _addresses(text: str) -> Iterator[PIISpan]:
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(found.group())
            except ValueError:
                continue
            before = text[max(0, found.start() - _LONGEST_VERSION_CHARS) : found.start()]
            if not _VERSION_BEFORE.search(before):
                yield PIISpan("ip", found.start(), found.end(), str(address))


def _phones(text: str) -> Iterator[PIISpan]:
    for found in _PHONE.finditer(text):
        shown = found.group()
        before = text[max(0, found.start() - 40) : found.start()]
        if is_phone_number(shown, before=before, after=text[found.end() : found.end() + 40]):
            value = re.sub(r"[^\d+]", "", plain_digits(shown))
            yield PIISpan("phone", found.start(), found.end(), value)


def _spoken_numbers(text: str) -> Iterator[PIISpan]:
    for start, end, digits in spoken_digits(text):
        kind: PIIKind = "card" if is_card_number(digits) else "phone"
        yield PIISpan(kind, start, end, digits)


_FINDERS: tuple[Callable[[str], Iterator[PIISpan]], ...] = (
    *(_urls, _emails, _ibans, _cards, _secrets),
    *(_addresses, _phones, _spoken_numbers),
)
"""The surest first: of findings that overlap the first one stands."""
