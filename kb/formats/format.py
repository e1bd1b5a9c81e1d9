"""What a document format is: its names, how its bytes are recognised, and which module reads it."""

import re
from dataclasses import dataclass
from typing import Protocol

from kb.document import ParsedDocument
from kb.formats.text_builder import ParseRequest


class Parser(Protocol):
    """The module of a format."""

    def parse(self, data: bytes, request: ParseRequest) -> ParsedDocument:
        """Read one source; whatever it raises means that the source is malformed."""
        ...


@dataclass(frozen=True, slots=True)
class Format:
    """One format, as `known` registers it. How it is recognised stands in order of certainty."""

    media_type: str
    name: str
    """What a person calls a document of it."""
    parser: str
    """Module with the function `parse` of `Parser`, imported when the first such document comes."""
    listed: str = ""
    """How the list of what can be read names it; empty where another format names it as well."""
    office_folder: str = ""
    """In a ZIP archive with `[Content_Types].xml`: the folder that holds its parts. Archives with
    a member `mimetype` are recognised by their media type."""
    begins: re.Pattern[str] | None = None
    """What the first characters of such a text match, whatever it is called. Has to take time in
    proportion to the text. Line ends are `\\n`."""
    goes_on: re.Pattern[str] | None = None
    """What the first 64 KiB match as well, where the beginning alone is no proof."""
    suffixes: tuple[str, ...] = ()
    """Of texts that content does not decide between, lower case, with the dot. A text without one
    is taken for what the server states, if that is a format with suffixes."""
    aliases: tuple[str, ...] = ()
    """Other media types that servers state for it."""
