"""How many tokens a text is, without the tokenizer of the model that will read it."""

_TOKENS_PER_CHAR = {"ascii": 0.25, "two_bytes": 0.6, "more_bytes": 1.1}
"""By the length of a character in UTF-8, which divides scripts as tokenizers do.

Against `cl100k_base`, estimated over counted: English 1.1, German 1.0, Russian 1.2, Arabic .8,
Hindi .9, Thai 1.2, Chinese 1.3, Japanese 1.1, Korean .8 (a sentence or two
each). Later vocabularies need up to a third less outside of ASCII, so that a budget kept by this
estimate is kept there too.
"""


def estimated_tokens(text: str) -> int:
    """About how many tokens `text` is, in any script; 0 for no text, at least 1 for any."""
    chars = len(text)
    ascii_chars = len(text.encode("ascii", "ignore"))
    other_bytes = len(text.encode("utf-8", "surrogatepass")) - ascii_chars
    more_bytes = max(0, other_bytes - 2 * (chars - ascii_chars))
    two_bytes = chars - ascii_chars - more_bytes
    tokens = (
        ascii_chars * _TOKENS_PER_CHAR["ascii"]
        + max(0, two_bytes) * _TOKENS_PER_CHAR["two_bytes"]
        + more_bytes * _TOKENS_PER_CHAR["more_bytes"]
    )
    return -int(-tokens // 1)


def chars_within(text: str, max_tokens: int) -> int:
    """How many characters of the beginning of `text` are at most `max_tokens`, by estimate."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if estimated_tokens(text[:middle]) <= max_tokens:
            low = middle
        else:
            high = middle - 1
    return low
