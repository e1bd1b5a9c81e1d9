# ruff: noqa: RUF001 (other scripts have letters that look like Latin ones)
"""Text cut into sentences with exact offsets. Pure; works on a growing text too."""

import re
from typing import NamedTuple

_LIST_MARKER = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
SENTENCE_MARKS = (
    "\u0589\u061d-\u061f\u06d4\u0700-\u0702\u07f9\u0837\u0839\u083d\u083e\u0964\u0965"
    "\u104a\u104b\u1362\u1367\u1368\u166e\u1735\u1736\u17d4\u17d5\u1803\u1809\u1944\u1945"
    "\u1aa8-\u1aab\u1b4e\u1b4f\u1b5a\u1b5b\u1b5e\u1b5f\u1b7d-\u1b7f\u1c3b\u1c3c\u1c7e\u1c7f"
    "\u203c\u203d\u2047-\u2049\u2cf9-\u2cfb\u2e2e\u2e3c\u2e53\u2e54\u2e60\u2e61\u3002\ua4ff"
    "\ua60e\ua60f\ua6f3\ua6f7\ua876\ua877\ua8ce\ua8cf\ua92f\ua9c8\ua9c9\uaa5d-\uaa5f"
    "\uaaf0\uaaf1\uabeb\ufe12\ufe15\ufe16\ufe56\ufe57\uff01\uff1f\uff61\U00010a56\U00010a57"
    "\U00010f55-\U00010f59\U00010f86-\U00010f89\U00011047\U00011048\U000110be-\U000110c1"
    "\U00011141-\U00011143\U000111c5\U000111c6\U000111cd\U000111de\U000111df"
    "\U00011238\U00011239\U0001123b\U0001123c\U000112a9\U000113d4\U000113d5"
    "\U0001144b\U0001144c\U000115c2\U000115c3\U000115c9-\U000115d7\U00011641\U00011642"
    "\U0001173c-\U0001173e\U00011944\U00011946\U00011a42\U00011a43\U00011a9b\U00011a9c"
    "\U00011c41\U00011c42\U00011ef7\U00011ef8\U00011f43\U00011f44\U00016a6e\U00016a6f"
    "\U00016af5\U00016b37\U00016b38\U00016b44\U00016d6e\U00016d6f\U00016e98\U0001bc9f"
    "\U0001da88"
)
"""Unicode's marks that end a sentence, of all scripts, without those that need a space after
them: for a character class of a pattern."""
CLOSING = "\u201d\u2019\u00bb)\\]\u3009\u300b\u300d\u300f\u3011\u3015\u3017\uff02\uff09\uff3d\uff63"
"""What may stand between such a mark and the end of its sentence, likewise."""
SCRIPT_END = rf"(?:[{SENTENCE_MARKS}]|\uff0e(?![\dA-Za-z\uff21-\uff5a]))+[{CLOSING}]*"
"""Pattern of the end of a sentence where no space has to follow."""
_END = re.compile(
    "(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019)\\]]*(?=\\s)" + rf"|{SCRIPT_END}|\n+"
)
_ABBREVIATION = re.compile(
    # No "t" of "can't" is one.
    r"(?<!['\u2019])\b(?:(?:e\.g|i\.e|etc|vs|mr|mrs|ms|dr|prof|st|inc|ltd|approx|cf|fig|sec|max|min|incl"
    r"|z|d|u|bl|f|t|d\.\s?h|u\.\s?a|o\.\s?ä|i\.\s?d|bzw|ca|evtl|ggf|inkl|zzgl|vgl|usw|nr|str|tel|mio|mrd|sog|tgl"
    r"|sra?|srta|dra|uds?|avda|núm|pág|aprox|p\.\s?ej|p\.\s?ex|mme|mlle|dott|ecc|bijv|mevr|dhr"
    r"|d\.w\.z|np|ul|tzw|tj|godz|m\.\s?in|t\.\s?ex|bl\.\s?a|f\.\s?eks|kl|např|tzv|č"
    r"|г|ул|стр|тыс|руб|коп|напр|см|т|т\.\s?[едпк])"
    r"|(?-i:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Okt|Nov|Dec|Dez|Av|Sig|Abs)"
    r"|(?-i:[A-Z\u00c0-\u00d6\u00d8-\u00de\u0391-\u03a9\u0410-\u042f])"
    # The ordinals of German and of the north: "am 3. März", "der 2. Stock", "3. 4. 2026".
    r"|(?:(?<!i )am|vom|zum|zur|der|dem|den|des|das|die|im|beim)\s\d{1,2}|\d{1,2}\.\s\d{1,2})$",
    re.IGNORECASE,
)
_MAY_END_LATER = ".!?\u2026\"'\u201d\u2019)]"
_NUMBER_OF_A_LIST = re.compile(r"\s{0,80}\d{1,2}")
_LOOKED_BACK_CHARS = 16
"""More than the longest abbreviation: a sentence full of them is not read again at each."""


class Sentence(NamedTuple):
    """One sentence: characters [start, end) of its text, without white space around it."""

    text: str
    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of `text` in order. Line breaks end one, list markers belong to none."""
    found: list[Sentence] = []
    start = 0
    for match in _END.finditer(text):
        if _is_inside_sentence(text, start, match):
            continue
        _add(found, text, start, match.end())
        start = match.end()
    _add(found, text, start, len(text))
    return found


def finished_length(text: str, *, searched: int = 0) -> int:
    """How many characters of a growing text are whole sentences.

    Args:
        text: From the beginning of a sentence.
        searched: `settled_length` of the same text when it was shorter and held no whole sentence.
    """
    end = 0
    start = 0
    for match in _END.finditer(text, searched):
        if not _is_inside_sentence(text, start, match):
            start = end = match.end()
    return end


def settled_length(text: str) -> int:
    """How many characters hold no whole sentence, whatever comes after a text that holds none.

    It is 0 for marks that may end a sentence once more than such marks come after them.
    """
    return len(text.rstrip(_MAY_END_LATER))


def _is_inside_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if not match.group().startswith("."):
        return False
    end = match.start()
    if _ABBREVIATION.search(text, max(start, end - _LOOKED_BACK_CHARS), end) is not None:
        return True
    return _NUMBER_OF_A_LIST.fullmatch(text, start, end) is not None


def _add(found: list[Sentence], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    marker = _LIST_MARKER.match(piece)
    if marker:
        start += marker.end()
        piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + piece.index(stripped)
        found.append(Sentence(stripped, begin, begin + len(stripped)))
