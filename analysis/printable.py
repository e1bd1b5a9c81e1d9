"""What was said must not steer a terminal, a page or a table."""


def printable(text: str, *, keep: str = "") -> str:
    """Return `text` with blanks for characters that do not print, but for those of `keep`."""
    return "".join(char if char.isprintable() or char in keep else " " for char in text)


def counted(count: int, thing: str) -> str:
    """Return a number with its noun: `1 gap`, `2 gaps`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
