"""What a voice says for a text: no markup, no symbols, numbers and addresses in words. Pure.

    stream = SpokenStream("en")
    for delta in deltas:
        for piece in stream.feed(delta):   # whole sentences, ready for text-to-speech
            ...
    stream.finish()                        # what is left

In English every digit and symbol becomes words. In other languages markup, lists and emojis go,
addresses are spelled out where the words are known, units and currencies become words, and numbers
stay as they are: voices of those languages read them.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from conversation.language.speaking.amounts import amount_rules
from conversation.language.spoken_addresses import address_rules
from conversation.language.spoken_english import spoken
from conversation.language.spoken_rules import Rule, apply_rules
from conversation.language.spoken_titles import NO_TITLES, SpokenTitles
from kb.words.sentences import finished_length, settled_length, split_sentences

_ROUNDS = 4
"""A rule may uncover what an earlier one takes: it is over when nothing changes any more."""
_FENCE = re.compile(r"^\s*(?:```|~~~)\w*\s*$")
_RULE_LINE = re.compile(r"^\s*+(?:[-*_]\s*+){3,}$|^\s*+\|?(?:\s*+:?-++:?\s*+\|)+\s*+:?-*+:?\s*+$")
_BULLET = re.compile(r"^\s*[-*+\u2022\u2023\u25aa\u25cf\u2013]\s+(?:\[[ xX]\]\s+)?")
_NUMBERED = re.compile(r"^\s*(?P<number>\d{1,3})[.)]\s+(?=\S)")
_HEADING = re.compile(r"^\s*(?:#{1,6}\s+|>(?!=)\s?)+")
_IMAGE_OR_LINK = re.compile(r"!?\[(?P<text>[^\]\[]*)\]\((?P<address>[^()\s]*)(?:\s+\"[^\"]*\")?\)")
_BARE_LINK = re.compile(r"<(?=(?:https?://|mailto:|[^\s<>@]+@)[^\s<>]+>)|(?<=\S)>(?=[\s.,;:!?]|$)")
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>")
_SUPERSCRIPTS = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u207a", "0123456789-+"
)
_POWER = re.compile(
    "(?<=[0-9])(?:[\u207b\u207a][\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+"
    "|(?![\u00b2\u00b3](?![\u2070\u00b9\u00b2\u00b3\u2074-\u2079]))[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)"
)
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&quot;": '"', "&#39;": "'"} | {
    "\u2103": "\u00b0C", "\u2109": "\u00b0F",
}  # fmt: skip
_EMPHASIS = re.compile(r"\*+|~~+|`+|(?<!\w)_+(?=\S)|(?<=[^\s_])_++(?!\w)|(?<=_)_(?!\w)")
_BRACKETS = re.compile(r"\s*[(\[{]\s*|\s*[)\]}]")
_DASH = re.compile(r"\s*[\u2014\u2015]\s*|\s+(?:--|\u2013|-)\s+|(?<=\w)--(?=\w)")
_TABLE_BAR = re.compile(r"\s*\|\s*")
_BEFORE_NUMBERS = (
    "~\u2248<>\u2264\u2265$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba\u20bf#\u00a7\u2116"
)
"""What changes the meaning of a number that it stands before."""
_BEFORE_WORDS = re.compile(
    rf"^(?:(?!(?:[-+\u2212\u00b1](?!\s))?[{_BEFORE_NUMBERS}]{{0,2}}\s?[.,]?[0-9])"
    r"[^\w\"'\u201c\u2018\u00bf\u00a1])+"
)
_PUNCTUATION_RUN = re.compile(r"(?<![,;:])\s*([,;:])(?:\s*[,;:])*(?=\s|$)")
_LEFT_OVER = str.maketrans(dict.fromkeys("|_^~", " "))
_ENDS = (".", "!", "?", ":", ";", ",", "\u2026", "\u3002", "\uff01", "\uff1f")
_QUOTES = "\"'\u201d\u2019)"


@dataclass(frozen=True, slots=True)
class SpokenPiece:
    """A sentence as it is read aloud, and where it stands in the text."""

    text: str
    start_char: int
    end_char: int
    """[start_char, end_char) of the text that was written, e.g. to tell how much was heard."""


class SpokenStream:
    """A growing text to sentences for a voice; how the text is cut into deltas changes nothing."""

    def __init__(self, language: str, *, titles: SpokenTitles = NO_TITLES) -> None:
        """Begin a text; `titles` knows the names of documents that it may mention."""
        self._language = language
        self._titles = titles
        self._rest = ""
        self._offset = 0
        self._searched = 0

    def feed(self, delta: str) -> list[SpokenPiece]:
        """Sentences that are whole now."""
        self._rest += delta
        if settled_length(delta) == 0:
            return []
        finished = finished_length(self._rest, searched=self._searched)
        if finished == 0:
            self._searched = settled_length(self._rest)
            return []
        return self._take(finished)

    def finish(self) -> list[SpokenPiece]:
        """What is left when no more text comes."""
        return self._take(len(self._rest))

    def _take(self, chars: int) -> list[SpokenPiece]:
        pieces = _pieces(self._rest[:chars], self._language, self._offset, self._titles)
        self._rest = self._rest[chars:]
        self._offset += chars
        self._searched = 0
        return pieces


def spoken_pieces(
    text: str, language: str, *, titles: SpokenTitles = NO_TITLES
) -> list[SpokenPiece]:
    """The sentences of `text` as they are read aloud; those with nothing to read are left out."""
    return _pieces(text, language, 0, titles)


def spoken_form(text: str, language: str, *, titles: SpokenTitles = NO_TITLES) -> str:
    """`text` as it is read aloud in `language`. Applied again, it changes nothing more."""
    return " ".join(piece.text for piece in spoken_pieces(text, language, titles=titles))


def spoken_sentence(
    sentence: str, language: str, *, ends_line: bool = False, titles: SpokenTitles = NO_TITLES
) -> str:
    """One sentence as it is read aloud; at the end of a line it gets a full stop."""
    if _FENCE.match(sentence) or _RULE_LINE.match(sentence):
        return ""
    patterns = (_BULLET, _NUMBERED, _HEADING)
    ends_line = ends_line or "|" in sentence or any(each.match(sentence) for each in patterns)
    said = titles.applied(_plain(sentence))
    for _ in range(_ROUNDS):
        before = said
        # Words may end where no sentence ended before.
        parts = (_words_of(said[start:end], language) for start, end in _borders(said))
        said = " ".join(part for part in parts if part)
        if said == before:
            break
    if said and ends_line and not said.rstrip(_QUOTES).endswith(_ENDS):
        said += "."
    return said


def _words_of(sentence: str, language: str) -> str:
    said = _tidied(_in_words(sentence, language))
    return said if any(char.isalnum() for char in said) else ""


def _borders(text: str) -> list[tuple[int, int]]:
    """[start, end) of each sentence with what stands before it: a list marker, white space."""
    ends = [sentence.end for sentence in split_sentences(text)]
    return list(pairwise([0, *ends]))


def _pieces(text: str, language: str, offset: int, titles: SpokenTitles) -> list[SpokenPiece]:
    pieces: list[SpokenPiece] = []
    for start, end in _borders(text):
        ends_line = text[end : end + 1] == "\n"
        sentence = text[start:end].strip()
        said = spoken_sentence(sentence, language, ends_line=ends_line, titles=titles)
        if said:
            pieces.append(SpokenPiece(said, offset + start, offset + end))
    return pieces


def _plain(line: str) -> str:
    """A line without markup."""
    for entity, char in _ENTITIES.items():
        line = line.replace(entity, char)
    line = _HEADING.sub("", line)
    line = _BULLET.sub("", line)
    line = _NUMBERED.sub(lambda match: f"{match['number']}: ", line)
    line = _IMAGE_OR_LINK.sub(lambda match: match["text"] or match["address"], line)
    line = _BARE_LINK.sub("", _TAG.sub(" ", line)).replace("mailto:", "")
    if line.count("|") > 1:
        line = _TABLE_BAR.sub(", ", _single_spaced(line).strip("|"))
    line = _POWER.sub(lambda match: f"^{match.group().translate(_SUPERSCRIPTS)}", line)
    return _without_emojis(line)


def _in_words(line: str, language: str) -> str:
    base = language.partition("-")[0].lower()
    line = spoken(line) if base == "en" else apply_rules(line, _rules_of(base, language))
    line = _single_spaced(_EMPHASIS.sub("", line))
    line = _DASH.sub(", ", line)
    line = _BRACKETS.sub(", ", line)
    return line.translate(_LEFT_OVER)


def _tidied(line: str) -> str:
    line = _single_spaced(line)
    line = _PUNCTUATION_RUN.sub(r"\1", line)
    line = re.sub(r"\s+([.!?\u2026]+)(?=\s|$)", r"\1", line)
    line = re.sub(r"(?<![,;:])[,;:]++([.!?])", r"\1", line)
    return _BEFORE_WORDS.sub("", line).rstrip(" ,;-\u2013")


def _single_spaced(line: str) -> str:
    """No runs of white space: a pattern that begins with some would read a run from each sign."""
    return " ".join(line.split())


def _without_emojis(line: str) -> str:
    """Pictures say nothing; digits in other shapes become plain ones."""
    kept: list[str] = []
    for char in line:
        category = unicodedata.category(char)
        if category == "Nd":
            kept.append(str(unicodedata.digit(char)))
        elif category == "No" and char not in "\u00b2\u00b3":
            kept.append(f" {unicodedata.normalize('NFKC', char)} ".replace("\u2044", "/"))
        elif category in ("Cf", "Co", "Cs", "Cn", "Me") or _is_picture(char, category):
            kept.append("" if category == "Cf" else " ")
        else:
            kept.append(char)
    return "".join(kept)


def _is_picture(char: str, category: str) -> bool:
    if category == "So":
        return char not in "\u00b0\u00a9\u2116"
    return "\ufe00" <= char <= "\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff"


@lru_cache
def _rules_of(base: str, language: str) -> tuple[Rule, ...]:
    return (*address_rules(base), *amount_rules(language))
