"""Content lines of RFC 5545: folded lines joined, names, parameters and values told apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kb.formats.decoding import decode
from kb.formats.text_builder import clean

_FOLD = re.compile(rb"\r?\n[ \t]")
_FOLD_IN_TEXT = re.compile(r"\n[ \t]")
# Possessive, so that a line full of quotation marks takes no more than one pass.
_LINE = re.compile(r'([A-Za-z0-9_.-]+)((?:;(?>(?:"[^"]*+"|[^":])*))?):(.*)', re.DOTALL)
_PARAMETER = re.compile(r';\s*([A-Za-z0-9_-]+)=((?>(?:"[^"]*+"|[^";])*))')
_ESCAPED = re.compile(r"\\([\\;,nN])")
_ESCAPED_IN_PARAMETER = re.compile(r"\^([n^'])")
_IN_PARAMETER = {"n": " ", "^": "^", "'": '"'}


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One property: its name in capitals, its parameters likewise, its value as written."""

    name: str
    value: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])

    def text(self) -> str:
        """The value with its escapes undone."""
        return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], self.value)


def content_lines(data: bytes, *, charset: str | None) -> Iterator[ContentLine | None]:
    """Yield the properties in order, and None for a line that is none. Blank lines are skipped."""
    # A fold may cut a character in two, so lines are joined before they are decoded; but not
    # where each character has two bytes.
    if b"\0" in data:
        text = _FOLD_IN_TEXT.sub("", clean(decode(data, stated=charset))[0])
    else:
        text = clean(decode(_FOLD.sub(b"", data), stated=charset))[0]
    for line in text.split("\n"):
        if line.strip():
            yield _read(line)


def _read(line: str) -> ContentLine | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    parameters = {name.upper(): _plain(value) for name, value in _PARAMETER.findall(found[2])}
    return ContentLine(found[1].upper(), found[3].strip(), parameters)


def _plain(value: str) -> str:
    value = value.replace('"', "").strip()
    return _ESCAPED_IN_PARAMETER.sub(lambda found: _IN_PARAMETER[found[1]], value)
