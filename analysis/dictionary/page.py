"""The data dictionary as a page: what every table, view and column of the reports means."""

from collections.abc import Iterable, Sequence

from analysis.dictionary.schema import Column, Table, View
from analysis.dictionary.tables import TABLES
from analysis.dictionary.views import VIEWS, agent_views
from conversation.agent.config import AgentConfig

_INTRODUCTION = (
    "Made from the code that creates the tables. The same words stand as comments in the published "
    "file: `SELECT column_name, comment FROM duckdb_columns()`. Times are UTC."
)


def dictionary_as_markdown(agents: Iterable[AgentConfig] = ()) -> str:
    """Return every table and view with the type and meaning of its columns.

    Args:
        agents: Whose wide views are described as well.
    """
    parts = ["# Data dictionary", _INTRODUCTION, "## Tables"]
    parts += [_described(table, table.all_columns) for table in TABLES]
    parts += ["## Views", *(_described(view, view.columns) for view in VIEWS)]
    wide = agent_views(agents)
    if wide:
        parts += ["## Views of agents", *(_described(view, view.columns) for view in wide)]
    return "\n\n".join(parts) + "\n"


def _described(thing: Table | View, columns: Sequence[Column]) -> str:
    lines = [f"### {thing.name}", "", thing.comment, "", "| column | type | meaning |"]
    lines.append("| --- | --- | --- |")
    lines += [f"| `{c.name}` | {_cell(c.type)} | {_cell(c.comment)} |" for c in columns]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
