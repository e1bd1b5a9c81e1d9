"""What a table, a view and a column of the reports are: the words of the data dictionary."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its DuckDB type, and what a reader of a report has to know."""

    name: str
    type: str
    comment: str


REPORT_DAY = Column(
    "report_day",
    "DATE",
    "The day of that moment in the time zone of the reports, by which views count.",
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the warehouse."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    derived: tuple[Column, ...] = ()
    """Columns that are computed when the reports are published."""

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Columns of the published table."""
        return self.columns + self.derived


@dataclass(frozen=True, slots=True)
class View:
    """One view: its SQL, and what each column holds."""

    name: str
    comment: str
    sql: str
    columns: tuple[Column, ...]


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
