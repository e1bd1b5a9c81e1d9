"""What was said must not steer a terminal, a page or a table."""


def printable(text: str) -> str:
    """Return `text` in one line: blanks for line breaks and all that does not print."""
    return "".join(char if char.isprintable() else " " for char in text)


def printable_lines(text: str) -> str:
    """Return `text` with its line breaks and tabs, and blanks for all else that does not print."""
    lines = text.replace("\r\n", "\n")
    return "".join(char if char.isprintable() or char in "\n\t" else " " for char in lines)


def counted(count: int, thing: str) -> str:
    """Return a number with its noun: `1 gap`, `2 gaps`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
