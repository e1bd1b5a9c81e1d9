"""Tables that are written with bars in plain text, and stay as they are written."""

import re

_DELIMITER_ROW = re.compile(r"\|(?:[ \t]*:?-+:?[ \t]*\|)*(?:[ \t]*:?-+:?[ \t]*)?")


def column_names(table: str) -> str:
    """The first line of a table as `A | B`, where the second line says that it is the header."""
    header, _, rows = table.partition("\n")
    if not _DELIMITER_ROW.fullmatch(rows.partition("\n")[0].strip()):
        return ""
    return " | ".join(cell.strip() for cell in header.strip().strip("|").split("|"))


def is_pipe_table(text: str) -> bool:
    """Whether each of several lines begins with a bar."""
    lines = text.split("\n")
    return len(lines) > 1 and all(line.lstrip().startswith("|") for line in lines)
