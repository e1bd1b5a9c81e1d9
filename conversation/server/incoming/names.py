"""Names that people read in lists: on one line, and in the order in which they are written.

A line feed makes one name look like two, and a sign that turns the direction of what follows lets
`exe.txt` be read where `txt.exe` stands.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Bidirectional classes of signs that change how others are read; marks (LRM, RLM) do not."""
_BREAKING = frozenset({"Cc", "Zl", "Zp"})


def cleaned_name(name: str) -> str:
    """A name that came with a file, with `_` in place of what a name must not hold."""
    return "".join("_" if _misleads(char) else char for char in name)


def _misleads(char: str) -> bool:
    return unicodedata.category(char) in _BREAKING or unicodedata.bidirectional(char) in _TURNING


def _readable(name: str) -> str:
    if any(map(_misleads, name)):
        raise ValueError(
            "write a name on one line, without control characters and without signs that turn the "
            "direction of writing"
        )
    return name


ReadableName = Annotated[str, AfterValidator(_readable)]
"""A name that somebody gives."""
