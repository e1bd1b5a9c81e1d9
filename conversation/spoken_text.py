"""What a voice says for a text, by rule. Pure."""

import re

_MARKUP = re.compile(r"[*_`#]+")


def spoken_form(text: str, language: str) -> str:
    """`text` as it is read aloud in `language`: without markup."""
    return _MARKUP.sub("", text)
