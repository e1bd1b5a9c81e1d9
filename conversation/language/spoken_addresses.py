"""Web and e-mail addresses and file names -> words, in some languages. Pure."""

import re
from functools import lru_cache

from conversation.language.number_words import digit_by_digit
from conversation.language.spoken_rules import Match, Rule, rule

_TLD = (
    r"(?:com|org|net|io|dev|app|ai|co|info|edu|gov|eu|uk|de|fr|es|it|nl|ch|at|be|pl|se|us|ca|au|jp"
    r"|in|br|example|test|local)"
)
_EXTENSION = (
    r"(?:ya?ml|json|pdf|docx?|xlsx?|pptx?|md|txt|csv|html?|py|js|css|zip|gz|sqlite|toml|xml|log|png"
    r"|jpe?g|svg|mp3|wav|mp4)"
)
_WORDS = {
    "en": {
        ".": "dot",
        "/": "slash",
        "-": "dash",
        "_": "underscore",
        "@": "at",
        ":": "colon",
        "?": "question mark",
        "=": "equals",
        "&": "and",
        "#": "hash",
        "+": "plus",
        "%": "percent",
        "~": "tilde",
    },
    "de": {
        ".": "Punkt",
        "/": "Schrägstrich",
        "-": "Bindestrich",
        "_": "Unterstrich",
        "@": "at",
        ":": "Doppelpunkt",
        "?": "Fragezeichen",
        "=": "gleich",
        "&": "und",
        "#": "Raute",
        "+": "plus",
        "%": "Prozent",
        "~": "Tilde",
    },
    "fr": {
        ".": "point",
        "/": "barre oblique",
        "-": "tiret",
        "_": "tiret bas",
        "@": "arobase",
        ":": "deux-points",
        "?": "point d'interrogation",
        "=": "égal",
        "&": "et",
        "#": "dièse",
        "+": "plus",
        "%": "pour cent",
        "~": "tilde",
    },
    "es": {
        ".": "punto",
        "/": "barra",
        "-": "guion",
        "_": "guion bajo",
        "@": "arroba",
        ":": "dos puntos",
        "?": "signo de interrogación",
        "=": "igual",
        "&": "y",
        "#": "almohadilla",
        "+": "más",
        "%": "por ciento",
        "~": "tilde",
    },
}
# A run of what an address is made of is looked at from its first sign only: time linear in it.
_ADDRESSES = (
    r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)+",
    r"\b[a-zA-Z]+://[^\s<>\"'()\[\]]*[^\s<>\"'()\[\].,;:!?]",
    rf"(?<![\w-])(?<![\w-]\.)(?P<lead>-*+)(?:www\.)?(?:[\w-]++\.)+{_TLD}\b(?:[/:][\w/.?=&#%~+:-]*[\w/])?",
    rf"(?<![\w./~-])(?!\.\.\.)[\w./~-]*[\w-]\.{_EXTENSION}\b",
)


_SPOKEN_BESIDES = {
    "hyphen": "-", "minus": "-", "arobas": "@", "klammeraffe": "@", "guión": "-", "tilde": "~",
    "strich": "-", "ät": "@", "et": "@", "chiocciola": "@", "apenstaartje": "@", "małpa": "@",
    "trattino": "-", "streepje": "-", "myślnik": "-", "punt": ".", "ponto": ".", "kropka": ".",
}  # fmt: skip
"""What people call a mark beside the words that it is spoken with here."""


LOW_LINE = (
    r"(?:tiret\s+(?:du\s+)?bas|gui[oó]n\s+bajo|trattino\s+basso|sublinhado|laag\s+streepje|"
    r"podkreślenie|podkreślnik|underscore|unterstrich)"
)
"""Pattern of what `_` is called; its first word is another mark's in some languages."""


@lru_cache(maxsize=1)
def marks_by_word() -> dict[str, str]:
    """Return the mark that each word of an address names, in any language, in lower case.

    Names of several words are left out: their first word is another mark's in the same language.
    """
    words = {
        word.casefold(): mark
        for by_mark in _WORDS.values()
        for mark, word in by_mark.items()
        if word.isalpha() and mark != "&"
    }
    return words | _SPOKEN_BESIDES


def address_rules(language: str) -> tuple[Rule, ...]:
    """Rules that spell addresses out; none for a language whose words are not known here."""
    words = _WORDS.get(language)
    if words is None:
        return ()
    in_english = language == "en"

    def spelled(match: Match) -> str:
        lead = match.groupdict().get("lead") or ""
        address = re.sub(r"^[a-zA-Z]+://", "", match.group()[len(lead) :]).rstrip("/")
        pieces: list[str] = re.findall(r"[0-9]|[^\W\d_]+|.", re.sub(r"^www\.", "", address))
        return lead + " ".join(
            digit_by_digit(piece) if in_english and piece.isdecimal() else words.get(piece, piece)
            for piece in pieces
        )

    return tuple(rule(pattern, spelled) for pattern in _ADDRESSES)
