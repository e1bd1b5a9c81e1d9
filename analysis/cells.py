"""Cells of CSV files: what was said must not become a formula in a spreadsheet."""

import re

_NUMBER = r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]+)?%?"
_BEGINS = r"^\s*[=+@|\-\t\r\x00]"
"""Spreadsheets take these for the start of a formula or of a command, blanks before it or not."""
_FORMULA = re.compile(_BEGINS)
_PLAIN_NUMBER = re.compile(_NUMBER)


def cell(value: object) -> object:
    """`value` as a cell: text that a spreadsheet would run gets an apostrophe before it."""
    if not isinstance(value, str) or not _FORMULA.match(value) or _PLAIN_NUMBER.fullmatch(value):
        return value
    return f"'{value}"


def said_in(text: str) -> str:
    """What stood in a cell before `cell`."""
    return text[1:] if text.startswith("'") and cell(text[1:]) == text else text


def cell_sql(column: str) -> str:
    """The same in SQL, for a column of text."""
    begins, number = (pattern.replace("'", "''") for pattern in (_BEGINS, _NUMBER))
    return (
        f"CASE WHEN regexp_matches({column}, '{begins}') "
        f"AND NOT regexp_full_match({column}, '{number}') THEN '''' || {column} ELSE {column} END"
    )
