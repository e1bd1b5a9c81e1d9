"""How much models read at once, where the settings say it."""

import re

_CONTEXT = re.compile(r"(?P<model>[^=\s]+/[^=\s]+)\s*=\s*(?P<tokens>\d+)")
_FEWEST = 1_024
"""Below this no question about a conversation fits beside a part of it."""


def parse_contexts(text: str) -> dict[str, int]:
    """Tokens by model string, from `MODEL=TOKENS, ...`.

    Raises:
        ValueError: The text has another form, or a number is too small to be meant.
    """
    contexts: dict[str, int] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        found = _CONTEXT.fullmatch(entry)
        if found is None or int(found["tokens"]) < _FEWEST:
            raise ValueError(
                f"{entry!r} is no size of a context; write MODEL=TOKENS with at least {_FEWEST} "
                "tokens, e.g. openai/own=32768"
            )
        contexts[found["model"]] = int(found["tokens"])
    return contexts
